import WeirData

extension Double {
  /// The double nearest to this one written with so many significant digits; ties away from zero.
  ///
  /// Works on the digits of the shortest text that reads back as the number, so it depends on no
  /// locale and no `log`, and two numbers that differ only beyond those digits mostly become the same
  /// one. -0 becomes 0; infinities and NaN stay.
  func rounded(significantDigits count: Int) -> Double {
    guard isFinite, self != 0 else { return isFinite ? 0 : self }
    var digits: [UInt8] = []
    var exponent = 0
    var hasPoint = false
    var suffix: [UInt8] = []
    for byte in "\(magnitude)".utf8 {
      switch byte {
      case UInt8(ascii: "."): hasPoint = true
      case UInt8(ascii: "e"): suffix.append(byte)
      case _ where !suffix.isEmpty: suffix.append(byte)
      default:
        // Leading zeros are no significant digits.
        if !(digits.isEmpty && byte == UInt8(ascii: "0")) { digits.append(byte - 0x30) }
        if hasPoint { exponent -= 1 }
      }
    }
    exponent += Int(String(decoding: suffix.dropFirst(), as: UTF8.self)) ?? 0
    if digits.count > count {
      let isUp = digits[count] >= 5
      exponent += digits.count - count
      digits.removeLast(digits.count - count)
      if isUp { digits = TenDigits.plusOne(digits, &exponent) }
    }
    let text = String(decoding: digits.map { $0 + 0x30 }, as: UTF8.self)
    let size = Double("\(text)e\(exponent)") ?? magnitude
    // Rounding up the largest double would leave the range.
    let rounded = size.isFinite ? size : magnitude
    return self < 0 ? -rounded : rounded
  }
}

private enum TenDigits {
  /// The number one larger in its last place.
  static func plusOne(_ digits: [UInt8], _ exponent: inout Int) -> [UInt8] {
    var digits = digits
    for i in digits.indices.reversed() {
      if digits[i] < 9 {
        digits[i] += 1
        return digits
      }
      digits[i] = 0
    }
    exponent += 1
    return [1] + digits.dropLast()
  }
}

extension JSONValue {
  /// A measured number as outputs print it: ten significant digits, null where there is none.
  static func measured(_ value: Double?) -> JSONValue {
    guard let value, value.isFinite else { return .null }
    return .number(value.rounded(significantDigits: 10))
  }
}
