/// Why a text is not JSON, and where.
public struct JSONError: Error, Sendable, Equatable {
  public enum Code: String, Sendable {
    case syntax
    case utf8
  }
  public var code: Code
  /// Bytes before the place.
  public var offset: Int
  public var message: String
}

/// One token of a JSON text.
public struct JSONToken: Sendable {
  public enum Kind: Sendable {
    case beginObject, endObject, beginArray, endArray
    case key, string, number, `true`, `false`, null
  }
  public var kind: Kind
  /// Bytes of the token; of a key or string, the bytes between the quotes.
  public var range: Range<Int>
  /// A key or string that holds a backslash.
  public var hasEscapes = false
}

/// An exact reader of RFC 8259: everything that is JSON passes, at any depth and with numbers of any
/// size, and nothing else. It asks what the fast parser refused, and finds where it went wrong.
///
/// Cost: one pass, no recursion, one bit a level of nesting.
public struct JSONTokens {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var at = 0
  private var stack = BitStack()
  private var state = State.value

  private enum State { case value, firstKey, afterValue, firstElement, end }

  public init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  public var depth: Int { stack.count }

  /// The next token, or `nil` behind a complete document.
  public mutating func next() throws(JSONError) -> JSONToken? {
    skipSpace()
    switch state {
    case .end:
      guard at == bytes.count else { throw error("text behind the end of the value") }
      return nil
    case .value:
      return try value()
    case .firstElement:
      if peek() == UInt8(ascii: "]") { return close(.endArray) }
      return try value()
    case .firstKey:
      if peek() == UInt8(ascii: "}") { return close(.endObject) }
      return try key()
    case .afterValue:
      return try separator()
    }
  }

  private mutating func separator() throws(JSONError) -> JSONToken? {
    let inObject = stack.top
    switch peek() {
    case UInt8(ascii: ","):
      at += 1
      skipSpace()
      return inObject ? try key() : try value()
    case UInt8(ascii: "}") where inObject: return close(.endObject)
    case UInt8(ascii: "]") where !inObject: return close(.endArray)
    case nil: throw error("the text ends inside \(inObject ? "an object" : "an array")")
    default: throw error("expected a comma or \(inObject ? "}" : "]")")
    }
  }

  private mutating func key() throws(JSONError) -> JSONToken {
    guard peek() == UInt8(ascii: "\"") else {
      throw error(peek() == nil ? "the text ends inside an object" : "expected a key in quotes")
    }
    var token = try string()
    token.kind = .key
    skipSpace()
    guard peek() == UInt8(ascii: ":") else { throw error("expected a colon behind the key") }
    at += 1
    state = .value
    return token
  }

  private mutating func value() throws(JSONError) -> JSONToken {
    let start = at
    guard let first = peek() else { throw error("the text ends where a value is expected") }
    switch first {
    case UInt8(ascii: "{"):
      at += 1
      stack.push(true)
      state = .firstKey
      return JSONToken(kind: .beginObject, range: start..<at)
    case UInt8(ascii: "["):
      at += 1
      stack.push(false)
      state = .firstElement
      return JSONToken(kind: .beginArray, range: start..<at)
    case UInt8(ascii: "\""):
      let token = try string()
      finishValue()
      return token
    case UInt8(ascii: "t"): return try literal("true", .true)
    case UInt8(ascii: "f"): return try literal("false", .false)
    case UInt8(ascii: "n"): return try literal("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      try number()
      finishValue()
      return JSONToken(kind: .number, range: start..<at)
    default: throw error("expected a value")
    }
  }

  private mutating func close(_ kind: JSONToken.Kind) -> JSONToken {
    let start = at
    at += 1
    stack.pop()
    finishValue()
    return JSONToken(kind: kind, range: start..<at)
  }

  private mutating func finishValue() { state = stack.isEmpty ? .end : .afterValue }

  private mutating func literal(
    _ text: StaticString, _ kind: JSONToken.Kind
  ) throws(JSONError) -> JSONToken {
    let start = at
    for i in 0..<text.utf8CodeUnitCount {
      guard peek() == text.utf8Start[i] else { throw error("expected \(text)") }
      at += 1
    }
    finishValue()
    return JSONToken(kind: kind, range: start..<at)
  }

  private mutating func number() throws(JSONError) {
    if peek() == UInt8(ascii: "-") { at += 1 }
    if peek() == UInt8(ascii: "0") {
      at += 1
      if isDigit(peek()) { throw error("a number does not begin with 0") }
    } else {
      try digits("a digit")
    }
    if peek() == UInt8(ascii: ".") {
      at += 1
      try digits("a digit behind the point")
    }
    if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
      at += 1
      if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { at += 1 }
      try digits("a digit in the exponent")
    }
  }

  private mutating func digits(_ expected: String) throws(JSONError) {
    guard isDigit(peek()) else { throw error("expected \(expected)") }
    while isDigit(peek()) { at += 1 }
  }

  private mutating func string() throws(JSONError) -> JSONToken {
    at += 1
    let start = at
    var hasEscapes = false
    while true {
      guard at < bytes.count else { throw error("the text ends inside a string") }
      let byte = bytes[at]
      switch byte {
      case UInt8(ascii: "\""):
        at += 1
        return JSONToken(kind: .string, range: start..<(at - 1), hasEscapes: hasEscapes)
      case UInt8(ascii: "\\"):
        hasEscapes = true
        try escape()
      case 0..<0x20:
        throw error("a control character in a string must be escaped")
      case 0x20..<0x80:
        at += 1
      default:
        let length = validSequence(in: bytes, at: at)
        guard length > 0 else {
          throw JSONError(code: .utf8, offset: at, message: "not UTF-8")
        }
        at += length
      }
    }
  }

  private mutating func escape() throws(JSONError) {
    at += 1
    switch peek() {
    case UInt8(ascii: "u"):
      at += 1
      for _ in 0..<4 {
        guard let byte = peek(), hexValue(byte) != nil else {
          throw error("expected four hexadecimal digits behind \\u")
        }
        at += 1
      }
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      at += 1
    default:
      throw error("no such escape")
    }
  }

  private mutating func skipSpace() {
    while at < bytes.count {
      switch bytes[at] {
      case 0x20, 0x09, 0x0A, 0x0D: at += 1
      default: return
      }
    }
  }

  private func peek() -> UInt8? { at < bytes.count ? bytes[at] : nil }
  private func isDigit(_ byte: UInt8?) -> Bool { byte.map { (0x30...0x39).contains($0) } ?? false }

  private func error(_ message: String) -> JSONError {
    if at < bytes.count, bytes[at] >= 0x80, validSequence(in: bytes, at: at) == 0 {
      return JSONError(code: .utf8, offset: at, message: "not UTF-8")
    }
    return JSONError(code: .syntax, offset: at, message: message)
  }
}

