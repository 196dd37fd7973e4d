/// Makes batches again of the chunks of one sequence, in their order.
///
/// Strings of the dictionary come with codes, in a space of the reader's own; they live as long as
/// the reader.
public final class ColumnChunkReader {
  /// Rows of a batch: with a dozen columns it stays in a second-level cache.
  public static let batchRows = 2_048

  private let columns: [Int]
  private let columnCount: Int
  private let others: [Int]
  private let decoders: [ColumnDecoder]
  private var lines = LineDecoder()
  private var offsets = OffsetDecoder()
  private static let all = Selection(all: batchRows)
  /// A whole batch that is made full again and again.
  private var batch: Batch?

  /// - Parameters:
  ///   - columns: what ``ColumnChunkWriter`` was given.
  ///   - columnCount: columns of the batches.
  ///   - others: columns that whoever gets a batch may write: they are missing again in the next.
  public init(columns: [Int], columnCount: Int, others: [Int]) {
    self.columns = columns
    self.columnCount = columnCount
    self.others = others
    decoders = columns.map { _ in ColumnDecoder() }
  }

  /// Hands the rows of the next chunk on, in batches without text.
  ///
  /// - Parameter chunk: stays where it is until this returns, with ``RawBuffer/slack`` readable bytes
  ///   behind it.
  /// - Throws: ``ChunkError``, or what `body` throws.
  public func read(
    _ chunk: UnsafeRawBufferPointer, _ body: (inout Batch, Selection) throws -> Void
  ) throws {
    let rows = try open(chunk)
    let full = rows / ColumnChunkReader.batchRows
    if full > 0 {
      var batch = self.batch.take() ?? makeBatch(rows: ColumnChunkReader.batchRows)
      for _ in 0..<full {
        fill(&batch)
        try body(&batch, ColumnChunkReader.all)
        clear(&batch)
      }
      self.batch = consume batch
    }
    let rest = rows % ColumnChunkReader.batchRows
    if rest > 0 {
      var batch = makeBatch(rows: rest)
      fill(&batch)
      try body(&batch, Selection(all: rest))
    }
  }

  private func makeBatch(rows: Int) -> Batch {
    Batch(
      bytes: Bytes(capacity: 0),
      lines: Array(repeating: BatchLine(start: 0, length: 0, number: 0), count: rows),
      columnCount: columnCount)
  }

  /// Takes out of a batch what others put there.
  private func clear(_ batch: inout Batch) {
    for column in others {
      batch.column(column).update(repeating: .missing, count: batch.rowCount)
      batch.setCodes(.none, ofColumn: column)
    }
    batch.arena = Arena()
  }

  private func fill(_ batch: inout Batch) {
    lines.fill(batch.lines, batch.rowCount)
    if offsets.areThere {
      if batch.offsets == nil { batch.makeOffsets() }
      offsets.fill(batch.offsets!, batch.rowCount)
    }
    for (i, column) in columns.enumerated() {
      decoders[i].fill(batch.column(column), batch.rowCount)
      batch.setCodes(decoders[i].codes, ofColumn: column)
    }
  }

  /// Checks a chunk and finds its parts; returns its rows.
  private func open(_ chunk: UnsafeRawBufferPointer) throws(ChunkError) -> Int {
    var cursor = ChunkCursor(chunk)
    guard try cursor.number(UInt32.self) == ColumnChunk.magic else {
      throw ChunkError("it does not begin as a chunk of columns")
    }
    let count = Int(try cursor.number(UInt32.self))
    let checksum = try cursor.number(UInt64.self)
    guard chunk.count == ColumnChunk.headerBytes + count else {
      throw ChunkError("it has \(chunk.count) bytes, not \(ColumnChunk.headerBytes + count)")
    }
    let behind = UnsafeRawBufferPointer(rebasing: chunk[ColumnChunk.headerBytes...])
    guard ColumnChunk.checksum(behind) == checksum else {
      throw ChunkError("its checksum is not that of its bytes")
    }
    let rows = Int(try cursor.number(UInt32.self))
    let columnCount = Int(try cursor.number(UInt32.self))
    guard (1...ColumnChunk.rows).contains(rows), columnCount == columns.count else {
      throw ChunkError("it has \(rows) rows of \(columnCount) columns")
    }
    let hasOffsets = try lines.open(&cursor, rows: rows)
    try offsets.open(&cursor, rows: hasOffsets ? rows : 0)
    for decoder in decoders { try decoder.open(&cursor, rows: rows) }
    guard cursor.isAtEnd else { throw ChunkError("it has bytes behind its end") }
    return rows
  }
}

