extension SpecScanner {
  /// A string in double quotes, or one in single quotes with a problem; `at` is on the quote.
  mutating func string(_ pointer: SpecPointer) -> String? {
    let start = at
    let quote = bytes[at]
    at += 1
    var value: [UInt8] = []
    while let byte {
      switch byte {
      case quote:
        at += 1
        let text = String(decoding: value, as: UTF8.self)
        if quote == UInt8(ascii: "'") {
          add(
            "single_quotes", start..<at, pointer, "JSON strings stand in double quotes",
            fix: quoted(text))
        }
        return text
      case UInt8(ascii: "\\"): escape(&value, pointer)
      case 0x0A, 0x0D:
        stop(
          "unclosed_string", start..<at, pointer, "this string is not closed on its line",
          fix: "close it with \(quote == 0x22 ? "\"" : "'"), or write a line break as \\n")
        return nil
      case 0..<0x20:
        add(
          "control_character", at..<at + 1, pointer,
          "a string may not hold the raw control character \(hexText(Int(byte)))",
          fix: byte == 0x09 ? "write \\t" : "write \\u\(hexText(Int(byte)).dropFirst(2))")
        value.append(byte)
        at += 1
      default:
        value.append(byte)
        at += 1
      }
    }
    stop("unclosed_string", start..<start + 1, pointer, "this string is never closed")
    return nil
  }

  private mutating func escape(_ value: inout [UInt8], _ pointer: SpecPointer) {
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
      let range = start..<scalarRange.upperBound
      let isText = letter >= 0x20
      add(
        "bad_escape", range, pointer,
        isText ? "\(shown(text(range))) is no JSON escape" : "a backslash before a line break",
        expected: "one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX",
        fix: isText
          ? "write \\\(text(range)) if a backslash is meant; folders of a path stand apart by /"
          : "write \\n")
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
        expected: "both halves, as in \\ud83d\\ude00, or the character itself")
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
