import WeirData

/// `int(x)` and the like. Follows the CEL language definition, "List of Standard Definitions".
enum Conversions {
  static func int(_ value: Value) throws(FailureKind) -> Int64 {
    switch value {
    case .int(let v): return v
    case .uint(let v):
      guard let whole = Int64(exactly: v) else { throw .outOfRange }
      return whole
    case .number(let v):
      guard let whole = int(v) else { throw .outOfRange }
      return whole
    case .string(let text):
      guard isInteger(text) else { throw .notANumber }
      guard let whole = Int64(String(decoding: text, as: UTF8.self)) else { throw .outOfRange }
      return whole
    case .timestamp(let instant): return instant.seconds
    default: throw .wrongType
    }
  }

  /// Towards zero. The ends of the range are left out on both sides, as the conformance cases ask
  /// (`double_int_min_range`).
  @inline(__always)
  static func int(_ value: Double) -> Int64? {
    value > -0x1p63 && value < 0x1p63 ? Int64(value) : nil
  }

  static func uint(_ value: Value) throws(FailureKind) -> UInt64 {
    switch value {
    case .uint(let v): return v
    case .int(let v):
      guard let whole = UInt64(exactly: v) else { throw .outOfRange }
      return whole
    case .number(let v):
      guard v >= 0, v < 0x1p64 else { throw .outOfRange }
      return UInt64(v)
    case .string(let text):
      guard isInteger(text), text.first != UInt8(ascii: "-") else { throw .notANumber }
      guard let whole = UInt64(String(decoding: text, as: UTF8.self)) else { throw .outOfRange }
      return whole
    default: throw .wrongType
    }
  }

  static func double(_ value: Value) throws(FailureKind) -> Double {
    switch value {
    case .number(let v): return v
    case .int(let v): return Double(v)
    case .uint(let v): return Double(v)
    case .string(let text):
      guard let number = double(text) else { throw .notANumber }
      guard number.isFinite || !text.contains(where: \.isDigit) else { throw .outOfRange }
      return number
    default: throw .wrongType
    }
  }

  /// A sign and digits.
  private static func isInteger(_ text: [UInt8]) -> Bool {
    var rest = text[...]
    if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") {
      rest = rest.dropFirst()
    }
    return !rest.isEmpty && rest.count <= 64 && rest.allSatisfy(\.isDigit)
  }

  /// Digits with a point and an exponent where wanted, `NaN`, `Infinity` and `inf`.
  private static func double(_ text: [UInt8]) -> Double? {
    guard text.count <= 1_000 else { return nil }
    var rest = text[...]
    var sign = 1.0
    if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") {
      if rest.first == UInt8(ascii: "-") { sign = -1 }
      rest = rest.dropFirst()
    }
    switch String(decoding: rest, as: UTF8.self) {
    case "NaN", "nan": return .nan
    case "Infinity", "infinity", "Inf", "inf": return sign * .infinity
    default: break
    }
    var digits = 0
    func skipDigits() {
      while let byte = rest.first, byte.isDigit {
        digits += 1
        rest = rest.dropFirst()
      }
    }
    skipDigits()
    if rest.first == UInt8(ascii: ".") {
      rest = rest.dropFirst()
      skipDigits()
    }
    guard digits > 0 else { return nil }
    if let byte = rest.first, byte | 0x20 == UInt8(ascii: "e") {
      rest = rest.dropFirst()
      if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") {
        rest = rest.dropFirst()
      }
      digits = 0
      skipDigits()
      guard digits > 0 else { return nil }
    }
    guard rest.isEmpty else { return nil }
    // Swift wants a digit before the point.
    var written = text
    if written.first == UInt8(ascii: "+") { written.removeFirst() }
    let first = written.first == UInt8(ascii: "-") ? 1 : 0
    if written[first] == UInt8(ascii: ".") { written.insert(UInt8(ascii: "0"), at: first) }
    return Double(String(decoding: written, as: UTF8.self))
  }

  static func string(_ value: Value) throws(FailureKind) -> [UInt8] {
    switch value {
    case .string(let v): return v
    case .int(let v): return Array(String(v).utf8)
    case .uint(let v): return Array(String(v).utf8)
    case .number(let v): return number(v)
    case .bool(let v): return Array((v ? "true" : "false").utf8)
    case .bytes(let v):
      guard v.withUnsafeBufferPointer({ isUTF8($0) }) else { throw .notUTF8 }
      return v
    case .timestamp(let instant): return instant.rfc3339
    case .duration(let nanoseconds): return DurationText.text(nanoseconds)
    default: throw .wrongType
    }
  }

  /// As a record writes it, but for -0 and what JSON has no number for.
  static func number(_ value: Double) -> [UInt8] {
    if value.isNaN { return Array("NaN".utf8) }
    if value.isInfinite { return Array((value < 0 ? "-Infinity" : "Infinity").utf8) }
    if value == 0, value.sign == .minus { return Array("-0".utf8) }
    var text: [UInt8] = []
    appendJSONNumber(value, to: &text)
    return text
  }

  static func bytes(_ value: Value) throws(FailureKind) -> [UInt8] {
    switch value {
    case .bytes(let v), .string(let v): return v
    default: throw .wrongType
    }
  }

  static func bool(_ value: Value) throws(FailureKind) -> Bool {
    switch value {
    case .bool(let v): return v
    case .string(let text):
      switch String(decoding: text, as: UTF8.self) {
      case "1", "t", "T", "true", "True", "TRUE": return true
      case "0", "f", "F", "false", "False", "FALSE": return false
      default: throw .notABool
      }
    default: throw .wrongType
    }
  }

  static func timestamp(_ value: Value) throws(FailureKind) -> Instant {
    switch value {
    case .timestamp(let v): return v
    case .int(let seconds):
      let instant = Instant(seconds: seconds, nanoseconds: 0)
      guard instant.isInRange else { throw .timeRange }
      return instant
    case .string(let text): return try Instant(rfc3339: text)
    default: throw .wrongType
    }
  }

  static func duration(_ value: Value) throws(FailureKind) -> Int64 {
    switch value {
    case .duration(let v): return v
    case .string(let text): return try DurationText.nanoseconds(text)
    default: throw .wrongType
    }
  }
}
