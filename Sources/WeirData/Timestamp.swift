/// An instant: microseconds since 1970-01-01T00:00:00Z, years 1 to 9999.
public struct Timestamp: Sendable, Hashable, Comparable {
  public var microseconds: Int64

  public init(microseconds: Int64) { self.microseconds = microseconds }

  public static let earliest = Timestamp(microseconds: -62_135_596_800_000_000)
  public static let latest = Timestamp(microseconds: 253_402_300_799_999_999)

  public static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }

  /// Whether the instant can be written as RFC 3339.
  @inlinable public var isWritable: Bool {
    microseconds >= -62_135_596_800_000_000 && microseconds <= 253_402_300_799_999_999
  }

  /// Reads RFC 3339: `2026-10-04T07:05:09.25+08:00`; a space or `t` for `T` and `z` for `Z` as the
  /// RFC allows. A zone is required. Digits of a second beyond the sixth must be zero, a leap second
  /// (`:60`) is not an instant of UTC's linear count: both are refused rather than rounded. So is what
  /// the offset carries out of the years 1 to 9999.
  public init?(rfc3339 text: UnsafeBufferPointer<UInt8>) {
    guard text.count >= 20,
      let year = number(text, 0, 4), text[4] == 0x2D, let month = number(text, 5, 2),
      text[7] == 0x2D, let day = number(text, 8, 2),
      text[10] == 0x54 || text[10] == 0x74 || text[10] == 0x20,
      let hour = number(text, 11, 2), text[13] == 0x3A, let minute = number(text, 14, 2),
      text[16] == 0x3A, let second = number(text, 17, 2),
      hour < 24, minute < 60, second < 60, year >= 1,
      let date = CivilDate(year: year, month: month, day: day)
    else { return nil }
    var at = 19
    var fraction = 0
    if text[at] == 0x2E {
      at += 1
      let first = at
      var scale = 100_000
      while at < text.count, (0x30...0x39).contains(text[at]) {
        let digit = Int(text[at] - 0x30)
        if scale == 0, digit != 0 { return nil }
        fraction += digit * scale
        scale /= 10
        at += 1
      }
      guard at > first else { return nil }
    }
    guard at < text.count else { return nil }
    var offset = 0
    switch text[at] {
    case 0x5A, 0x7A:
      at += 1
    case 0x2B, 0x2D:
      guard text.count >= at + 6, let h = number(text, at + 1, 2), text[at + 3] == 0x3A,
        let m = number(text, at + 4, 2), h < 24, m < 60
      else { return nil }
      offset = (h * 60 + m) * 60 * (text[at] == 0x2B ? 1 : -1)
      at += 6
    default: return nil
    }
    guard at == text.count else { return nil }
    let seconds = date.daysSinceEpoch * 86_400 + hour * 3_600 + minute * 60 + second - offset
    self.init(microseconds: Int64(seconds) * 1_000_000 + Int64(fraction))
    guard isWritable else { return nil }
  }

  public init?(rfc3339 text: String) {
    var text = text
    guard let time = text.withUTF8({ Timestamp(rfc3339: $0) }) else { return nil }
    self = time
  }

  /// RFC 3339 in UTC with 0, 3 or 6 digits of a second, the fewest that are exact.
  public var rfc3339: String {
    var out: [UInt8] = []
    append(to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  /// Appends ``rfc3339``.
  public func append(to out: inout [UInt8]) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Timestamp.textBytesMax) { text in
      let count = write(to: text.baseAddress!)
      out.append(contentsOf: UnsafeBufferPointer(rebasing: text[..<count]))
    }
  }

  /// No text of ``rfc3339`` is longer.
  public static let textBytesMax = 27

  /// Writes ``rfc3339``.
  ///
  /// - Parameter text: has room for ``textBytesMax``.
  /// - Returns: the bytes written.
  public func write(to text: UnsafeMutablePointer<UInt8>) -> Int {
    let (days, inDay) = microseconds.dividedDown(by: 86_400_000_000)
    CivilDate(daysSinceEpoch: Int(days)).write(to: text)
    text[10] = 0x54
    let seconds = Int(inDay / 1_000_000)
    putTwoDigits(seconds / 3_600, to: text + 11)
    text[13] = 0x3A
    putTwoDigits(seconds / 60 % 60, to: text + 14)
    text[16] = 0x3A
    putTwoDigits(seconds % 60, to: text + 17)
    var end = 19
    let fraction = Int(inDay % 1_000_000)
    if fraction != 0 {
      text[19] = 0x2E
      putTwoDigits(fraction / 10_000, to: text + 20)
      putTwoDigits(fraction / 100, to: text + 22)
      putTwoDigits(fraction, to: text + 24)
      end = fraction % 1_000 == 0 ? 23 : 26
    }
    text[end] = 0x5A
    return end + 1
  }

  /// The UTC day.
  public var date: CivilDate {
    CivilDate(daysSinceEpoch: Int(microseconds.dividedDown(by: 86_400_000_000).quotient))
  }
}

extension Int64 {
  /// Division that rounds towards minus infinity, with a remainder that is never negative.
  public func dividedDown(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (q, r) = quotientAndRemainder(dividingBy: divisor)
    return r < 0 ? (q - 1, r + divisor) : (q, r)
  }
}

@inline(__always)
private func number(_ text: UnsafeBufferPointer<UInt8>, _ from: Int, _ digits: Int) -> Int? {
  var value = 0
  for i in from..<(from + digits) {
    let digit = text[i] &- 0x30
    guard digit < 10 else { return nil }
    value = value * 10 + Int(digit)
  }
  return value
}
