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
    let groups = by.compactMap { column($0, scope, &problems) }
    let parts = segments.compactMap { column($0, scope, &problems) }
    let flag = complete.flatMap { truth($0, scope, &problems) }
    var rules = rules
    rules.zone = TrendZone(zones, context, &problems) ?? .utc
    let inputs = rules.metrics.map { $0.bind(scope, context, &problems) }
    guard problems.errorCount == before, let timeField else { return nil }
    return BoundTrend(
      rules: rules, time: BoundTrend.Column(index: timeField.column, name: time.text), by: groups,
      segments: parts, inputs: inputs.compactMap { $0 }, complete: flag,
      namesEvidence: namesEvidence)
  }

  private func truth(
    _ field: (path: FieldPath, node: SpecNode), _ scope: Scope, _ problems: inout Problems
  ) -> BoundTrend.Column? {
    guard let found = scope.require(field.path, at: field.node, &problems) else { return nil }
    guard found.type.base == .bool else {
      problems.add(
        "wrong_type", at: field.node, "`\(field.path.text)` is declared as \(found.type.text)",
        expected: "bool")
      return nil
    }
    return BoundTrend.Column(index: found.column, name: field.path.text)
  }

  private func column(
    _ field: (path: FieldPath, node: SpecNode), _ scope: Scope, _ problems: inout Problems
  ) -> BoundTrend.Column? {
    guard let found = scope.require(field.path, at: field.node, &problems) else { return nil }
    if found.type.base == .number || found.type.base == .timestamp {
      problems.add(
        "wrong_type", at: field.node, "`\(field.path.text)` is declared as \(found.type.text)",
        expected: "string, int, bool or any", fix: "group by a field with few values")
    }
    return BoundTrend.Column(index: found.column, name: field.path.text)
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
      settings: settings, maxSeries: options.int("max_series"), hasFlags: fields.complete != nil)
  }
}
