/// What is in the data, counted while it is made.
struct Truth {
  /// Unique records of one series, or of a part of one: by day of their time, in UTC.
  struct Series {
    var records: [Int]
    var violations: [Int]
    var handleMs: [Int]
  }

  var unique = 0
  var redelivered = 0
  var revised = 0
  var revisedOutOfOrder = 0
  /// Revisions that say otherwise than the first decision.
  var changed = 0
  /// Copies that came in a later shard than their record.
  var laterShard = 0
  var malformed = Array(repeating: 0, count: Fate.Damage.allCases.count)
  var series: [Series]

  /// - Parameter seriesCount: with all parts of queues.
  init(days: Int, seriesCount: Int) {
    let zeros = Array(repeating: 0, count: days)
    series = Array(
      repeating: Series(records: zeros, violations: zeros, handleMs: zeros), count: seriesCount)
  }

  var duplicates: Int { redelivered + revised }
  var malformedTotal: Int { malformed.reduce(0, +) }
  var lines: Int { unique + duplicates + malformedTotal }

  /// Takes the revision that stands in the end.
  ///
  /// - Parameter index: of the series, or of its part.
  mutating func count(_ decision: Decision, _ review: DecisionMaker.Review, in index: Int) {
    unique += 1
    series[index].records[decision.day] += 1
    series[index].handleMs[decision.day] += review.handleMs
    if review.isViolation { series[index].violations[decision.day] += 1 }
  }
}
