import Glibc
import WeirData
import WeirEngine

/// Finds what of a record must be written anew: the values that a stage changed. All other bytes of
/// the record stay as they are.
final class RecordSplicer {
  /// A place in the text of a record and what is to stand there.
  struct Change {
    /// Bytes of the record, from its first.
    var start: Int
    var end: Int
    /// Bytes of ``literals``.
    var literal: Int
    var length: Int
  }
  private struct Edit {
    /// Column with the value as it stands in the record, which is the scanner's slot too.
    let record: Int
    let column: Int
    var recordCells: UnsafeMutablePointer<Cell>?
    var cells: UnsafeMutablePointer<Cell>?
  }
  private let scanner: any BatchScanner
  private let edits: UnsafeMutableBufferPointer<Edit>
  /// By slot, where the values of the record in hand stand; filled only where that is asked for.
  private let starts: UnsafeMutablePointer<UInt32>
  private let lengths: UnsafeMutablePointer<UInt32>
  private let changes: UnsafeMutablePointer<Change>
  private let text: UnsafeMutablePointer<TextBuffer>

  init(_ scope: Scope, _ scanner: any BatchScanner) {
    self.scanner = scanner
    let edits = scope.fields.compactMap { field -> Edit? in
      guard field.isEdited, let record = field.recordColumn else { return nil }
      return Edit(record: record, column: field.column)
    }
    self.edits = .allocate(capacity: edits.count)
    _ = self.edits.initialize(from: edits)
    changes = .allocate(capacity: edits.count)
    let slots = 1 + (scope.fields.compactMap(\.recordColumn).max() ?? 0)
    starts = .allocate(capacity: slots)
    lengths = .allocate(capacity: slots)
    text = .allocate(capacity: 1)
    text.initialize(to: TextBuffer())
  }

  deinit {
    edits.deallocate()
    changes.deallocate()
    starts.deallocate()
    lengths.deallocate()
    text.deinitialize(count: 1)
    text.deallocate()
  }

  static func columnsRead(_ scope: Scope) -> [Int] {
    scope.fields.filter(\.isEdited).flatMap { [$0.column] + ($0.recordColumn.map { [$0] } ?? []) }
  }

  /// Call before the rows of a batch.
  func begin(_ batch: borrowing Batch) {
    for i in edits.indices {
      edits[i].recordCells = batch.column(edits[i].record)
      edits[i].cells = batch.column(edits[i].column)
    }
  }

  /// Finds the changes of a row, and returns how many bytes longer the record becomes.
  ///
  /// - Parameter record: its text, without the line end.
  /// - Returns: `count` 0: the record stays as it is.
  @inline(__always)
  func findChanges(
    of row: Int, in record: UnsafePointer<UInt8>, _ bytes: Int
  ) -> (count: Int, growth: Int) {
    var count = 0
    var growth = 0
    var isLocated = false
    for edit in edits {
      let old = edit.recordCells.unsafelyUnwrapped[row]
      let new = edit.cells.unsafelyUnwrapped[row]
      if isSameValue(new, old) { continue }
      if count == 0 { text.pointee.clear() }
      if let change = change(edit, old, new, record, bytes, &isLocated) {
        growth &+= change.length &- (change.end &- change.start)
        insert(change, &count)
      }
    }
    return (count, growth)
  }

  /// Writes the record with its changes, without a line end, to where there is room for it.
  func write(
    _ record: UnsafePointer<UInt8>, _ bytes: Int, changes count: Int,
    to start: UnsafeMutablePointer<UInt8>
  ) {
    var to = start
    var from = 0
    for i in 0..<count {
      let change = changes[i]
      memcpy(to, record + from, change.start &- from)
      to += change.start &- from
      memcpy(to, text.pointee.base + change.literal, change.length)
      to += change.length
      from = change.end
    }
    memcpy(to, record + from, bytes &- from)
  }

  /// `nil` where the value has no place in the record, or stands there already as it would be written.
  @inline(__always)
  private func change(
    _ edit: Edit, _ old: Cell, _ new: Cell, _ record: UnsafePointer<UInt8>, _ bytes: Int,
    _ isLocated: inout Bool
  ) -> Change? {
    if old.kind == .missing { return nil }
    var start: Int
    var end: Int
    // A string that needs no unescaping may lie in the record itself.
    let offset = Int(bitPattern: UInt(old.bits)) &- Int(bitPattern: record)
    if old.kind == .string, offset > 0, offset &+ Int(old.length) < bytes {
      start = offset &- 1
      end = offset &+ Int(old.length) &+ 1
      assert(record[start] == UInt8(ascii: "\"") && record[end - 1] == UInt8(ascii: "\""))
    } else {
      if !isLocated {
        scanner.locate(
          UnsafeBufferPointer(start: record, count: bytes), starts: starts, lengths: lengths)
        isLocated = true
      }
      // Below null there is nothing that could be changed.
      if lengths[edit.record] == 0 { return nil }
      start = Int(starts[edit.record])
      end = start &+ Int(lengths[edit.record])
    }
    let literal = text.pointee.count
    text.pointee.append(json: new)
    let length = text.pointee.count &- literal
    if length == end &- start, memcmp(record + start, text.pointee.base + literal, length) == 0 {
      return nil
    }
    return Change(start: start, end: end, literal: literal, length: length)
  }

  /// Keeps the changes in the order in which they stand in the record.
  @inline(__always)
  private func insert(_ change: Change, _ count: inout Int) {
    var at = count
    while at > 0, changes[at &- 1].start > change.start {
      changes[at] = changes[at &- 1]
      at &-= 1
    }
    changes[at] = change
    count &+= 1
  }
}

@inline(__always)
private func isSameValue(_ a: Cell, _ b: Cell) -> Bool {
  if a.isNull, b.isNull { return true }
  guard a.rawKind == b.rawKind else { return false }
  guard a.kind == .string else { return a.bits == b.bits }
  guard a.length == b.length else { return false }
  return a.bits == b.bits || isSame(a.stringBytes, b.stringBytes)
}
