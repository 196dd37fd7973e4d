import WeirData

extension JSONValue {
  /// Reads one JSON text, so that tests can look into what Weir wrote. `nil` where it is not valid.
  public init?(parsing text: [UInt8]) {
    var reader = JSONReader(text: text)
    guard let value = reader.value() else { return nil }
    reader.skipSpace()
    guard reader.at == text.count else { return nil }
    self = value
  }

  public init?(parsing text: String) { self.init(parsing: Array(text.utf8)) }

  /// The value of a JSON integer.
  public var integer: Int? { if case .int(let value) = self { Int(value) } else { nil } }
  /// The value of a JSON string; bytes that are not UTF-8 are repaired.
  public var string: String? {
    if case .string(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil }
  }
  public var elements: [JSONValue] { if case .array(let values) = self { values } else { [] } }
  public var keys: [String] {
    if case .object(let members) = self { members.map(\.key) } else { [] }
  }
}

private struct JSONReader {
  let text: [UInt8]
  var at = 0

  init(text: [UInt8]) { self.text = text }

  mutating func skipSpace() {
    while at < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[at]) { at += 1 }
  }

  mutating func value() -> JSONValue? {
    skipSpace()
    guard at < text.count else { return nil }
    switch text[at] {
    case UInt8(ascii: "{"): return object()
    case UInt8(ascii: "["): return array()
    case UInt8(ascii: "\""): return string().map { .string($0) }
    case UInt8(ascii: "t"): return word("true", .bool(true))
    case UInt8(ascii: "f"): return word("false", .bool(false))
    case UInt8(ascii: "n"): return word("null", .null)
    default: return number()
    }
  }

  private mutating func word(_ word: String, _ value: JSONValue) -> JSONValue? {
    guard text[at...].starts(with: word.utf8) else { return nil }
    at += word.utf8.count
    return value
  }

  private mutating func take(_ byte: Unicode.Scalar) -> Bool {
    skipSpace()
    guard at < text.count, text[at] == UInt8(ascii: byte) else { return false }
    at += 1
    return true
  }

  private mutating func object() -> JSONValue? {
    var members: [JSONMember] = []
    guard take("{") else { return nil }
    if take("}") { return .object([]) }
    repeat {
      skipSpace()
      guard let key = string(), take(":"), let value = value() else { return nil }
      members.append(JSONMember(String(decoding: key, as: UTF8.self), value))
    } while take(",")
    return take("}") ? .object(members) : nil
  }

  private mutating func array() -> JSONValue? {
    var values: [JSONValue] = []
    guard take("[") else { return nil }
    if take("]") { return .array([]) }
    repeat {
      guard let value = value() else { return nil }
      values.append(value)
    } while take(",")
    return take("]") ? .array(values) : nil
  }

  private mutating func number() -> JSONValue? {
    let from = at
    while at < text.count, Array("+-.0123456789eE".utf8).contains(text[at]) { at += 1 }
    let digits = String(decoding: text[from..<at], as: UTF8.self)
    if let integer = Int64(digits) { return .int(integer) }
    return Double(digits).map { .number($0) }
  }

  private mutating func string() -> [UInt8]? {
    guard at < text.count, text[at] == UInt8(ascii: "\"") else { return nil }
    at += 1
    var out: [UInt8] = []
    while at < text.count {
      let byte = text[at]
      at += 1
      switch byte {
      case UInt8(ascii: "\""): return out
      case UInt8(ascii: "\\"):
        guard escape(&out) else { return nil }
      case 0..<0x20: return nil
      default: out.append(byte)
      }
    }
    return nil
  }

  private mutating func escape(_ out: inout [UInt8]) -> Bool {
    guard at < text.count else { return false }
    let letter = text[at]
    at += 1
    switch letter {
    case UInt8(ascii: "n"): out.append(0x0A)
    case UInt8(ascii: "t"): out.append(0x09)
    case UInt8(ascii: "r"): out.append(0x0D)
    case UInt8(ascii: "b"): out.append(0x08)
    case UInt8(ascii: "f"): out.append(0x0C)
    case UInt8(ascii: "u"):
      guard var code = hex() else { return false }
      if 0xD800..<0xDC00 ~= code, text[at...].starts(with: "\\u".utf8) {
        at += 2
        guard let low = hex(), 0xDC00..<0xE000 ~= low else { return false }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { return false }
      out.append(contentsOf: Array(String(Character(scalar)).utf8))
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(letter)
    default: return false
    }
    return true
  }

  private mutating func hex() -> UInt32? {
    guard at + 4 <= text.count else { return nil }
    let code = UInt32(String(decoding: text[at..<(at + 4)], as: UTF8.self), radix: 16)
    at += 4
    return code
  }
}
