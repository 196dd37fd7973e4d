import WeirData

extension JSONValue {
  /// The text of a string; bytes that are not UTF-8 are repaired.
  var asText: String? {
    if case .string(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil }
  }
  var asInt: Int? { if case .int(let value) = self { Int(value) } else { nil } }
  var asDouble: Double? {
    switch self {
    case .int(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
  var asArray: [JSONValue] { if case .array(let values) = self { values } else { [] } }
  var asMembers: [JSONMember] { if case .object(let members) = self { members } else { [] } }

  func text(_ key: String) -> String? { self[key]?.asText }
  func int(_ key: String) -> Int? { self[key]?.asInt }
  func time(_ key: String) -> Int64? {
    text(key).flatMap { Timestamp(rfc3339: $0)?.microseconds }
  }

  /// An object without these members; anything else as it is.
  func without(_ keys: String...) -> JSONValue {
    guard case .object(let members) = self else { return self }
    return .object(members.filter { member in !keys.contains { same($0, member.key) } })
  }

  /// Text of JSON that this module wrote, or `nil`.
  static func stored(_ text: String?) -> JSONValue? {
    guard let text else { return nil }
    do throws(JSONError) {
      return try JSONValue(reading: Array(text.utf8))
    } catch {
      // A damaged entry is as good as none: the directory of the run has the truth.
      return nil
    }
  }
}

/// Whether two names are the same bytes.
func same(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }

/// `1 shard`, `12 shards`, `1,204 rows`.
func counted(_ count: Int, _ one: String, _ many: String? = nil) -> String {
  "\(groupedDigits(count.magnitude)) \(count == 1 ? one : many ?? one + "s")"
}
