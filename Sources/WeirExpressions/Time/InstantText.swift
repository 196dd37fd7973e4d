import WeirData

/// RFC 3339 to the nanosecond.
extension Instant {
  /// - Throws: `notATime`, or `timeRange` outside the years 1 to 9999.
  init(rfc3339 text: [UInt8]) throws(FailureKind) {
    self.init(seconds: 0, nanoseconds: 0)
    if let failure = Instant.failure(rfc3339: text, into: &self) { throw failure }
  }

  static func failure(rfc3339 text: [UInt8]) -> FailureKind? {
    var instant = Instant(seconds: 0, nanoseconds: 0)
    return failure(rfc3339: text, into: &instant)
  }

  private static func failure(rfc3339 text: [UInt8], into instant: inout Instant) -> FailureKind? {
    // The fraction apart, it is what WeirData reads.
    guard text.count >= 20, text.count <= 64 else { return .notATime }
    var whole = text
    var nanoseconds: Int64 = 0
    if text[19] == UInt8(ascii: ".") {
      let digits = text[20...].prefix { $0.isDigit }
      guard !digits.isEmpty else { return .notATime }
      // What is finer than a nanosecond is no instant here.
      guard digits.dropFirst(9).allSatisfy({ $0 == UInt8(ascii: "0") }) else { return .notATime }
      for place in 0..<9 {
        let digit = place < digits.count ? Int64(digits[20 + place] - 0x30) : 0
        nanoseconds = nanoseconds * 10 + digit
      }
      whole.removeSubrange(19..<(20 + digits.count))
    }
    guard let time = whole.withUnsafeBufferPointer({ Timestamp(rfc3339: $0) }) else {
      // A year 0 or an offset that carries it out of the years is a time all the same.
      return whole.starts(with: Array("0000-".utf8)) ? .timeRange : .notATime
    }
    instant = Instant(microseconds: time.microseconds)
    instant.nanoseconds = nanoseconds
    return instant.isInRange ? nil : .timeRange
  }

  /// In UTC, with 0, 3, 6 or 9 digits of the second, the fewest that are exact.
  var rfc3339: [UInt8] {
    var text: [UInt8] = []
    Timestamp(microseconds: seconds * 1_000_000).append(to: &text)
    guard nanoseconds > 0 else { return text }
    text.removeLast()
    text.append(UInt8(ascii: "."))
    var digits = Array(String(nanoseconds).utf8)
    digits.insert(contentsOf: repeatElement(0x30, count: 9 - digits.count), at: 0)
    while digits.count > 3, digits.suffix(3).allSatisfy({ $0 == 0x30 }) { digits.removeLast(3) }
    return text + digits + [UInt8(ascii: "Z")]
  }
}
