import WeirData
import WeirEngine

/// Tells which file a record goes to: by the template of its path, worked out once for records that
/// follow each other and have the same values in it.
final class RowFiles {
  private struct Part {
    let column: Int
    /// Times within one such stretch of microseconds have the same text; 0: only equal values do.
    let stretch: Int64
    var cells: UnsafeMutablePointer<Cell>?
    var kind: UInt8 = 0
    var length: UInt32 = 0
    var value: UInt64 = 0
  }
  private let template: PathTemplate
  private let buffers: PathBuffers
  private let parts: UnsafeMutableBufferPointer<Part>
  /// The file of the last row; -1: there is none, or its values are not there any more.
  private var last = -1
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
  }

  deinit { parts.deallocate() }

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

  /// Whether all rows go to one file.
  var isFixed: Bool { parts.isEmpty }

  /// Call before the rows of a batch.
  func begin(_ batch: borrowing Batch) {
    for i in parts.indices { parts[i].cells = batch.column(parts[i].column) }
    // Strings of the batch before are gone, and others may stand at their addresses.
    if !isFixed { last = -1 }
  }

  @inline(__always)
  func file(of row: Int, _ batch: borrowing Batch) throws(TooManyFiles) -> Int {
    if last >= 0, isFixed || isLike(row) { return last }
    return try find(row, batch)
  }

  private func isLike(_ row: Int) -> Bool {
    for part in parts {
      let cell = part.cells.unsafelyUnwrapped[row]
      guard cell.rawKind == part.kind, cell.length == part.length,
        RowFiles.value(cell, part.stretch) == part.value
      else { return false }
    }
    return true
  }

  private static func value(_ cell: Cell, _ stretch: Int64) -> UInt64 {
    guard stretch > 0, cell.kind == .timestamp else { return cell.bits }
    return UInt64(bitPattern: cell.intValue.dividedDown(by: stretch).quotient)
  }

  private func find(_ row: Int, _ batch: borrowing Batch) throws(TooManyFiles) -> Int {
    path.removeAll(keepingCapacity: true)
    template.append(row: row, of: batch, to: &path)
    for i in parts.indices {
      let cell = parts[i].cells.unsafelyUnwrapped[row]
      parts[i].kind = cell.rawKind
      parts[i].length = cell.length
      parts[i].value = RowFiles.value(cell, parts[i].stretch)
    }
    last = try path.withUnsafeBufferPointer { path throws(TooManyFiles) in
      try buffers.file(path)
    }
    return last
  }
}
