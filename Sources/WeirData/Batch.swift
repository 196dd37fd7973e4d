import Glibc

/// One line of a batch: where its bytes are and where it stands in its shard. The layout is that of
/// the C scanner's `weir_line`.
@frozen public struct BatchLine: Sendable {
  /// Offset of its first byte in the block.
  public var start: UInt32
  /// Bytes, line end excluded.
  public var length: UInt32
  /// 1-based line number in the shard.
  public var number: UInt32
  /// What became of it: for ``RecordScanner``.
  var status: UInt16
  /// The planned field that is to blame, if the status says so.
  var slot: UInt16

  public init(start: UInt32, length: UInt32, number: UInt32) {
    self.start = start
    self.length = length
    self.number = number
    status = 0
    slot = 0
  }
}

/// Where a value stands in the text of its record, in bytes; length 0 where it does not. The layout is
/// that of the C scanner's `weir_place`.
@frozen public struct ValuePlace: Sendable {
  public var start: UInt32
  public var length: UInt32

  @inlinable public init(start: UInt32, length: UInt32) {
    self.start = start
    self.length = length
  }
}

/// The lines of a block, in memory that a batch takes over.
struct LineTable: ~Copyable {
  private(set) var memory: Bytes
  private(set) var capacity: Int
  var count = 0

  init(capacity: Int) {
    self.capacity = max(1, capacity)
    memory = Bytes(capacity: self.capacity * MemoryLayout<BatchLine>.stride)
  }

  var base: UnsafeMutablePointer<BatchLine> {
    UnsafeMutableRawPointer(memory.base).assumingMemoryBound(to: BatchLine.self)
  }

  /// Makes room for twice as many.
  mutating func grow() {
    let larger = Bytes(capacity: 2 * memory.capacity)
    memcpy(larger.base, memory.base, count * MemoryLayout<BatchLine>.stride)
    memory = larger
    capacity *= 2
  }
}

/// The unit inside a task: whole lines, the columns that the plan asked for, and the memory of the
/// strings in them.
///
/// A column has one ``Cell`` a row. Columns are written once, by the source or by one stage, and
/// never changed after: a stage that edits a field writes a new column, so that branches of a
/// pipeline can share a batch. Which rows a branch still has is its own ``Selection``.
public struct Batch: ~Copyable, @unchecked Sendable {
  /// The lines' text; empty in a batch that was made from retained columns.
  public let bytes: Bytes
  public let rowCount: Int
  public let columnCount: Int
  /// `rowCount` lines; `start` counts from the first of ``bytes``.
  public let lines: UnsafeMutablePointer<BatchLine>
  /// Offset of the first of ``bytes`` in the decompressed shard.
  public let byteOffset: Int
  let cells: UnsafeMutablePointer<Cell>
  private let columnCodes: UnsafeMutablePointer<ColumnCodes>
  private let lineMemory: Bytes
  private let cellMemory: Bytes
  private var placeMemory: Bytes?
  private var places: UnsafeMutablePointer<ValuePlace>?
  private var offsetMemory: Bytes?
  private(set) var offsets: UnsafeMutablePointer<UInt64>?
  public var arena: Arena

  init(
    bytes: consuming Bytes, lines: consuming LineTable, columnCount: Int, byteOffset: Int,
    arenaBytes: Int = 16 * 1024
  ) {
    self.bytes = bytes
    rowCount = lines.count
    self.columnCount = columnCount
    self.byteOffset = byteOffset
    self.lines = lines.base
    lineMemory = lines.memory
    // Missing values and columns without codes are zeros.
    let cellBytes = rowCount * columnCount * MemoryLayout<Cell>.stride
    let codeBytes = columnCount * MemoryLayout<ColumnCodes>.stride
    cellMemory = Bytes(capacity: cellBytes + codeBytes)
    memset(cellMemory.base, 0, cellBytes + codeBytes)
    let memory = UnsafeMutableRawPointer(cellMemory.base)
    cells = memory.assumingMemoryBound(to: Cell.self)
    columnCodes = (memory + cellBytes).assumingMemoryBound(to: ColumnCodes.self)
    arena = Arena(chunkBytes: max(256, arenaBytes))
  }

