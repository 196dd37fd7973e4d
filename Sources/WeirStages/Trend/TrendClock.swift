import WeirData

/// Which bucket an instant belongs to: days from midnight, or weeks from Monday. Instants are microseconds
/// since 1970 as the local clock counts them.
struct TrendClock: Sendable {
  static let dayMicroseconds: Int64 = 86_400_000_000
  /// 1970-01-01 was a Thursday.
  private static let mondayOffset: Int64 = 3 * dayMicroseconds

  var isWeekly: Bool

  var days: Int { isWeekly ? 7 : 1 }
  var name: String { isWeekly ? "1w" : "1d" }
  var length: Int64 { Int64(days) * TrendClock.dayMicroseconds }

  /// Number of the bucket that holds an instant; 0 holds the start of 1970.
  func bucket(of microseconds: Int64) -> Int {
    let shifted = isWeekly ? microseconds + TrendClock.mondayOffset : microseconds
    return Int(shifted.dividedDown(by: length).quotient)
  }

  var cursor: BucketCursor {
    BucketCursor(width: length, anchor: isWeekly ? -TrendClock.mondayOffset : 0)
  }

  /// First microsecond of a bucket.
  func start(_ bucket: Int) -> Int64 {
    Int64(bucket) * length - (isWeekly ? TrendClock.mondayOffset : 0)
  }

  func date(_ bucket: Int) -> CivilDate { Timestamp(microseconds: start(bucket)).date }

  /// Every bucket that an instant of the years 1 to 9999 can have.
  var allBuckets: ClosedRange<Int> {
    bucket(of: Timestamp.earliest.microseconds)...bucket(of: Timestamp.latest.microseconds)
  }
}
