import WeirData

/// A part of a date or of the time of day. As CEL counts them: months, days of the month and days of
/// the year from 0, but `getDate` from 1; Sunday is day 0 of the week.
enum DatePart: Sendable {
  case date, dayOfMonth, dayOfWeek, dayOfYear, fullYear, month
  case hours, minutes, seconds, milliseconds

  init?(_ function: Function) {
    switch function {
    case .getDate: self = .date
    case .getDayOfMonth: self = .dayOfMonth
    case .getDayOfWeek: self = .dayOfWeek
    case .getDayOfYear: self = .dayOfYear
    case .getFullYear: self = .fullYear
    case .getMonth: self = .month
    case .getHours: self = .hours
    case .getMinutes: self = .minutes
    case .getSeconds: self = .seconds
    case .getMilliseconds: self = .milliseconds
    default: return nil
    }
  }

  func value(of instant: Instant, in zone: Zone) -> Int64 {
    if self == .milliseconds { return instant.nanoseconds / 1_000_000 }
    return value(local: instant.seconds + zone.offset(at: instant.seconds))
  }

  /// - Parameter local: seconds since 1970 on the clock of the zone.
  func value(local: Int64) -> Int64 {
    let (days, inDay) = local.dividedDown(by: 86_400)
    switch self {
    case .hours: return inDay / 3_600
    case .minutes: return inDay / 60 % 60
    case .seconds: return inDay % 60
    case .milliseconds: return 0
    // 1970-01-01 was a Thursday.
    case .dayOfWeek: return (days + 4).dividedDown(by: 7).remainder
    case .date: return Int64(CivilDate(daysSinceEpoch: Int(days)).day)
    case .dayOfMonth: return Int64(CivilDate(daysSinceEpoch: Int(days)).day - 1)
    case .fullYear: return Int64(CivilDate(daysSinceEpoch: Int(days)).year)
    case .month: return Int64(CivilDate(daysSinceEpoch: Int(days)).month - 1)
    case .dayOfYear:
      let year = CivilDate(daysSinceEpoch: Int(days)).year
      guard let first = CivilDate(year: year, month: 1, day: 1) else { return 0 }
      return days - Int64(first.daysSinceEpoch)
    }
  }

  /// Of a duration: its whole hours, minutes or seconds, and the milliseconds of its last second.
  func value(ofDuration nanoseconds: Int64) -> Int64? {
    switch self {
    case .hours: nanoseconds / 3_600_000_000_000
    case .minutes: nanoseconds / 60_000_000_000
    case .seconds: nanoseconds / 1_000_000_000
    case .milliseconds: nanoseconds / 1_000_000 % 1_000
    default: nil
    }
  }
}
