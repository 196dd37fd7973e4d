import WeirData
import WeirEngine
import WeirStatistics

/// What the `correlate` and `compare` stages tell a report beyond their findings: finished words and
/// numbers, so that the page knows nothing of tests.
public struct RelationDetail: Sendable {
  public enum What: Sendable { case correlate, compare }

  public var what: What
  /// What the series are about, in words.
  public var scope: String
  /// The days that were counted, with no series and no finding: what is open, missing or early.
  public var coverage: TrendDetail
  /// Pairs or comparisons that were tested, and what one of them is called.
  public var tested: Int
  public var unit: String
  /// What was not tested, and how many of them.
  public var silent: [(reason: String, count: Int)]
  public var q: Double
  /// In the order to read them.
  public var items: [RelationItem]
}

/// One finding of them.
public struct RelationItem: Sendable {
  public var text: ReportFindingText
  public var level: FindingLevel
  public var isMaterial: Bool
  public var isUp: Bool
  /// One or two words.
  public var badge: String
  public var facts: [RelationFact]
  public var picture: RelationPicture
  /// What carried it; `nil` where that was not asked.
  public var table: RelationTable?
  /// The records behind it.
  public var evidence: [EvidenceRecord] = []
}

/// A number with its name and what is to be said beside it.
public struct RelationFact: Sendable {
  public var name: String
  public var value: String
  public var note: String

  public init(_ name: String, _ value: String, _ note: String) {
    (self.name, self.value, self.note) = (name, value, note)
  }
}

public enum RelationPicture: Sendable {
  /// Correlations at -n ... n, and the lag that is said.
  case lags([Double?], best: Int)
  /// Two levels with their names, in the words of their unit.
  case sides([(name: String, level: Estimate, words: String)])
}

/// Rows of text under a caption; the first column names the row.
public struct RelationTable: Sendable {
  public var caption: String
  public var columns: [String]
  public var rows: [[String]]
}

extension TrendDetail {
  /// The days of a report without its series.
  init(_ calendar: TrendCalendar, _ rules: TrendRules, scope: String) {
    self.init(
      report: TrendReport(series: [], verdicts: [], findings: []), by: rules.by,
      buckets: calendar.starts, bucketDays: rules.clock.days, zone: rules.zone.title,
      settings: rules.settings, texts: [], scope: scope, through: rules.through,
      future: calendar.future, early: calendar.early, openBucket: calendar.openBucket,
      hasPartialStart: calendar.hasPartialStart, gaps: calendar.gaps)
  }
}
