import WeirData
import WeirEngine

/// The fields that stages made and that no record has: they are written at its end.
struct RecordAdditions {
  private struct Field {
    /// `"name":`, as it is written.
    var key: [UInt8]
    var path: FieldPath
    /// Whether a record may have a key of that name that the source does not know.
    var isSearched: Bool
    var column: Int
  }
  private let fields: [Field]
  private var cells: [UnsafeMutablePointer<Cell>] = []

  init(_ scope: Scope) {
    let made = scope.hasOnlyFields ? [] : scope.fields.filter { $0.isMade }
    fields = made.compactMap { field in
      guard let name = field.path.components.first, field.path.components.count == 1 else {
        return nil
      }
      var key: [UInt8] = []
      name.withUnsafeBufferPointer { appendJSONString($0, to: &key) }
      key.append(UInt8(ascii: ":"))
      return Field(
        key: key, path: field.path, isSearched: !scope.recordPaths.contains(field.path),
        column: field.writtenColumn)
    }
  }

  static func columnsRead(_ scope: Scope) -> [Int] {
    scope.fields.filter(\.isMade).map(\.writtenColumn)
  }

  var isEmpty: Bool { fields.isEmpty }
  var count: Int { fields.count }

  mutating func begin(_ batch: borrowing Batch) {
    cells = fields.map { batch.column($0.column) }
  }

  /// Gives every change that the new fields make to a record: one at its end, and one for each key that
  /// it has already.
  ///
  /// - Parameters:
  ///   - isBare: whether no other member of it is left.
  ///   - text: where the literals go.
  ///   - take: gets the place in the record, and that of the literal.
  func findChanges(
    of row: Int, in record: UnsafePointer<UInt8>, _ bytes: Int, isBare: Bool,
    _ text: inout TextBuffer, _ take: (RecordSplicer.Change) -> Void
  ) {
    var open: [Int] = []
    for (index, field) in fields.enumerated() {
      guard field.isSearched, let place = RecordText.find(field.path, in: record, bytes) else {
        open.append(index)
        continue
      }
      let literal = text.count
      text.append(json: cells[index][row])
      take(
        RecordSplicer.Change(
          start: place.lowerBound, end: place.upperBound, literal: literal,
          length: text.count - literal))
    }
    guard !open.isEmpty else { return }
    var end = bytes - 1
    while record[end] != UInt8(ascii: "}") { end -= 1 }
    var last = end - 1
    while [0x20, 0x09, 0x0D].contains(record[last]) { last -= 1 }
    var needsComma = !isBare && record[last] != UInt8(ascii: "{")
    let literal = text.count
    for index in open {
      if needsComma { text.append(UInt8(ascii: ",")) }
      needsComma = true
      text.append(fields[index].key)
      text.append(json: cells[index][row])
    }
    take(
      RecordSplicer.Change(start: end, end: end, literal: literal, length: text.count - literal))
  }
}
