import WeirData

/// A length of time as a spec writes it: `15m`, `6h`, `1d`, `1w`.
///
/// Days and weeks are calendar units: how long one is depends on the zone.
public struct SpecDuration: Sendable, Hashable, CustomStringConvertible {
  public enum Unit: String, Sendable, CaseIterable {
    case second = "s"
    case minute = "m"
    case hour = "h"
    case day = "d"
    case week = "w"

    /// A day has 86,400 here.
    public var seconds: Int {
      switch self {
      case .second: 1
      case .minute: 60
      case .hour: 3_600
      case .day: 86_400
      case .week: 604_800
      }
    }
  }

  /// 1 to 1,000,000.
  public var count: Int
  public var unit: Unit

  public init(count: Int, unit: Unit) {
    self.count = count
    self.unit = unit
  }

  public init?(text: String) {
    let bytes = Array(text.utf8)
    guard let last = bytes.last, (2...8).contains(bytes.count),
      let unit = Unit.allCases.first(where: { $0.rawValue.utf8.first == last }),
      let count = plainInteger(bytes.dropLast()), (1...1_000_000).contains(count)
    else { return nil }
    self.init(count: count, unit: unit)
  }

  public var seconds: Int { count * unit.seconds }
  public var description: String { "\(count)\(unit.rawValue)" }
}

/// A day; or one that is counted from the last day in the data, or from the day of the run.
public enum SpecDate: Sendable, Hashable, CustomStringConvertible {
  /// So many days before the last one in the data.
  case latest(minus: Int)
  /// So many days after the day of the run; only before the check of a spec, which makes a day of it.
  case today(plus: Int)
  case day(CivilDate)

  public static let latest = SpecDate.latest(minus: 0)

  /// `2026-10-04`, `latest`, `latest-7d`, `today`, `today-1d`, `today+1w`.
  public init?(text: String) {
    if let day = CivilDate(iso: text) {
      self = .day(day)
      return
    }
    let bytes = Array(text.utf8)
    for (word, isToday) in [("latest", false), ("today", true)] where bytes.starts(with: word.utf8)
    {
      let rest = bytes.dropFirst(word.utf8.count)
      guard let sign = rest.first else {
        self = isToday ? .today(plus: 0) : .latest
        return
      }
      let span = SpecDuration(text: String(decoding: rest.dropFirst(), as: UTF8.self))
      guard let span, span.unit == .day || span.unit == .week else { return nil }
      let days = span.count * (span.unit == .week ? 7 : 1)
      guard days <= SpecDate.daysMax else { return nil }
      switch (sign, isToday) {
      case (UInt8(ascii: "-"), true): self = .today(plus: -days)
      case (UInt8(ascii: "+"), true): self = .today(plus: days)
      case (UInt8(ascii: "-"), false): self = .latest(minus: days)
      default: return nil
      }
      return
    }
    return nil
  }

  /// A hundred years.
  static let daysMax = 36_525

  /// What it is in a run on `today`; what is counted from the data stays as it is.
  func resolved(today: CivilDate) -> SpecDate {
    guard case .today(let days) = self else { return self }
    return .day(CivilDate(daysSinceEpoch: today.daysSinceEpoch + days))
  }

  public var description: String {
    switch self {
    case .latest(let days): days == 0 ? "latest" : "latest-\(days)d"
    case .today(let days): days == 0 ? "today" : "today\(days < 0 ? "-" : "+")\(abs(days))d"
    case .day(let day): day.iso
    }
  }
}

/// Bytes from `8MiB`, `256KiB`, `1GiB` or `512`; also the decimal `kB`, `MB`, `GB`.
func parseSize(_ text: String) -> Int? {
  let bytes = Array(text.utf8)
  let digits = bytes.prefix { (0x30...0x39).contains($0) }
  guard let count = plainInteger(digits) else { return nil }
  let unit = bytes[digits.count...]
  let factors: [(String, Int)] = [
    ("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
    ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
  ]
  guard let factor = factors.first(where: { $0.0.utf8.elementsEqual(unit) })?.1 else { return nil }
  let (size, overflow) = count.multipliedReportingOverflow(by: factor)
  return overflow ? nil : size
}

/// Digits only, without sign; `nil` past `Int.max`.
func plainInteger(_ bytes: some Sequence<UInt8>) -> Int? {
  var value = 0
  var any = false
  for byte in bytes {
    guard (0x30...0x39).contains(byte) else { return nil }
    let (tens, a) = value.multipliedReportingOverflow(by: 10)
    let (sum, b) = tens.addingReportingOverflow(Int(byte - 0x30))
    if a || b { return nil }
    value = sum
    any = true
  }
  return any ? value : nil
}
