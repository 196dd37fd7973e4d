import WeirData
import WeirEngine
import WeirExpressions

/// Counts, rates, sums, quantiles and the like of records, by fields and by time.
public struct Aggregate: ReduceStage {
  private static let metric: OptionType = .anyOf([
    .object([
      OptionSpec(
        "count", .anyOf([.bool, .expression]), .required,
        "`true`: the number of records; a condition: how many of them it is true for.")
    ]),
    .object([
      OptionSpec(
        "rate", .expression, .required, "The share of the records for which a condition is true.")
    ]),
    .object([
      OptionSpec("sum", .expression, .required, "The sum of an int or number; exact for ints.")
    ]),
    .object([OptionSpec("mean", .expression, .required, "The mean of an int or number.")]),
    .object([
      OptionSpec(
        "min", .expression, .required, "The smallest int, number, string (by bytes) or timestamp.")
    ]),
    .object([
      OptionSpec(
        "max", .expression, .required, "The largest int, number, string (by bytes) or timestamp.")
    ]),
    .object([
      OptionSpec(
        "quantile", .number(0...1), .required, "Which quantile: 0.5 is the median. To 1 %."),
      OptionSpec("of", .expression, .required, "The int or number that it is a quantile of."),
    ]),
    .object([
      OptionSpec("distinct", .expression, .required, "About how many different values there are.")
    ]),
  ])

  public static let manual = StageManual(
    type: "aggregate", kind: .reduce,
    summary: "Make one row for each group of records: counts, rates, sums, quantiles.",
    discussion: """
      A group has the same values in all `by` fields and the same `bucket` of `time`. Without both \
      all records are one group, and there is one row even where there is no record. A null in a \
      `by` field is a value like any other.

      A row has the `by` fields, then the start of the bucket under the name of the time field \
      (`2026-10-04` for days and weeks, RFC 3339 for less), then the metrics in their order. Rows are \
      sorted by these fields, null first, strings by their bytes. Groups without a record have no row.

      | metric | is |
      |---|---|
      | `{"count": true}` | the number of records |
      | `{"count": "decision == 'violation'"}` | the number of records for which the condition is true |
      | `{"rate": "decision == 'violation'"}` | that number divided by the number of records |
      | `{"sum": "handle_ms"}`, `{"mean": "handle_ms"}` | of the values that are not null |
      | `{"min": "ts"}`, `{"max": "ts"}` | the same, of ints, numbers, strings or timestamps |
      | `{"quantile": 0.95, "of": "handle_ms"}` | to 1 % of the value (DDSketch) |
      | `{"distinct": "moderator_id"}` | to about 1.6 % (HyperLogLog), rounded; 0 where all are null |

      What is not a condition may be any expression, `handle_ms / 1000` as well as a field. Where a \
      group has no value that is not null, the metric is null.

      Sums of ints are exact; one that a 64-bit integer cannot hold fails the run. Sums of numbers \
      are added in the order of the input, whatever the number of workers. Days and weeks are \
      those of the `zone` of the spec (UTC without one), or of that which `zones` gives the group; weeks start on \
      Monday. Parts of a day are in UTC.

      A record is taken by all metrics or by none: it is quarantined as `missing_time` where its time \
      is null, and as `expression_error` where an expression has no value for it (an overflow, a \
      null compared with `<`).
      """,
    accepts: [.records],
    outputs: [PortSpec(carries: .rows, "One row for each group, sorted.")],
    options: [
      OptionSpec("by", .list(.fieldPath), .default("[]"), "The fields that name a group."),
      OptionSpec("time", .fieldPath, .optional, "The timestamp that `bucket` is of."),
      OptionSpec(
        "bucket", .duration, .optional,
        "The time of one row: `1d`, `1w`, or a part of a day such as `15m` or `1h`."),
      TrendZones.option,
      OptionSpec("metrics", .map(metric), .required, "The columns that are computed, by name."),
    ],
    example: """
      {"type": "aggregate", "inputs": ["unique"], "by": ["market", "queue"], "time": "ts",
       "bucket": "1d",
       "metrics": {"n": {"count": true}, "rate": {"rate": "decision == 'violation'"},
                   "p95": {"quantile": 0.95, "of": "handle_ms"}}}
      """,
    exampleFields: """
      {"market": "string", "queue": "string", "ts": "timestamp", "decision": "string",
       "handle_ms": "int?"}
      """,
    synonyms: [
      "groupby", "group", "count", "summarize", "summarise", "reduce", "rollup", "pivot", "stats",
      "sum",
    ])

  private let by: [OptionValue]
  private let time: OptionValue?
  private let bucket: TimeBucket?
  private let zones: TrendZones?
  private let metrics: [DeclaredMetric]