/// One bit a level: an object or an array.
private struct BitStack {
  private var words: [UInt64] = []
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }
  var top: Bool { words[(count - 1) >> 6] >> UInt64((count - 1) & 63) & 1 == 1 }

  mutating func push(_ bit: Bool) {
    if count & 63 == 0 { words.append(0) }
    let mask: UInt64 = 1 << UInt64(count & 63)
    if bit { words[count >> 6] |= mask } else { words[count >> 6] &= ~mask }
    count += 1
  }

  mutating func pop() {
    count -= 1
    if count & 63 == 0 { words.removeLast() }
  }
}

/// The value of a hexadecimal digit.
func hexValue(_ byte: UInt8) -> UInt32? {
  switch byte {
  case 0x30...0x39: UInt32(byte - 0x30)
  case 0x41...0x46: UInt32(byte - 0x41 + 10)
  case 0x61...0x66: UInt32(byte - 0x61 + 10)
  default: nil
  }
}

/// Length of the well-formed UTF-8 sequence at `at` (Unicode 15, table 3-7), or 0.
public func validSequence(in bytes: UnsafeBufferPointer<UInt8>, at: Int) -> Int {
  let b0 = bytes[at]
  func tail(_ i: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
    at + i < bytes.count && range.contains(bytes[at + i])
  }
  switch b0 {
  case 0x00...0x7F: return 1
  case 0xC2...0xDF: return tail(1) ? 2 : 0
  case 0xE0: return tail(1, 0xA0...0xBF) && tail(2) ? 3 : 0
  case 0xE1...0xEC, 0xEE, 0xEF: return tail(1) && tail(2) ? 3 : 0
  case 0xED: return tail(1, 0x80...0x9F) && tail(2) ? 3 : 0
  case 0xF0: return tail(1, 0x90...0xBF) && tail(2) && tail(3) ? 4 : 0
  case 0xF1...0xF3: return tail(1) && tail(2) && tail(3) ? 4 : 0
  case 0xF4: return tail(1, 0x80...0x8F) && tail(2) && tail(3) ? 4 : 0
  default: return 0
  }
}

/// The first byte that does not belong to well-formed UTF-8; `nil` where all do.
public func firstInvalidUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
  var at = 0
  while at < bytes.count {
    let length = validSequence(in: bytes, at: at)
    if length == 0 { return at }
    at += length
  }
  return nil
}

/// Whether all of `bytes` is well-formed UTF-8.
public func isUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool { firstInvalidUTF8(bytes) == nil }
