import WeirData

/// Reads numbers as JSON writes them (RFC 8259, section 6): `-12`, `3.5`, `1e6`. No sign `+`, no
/// leading zero, no thousands separator, no `NaN`.
enum NumberText {
  /// A whole number as ``CellKind/int`` or any as ``CellKind/number``; `nil` where the text is no
  /// number, or one that the type cannot hold.
  static func read(_ text: UnsafeBufferPointer<UInt8>, asInt: Bool) -> Cell? {
    guard let isWhole = check(text) else { return nil }
    if isWhole, let value = wholeNumber(text) {
      return asInt ? .int(value) : .number(Double(value))
    }
    if isWhole, asInt { return nil }
    guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else {
      return nil
    }
    return asInt ? whole(value) : .number(value)
  }

  /// A double that is a whole number up to 2^53 either side, where every one has a double of its own.
  static func whole(_ value: Double) -> Cell? {
    abs(value) <= 9_007_199_254_740_992 ? Int64(exactly: value).map(Cell.int) : nil
  }

  /// Whether it has neither fraction nor exponent; `nil` where it is no number.
  private static func check(_ text: UnsafeBufferPointer<UInt8>) -> Bool? {
    var at = text.first == UInt8(ascii: "-") ? 1 : 0
    func digits() -> Int {
      let start = at
      while at < text.count, text[at] &- 0x30 < 10 { at += 1 }
      return at - start
    }
    let first = at
    let count = digits()
    guard count > 0, count == 1 || text[first] != 0x30 else { return nil }
    var isWhole = true
    if at < text.count, text[at] == UInt8(ascii: ".") {
      at += 1
      isWhole = false
      guard digits() > 0 else { return nil }
    }
    if at < text.count, text[at] | 0x20 == UInt8(ascii: "e") {
      at += 1
      isWhole = false
      if at < text.count, text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-") { at += 1 }
      guard digits() > 0 else { return nil }
    }
    return at == text.count ? isWhole : nil
  }

  /// Digits with or without a minus, within 64 bits.
  private static func wholeNumber(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
    let isNegative = text.first == UInt8(ascii: "-")
    var value: Int64 = 0
    for i in (isNegative ? 1 : 0)..<text.count {
      // Counted downwards: the least number has no positive twin.
      let (tens, over) = value.multipliedReportingOverflow(by: 10)
      let (next, under) = tens.subtractingReportingOverflow(Int64(text[i] &- 0x30))
      if over || under { return nil }
      value = next
    }
    if isNegative { return value }
    return value == .min ? nil : -value
  }
}
