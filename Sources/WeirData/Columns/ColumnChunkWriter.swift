/// Takes rows batch by batch, and gives them out as encoded chunks (``ColumnChunk``).
///
/// It can be used for one sequence after the other, by one task at a time: its memory is worth keeping.
public final class ColumnChunkWriter: @unchecked Sendable {
  public let columns: [Int]
  /// Whether chunks say where their rows begin in the shard.
  public let keepsOffsets: Bool
  private let stages: [ColumnStage]
  private let lines: UnsafeMutablePointer<UInt32>
  private let offsets: UnsafeMutablePointer<UInt64>?
  private var count = 0
  private var out = RawBuffer()

  /// - Parameters:
  ///   - columns: of the batches, in the order in which they are encoded.
  ///   - keepsOffsets: about a byte a row more, compressed.
  public init(columns: [Int], keepsOffsets: Bool = false) {
    self.columns = columns
    self.keepsOffsets = keepsOffsets
    stages = columns.map { _ in ColumnStage() }
    lines = .allocate(capacity: ColumnChunk.rows)
    offsets = keepsOffsets ? .allocate(capacity: ColumnChunk.rows) : nil
  }

  deinit {
    lines.deallocate()
    offsets?.deallocate()
  }

  /// - Parameter emit: takes a chunk that is full; its bytes are good until it returns.
  public func append(
    _ batch: borrowing Batch, _ selection: Selection,
    emit: (UnsafeRawBufferPointer) throws -> Void
  ) rethrows {
    try selection.rows.withUnsafeBufferPointer { rows in
      var from = 0
      while from < rows.count {
        let some = min(rows.count - from, ColumnChunk.rows - count)
        stage(batch, UnsafeBufferPointer(rebasing: rows[from..<(from + some)]))
        from += some
        if count == ColumnChunk.rows { try encode(emit) }
      }
    }
  }

  /// Gives out what is left, if anything is, and is ready for another sequence.
  public func finish(emit: (UnsafeRawBufferPointer) throws -> Void) rethrows {
    if count > 0 { try encode(emit) }
    for stage in stages { stage.reset() }
  }

  private func stage(_ batch: borrowing Batch, _ rows: UnsafeBufferPointer<UInt32>) {
    let (from, to) = (batch.lines, lines + count)
    for i in 0..<rows.count { to[i] = from[Int(rows[i])].number }
    if let offsets {
      for i in 0..<rows.count {
        offsets[count + i] = UInt64(batch.byteOffset(ofRow: Int(rows[i])))
      }
    }
    for (i, column) in columns.enumerated() {
      stages[i].append(batch.column(column), batch.codes(ofColumn: column), rows: rows, at: count)
    }
    count += rows.count
  }

  private func encode(_ emit: (UnsafeRawBufferPointer) throws -> Void) rethrows {
    out.count = ColumnChunk.headerBytes
    out.append(UInt32(count))
    out.append(UInt32(columns.count))
    encodeLines()
    encodeOffsets()
    for stage in stages { stage.encode(rows: count, to: &out) }
    let behind = UnsafeRawBufferPointer(rebasing: out.view[ColumnChunk.headerBytes...])
    out.base.storeBytes(of: ColumnChunk.magic.littleEndian, as: UInt32.self)
    out.base.storeBytes(
      of: UInt32(behind.count).littleEndian, toByteOffset: 4, as: UInt32.self)
    out.base.storeBytes(
      of: ColumnChunk.checksum(behind).littleEndian, toByteOffset: 8, as: UInt64.self)
    count = 0
    try emit(out.view)
  }

  private func encodeLines() {
    let (lines, count) = (lines, count)
    var largest: UInt32 = 0
    var skips = 0
    for i in 1..<max(1, count) {
      let gap = lines[i] &- lines[i - 1] &- 1
      largest = max(largest, gap)
      if gap != 0 { skips += 1 }
    }
    let width = NarrowNumbers.width(of: UInt64(largest))
    let isSparse = skips * 8 <= count * width
    out.append(lines[0])
    out.append(UInt8(isSparse ? 0 : 1))
    out.append(UInt8(isSparse ? 0 : width))
    out.append(UInt8(keepsOffsets ? 1 : 0))
    out.append(UInt8(0))
    if isSparse {
      out.append(UInt32(skips))
      for i in 1..<max(1, count) where lines[i] &- lines[i - 1] != 1 {
        out.append(UInt32(i))
        out.append(lines[i] &- lines[i - 1] &- 1)
      }
    } else {
      out.reserve((count - 1) * width)
      let to = out.base + out.count
      for i in 1..<count {
        let gap = lines[i] &- lines[i - 1] &- 1
        NarrowNumbers.store(UInt64(gap), to: to, i - 1, width: width)
      }
      out.count += (count - 1) * width
    }
  }

  private func encodeOffsets() {
    guard let offsets else { return }
    let count = count
    var largest: UInt64 = 0
    for i in 1..<max(1, count) { largest = max(largest, offsets[i] &- offsets[i - 1]) }
    let width = NarrowNumbers.width(of: largest)
    out.append(offsets[0])
    out.append(UInt8(width))
    out.reserve((count - 1) * width)
    let to = out.base + out.count
    for i in 1..<max(1, count) {
      NarrowNumbers.store(offsets[i] &- offsets[i - 1], to: to, i - 1, width: width)
    }
    out.count += (count - 1) * width
  }
}
