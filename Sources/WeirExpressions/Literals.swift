/// The values of literals.
enum Literals {
  /// - Parameter digits: decimal, or hexadecimal after `0x`.
  static func magnitude(_ digits: ArraySlice<UInt8>) -> UInt64? {
    let isHex = digits.count > 2 && digits[digits.startIndex + 1] | 0x20 == UInt8(ascii: "x")
    let base: UInt64 = isHex ? 16 : 10
    var value: UInt64 = 0
    for digit in isHex ? digits.dropFirst(2) : digits {
      let (product, tooBig) = value.multipliedReportingOverflow(by: base)
      let (sum, overflow) = product.addingReportingOverflow(UInt64(hexValue(digit)))
      if tooBig || overflow { return nil }
      value = sum
    }
    return value
  }

  static func int(
    _ digits: ArraySlice<UInt8>, isNegative: Bool, at span: SourceSpan
  ) throws(ExpressionError) -> Int64 {
    if let magnitude = magnitude(digits) {
      if isNegative, magnitude <= UInt64(Int64.max) + 1 {
        return Int64(truncatingIfNeeded: 0 &- magnitude)
      }
      if !isNegative, magnitude <= UInt64(Int64.max) { return Int64(magnitude) }
    }
    throw ExpressionError(
      .syntax, "this integer does not fit 64 bits", at: span, fix: "write it as a double: add .0")
  }

  static func double(
    _ text: ArraySlice<UInt8>, isNegative: Bool, at span: SourceSpan
  ) throws(ExpressionError) -> Double {
    guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else {
      throw ExpressionError(.syntax, "this number is too large for a double", at: span)
    }
    return isNegative ? -value : value
  }

  /// The content of a string or bytes literal.
  ///
  /// - Parameter span: the whole token, prefix and quotes included.
  static func string(
    _ source: [UInt8], _ span: SourceSpan
  ) throws(ExpressionError) -> [UInt8] {
    var at = span.start
    var isRaw = false
    var isBytes = false
    while source[at].isIdentifierStart {
      if source[at] | 0x20 == UInt8(ascii: "r") { isRaw = true } else { isBytes = true }
      at += 1
    }
    let quotes =
      span.end - at >= 6 && source[at + 1] == source[at] && source[at + 2] == source[at] ? 3 : 1
    at += quotes
    let end = span.end - quotes
    if isRaw { return Array(source[at..<end]) }
    var content: [UInt8] = []
    content.reserveCapacity(end - at)
    while at < end {
      if source[at] == UInt8(ascii: "\\") {
        try escape(source, &at, end, isBytes: isBytes, into: &content)
      } else {
        content.append(source[at])
        at += 1
      }
    }
    return content
  }

  private static func escape(
    _ source: [UInt8], _ at: inout Int, _ end: Int, isBytes: Bool, into content: inout [UInt8]
  ) throws(ExpressionError) {
    let start = at
    let letter = source[at + 1]
    at += 2
    switch letter {
    case UInt8(ascii: "a"): content.append(0x07)
    case UInt8(ascii: "b"): content.append(0x08)
    case UInt8(ascii: "f"): content.append(0x0C)
    case UInt8(ascii: "n"): content.append(0x0A)
    case UInt8(ascii: "r"): content.append(0x0D)
    case UInt8(ascii: "t"): content.append(0x09)
    case UInt8(ascii: "v"): content.append(0x0B)
    case UInt8(ascii: "\\"), UInt8(ascii: "?"), UInt8(ascii: "\""), UInt8(ascii: "'"),
      UInt8(ascii: "`"):
      content.append(letter)
    case UInt8(ascii: "x"), UInt8(ascii: "X"):
      let value = try digits(source, &at, end, count: 2, base: 16, from: start)
      try append(value, isBytes: isBytes, at: SourceSpan(start: start, end: at), to: &content)
    case UInt8(ascii: "u"), UInt8(ascii: "U"):
      if isBytes {
        throw ExpressionError(
          .syntax, "bytes have no \\u escapes", at: SourceSpan(start: start, end: at),
          fix: "write each byte as \\xHH")
      }
      let count = letter == UInt8(ascii: "u") ? 4 : 8
      let value = try digits(source, &at, end, count: count, base: 16, from: start)
      try append(value, isBytes: false, at: SourceSpan(start: start, end: at), to: &content)
    case UInt8(ascii: "0")...UInt8(ascii: "3"):
      at -= 1
      let value = try digits(source, &at, end, count: 3, base: 8, from: start)
      try append(value, isBytes: isBytes, at: SourceSpan(start: start, end: at), to: &content)
    default:
      var shown = at
      while shown < end, source[shown] & 0xC0 == 0x80 { shown += 1 }
      let text = String(decoding: source[start..<shown], as: UTF8.self)
      throw ExpressionError(
        .syntax, "`\(text)` is not an escape", at: SourceSpan(start: start, end: shown),
        fix: "write \\\\ for a backslash, or a raw string r'...'")
    }
  }

  private static func digits(
    _ source: [UInt8], _ at: inout Int, _ end: Int, count: Int, base: Int, from start: Int
  ) throws(ExpressionError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<count {
      guard at < end, source[at].isHexDigit, hexValue(source[at]) < base else {
        let kind = base == 8 ? "octal" : "hexadecimal"
        throw ExpressionError(
          .syntax, "this escape needs \(count) \(kind) digits",
          at: SourceSpan(start: start, end: at))
      }
      value = value &* UInt32(base) &+ UInt32(hexValue(source[at]))
      at += 1
    }
    return value
  }

  private static func append(
    _ value: UInt32, isBytes: Bool, at span: SourceSpan, to content: inout [UInt8]
  ) throws(ExpressionError) {
    if isBytes {
      content.append(UInt8(truncatingIfNeeded: value))
    } else if let scalar = Unicode.Scalar(value) {
      content.append(contentsOf: UTF8.encode(scalar)!)
    } else {
      throw ExpressionError(.syntax, "there is no such Unicode character", at: span)
    }
  }

  private static func hexValue(_ digit: UInt8) -> Int {
    digit.isDigit ? Int(digit - 0x30) : Int((digit | 0x20) - 0x61 + 10)
  }
}
