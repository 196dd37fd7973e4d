/// Base64 as RFC 4648, section 4.
enum Base64 {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func encode(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count + 2) / 3 * 4)
    for at in stride(from: 0, to: bytes.count, by: 3) {
      let count = min(3, bytes.count - at)
      var group: UInt32 = 0
      for i in 0..<3 { group = group << 8 | (i < count ? UInt32(bytes[at + i]) : 0) }
      for i in 0..<4 {
        let digit = alphabet[Int(group >> UInt32(18 - 6 * i)) & 63]
        out.append(i <= count ? digit : UInt8(ascii: "="))
      }
    }
    return out
  }

  /// `nil` where it is not base64; the `=` at the end may be left away.
  static func decode(_ text: [UInt8]) -> [UInt8]? {
    var digits = text[...]
    var padding = 0
    while padding < 2, digits.last == UInt8(ascii: "=") {
      digits = digits.dropLast()
      padding += 1
    }
    guard digits.count % 4 != 1, padding == 0 || (digits.count + padding) % 4 == 0 else {
      return nil
    }
    var out: [UInt8] = []
    var group: UInt32 = 0
    var bits = 0
    for digit in digits {
      guard let value = value(digit) else { return nil }
      group = group << 6 | value
      bits += 6
      if bits >= 8 {
        bits -= 8
        out.append(UInt8(truncatingIfNeeded: group >> UInt32(bits)))
      }
    }
    // What is left over must be zeros.
    return group & (1 << UInt32(bits) - 1) == 0 ? out : nil
  }

  private static func value(_ digit: UInt8) -> UInt32? {
    switch digit {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - 0x41)
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - 0x61) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - 0x30) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
