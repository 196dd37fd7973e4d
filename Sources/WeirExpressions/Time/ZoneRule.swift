import WeirData

/// What holds behind the last change of a zone: `CET-1CEST,M3.5.0,M10.5.0/3` (POSIX, with the hours
/// of RFC 8536).
struct ZoneRule: Sendable, Hashable {
  private struct Day: Sendable, Hashable {
    enum Form: Sendable, Hashable {
      /// 1 to 365; 29 February is never counted.
      case julian(Int)
      /// 0 to 365
      case ordinal(Int)
      /// Month, week (5 is the last) and day of the week, Sunday 0.
      case weekday(Int, Int, Int)
    }
    var form: Form
    /// On the clock, in seconds.
    var time: Int64
  }
  /// Seconds east of UTC.
  private var standard: Int64 = 0
  private var summer: Int64?
  private var start = Day(form: .weekday(3, 2, 0), time: 7_200)
  private var end = Day(form: .weekday(11, 1, 0), time: 7_200)

  /// `nil` where it is none.
  init?(_ text: [UInt8]) {
    var rest = text[...]
    guard ZoneRule.skipName(&rest), let offset = ZoneRule.time(&rest) else { return nil }
    standard = -offset
    guard !rest.isEmpty else { return }
    guard ZoneRule.skipName(&rest) else { return nil }
    summer = standard + 3_600
    if let first = rest.first, first != UInt8(ascii: ",") {
      guard let offset = ZoneRule.time(&rest) else { return nil }
      summer = -offset
    }
    guard !rest.isEmpty else { return }
    guard let first = ZoneRule.day(&rest), let second = ZoneRule.day(&rest), rest.isEmpty else {
      return nil
    }
    start = first
    end = second
  }

  /// Seconds east of UTC at an instant, in seconds since 1970.
  func offset(at seconds: Int64) -> Int64 {
    guard let summer else { return standard }
    let days = (seconds + standard).dividedDown(by: 86_400).quotient
    let year = CivilDate(daysSinceEpoch: Int(days)).year
    let begins = ZoneRule.seconds(start, year) - standard
    let ends = ZoneRule.seconds(end, year) - summer
    let isSummer =
      begins < ends ? seconds >= begins && seconds < ends : seconds >= begins || seconds < ends
    return isSummer ? summer : standard
  }

  /// On the clock of the zone, since 1970.
  private static func seconds(_ day: Day, _ year: Int) -> Int64 {
    guard let first = CivilDate(year: year, month: 1, day: 1)?.daysSinceEpoch else { return 0 }
    let days: Int
    switch day.form {
    case .julian(let number):
      let isLeap = CivilDate.daysIn(month: 2, year: year) == 29
      days = first + number - 1 + (isLeap && number >= 60 ? 1 : 0)
    case .ordinal(let number): days = first + number
    case .weekday(let month, let week, let weekday):
      guard let begin = CivilDate(year: year, month: month, day: 1)?.daysSinceEpoch else {
        return 0
      }
      // 1970-01-01 was a Thursday.
      let weekdayOfFirst = Int(Int64(begin + 4).dividedDown(by: 7).remainder)
      var day = (weekday - weekdayOfFirst + 7) % 7 + (week - 1) * 7
      if day >= CivilDate.daysIn(month: month, year: year) { day -= 7 }
      days = begin + day
    }
    return Int64(days) * 86_400 + day.time
  }

  // MARK: - Reading

  private static func skipName(_ rest: inout ArraySlice<UInt8>) -> Bool {
    if rest.first == UInt8(ascii: "<") {
      guard let close = rest.firstIndex(of: UInt8(ascii: ">")) else { return false }
      rest = rest[(close + 1)...]
      return true
    }
    let name = rest.prefix { $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A }
    rest = rest.dropFirst(name.count)
    return name.count >= 3
  }

  private static func number(_ rest: inout ArraySlice<UInt8>) -> Int? {
    let digits = rest.prefix { $0.isDigit }
    guard !digits.isEmpty, digits.count <= 3 else { return nil }
    rest = rest.dropFirst(digits.count)
    return Int(String(decoding: digits, as: UTF8.self))
  }

  /// `-1`, `3:30`, `02:00:00`, in seconds.
  private static func time(_ rest: inout ArraySlice<UInt8>) -> Int64? {
    var sign: Int64 = 1
    if let first = rest.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
      if first == UInt8(ascii: "-") { sign = -1 }
      rest = rest.dropFirst()
    }
    guard let hours = number(&rest), hours <= 167 else { return nil }
    var total = Int64(hours) * 3_600
    for unit: Int64 in [60, 1] where rest.first == UInt8(ascii: ":") {
      rest = rest.dropFirst()
      guard let value = number(&rest), value < 60 else { return nil }
      total += Int64(value) * unit
    }
    return sign * total
  }

  /// `,M3.5.0/2`
  private static func day(_ rest: inout ArraySlice<UInt8>) -> Day? {
    guard rest.first == UInt8(ascii: ",") else { return nil }
    rest = rest.dropFirst()
    let form: Day.Form
    switch rest.first {
    case UInt8(ascii: "M"):
      rest = rest.dropFirst()
      guard let month = number(&rest), rest.first == UInt8(ascii: ".") else { return nil }
      rest = rest.dropFirst()
      guard let week = number(&rest), rest.first == UInt8(ascii: ".") else { return nil }
      rest = rest.dropFirst()
      guard let weekday = number(&rest), (1...12).contains(month), (1...5).contains(week),
        weekday < 7
      else { return nil }
      form = .weekday(month, week, weekday)
    case UInt8(ascii: "J"):
      rest = rest.dropFirst()
      guard let day = number(&rest), (1...365).contains(day) else { return nil }
      form = .julian(day)
    default:
      guard let day = number(&rest), day <= 365 else { return nil }
      form = .ordinal(day)
    }
    var time: Int64 = 7_200
    if rest.first == UInt8(ascii: "/") {
      rest = rest.dropFirst()
      guard let read = ZoneRule.time(&rest) else { return nil }
      time = read
    }
    return Day(form: form, time: time)
  }
}
