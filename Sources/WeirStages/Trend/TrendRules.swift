import WeirData
import WeirEngine
import WeirStatistics

/// What the parts of the stage share.
struct TrendRules: Sendable {
  /// Names of the fields of a group.
  var by: [String]
  /// Names of the fields that changes are explained by.
  var segments: [String] = []
  var metrics: [TrendMetric]
  var clock: TrendClock
  var zone = TrendZone.utc
  /// `nil`: the latest.
  var through: CivilDate?
  /// Days by which the latest day is held back.
  var daysBack = 0
  /// Microseconds past its end in which a bucket may still grow; 0: nobody said so.
  var allowedLateness: Int64 = 0
  var settings: TrendSettings
  var maxSeries: Int
  /// `nil` where the spec names no file of them.
  var annotations: TrendAnnotations?
  /// Whether rows say which buckets are complete.
  var hasFlags = false
  /// What an event weighs in the order of the findings, by place of the metric; 1 where it is not there.
  private(set) var severity: [Int: Double] = [:]

  static let dependence = OptionSpec(
    "dependence", .choice(["positive", "arbitrary"]), .default(#""positive""#),
    "What the correction may suppose of the tests: `positive` is Benjamini and Hochberg's, "
      + "`arbitrary` Benjamini and Yekutieli's, which holds whatever they have in common and finds less."
  )

  static let lateness = OptionSpec(
    "allowed_lateness", .duration, .optional,
    "How long after the end of a bucket records of it may still come. Where `through` is no date, a bucket "
      + "is open until the latest record of all lies so far past its end.")

  /// Reads the option `severity`.
  mutating func readSeverity(_ options: Options, _ problems: inout Problems) {
    for entry in options.map("severity") {
      guard let metric = metrics.firstIndex(where: { same($0.name, entry.key) }) else {
        problems.add(
          "unknown_metric", at: entry.keyNode, "there is no metric `\(entry.key)`",
          expected: "one of \(alternatives(metrics.map(\.name)))")
        continue
      }
      severity[metric] = entry.value.number
    }
  }

  /// Whether rows stand for many records each. All metrics of a stage agree in this.
  var isAggregated: Bool { metrics.contains { $0.formula.isAggregated } }

  var shape: TrendShape {
    TrendShape(by: by.count, tallies: metrics.map(\.tally), isAggregated: isAggregated)
  }

  /// The same with what binding read: the files of zones and annotations.
  func asBound(_ instances: [any BoundReduce]) -> TrendRules {
    (instances.first as? BoundTrend)?.rules ?? self
  }

  /// First microsecond that is past `through`, by the local clock.
  var end: Int64? {
    through.map { Int64($0.daysSinceEpoch + 1) * TrendClock.dayMicroseconds }
  }
}
