import Glibc
import WeirData
import WeirEngine

/// Finds what of a record must be written anew: the values that a stage changed, and those that it made.
/// All other bytes of the record stay as they are.
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
    var places: UnsafeMutablePointer<ValuePlace>?
    var cells: UnsafeMutablePointer<Cell>?
  }
  private let edits: UnsafeMutableBufferPointer<Edit>
  private var additions: RecordAdditions
  private let shape: RecordShape
  private var places = RecordPlaces()
  private let shapeColumns: [Int]
  /// Where only some fields leave: it writes the record anew.
  private let builder: RecordBuilder?
  private let changes: UnsafeMutablePointer<Change>
  private let text: UnsafeMutablePointer<TextBuffer>

  init(_ scope: Scope) {
    let edits = scope.fields.compactMap { field -> Edit? in
      guard field.isEdited, !scope.hasOnlyFields, let record = field.recordColumn else {
        return nil
      }
      return Edit(record: record, column: field.writtenColumn)
    }
    self.edits = .allocate(capacity: edits.count)
    _ = self.edits.initialize(from: edits)
    additions = RecordAdditions(scope)
    shape = RecordShape(scope)
    shapeColumns = RecordShape.columnsRead(scope)
    builder = scope.hasOnlyFields ? RecordBuilder(scope) : nil
    // One for the end of the record.
    changes = .allocate(capacity: edits.count + additions.count + shape.count + 1)
    text = .allocate(capacity: 1)
    text.initialize(to: TextBuffer())
  }

  deinit {
    edits.deallocate()
    changes.deallocate()
    text.deinitialize(count: 1)
    text.deallocate()
  }

  /// Whether it must know where values stand in the records of this scope.
  static func needsPlaces(_ scope: Scope) -> Bool {
    scope.fields.contains { ($0.isEdited || scope.hasOnlyFields) && $0.recordColumn != nil }
      || !RecordShape.columnsRead(scope).isEmpty
  }

  static func columnsRead(_ scope: Scope) -> [Int] {
    scope.fields.filter { $0.isEdited || scope.hasOnlyFields }.flatMap {
      [$0.writtenColumn] + ($0.recordColumn.map { [$0] } ?? [])
    } + RecordAdditions.columnsRead(scope) + RecordShape.columnsRead(scope)
  }

  /// Call before the rows of a batch.
  func begin(_ batch: borrowing Batch) {
    for i in edits.indices {
      guard let places = batch.places(ofColumn: edits[i].record) else {
        preconditionFailure("a sink said that it needs places, and the batch has none")
      }
      edits[i].places = places
      edits[i].recordCells = batch.column(edits[i].record)
      edits[i].cells = batch.column(edits[i].column)
    }
    if !additions.isEmpty { additions.begin(batch) }
    if !shape.isEmpty { places.begin(batch, shapeColumns) }
    builder?.begin(batch)
  }

  /// Finds the changes of a row, and returns how many bytes longer the record becomes.
  ///
  /// - Parameters:
  ///   - record: its text.
  ///   - bytes: of the text.
  /// - Returns: `count` 0: the record stays as it is.
  @inline(__always)
  func findChanges(
    of row: Int, in record: UnsafePointer<UInt8>, _ bytes: Int
  ) -> (count: Int, growth: Int) {
    if let builder { return build(builder, row, record, bytes) }
    var count = 0
    var growth = 0
    for edit in edits {
      let old = edit.recordCells.unsafelyUnwrapped[row]
      let new = edit.cells.unsafelyUnwrapped[row]
      if isSameValue(new, old) { continue }
      if count == 0 { text.pointee.clear() }
      if let change = change(new, edit.places.unsafelyUnwrapped[row], record) {
        growth &+= change.length &- (change.end &- change.start)
        insert(change, &count)
      }
    }
    if !additions.isEmpty || !shape.isEmpty { add(row, record, bytes, &count, &growth) }
    return (count, growth)
  }

  /// The whole record is one change.
  @inline(never)
  private func build(
    _ builder: RecordBuilder, _ row: Int, _ record: UnsafePointer<UInt8>, _ bytes: Int
  ) -> (count: Int, growth: Int) {
    text.pointee.clear()
    builder.write(row, record, to: &text.pointee)
    let length = text.pointee.count
    changes[0] = Change(start: 0, end: bytes, literal: 0, length: length)
    return (1, length &- bytes)
  }

  @inline(never)
  private func add(
    _ row: Int, _ record: UnsafePointer<UInt8>, _ bytes: Int, _ count: inout Int,
    _ growth: inout Int
  ) {
    if count == 0 { text.pointee.clear() }
    func take(_ change: Change) {
      growth &+= change.length &- (change.end &- change.start)
      insert(change, &count)
    }
    var isBare = false
    if !shape.isEmpty {
      isBare = shape.findChanges(of: row, in: record, bytes, places, &text.pointee, take)
    }
    if additions.isEmpty { return }
    additions.findChanges(of: row, in: record, bytes, isBare: isBare, &text.pointee, take)
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
      if change.length > 0 {
        memcpy(to, text.pointee.base + change.literal, change.length)
        to += change.length
      }
      from = change.end
    }
    memcpy(to, record + from, bytes &- from)
  }

  /// `nil` where the value has no place in the record (it is absent, or below null), or stands there
  /// already as it would be written.
  @inline(__always)
  private func change(
    _ new: Cell, _ place: ValuePlace, _ record: UnsafePointer<UInt8>
  ) -> Change? {
    if place.length == 0 { return nil }
    let start = Int(place.start)
    let end = start &+ Int(place.length)
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
func isSameValue(_ a: Cell, _ b: Cell) -> Bool {
  if a.isNull, b.isNull { return true }
  guard a.rawKind == b.rawKind else { return false }
  guard a.kind == .string else { return a.bits == b.bits }
  guard a.length == b.length else { return false }
  return a.bits == b.bits || isSame(a.stringBytes, b.stringBytes)
}
