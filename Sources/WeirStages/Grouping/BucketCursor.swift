import WeirData

/// Finds the bucket of one time after the other: most lie in the one before, and cost no division.
struct BucketCursor {
  /// Both in microseconds.
  private let width: Int64
  /// A start of a bucket.
  private let anchor: Int64
  /// The last bucket: its start, and the start of the next.
  private var start: Int64 = 0
  private var end: Int64 = 0

  init(width: Int64, anchor: Int64) {
    self.width = width
    self.anchor = anchor
  }

  /// Start of the bucket that holds an instant of the years 1 to 9999, both in microseconds since
  /// 1970.
  @inline(__always)
  mutating func start(of time: Int64) -> Int64 {
    if time < start || time >= end {
      start = time - (time - anchor).dividedDown(by: width).remainder
      end = start + width
    }
    return start
  }
}
