import WeirData

extension Double {
  /// The double nearest to this one written with ten significant digits; ties away from zero.
  ///
  /// Depends on no locale and no `log`: only on multiplication and division, which are the same on
  /// every processor. -0 becomes 0; infinities and NaN stay.
  var roundedToTenDigits: Double {
    guard isFinite, self != 0 else { return isFinite ? 0 : self }
    let size = magnitude
    if size < 1e10, size == size.rounded(.towardZero) { return self }
    guard size >= 1e-12, size < 1e31 else { return roundedByText }
    // The power of ten that leaves ten digits before the point; 10^22 is the last exact one.
    var power = 0
    while power < 21, size * TenDigits.powers[power + 1] < 1e10 { power += 1 }
    var down = 0
    while size / TenDigits.powers[down] >= 1e10 { down += 1 }
    let digits = (down > 0 ? size / TenDigits.powers[down] : size * TenDigits.powers[power])
      .rounded(.toNearestOrAwayFromZero)
    let rounded = down > 0 ? digits * TenDigits.powers[down] : digits / TenDigits.powers[power]
    return self < 0 ? -rounded : rounded
  }

  /// The same for any size, from the digits of the shortest text that reads back as the number.
  var roundedByText: Double {
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
    if digits.count > TenDigits.count {
      let isUp = digits[TenDigits.count] >= 5
      exponent += digits.count - TenDigits.count
      digits.removeLast(digits.count - TenDigits.count)
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
  static let count = 10
  static let powers: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
    1e18, 1e19, 1e20, 1e21, 1e22,
  ]

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
    return .number(value.roundedToTenDigits)
  }
}
