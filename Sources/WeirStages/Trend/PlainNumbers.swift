import WeirData

/// Numbers as reports print them: one way everywhere, whatever the locale.
///
/// Thousands by comma, decimals by point, U+2212 for minus, never a signed or a negative zero.
enum PlainNumbers {
  static let minus = "\u{2212}"

  /// `x` with a fixed number of decimals: 3,919,153; 13.6; −0.25.
  static func fixed(_ x: Double, decimals: Int) -> String {
    guard x.isFinite else { return "unknown" }
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let scaled = (abs(x) * scale).rounded()
    guard scaled < 9e15 else {
      return (x < 0 ? minus : "") + (decimals > 0 ? fixed(abs(x), decimals: 0) : "\(abs(x))")
    }
    let digits = Int(scaled)
    let unit = Int(scale)
    var text = groupedDigits(digits / unit)
    if decimals > 0 {
      let part = String(digits % unit)
      text += "." + String(repeating: "0", count: decimals - part.utf8.count) + part
    }
    return (x < 0 && digits != 0 ? minus : "") + text
  }

  /// The same with + or − in front, but for zero.
  static func signed(_ x: Double, decimals: Int) -> String {
    let text = fixed(x, decimals: decimals)
    return x > 0 && text != fixed(0, decimals: decimals) ? "+" + text : text
  }

  /// Decimals that suit a number of this size: none from 100 on, one from 1 on, then two significant
  /// digits.
  static func decimals(for x: Double) -> Int {
    let size = abs(x)
    if size >= 99.95 || size == 0 || !size.isFinite { return 0 }
    if size >= 0.995 { return 1 }
    var digits = 2
    var limit = 0.0995
    while size < limit, digits < 9 {
      digits += 1
      limit /= 10
    }
    return digits
  }

  /// Decimals with which all of `values` can be told apart, and that suit the largest of them.
  static func decimals(telling values: [Double]) -> Int {
    let largest = values.reduce(0) { max($0, abs($1)) }
    var digits = decimals(for: largest)
    while digits < 9 {
      let texts = values.map { fixed($0, decimals: digits) }
      let isClear = values.indices.allSatisfy { i in
        (i == 0 || values[i] == values[0] || texts[i] != texts[0])
          && (values[i] == 0 || texts[i] != fixed(0, decimals: digits))
      }
      if isClear { break }
      digits += 1
    }
    return digits
  }
}
