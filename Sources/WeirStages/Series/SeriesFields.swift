import WeirData
import WeirEngine
import WeirStatistics

/// The fields that series are counted by, as a spec names them.
struct SeriesFields: Sendable {
  let time: FieldPath
  let timeNode: SpecNode
  let by: [(path: FieldPath, node: SpecNode)]
  let segments: [(path: FieldPath, node: SpecNode)]
  /// Says whether all of a bucket has come.
  let complete: (path: FieldPath, node: SpecNode)?
  let zones: TrendZones?

  init(
    _ options: Options, by: [(path: FieldPath, node: SpecNode)],
    segments: [(path: FieldPath, node: SpecNode)], complete: OptionValue? = nil,
    zones: TrendZones? = nil
  ) {
    self.zones = zones
    self.complete = complete.map { ($0.fieldPath, $0.node) }
    time = options.fieldPath("time")
    timeNode = options.node("time")
    self.by = by
    self.segments = segments
  }

  func bind(
    _ rules: TrendRules, _ scope: Scope, _ context: BindContext, namesEvidence: Bool,
    _ problems: inout Problems
  ) -> BoundTrend? {
    let before = problems.errorCount
    let timeField = scope.require(time, at: timeNode, &problems)
    if let timeField, timeField.type.base != .timestamp {
      scope.refuseTime(timeField, "wrong_type", at: timeNode, &problems)
    }
    func group(_ field: (path: FieldPath, node: SpecNode)) -> BoundTrend.Column? {
      scope.column(
        field.path, at: field.node, "string, int, bool or any",
        fix: "group by a field with few values", &problems
      ) { $0 != .number && $0 != .timestamp }
    }
    let groups = by.compactMap(group)
    let parts = segments.compactMap(group)
    let flag = complete.flatMap { field in
      scope.column(field.path, at: field.node, "bool", &problems) { $0 == .bool }
    }
    var rules = rules
    rules.zone = TrendZone(zones, context, &problems) ?? .utc
    let inputs = rules.metrics.map { $0.bind(scope, context, &problems) }
    guard problems.errorCount == before, let timeField else { return nil }
    return BoundTrend(
      rules: rules, time: BoundTrend.Column(index: timeField.column, name: time.text), by: groups,
      segments: parts, inputs: inputs.compactMap { $0 }, complete: flag,
      namesEvidence: namesEvidence)
  }
}

extension TrendRules {
  /// Reads metrics, bucket and last day, and says what is wrong with them.
  init(
    _ options: Options, _ fields: SeriesFields, _ settings: TrendSettings,
    _ problems: inout Problems
  ) {
    let metrics = options.map("metrics").compactMap { TrendMetric($0, &problems) }
    if options.map("metrics").isEmpty {
      problems.add(
        "no_metrics", at: options.node("metrics"), "nothing is measured",
        fix: #"for example "volume": { "count": true }"#)
    }
    if let raw = metrics.first(where: { !$0.formula.isAggregated }),
      let rows = metrics.first(where: { $0.formula.isAggregated })
    {
      problems.add(
        "mixed_metrics", at: raw.node,
        "`\(raw.name)` counts records, and `\(rows.name)` reads rows that are already aggregated",
        expected: "one of the two in a stage",
        fix: "of rows write counted, numerator and denominator, or sum, sumsq and n")
    }
    let bucket = options.duration("bucket")
    if bucket.count != 1 || (bucket.unit != .day && bucket.unit != .week) {
      problems.add(
        "bad_bucket", at: options.node("bucket"),
        "series by \(bucket) are not made: weekdays could not be told apart",
        expected: "\"1d\" or \"1w\"", fix: "write \"1d\"")
    }
    var through: CivilDate?
    var daysBack = 0
    switch options.date("through") {
    case .day(let day): through = day
    case .latest(let days): daysBack = days
    case .today: preconditionFailure("a date was checked without the day of the run")
    }
    self.init(
      by: fields.by.map(\.path.text), segments: fields.segments.map(\.path.text),
      metrics: metrics, clock: TrendClock(isWeekly: bucket.unit == .week), through: through,
      daysBack: daysBack,
      allowedLateness: options["allowed_lateness"].map { Int64($0.duration.seconds) * 1_000_000 }
        ?? 0,
      settings: settings, maxSeries: options.int("max_series"), hasFlags: fields.complete != nil)
  }
}