  /// - Parameters:
  ///   - lines: copied.
  ///   - arenaBytes: what the strings will probably take, in bytes.
  public init(
    bytes: consuming Bytes, lines: UnsafeBufferPointer<BatchLine>, columnCount: Int,
    byteOffset: Int = 0, arenaBytes: Int = 16 * 1024
  ) {
    var table = LineTable(capacity: lines.count)
    if let from = lines.baseAddress { table.base.update(from: from, count: lines.count) }
    table.count = lines.count
    self.init(
      bytes: bytes, lines: table, columnCount: columnCount, byteOffset: byteOffset,
      arenaBytes: arenaBytes)
  }

  /// The same for lines in an array.
  public init(
    bytes: consuming Bytes, lines: [BatchLine], columnCount: Int, byteOffset: Int = 0,
    arenaBytes: Int = 16 * 1024
  ) {
    var table = LineTable(capacity: lines.count)
    _ = UnsafeMutableBufferPointer(start: table.base, count: lines.count).update(from: lines)
    table.count = lines.count
    self.init(
      bytes: bytes, lines: table, columnCount: columnCount, byteOffset: byteOffset,
      arenaBytes: arenaBytes)
  }

  /// A batch of the lines of a block.
  public init(_ block: consuming LineBlock, columnCount: Int) {
    let offset = block.byteOffset
    self.init(
      bytes: block.bytes, lines: block.table, columnCount: columnCount, byteOffset: offset)
  }

  /// What the codes in column `index` mean; ``ColumnCodes/none`` where its cells have none.
  @inline(__always)
  public func codes(ofColumn index: Int) -> ColumnCodes { columnCodes[index] }

  /// Whoever fills a column with coded cells says so.
  public func setCodes(_ codes: ColumnCodes, ofColumn index: Int) { columnCodes[index] = codes }

  /// The cells of column `index`, one a row; valid as long as the batch lives.
  @inline(__always)
  public func column(_ index: Int) -> UnsafeMutablePointer<Cell> {
    assert(index >= 0 && index < columnCount)
    return cells + index * rowCount
  }

  /// Where the values of column `index` stand in the text of their rows, one a row, as far as they were
  /// in the record; `nil` where nobody asked for them.
  @inline(__always)
  public func places(ofColumn index: Int) -> UnsafeMutablePointer<ValuePlace>? {
    assert(index >= 0 && index < columnCount)
    return places.map { $0 + index * rowCount }
  }

  /// Makes room for the places of the first `columns` columns: all are absent.
  mutating func makePlaces(columns: Int) {
    let memory = Bytes(capacity: columns * rowCount * MemoryLayout<ValuePlace>.stride)
    memset(memory.base, 0, memory.capacity)
    places = UnsafeMutableRawPointer(memory.base).assumingMemoryBound(to: ValuePlace.self)
    placeMemory = consume memory
  }

  /// Makes room for the byte offset of each row, for a batch without text: its rows may lie further
  /// apart than a block is long.
  mutating func makeOffsets() {
    let memory = Bytes(capacity: rowCount * MemoryLayout<UInt64>.stride)
    memset(memory.base, 0, memory.capacity)
    offsets = UnsafeMutableRawPointer(memory.base).assumingMemoryBound(to: UInt64.self)
    offsetMemory = consume memory
  }

  /// The original bytes of row `row`, without its line end.
  @inline(__always)
  public func text(ofRow row: Int) -> UnsafeBufferPointer<UInt8> {
    let line = lines[row]
    return UnsafeBufferPointer(start: bytes.base + Int(line.start), count: Int(line.length))
  }

  /// Where row `row` begins in the decompressed shard, in bytes; 0 in a batch of retained columns that
  /// were kept without.
  public func byteOffset(ofRow row: Int) -> Int {
    if let offsets { return Int(offsets[row]) }
    return byteOffset + Int(lines[row].start)
  }
}

/// The rows of a batch that are still there, ascending.
public struct Selection: Sendable {
  public var rows: [UInt32]

  public init(rows: [UInt32] = []) { self.rows = rows }
  public init(all count: Int) { rows = Array(0..<UInt32(count)) }

  @inlinable public var count: Int { rows.count }
  @inlinable public var isEmpty: Bool { rows.isEmpty }
}
