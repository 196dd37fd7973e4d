import WeirData

/// The forms in which a time may come. No value fits two of them: nothing is guessed.
struct TimeForms: Sendable {
  /// The unit of numbers, as microseconds.
  enum Epoch: Int64, Sendable {
    case seconds = 1_000_000
    case milliseconds = 1_000
    case microseconds = 1
  }

  var rfc3339 = false
  /// `2026-10-04` is its midnight in UTC.
  var date = false
  var epoch: Epoch?

  /// For messages.
  var expectation: String {
    var forms: [String] = []
    if rfc3339 { forms.append("an RFC 3339 time") }
    if date { forms.append("a date (YYYY-MM-DD)") }
    switch epoch {
    case .seconds: forms.append("seconds since 1970")
    case .milliseconds: forms.append("milliseconds since 1970")
    case .microseconds: forms.append("microseconds since 1970")
    case nil: break
    }
    return forms.joined(separator: " or ")
  }

  func read(text: UnsafeBufferPointer<UInt8>) -> Timestamp? {
    if text.count >= 20, rfc3339, let time = Timestamp(rfc3339: text) { return time }
    if text.count == 10, date, text[4] == UInt8(ascii: "-"), let day = readDate(text) { return day }
    return epoch.flatMap { read(digits: text, in: $0) }
  }

  func read(int: Int64) -> Timestamp? {
    guard let epoch else { return nil }
    let (value, over) = int.multipliedReportingOverflow(by: epoch.rawValue)
    return over ? nil : writable(value)
  }

  /// The nearest microsecond.
  func read(number: Double) -> Timestamp? {
    // 1e18 microseconds are beyond the year 9999.
    guard let epoch, abs(number) < 1e18 else { return nil }
    let whole = number.rounded(.down)
    let part = ((number - whole) * Double(epoch.rawValue)).rounded()
    let (value, over) = Int64(whole).multipliedReportingOverflow(by: epoch.rawValue)
    return over ? nil : writable(value + Int64(part))
  }

  /// `1759561509`, `-1`, `1759561509.25`: exact, so that digits beyond the microsecond must be zero.
  private func read(digits text: UnsafeBufferPointer<UInt8>, in epoch: Epoch) -> Timestamp? {
    let isNegative = text.first == UInt8(ascii: "-")
    var at = isNegative ? 1 : 0
    let start = at
    var value: Int64 = 0
    while at < text.count, text[at] &- 0x30 < 10 {
      let (tens, over) = value.multipliedReportingOverflow(by: 10)
      let (next, beyond) = tens.addingReportingOverflow(Int64(text[at] &- 0x30))
      if over || beyond { return nil }
      value = next
      at += 1
    }
    guard at > start else { return nil }
    let (whole, over) = value.multipliedReportingOverflow(by: epoch.rawValue)
    if over { return nil }
    value = whole
    if at < text.count {
      guard text[at] == UInt8(ascii: "."), at + 1 < text.count else { return nil }
      var scale = epoch.rawValue
      for digit in text[(at + 1)...] {
        guard digit &- 0x30 < 10 else { return nil }
        scale /= 10
        if scale == 0, digit != 0x30 { return nil }
        let (next, over) = value.addingReportingOverflow(Int64(digit - 0x30) * scale)
        if over { return nil }
        value = next
      }
    }
    return writable(isNegative ? -value : value)
  }

  private func readDate(_ text: UnsafeBufferPointer<UInt8>) -> Timestamp? {
    func number(_ from: Int, _ count: Int) -> Int? {
      var value = 0
      for digit in text[from..<(from + count)] {
        guard digit &- 0x30 < 10 else { return nil }
        value = value * 10 + Int(digit - 0x30)
      }
      return value
    }
    guard text[7] == UInt8(ascii: "-"), let year = number(0, 4), year >= 1,
      let month = number(5, 2), let day = number(8, 2),
      let date = CivilDate(year: year, month: month, day: day)
    else { return nil }
    return Timestamp(microseconds: Int64(date.daysSinceEpoch) * 86_400_000_000)
  }

  private func writable(_ microseconds: Int64) -> Timestamp? {
    let time = Timestamp(microseconds: microseconds)
    return time.isWritable ? time : nil
  }
}