/// Reads the parts of a chunk, never beyond its end.
struct ChunkCursor {
  private let bytes: UnsafeRawBufferPointer
  private var at = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var isAtEnd: Bool { at == bytes.count }

  mutating func number<Number: FixedWidthInteger>(
    _ type: Number.Type
  ) throws(ChunkError) -> Number {
    Number(littleEndian: try take(MemoryLayout<Number>.size).loadUnaligned(as: Number.self))
  }

  /// A width in bytes.
  mutating func width() throws(ChunkError) -> Int {
    let width = try number(UInt8.self)
    guard width <= 8 else { throw ChunkError("a number of \(width) bytes") }
    return Int(width)
  }

  mutating func take(_ count: Int) throws(ChunkError) -> UnsafeRawPointer {
    guard count >= 0, count <= bytes.count - at, let base = bytes.baseAddress else {
      throw ChunkError("it ends too early")
    }
    at += count
    return base + (at - count)
  }
}

/// The line numbers of a chunk.
private struct LineDecoder {
  private var isSparse = true
  private var width = 0
  private var gaps: UnsafeRawPointer?
  private var gapCount = 0
  private var nextGap = 0
  private var row = 0
  /// Number of the row before.
  private var last: UInt32 = 0

  /// - Returns: whether byte offsets follow.
  mutating func open(_ cursor: inout ChunkCursor, rows: Int) throws(ChunkError) -> Bool {
    last = try cursor.number(UInt32.self)
    let form = try cursor.number(UInt8.self)
    width = try cursor.width()
    let hasOffsets = try cursor.number(UInt8.self) == 1
    _ = try cursor.number(UInt8.self)
    guard form <= 1, width <= 4 else { throw ChunkError("lines of form \(form), width \(width)") }
    isSparse = form == 0
    (row, nextGap) = (0, 0)
    if isSparse {
      gapCount = Int(try cursor.number(UInt32.self))
      gaps = try cursor.take(gapCount * 8)
    } else {
      gaps = try cursor.take((rows - 1) * width)
    }
    return hasOffsets
  }

  mutating func fill(_ lines: UnsafeMutablePointer<BatchLine>, _ count: Int) {
    guard let gaps else { return }
    var (last, row) = (last, row)
    let end = row + count
    let first = row
    if isSparse {
      while row < end {
        // The rows up to the next gap stand on consecutive lines.
        let isGap = nextGap < gapCount
        let place = isGap ? Int(word(gaps, nextGap * 2)) : end
        while row < min(place, end) {
          if row > 0 { last &+= 1 }
          lines[row - first].number = last
          row += 1
        }
        if row < end {
          last &+= word(gaps, nextGap * 2 + 1)
          nextGap += 1
        }
      }
    } else {
      let mask = NarrowNumbers.mask(width: width)
      while row < end {
        if row > 0 {
          let gap = NarrowNumbers.load(gaps, row - 1, width: width, mask: mask)
          last &+= UInt32(truncatingIfNeeded: gap) &+ 1
        }
        lines[row - first].number = last
        row += 1
      }
    }
    (self.last, self.row) = (last, row)
  }

  @inline(__always)
  private func word(_ from: UnsafeRawPointer, _ index: Int) -> UInt32 {
    UInt32(littleEndian: from.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
  }
}

/// Where the rows of a chunk begin in the shard, in bytes.
private struct OffsetDecoder {
  private var width = 0
  private var steps: UnsafeRawPointer?
  private var row = 0
  private var last: UInt64 = 0

  var areThere: Bool { steps != nil }

  /// - Parameter rows: 0 where there are none.
  mutating func open(_ cursor: inout ChunkCursor, rows: Int) throws(ChunkError) {
    steps = nil
    guard rows > 0 else { return }
    last = try cursor.number(UInt64.self)
    width = try cursor.width()
    row = 0
    steps = try cursor.take((rows - 1) * width)
  }

  mutating func fill(_ offsets: UnsafeMutablePointer<UInt64>, _ count: Int) {
    guard let steps else { return }
    let mask = NarrowNumbers.mask(width: width)
    var last = last
    for i in 0..<count {
      if row + i > 0 { last &+= NarrowNumbers.load(steps, row + i - 1, width: width, mask: mask) }
      // What no writer wrote must not trap where it is read.
      offsets[i] = last & UInt64(Int.max)
    }
    row += count
    self.last = last
  }
}
