import WeirData
import WeirEngine

extension JSONValue {
  var asDouble: Double? {
    switch self {
    case .int(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
  var asMembers: [JSONMember] { if case .object(let members) = self { members } else { [] } }

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
