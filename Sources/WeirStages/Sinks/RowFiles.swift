import WeirData
import WeirEngine

/// Tells which file a record goes to: by the template of its path, which is worked out once for records
/// of a batch that have the same values in it.
final class RowFiles {
  private struct Part {
    let column: Int
    /// Times within one such stretch of microseconds have the same text; 0: only equal values do.
    let stretch: Int64
    var cells: UnsafeMutablePointer<Cell>?
  }
  /// What the text of a part depends on. A string counts by its address: the same text at another one
  /// is looked up again.
  private struct Key: Equatable {
    var value: UInt64 = 0
    var length: UInt32 = 0
    var kind: UInt8 = 0
  }
  private struct Slot {
    var file = 0
    var batch = 0
  }
  private static let slotCount = 256

  private let template: PathTemplate
  private let buffers: PathBuffers
  private let parts: UnsafeMutableBufferPointer<Part>
  /// What is known of the batch in hand: a row has one slot, by its keys.
  private let slots: UnsafeMutablePointer<Slot>
  /// One a part, of each slot; behind them those of the row in hand.
  private let keys: UnsafeMutablePointer<Key>
  private let rowKeys: UnsafeMutablePointer<Key>
  /// Counts batches: what was known of others holds no more, as others stand at the addresses.
  private var batch = 0
  private var path: [UInt8] = []

  init(_ template: PathTemplate, _ buffers: PathBuffers) {
    self.template = template
    self.buffers = buffers
    let parts = template.parts.compactMap { part -> Part? in
      guard case .field(_, let column, let format) = part else { return nil }
      return Part(column: column, stretch: format.map(RowFiles.stretch) ?? 0)
    }
    self.parts = .allocate(capacity: parts.count)
    _ = self.parts.initialize(from: parts)
    slots = .allocate(capacity: RowFiles.slotCount)
    slots.initialize(repeating: Slot(), count: RowFiles.slotCount)
    let keyCount = (RowFiles.slotCount + 1) * parts.count
    keys = .allocate(capacity: keyCount)
    keys.initialize(repeating: Key(), count: keyCount)
    rowKeys = keys + RowFiles.slotCount * parts.count
  }

  deinit {
    parts.deallocate()
    slots.deallocate()
    keys.deallocate()
  }

  /// The smallest unit that a format of a timestamp writes, in microseconds.
  private static func stretch(_ format: [UInt8]) -> Int64 {
    let letters = format.indices.dropFirst().compactMap {
      format[$0 - 1] == UInt8(ascii: "%") ? format[$0] : nil
    }
    if letters.contains(UInt8(ascii: "S")) { return 1_000_000 }
    if letters.contains(UInt8(ascii: "M")) { return 60_000_000 }
    if letters.contains(UInt8(ascii: "H")) { return 3_600_000_000 }
    return 86_400_000_000
  }

  /// Call before the rows of a batch.
  func begin(_ batch: borrowing Batch) {
    for i in parts.indices { parts[i].cells = batch.column(parts[i].column) }
    // The file of a fixed path is that of all batches.
    if self.batch == 0 || !parts.isEmpty { self.batch += 1 }
  }

  @inline(__always)
  func file(of row: Int, _ batch: borrowing Batch) throws(TooManyFiles) -> Int {
    let slot = readKeys(row)
    if slots[slot].batch == self.batch, isLike(slot) { return slots[slot].file }
    return try find(row, batch, slot)
  }

  /// Takes the keys of a row, and returns their slot.
  @inline(__always)
  private func readKeys(_ row: Int) -> Int {
    var hash: UInt64 = 0
    for i in 0..<parts.count {
      let cell = parts[i].cells.unsafelyUnwrapped[row]
      let value =
        parts[i].stretch > 0 && cell.kind == .timestamp
        ? UInt64(bitPattern: cell.intValue.dividedDown(by: parts[i].stretch).quotient) : cell.bits
      rowKeys[i] = Key(value: value, length: cell.length, kind: cell.rawKind)
      hash = (hash ^ value) &* 0x9E37_79B9_7F4A_7C15
    }
    return Int(truncatingIfNeeded: hash >> 56)
  }

  @inline(__always)
  private func isLike(_ slot: Int) -> Bool {
    let known = keys + slot &* parts.count
    for i in 0..<parts.count where known[i] != rowKeys[i] { return false }
    return true
  }

  @inline(never)
  private func find(
    _ row: Int, _ batch: borrowing Batch, _ slot: Int
  ) throws(TooManyFiles) -> Int {
    path.removeAll(keepingCapacity: true)
    template.append(row: row, of: batch, to: &path)
    let file = try path.withUnsafeBufferPointer { path throws(TooManyFiles) in
      try buffers.file(path)
    }
    slots[slot] = Slot(file: file, batch: self.batch)
    (keys + slot * parts.count).update(from: rowKeys, count: parts.count)
    return file
  }
}
