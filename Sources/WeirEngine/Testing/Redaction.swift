import WeirData

/// Replaces values of some fields: equal ones by equal ones, so that keys stay keys.
struct Redaction {
  private let fields: [FieldPath]
  private var names: [[UInt8]: Int] = [:]
  private var seen: Set<FieldPath> = []
  /// Lines that are no JSON objects: nobody knows what stands in them.
  private(set) var leftOut = 0

  init(_ fields: [FieldPath]) { self.fields = fields }

  /// Fields that no line had.
  var unseen: [FieldPath] { fields.filter { !seen.contains($0) } }

  /// - Returns: `nil` where the line cannot be redacted.
  mutating func apply(_ line: [UInt8]) -> [UInt8]? {
    guard let record = FlatRecord(line) else {
      leftOut += 1
      return nil
    }
    var line = line
    for (field, range) in zip(record.fields, record.ranges).reversed() {
      guard let path = fields.first(where: { field.path.components.starts(with: $0.components) })
      else { continue }
      seen.insert(path)
      if let text = replacement(field.text), !range.isEmpty {
        line.replaceSubrange(range, with: text)
      }
    }
    return line
  }

  /// Of the same kind, so that the record stays what it is for the source; `nil`: it may stay.
  private mutating func replacement(_ text: [UInt8]) -> [UInt8]? {
    guard let first = text.first else { return nil }
    let number = names[text] ?? names.count + 1
    switch first {
    case UInt8(ascii: "n"), UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "{"): return nil
    case UInt8(ascii: "["): return Array("[]".utf8)
    case UInt8(ascii: "\""):
      names[text] = number
      return Array("\"redacted-\(number)\"".utf8)
    default:
      names[text] = number
      return Array(String(number).utf8)
    }
  }
}
