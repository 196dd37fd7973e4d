import WeirData

/// A time zone as a calendar needs it: which local day an instant belongs to, when a day begins and how long
/// it is.
public struct CivilZone: Sendable {
  private let zone: Zone

  /// `UTC`, an offset such as `+05:30`, or a name of the tz database; `nil` where there is none.
  public init?(named name: String) {
    guard let zone = Zone.named(Array(name.utf8)) else { return nil }
    self.zone = zone
  }

  /// Whether no instant has any offset.
  public var isUTC: Bool { zone === Zone.utc }

  /// What the zone was read from; `nil` for UTC and offsets.
  public var file: (name: String, bytes: [UInt8])? {
    zone.file.isEmpty ? nil : (String(decoding: zone.name, as: UTF8.self), zone.file)
  }

  /// Seconds that clocks are ahead of UTC at an instant, and the instants between which they surely are:
  /// `from` is one of them, `to` is not. All in seconds since 1970.
  public func period(at seconds: Int64) -> (offset: Int64, from: Int64, to: Int64) {
    let stretch = zone.stretch(at: seconds)
    return (stretch.offset, stretch.from, stretch.to)
  }

  /// The first instant of a civil day, in seconds since 1970. Some days begin at 01:00.
  ///
  /// - Parameter day: days since 1970-01-01, of the years 1 to 9999.
  public func start(ofDay day: Int) -> Int64 {
    let midnight = Int64(day) * 86_400
    // No clock is further than 26 hours from UTC.
    var period = period(at: midnight - 26 * 3_600)
    while period.to != .max, period.to + period.offset <= midnight {
      period = self.period(at: period.to)
    }
    return max(period.from, midnight - period.offset)
  }

  /// Length of a civil day in seconds: 86,400 but where clocks are changed.
  public func seconds(ofDay day: Int) -> Int64 { start(ofDay: day + 1) - start(ofDay: day) }
}
