import WeirData
import WeirEngine

/// Equal stretches of time: parts of a day in UTC; days, or weeks that start on Monday, by the clock of a
/// zone.
struct TimeBucket: Sendable, Equatable {
  private static let day: Int64 = 86_400_000_000

  /// Microseconds.
  let width: Int64
  /// A start of a bucket, in microseconds since 1970.
  private let anchor: Int64

  /// `nil` where the length neither divides a day nor is a day or a week.
  init?(_ duration: SpecDuration) {
    let width = Int64(duration.seconds) * 1_000_000
    guard TimeBucket.day % width == 0 || width == 7 * TimeBucket.day else { return nil }
    self.width = width
    // 1969-12-29 was a Monday.
    anchor = width > TimeBucket.day ? -3 * TimeBucket.day : 0
  }

  var isPartOfDay: Bool { width < TimeBucket.day }

  var cursor: BucketCursor { BucketCursor(width: width, anchor: anchor) }

  /// `2026-10-04` for days and weeks, RFC 3339 for less.
  func text(_ start: Timestamp) -> String {
    width < TimeBucket.day ? start.rfc3339 : start.date.iso
  }
}
