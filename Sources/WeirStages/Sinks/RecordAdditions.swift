import Glibc
import WeirData
import WeirEngine

/// The fields that stages made and that no record has: they are written at its end.
struct RecordAdditions {
  private struct Field {
    /// `"name":`, as it is written.
    var key: [UInt8]
    var name: [UInt8]
    var column: Int
  }
  private let fields: [Field]
  private var cells: [UnsafeMutablePointer<Cell>] = []

  init(_ scope: Scope) {
    fields = scope.fields.filter(\.isMade).compactMap { field in
      guard let name = field.path.components.first, field.path.components.count == 1 else {
        return nil
      }
      var key: [UInt8] = []
      name.withUnsafeBufferPointer { appendJSONString($0, to: &key) }
      key.append(UInt8(ascii: ":"))
      return Field(key: key, name: name, column: field.column)
    }
  }

  static func columnsRead(_ scope: Scope) -> [Int] {
    scope.fields.filter(\.isMade).map(\.column)
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
  ///   - text: where the literals go.
  ///   - take: gets the place in the record, and that of the literal.
  func findChanges(
    of row: Int, in record: UnsafePointer<UInt8>, _ bytes: Int, _ text: inout TextBuffer,
    _ take: (RecordSplicer.Change) -> Void
  ) {
    var open: [Int] = []
    for (index, field) in fields.enumerated() {
      guard let place = RecordAdditions.find(field.name, in: record, bytes) else {
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
    var needsComma = record[last] != UInt8(ascii: "{")
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

  /// Where the value of a key of the record itself stands. Most records are found not to have it without
  /// being read.
  private static func find(
    _ name: [UInt8], in record: UnsafePointer<UInt8>, _ bytes: Int
  ) -> Range<Int>? {
    // A key with escapes may be the name in another spelling.
    guard
      memchr(record, Int32(UInt8(ascii: "\\")), bytes) != nil
        || holds(record, bytes, name)
    else { return nil }
    let text = UnsafeBufferPointer(start: record, count: bytes)
    var tokens = JSONTokens(text)
    var isNamed = false
    var start = 0
    do throws(JSONError) {
      while let token = try tokens.next() {
        switch token.kind {
        case .key:
          guard tokens.depth == 1 else { continue }
          let raw = UnsafeBufferPointer(rebasing: text[token.range])
          isNamed =
            token.hasEscapes ? unescapeJSON(raw) == name : raw.elementsEqual(name)
        case .beginObject, .beginArray:
          if tokens.depth == 2 { start = token.range.lowerBound }
        case .endObject, .endArray:
          if isNamed, tokens.depth == 1 { return start..<token.range.upperBound }
        case .string:
          if isNamed, tokens.depth == 1 {
            return (token.range.lowerBound - 1)..<(token.range.upperBound + 1)
          }
        case .number, .true, .false, .null:
          if isNamed, tokens.depth == 1 { return token.range }
        }
      }
    } catch {
      preconditionFailure("a record that was scanned is JSON")
    }
    return nil
  }

  private static func holds(
    _ record: UnsafePointer<UInt8>, _ bytes: Int, _ name: [UInt8]
  ) -> Bool {
    guard let first = name.first else { return true }
    return name.withUnsafeBufferPointer { name in
      var at = 0
      while at <= bytes - name.count {
        guard let hit = memchr(record + at, Int32(first), bytes - name.count - at + 1) else {
          return false
        }
        at = UnsafeRawPointer(hit) - UnsafeRawPointer(record)
        if memcmp(record + at, name.baseAddress!, name.count) == 0 { return true }
        at += 1
      }
      return false
    }
  }
}
