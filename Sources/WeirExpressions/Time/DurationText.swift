/// Durations as text: `1h30m`, `-0.5s`, `250ms`; written as seconds: `5400s`.
enum DurationText {
  /// - Throws: `notADuration`, or `durationRange` past 64 bits of nanoseconds.
  static func nanoseconds(_ text: [UInt8]) throws(FailureKind) -> Int64 {
    var rest = text[...]
    var isNegative = false
    if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
      isNegative = sign == UInt8(ascii: "-")
      rest = rest.dropFirst()
    }
    guard !rest.isEmpty, rest.count <= 200 else { throw .notADuration }
    if rest.elementsEqual("0".utf8) { return 0 }
    var total: Int128 = 0
    while !rest.isEmpty {
      total += try part(&rest)
      guard total <= Int128(Int64.max) + 1 else { throw .durationRange }
    }
    guard let value = Int64(exactly: isNegative ? -total : total) else { throw .durationRange }
    return value
  }

  static func failure(_ text: [UInt8]) -> FailureKind? {
    do throws(FailureKind) {
      _ = try nanoseconds(text)
      return nil
    } catch { return error }
  }

  private static let units: [(name: String, nanoseconds: Int128)] = [
    ("ns", 1), ("us", 1_000), ("\u{B5}s", 1_000), ("\u{3BC}s", 1_000), ("ms", 1_000_000),
    ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
  ]

  /// A number and its unit.
  private static func part(_ rest: inout ArraySlice<UInt8>) throws(FailureKind) -> Int128 {
    let whole = rest.prefix { $0.isDigit }
    rest = rest.dropFirst(whole.count)
    var fraction: ArraySlice<UInt8> = []
    if rest.first == UInt8(ascii: ".") {
      rest = rest.dropFirst()
      fraction = rest.prefix { $0.isDigit }
      rest = rest.dropFirst(fraction.count)
    }
    guard whole.count + fraction.count > 0 else { throw .notADuration }
    let name = rest.prefix { !$0.isDigit && $0 != UInt8(ascii: ".") }
    guard let unit = units.first(where: { name.elementsEqual($0.name.utf8) }) else {
      throw .notADuration
    }
    rest = rest.dropFirst(name.count)
    guard whole.drop(while: { $0 == 0x30 }).count <= 20 else { throw .durationRange }
    var value: Int128 = 0
    for digit in whole { value = value * 10 + Int128(digit - 0x30) }
    value *= unit.nanoseconds
    // What is finer than a nanosecond falls away.
    var scale = unit.nanoseconds
    var part: Int128 = 0
    var factor: Int128 = 1
    for digit in fraction.prefix(15) {
      part = part * 10 + Int128(digit - 0x30)
      factor *= 10
    }
    scale = scale * part / factor
    return value + scale
  }

  /// Seconds with the digits that are needed.
  static func text(_ nanoseconds: Int64) -> [UInt8] {
    let (whole, rest) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
    var text = nanoseconds < 0 ? "-\(whole)" : "\(whole)"
    if rest > 0 {
      var digits = String(rest)
      digits = String(repeating: "0", count: 9 - digits.utf8.count) + digits
      while digits.utf8.last == UInt8(ascii: "0") { digits.removeLast() }
      text += "." + digits
    }
    return Array((text + "s").utf8)
  }
}