  public init?(_ options: Options, _ problems: inout Problems) {
    by = options.list("by")
    time = options["time"]
    var isRight = true
    if let value = options["bucket"] {
      bucket = TimeBucket(value.duration)
      if bucket == nil {
        problems.add(
          "bad_bucket", at: value.node, "\(value.duration) does not divide a day into equal parts",
          expected: "a part of a day such as 15m, 1h or 6h, or 1d, or 1w",
          fix: value.duration.count * value.duration.unit.seconds >= 604_800
            ? "write \"1w\"" : "write \"1d\"")
        isRight = false
      }
    } else {
      bucket = nil
    }
    if (options["time"] == nil) != (options["bucket"] == nil) {
      let missing = options["time"] == nil ? "time" : "bucket"
      problems.add(
        "incomplete_bucket", at: options.node, "\"time\" and \"bucket\" go together",
        fix: missing == "time" ? "add \"time\": the name of a timestamp" : "add \"bucket\": \"1d\"")
      isRight = false
    }
    zones = options["zones"].flatMap {
      TrendZones($0, by: SeriesCounting.fields(options.list("by")), &problems)
    }
    if let value = options["zones"] {
      if zones == nil { isRight = false }
      if bucket?.isPartOfDay ?? true {
        problems.add(
          "unused_option", at: value.node,
          "\"zones\" says where a day begins, and there are no days here",
          expected: "a \"bucket\" of 1d or 1w", fix: "remove it")
        isRight = false
      }
    }
    let declared = options.map("metrics").map { DeclaredMetric($0, &problems) }
    metrics = declared.compactMap { $0 }
    if declared.isEmpty {
      problems.add(
        "no_metrics", at: options.node("metrics"), "\"metrics\" names nothing to compute",
        fix: "write for example \"metrics\": {\"n\": {\"count\": true}}")
      isRight = false
    }
    guard isRight, metrics.count == declared.count, checkNames(&problems) else { return nil }
  }

  /// No two columns of a row may have one name.
  private func checkNames(_ problems: inout Problems) -> Bool {
    var seen: Set<[UInt8]> = []
    var isRight = true
    let keys =
      by.map { ($0.fieldPath.text, $0.node) }
      + (time.map { [($0.fieldPath.text, $0.node)] } ?? [])
    for (name, node) in keys + metrics.map({ ($0.name, $0.keyNode) })
    where !seen.insert(Array(name.utf8)).inserted {
      problems.add(
        "duplicate_column", at: node, "a row would have two columns `\(name)`",
        fix: "give the metric another name, or take the field out of \"by\"")
      isRight = false
    }
    return isRight
  }

  public func bind(
    _ scope: Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundReduce)? {
    let fields = by.compactMap { groupField($0, scope, &problems) }
    let bound = timeField(scope, context, &problems)
    var layout = AggregateLayout(by: fields, time: bound)
    var isRight = fields.count == by.count && (bound != nil || time == nil)
    for metric in metrics where !metric.bind(scope, context, &layout, &problems) { isRight = false }
    return isRight ? BoundAggregate(layout: layout, stage: context.stageName) : nil
  }

  private func groupField(
    _ value: OptionValue, _ scope: Scope, _ problems: inout Problems
  ) -> AggregateLayout.Field? {
    guard let field = scope.require(value.fieldPath, at: value.node, &problems) else {
      return nil
    }
    guard field.type.base != .any else {
      problems.add(
        "untyped_group", at: value.node, "`\(field.path.text)` may be of any type",
        expected: "a field that is declared as string, int, number, bool or timestamp",
        fix: "declare \"\(field.path.text)\": \"string?\" on the source, or normalize it before")
      return nil
    }
    return AggregateLayout.Field(
      name: field.path.text, type: field.type.base, column: field.column)
  }

  private func timeField(
    _ scope: Scope, _ context: BindContext, _ problems: inout Problems
  ) -> AggregateLayout.Time? {
    guard let time, let bucket,
      let field = scope.require(time.fieldPath, at: time.node, &problems)
    else { return nil }
    guard field.type.base == .timestamp else {
      scope.refuseTime(field, at: time.node, &problems)
      return nil
    }
    return AggregateLayout.Time(
      name: field.path.text, column: field.column, bucket: bucket,
      zone: bucket.isPartOfDay ? .utc : TrendZone(zones, context, &problems) ?? .utc)
  }

  public func makeMerger(_ instances: [any BoundReduce]) -> any ReduceMerger {
    guard let first = instances.first as? BoundAggregate else {
      preconditionFailure("an aggregation merges what it has bound")
    }
    return AggregateMerger(first.layout, stage: first.stage)
  }
}

struct BoundAggregate: BoundReduce {
  let layout: AggregateLayout
  let stage: String

  var columnsRead: [Int] { layout.columnsRead }
  func makePartial() -> any ReducePartial { AggregatePartial(layout) }
}
