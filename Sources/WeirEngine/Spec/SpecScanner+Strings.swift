extension SpecScanner {
  /// A string in double quotes, or one in single quotes with a problem; `at` is on the quote.
  mutating func string(_ pointer: SpecPointer, isKey: Bool = false) -> String? {
    if !isKey, let text = tripleQuoted(pointer) { return text }
    let start = at
    let quote = bytes[at]
    at += 1
    var value: [UInt8] = []
    var strange: [Range<Int>] = []
    while let byte {
      switch byte {
      case quote:
        at += 1
        lastString = start..<at
        let meant = report(strange, in: start..<at, pointer)
        let text = meant ?? String(decoding: value, as: UTF8.self)
        if quote == UInt8(ascii: "'") {
          add(
            "single_quotes", start..<at, pointer, "JSON strings stand in double quotes",
            fix: quoted(text))
        }
        return text
      case UInt8(ascii: "\\"): escape(&value, &strange, pointer)
      case 0x0A, 0x0D:
        unclosedString(from: start, isKey: isKey, pointer)
        return nil
      case 0..<0x20:
        add(
          "control_character", at..<at + 1, pointer,
          byte == 0x09
            ? "there is a tab in this string, and JSON allows none there"
            : "there is a control character in this string, \(hexText(Int(byte)))",
          fix: byte == 0x09
            ? "write a space, or \\t if it is to be a tab"
            : "remove it, or write \\u\(hexText(Int(byte)).dropFirst(2))")
        value.append(byte)
        at += 1
      default:
        value.append(byte)
        at += 1
      }
    }
    unclosedString(from: start, isKey: isKey, pointer)
    return nil
  }

  private mutating func escape(
    _ value: inout [UInt8], _ strange: inout [Range<Int>], _ pointer: SpecPointer
  ) {
    let start = at
    guard at + 1 < bytes.count else {
      at += 1
      return
    }
    let letter = bytes[at + 1]
    at += 2
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): value.append(letter)
    case UInt8(ascii: "b"): value.append(0x08)
    case UInt8(ascii: "f"): value.append(0x0C)
    case UInt8(ascii: "n"): value.append(0x0A)
    case UInt8(ascii: "r"): value.append(0x0D)
    case UInt8(ascii: "t"): value.append(0x09)
    case UInt8(ascii: "u"): unicodeEscape(&value, start, pointer)
    default:
      at = start + 1
      strange.append(start..<scalarRange.upperBound)
      value.append(UInt8(ascii: "\\"))
    }
  }

  private mutating func unicodeEscape(
    _ value: inout [UInt8], _ start: Int, _ pointer: SpecPointer
  ) {
    let replacement: Unicode.Scalar = "\u{FFFD}"
    guard let high = fourHexDigits() else {
      add(
        "bad_escape", start..<at, pointer, "\\u takes four hexadecimal digits",
        fix: "\\u00e9 is an example")
      value += Array(String(replacement).utf8)
      return
    }
    var code = high
    if (0xD800..<0xDC00).contains(high), starts(with: "\\u") {
      let back = at
      at += 2
      if let low = fourHexDigits(), (0xDC00..<0xE000).contains(low) {
        code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
      } else {
        at = back
      }
    }
    if let scalar = Unicode.Scalar(code) {
      value += Array(String(scalar).utf8)
    } else {
      add(
        "lone_surrogate", start..<at, pointer,
        "\(text(start..<at)) is one half of a character",
        expected: "both halves, as in \\ud83d\\ude00, or the character itself",
        fix: "remove it, or write the character itself")
      value += Array(String(replacement).utf8)
    }
  }

  private mutating func fourHexDigits() -> UInt32? {
    guard at + 4 <= bytes.count else { return nil }
    var code: UInt32 = 0
    for byte in bytes[at..<at + 4] {
      guard let digit = hexDigit(byte) else { return nil }
      code = code * 16 + UInt32(digit)
    }
    at += 4
    return code
  }
}

/// `U+0009`.
func hexText(_ code: Int) -> String {
  let digits = String(code, radix: 16, uppercase: true)
  return "U+" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
}
