/// A JSON value that Weir makes: a row, a finding, a manifest. Keys keep their order.
public indirect enum JSONValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case int(Int64)
  case number(Double)
  case string([UInt8])
  case array([JSONValue])
  case object([JSONMember])

  public static func text(_ text: String) -> JSONValue { .string(Array(text.utf8)) }
  public static func int(_ value: Int) -> JSONValue { .int(Int64(value)) }

  /// The value of `key` in an object.
  public subscript(key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    let bytes = Array(key.utf8)
    return members.first { Array($0.key.utf8) == bytes }?.value
  }
}

public struct JSONMember: Sendable, Equatable {
  public var key: String
  public var value: JSONValue

  public init(_ key: String, _ value: JSONValue) {
    self.key = key
    self.value = value
  }

  /// Keys are compared as bytes: Swift takes two spellings of `é` for one.
  public static func == (a: JSONMember, b: JSONMember) -> Bool {
    a.key.utf8.elementsEqual(b.key.utf8) && a.value == b.value
  }
}

extension JSONValue: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(elements.map { JSONMember($0.0, $0.1) })
  }
}

extension JSONValue: ExpressibleByArrayLiteral {
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
}

extension JSONValue: ExpressibleByStringLiteral {
  public init(stringLiteral value: String) { self = .text(value) }
}

extension JSONValue: ExpressibleByIntegerLiteral {
  public init(integerLiteral value: Int64) { self = .int(value) }
}

extension JSONValue: ExpressibleByBooleanLiteral {
  public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension JSONValue {
  /// Appends the text: one line without spaces, or indented by two spaces a level.
  public func write(to out: inout [UInt8], indent: Int? = nil) {
    switch self {
    case .null: out.append(contentsOf: Array("null".utf8))
    case .bool(let value): out.append(contentsOf: Array((value ? "true" : "false").utf8))
    case .int(let value): appendJSONInteger(value, to: &out)
    case .number(let value): appendJSONNumber(value, to: &out)
    case .string(let bytes): bytes.withUnsafeBufferPointer { appendJSONString($0, to: &out) }
    case .array(let elements):
      writeGroup(elements, "[", "]", indent, to: &out) { element, out, inner in
        element.write(to: &out, indent: inner)
      }
    case .object(let members):
      writeGroup(members, "{", "}", indent, to: &out) { member, out, inner in
        appendJSONString(member.key, to: &out)
        out.append(UInt8(ascii: ":"))
        if inner != nil { out.append(UInt8(ascii: " ")) }
        member.value.write(to: &out, indent: inner)
      }
    }
  }

  /// The text of an object, indented, of which one member is a long array: its elements are made one by
  /// one while they are written, and not held all at once.
  ///
  /// - Parameters:
  ///   - member: the key of an array without elements.
  ///   - elements: what it has.
  public func indentedBytes(
    filling member: String, with elements: some Collection<JSONValue>
  ) -> [UInt8] {
    guard case .object(let members) = self else { preconditionFailure("not an object") }
    var out: [UInt8] = []
    out.reserveCapacity(4_096 + elements.count * 256)
    writeGroup(members, "{", "}", 0, to: &out) { each, out, inner in
      appendJSONString(each.key, to: &out)
      out.append(UInt8(ascii: ":"))
      out.append(UInt8(ascii: " "))
      guard each.key.utf8.elementsEqual(member.utf8) else {
        return each.value.write(to: &out, indent: inner)
      }
      writeGroup(elements, "[", "]", inner, to: &out) { $0.write(to: &$1, indent: $2) }
    }
    return out
  }

  public func bytes(indented: Bool = false) -> [UInt8] {
    var out: [UInt8] = []
    write(to: &out, indent: indented ? 0 : nil)
    return out
  }

  public var text: String { String(decoding: bytes(), as: UTF8.self) }
}

private func writeGroup<Element>(
  _ elements: some Collection<Element>, _ open: Unicode.Scalar, _ close: Unicode.Scalar,
  _ indent: Int?,
  to out: inout [UInt8], _ each: (Element, inout [UInt8], Int?) -> Void
) {
  out.append(UInt8(ascii: open))
  let inner = indent.map { $0 + 1 }
  func breakLine(_ level: Int?) {
    guard let level else { return }
    out.append(0x0A)
    for _ in 0..<(level * 2) { out.append(0x20) }
  }
  var isFirst = true
  for element in elements {
    if !isFirst { out.append(UInt8(ascii: ",")) }
    isFirst = false
    breakLine(inner)
    each(element, &out, inner)
  }
  if !isFirst { breakLine(indent) }
  out.append(UInt8(ascii: close))
}
