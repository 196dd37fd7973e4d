import Glibc

/// `format` of CEL's string extension: `%s %d %f %e %b %o %x %X` and `%%`.
enum TextFormat {
  /// Digits behind the point that may be asked for.
  private static let precisionMax = 1_000

  static func format(_ text: [UInt8], _ values: [Value]) throws(FailureKind) -> [UInt8] {
    var out: [UInt8] = []
    var at = 0
    var used = 0
    while at < text.count {
      guard text[at] == UInt8(ascii: "%") else {
        out.append(text[at])
        at += 1
        continue
      }
      at += 1
      var precision: Int?
      if at < text.count, text[at] == UInt8(ascii: ".") {
        at += 1
        var digits = 0
        while at < text.count, text[at].isDigit, digits <= precisionMax {
          digits = digits * 10 + Int(text[at] - 0x30)
          at += 1
        }
        guard digits <= precisionMax else { throw .badFormat }
        precision = digits
      }
      guard at < text.count else { throw .badFormat }
      let clause = text[at]
      at += 1
      if clause == UInt8(ascii: "%") {
        guard precision == nil else { throw .badFormat }
        out.append(clause)
        continue
      }
      guard used < values.count else { throw .badFormat }
      out += try written(values[used], clause, precision)
      used += 1
      guard out.count <= ExpressionLimits.stringBytes else { throw .tooLong }
    }
    guard used == values.count else { throw .badFormat }
    return out
  }

  private static func written(
    _ value: Value, _ clause: UInt8, _ precision: Int?
  ) throws(FailureKind) -> [UInt8] {
    switch clause {
    case UInt8(ascii: "f"): return try decimal(value, "%.*f", precision)
    case UInt8(ascii: "e"): return try decimal(value, "%.*e", precision)
    default: break
    }
    guard precision == nil else { throw .badFormat }
    switch clause {
    case UInt8(ascii: "s"):
      var bytesLeft = ExpressionLimits.stringBytes
      return try plain(value, &bytesLeft)
    case UInt8(ascii: "d"):
      if case .number(let number) = value, !number.isFinite { return Conversions.number(number) }
      return try integer(value, radix: 10)
    case UInt8(ascii: "b"):
      if case .bool(let truth) = value { return [UInt8(ascii: truth ? "1" : "0")] }
      return try integer(value, radix: 2)
    case UInt8(ascii: "o"): return try integer(value, radix: 8)
    case UInt8(ascii: "x"), UInt8(ascii: "X"):
      let isUpper = clause == UInt8(ascii: "X")
      switch value {
      case .string(let bytes), .bytes(let bytes):
        let digits = Array((isUpper ? "0123456789ABCDEF" : "0123456789abcdef").utf8)
        return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
      default: return try integer(value, radix: 16, isUpper: isUpper)
      }
    default: throw .badFormat
    }
  }

  private static func integer(
    _ value: Value, radix: Int, isUpper: Bool = false
  ) throws(FailureKind) -> [UInt8] {
    switch value {
    case .int(let v): return Array(String(v, radix: radix, uppercase: isUpper).utf8)
    case .uint(let v): return Array(String(v, radix: radix, uppercase: isUpper).utf8)
    default: throw .badFormat
    }
  }

  private static func decimal(
    _ value: Value, _ format: String, _ precision: Int?
  ) throws(FailureKind) -> [UInt8] {
    let number: Double
    switch value {
    case .number(let v): number = v
    case .int(let v): number = Double(v)
    case .uint(let v): number = Double(v)
    default: throw .badFormat
    }
    guard number.isFinite else { return Conversions.number(number) }
    // The longest double has 309 digits before the point.
    let capacity = precisionMax + 400
    let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { buffer in
      let count = withVaList([CInt(precision ?? 6), number]) {
        vsnprintf(buffer.baseAddress!, capacity, format, $0)
      }
      return buffer.prefix(Int(max(0, min(count, CInt(capacity - 1))))).map {
        UInt8(bitPattern: $0)
      }
    }
    return text
  }

  /// What `%s` makes of a value.
  ///
  /// - Parameter bytesLeft: a small value may name the same list again and again.
  private static func plain(
    _ value: Value, _ bytesLeft: inout Int
  ) throws(FailureKind) -> [UInt8] {
    var text: [UInt8] = []
    switch value {
    case .null: text = Array("null".utf8)
    case .type(let name): text = Array(name.rawValue.utf8)
    case .list(let elements):
      text.append(UInt8(ascii: "["))
      for (at, element) in elements.enumerated() {
        if at > 0 { text += Array(", ".utf8) }
        text += try plain(element, &bytesLeft)
      }
      text.append(UInt8(ascii: "]"))
    case .map(let map):
      var parts: [(key: [UInt8], value: [UInt8])] = []
      for entry in map.entries {
        parts.append((try plain(entry.key, &bytesLeft), try plain(entry.value, &bytesLeft)))
      }
      parts.sort { $0.key.lexicographicallyPrecedes($1.key) }
      text.append(UInt8(ascii: "{"))
      for (at, part) in parts.enumerated() {
        if at > 0 { text += Array(", ".utf8) }
        text += part.key + Array(": ".utf8) + part.value
      }
      text.append(UInt8(ascii: "}"))
    case .optional: throw .badFormat
    default: text = try Conversions.string(value)
    }
    bytesLeft -= text.count
    guard bytesLeft >= 0 else { throw .tooLong }
    return text
  }
}
