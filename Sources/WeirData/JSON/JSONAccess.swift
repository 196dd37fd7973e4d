// Values of JSON by what they are; `nil` where they are something else.
extension JSONValue {
  /// The text of a string; bytes that are not UTF-8 are repaired.
  public var asText: String? {
    if case .string(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil }
  }
  /// The value of an integer.
  public var asInt: Int? { if case .int(let value) = self { Int(value) } else { nil } }
  /// The elements of an array.
  public var asArray: [JSONValue]? { if case .array(let values) = self { values } else { nil } }

  /// The text of the member with this name, where it is a string.
  public func text(_ key: String) -> String? { self[key]?.asText }
  /// The value of the member with this name, where it is an integer.
  public func int(_ key: String) -> Int? { self[key]?.asInt }
}
