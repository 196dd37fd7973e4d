import WeirData
import WeirEngine
import WeirStatistics

/// What the `trend` stage tells a report beyond its findings.
public struct TrendDetail: Sendable {
  public var report: TrendReport
  /// Fields that a series key has values for.
  public var by: [String]
  /// First day of each bucket.
  public var buckets: [CivilDate]
  public var bucketDays: Int
  /// The zone that days are counted in.
  public var zone: String
  public var settings: TrendSettings
  /// One for each finding, in their order.
  public var texts: [ReportFindingText]
  /// The records behind each finding.
  public var evidence: [[EvidenceRecord]] = []
  /// What happened at the time of each finding; empty where nobody wrote that down.
  public var annotations: [[TrendAnnotation]] = []
  /// What the series are about, in words.
  public var scope: String
  /// The last day that was asked for; `nil` where the latest counts.
  public var through: CivilDate?
  /// Records after the last bucket and before the first: counted, in no series.
  public var future: Int
  public var early: Int
  /// The bucket that is not complete.
  public var openBucket: Int?
  /// Whether the data begin inside of the first bucket.
  public var hasPartialStart = false
  /// Runs of buckets that no record reaches.
  public var gaps: [ClosedRange<Int>]
}

/// `Violation rate and volume of 12 markets × 8 queues`.
func trendScope(_ rules: TrendRules, _ series: [TrendSeries]) -> String {
  let names = rules.metrics.map { Array($0.name.utf8.map { $0 == 0x5F ? 0x20 : $0 }) }
  var words: [UInt8] = []
  for (i, name) in names.enumerated() {
    if i > 0 { words += Array((i == names.count - 1 ? " and " : ", ").utf8) }
    words += name
  }
  if let first = words.first, (0x61...0x7A).contains(first) { words[0] = first - 0x20 }
  let fields = rules.by.enumerated().map { i, field in
    let count = Set(series.compactMap { $0.key[i].map { Array($0.utf8) } }).count
    return count == 1
      ? "1 \(field)" : "\(PlainNumbers.fixed(Double(count), decimals: 0)) \(plural(field))"
  }
  return String(decoding: words, as: UTF8.self) + " of " + fields.joined(separator: " × ")
}
