import WeirData
import WeirEngine
import WeirStatistics

/// The `trend` stage: counts records by group and time, and says what changed.
public struct Trend: ReduceStage {
  /// Fields that a group is made of.
  static let fieldsMost = 3
  /// Fields that changes are explained by.
  static let segmentsMost = 8

  private let fields: SeriesFields
  private let annotations: OptionValue?
  let rules: TrendRules

  public static let manual = StageManual(
    type: "trend", kind: .reduce,
    summary: "Counts records by group and day, and finds what changed.",
    discussion: trendDiscussion, accepts: [.records],
    outputs: [
      PortSpec(carries: .findings, "What changed, the most important first."),
      PortSpec(
        "series", carries: .rows,
        "Every series: one row for each metric, group and bucket, with what was expected."),
      PortSpec(
        "status", carries: .rows,
        "One row a series: what was tested, and why it has findings or none."),
    ],
    options: [
      OptionSpec("time", .fieldPath, .required, "When the event happened: a `timestamp` field."),
      OptionSpec(
        "bucket", .duration, .default(#""1d""#),
        "Step of a series: `1d`, or `1w` (weeks begin on Monday), in the `zone` of the spec."),
      TrendZones.option,
      OptionSpec(
        "through", .date, .default(#""latest""#),
        "Last day that counts. `latest` is the last day with a believable number of records, `latest-7d` a week before it, `today-1d` the day before that of the run."
      ),
      TrendRules.lateness,
      OptionSpec(
        "by", .list(.fieldPath), .required,
        "One to three fields that make a group. Totals over each of them are series too."),
      OptionSpec(
        "segments", .list(.fieldPath), .optional,
        "Up to eight other fields that changes are explained by: vendor, policy, language, model "
          + "version. They make no series."),
      OptionSpec("metrics", .map(TrendMetric.option), .required, "What is measured, by name."),
      TrendAnnotations.option,
      OptionSpec(
        "complete", .fieldPath, .optional,
        "A `bool` field: false in any row of a bucket says that more will come, so that the bucket is "
          + "not compared. With it no last or first bucket is taken for incomplete by its times."),
      OptionSpec(
        "q", .number(0.0001...0.5), .default("0.05"),
        "Share of the findings that may be false, over all series of the report together."),
      TrendRules.dependence,
      OptionSpec(
        "severity", .map(.number(0...1e6)), .default("{}"),
        "What an event of a metric weighs in the order of the findings, by metric; 1 for those that are not named."
      ),
      OptionSpec(
        "min_history", .int(5...1_000), .default("14"),
        "Complete buckets before lasting changes are looked for."),
      OptionSpec(
        "material_relative", .number(0...100), .default("0.1"),
        "A change of less than this share of its baseline is listed low."),
      OptionSpec(
        "material_difference", .number(0...1), .default("0.01"),
        "A change of a rate by less than this, and by few events, is listed low."),
      OptionSpec(
        "material_events", .number(0...1e12), .default("50"),
        "A change that comes to fewer events than this is listed low."),
      OptionSpec(
        "max_series", .int(1...1_000_000), .default("20000"),
        "More series than this are an error: a field in `by` has too many values."),
    ],
    example: """
      { "type": "trend", "inputs": ["decisions"], "time": "ts", "by": ["market", "queue"],
        "through": "${param.through}",
        "metrics": {
          "violation_rate": { "rate": "decision == 'violation'" },
          "volume":         { "count": true },
          "escalated":      { "count": "decision == 'escalate'" },
          "handle_ms_p95":  { "quantile": 0.95, "of": "handle_ms" },
          "handle_ms_mean": { "mean": "handle_ms" },
          "moderators":     { "distinct": "moderator_id" } } }
      """,
    exampleParams: #"{ "through": { "type": "date", "default": "latest" } }"#,
    exampleFields: """
      { "ts": "timestamp", "market": "string", "queue": "string", "decision": "string",
        "handle_ms": "int?", "moderator_id": "string?" }
      """,
    synonyms: [
      "trends", "timeseries", "series", "anomaly", "anomalies", "changes", "changepoint", "detect",
      "forecast",
    ])

  public init?(_ options: Options, _ problems: inout Problems) {
    let before = problems.errorCount
    let by = options.list("by").map { ($0.fieldPath, $0.node) }
    Trend.checkFields(by, options.node("by"), &problems)
    let segments = (options["segments"]?.list ?? []).map { ($0.fieldPath, $0.node) }
    Trend.checkSegments(segments, by: by, &problems)
    fields = SeriesFields(
      options, by: by, segments: segments, complete: options["complete"],
      zones: options["zones"].flatMap { TrendZones($0, by: by, &problems) })
    annotations = options["annotations"]
    var settings = TrendSettings()
    settings.falseDiscoveryRate = options.number("q")
    settings.isArbitrary = options.string("dependence") == "arbitrary"
    settings.minHistory = options.int("min_history")
    settings.materialRelative = options.number("material_relative")
    settings.materialRateDifference = options.number("material_difference")
    settings.materialEvents = options.number("material_events")
    var rules = TrendRules(options, fields, settings, &problems)
    rules.readSeverity(options, &problems)
    self.rules = rules
    guard problems.errorCount == before else { return nil }
  }

  private static func checkFields(
    _ by: [(path: FieldPath, node: SpecNode)], _ node: SpecNode, _ problems: inout Problems
  ) {
    guard (1...fieldsMost).contains(by.count) else {
      problems.add(
        "bad_group", at: node, "\(by.count) fields make a group here",
        expected: "one to \(fieldsMost) fields")
      return
    }
    for (i, field) in by.enumerated() {
      if by[..<i].contains(where: { $0.path == field.path }) {
        problems.add(
          "duplicate_field", at: field.node, "`\(field.path.text)` is named twice", fix: "remove it"
        )
      }
      if TrendTables.names.contains(where: { $0.utf8.elementsEqual(field.path.text.utf8) }) {
        problems.add(
          "reserved_name", at: field.node,
          "`\(field.path.text)` is the name of a column that findings and series have already",
          fix: "give the field another name before this stage")
      }
    }
  }

  private static func checkSegments(
    _ segments: [(path: FieldPath, node: SpecNode)], by: [(path: FieldPath, node: SpecNode)],
    _ problems: inout Problems
  ) {
    if segments.count > segmentsMost {
      problems.add(
        "too_many_segments", at: segments[segmentsMost].node,
        "\(segments.count) fields are to explain changes", expected: "at most \(segmentsMost)",
        fix: "keep those that somebody could act on")
    }
    for (i, field) in segments.enumerated() {
      if (segments[..<i] + by).contains(where: { $0.path == field.path }) {
        problems.add(
          "duplicate_field", at: field.node,
          "`\(field.path.text)` is named twice, here and before or in \"by\"", fix: "remove it")
      }
    }
  }

  public func bind(
    _ scope: Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundReduce)? {
    var rules = rules
    if let annotations {
      rules.annotations = TrendAnnotations(annotations, by: rules.by, context, &problems)
      if rules.annotations == nil { return nil }
    }
    return fields.bind(rules, scope, context, namesEvidence: true, &problems)
  }

  public func makeMerger(_ instances: [any BoundReduce]) -> any ReduceMerger {
    TrendMerger(rules.asBound(instances))
  }
}

private let trendDiscussion = """
  A *series* is one metric of one group (a market and a queue, say) by day or week. The totals are \
  series too: each market over all queues, each queue over all markets, and everything. A total \
  that would only repeat a group, because all its records have one value of the field, is left out.

  **What it claims.** A *shift*: a new level for seven buckets or more, with the likeliest date and \
  the interval it lies in; of a level that moved more than once the last move is the finding, held against \
  the level in front of it, and `earlier_changes` has the others. A *trend*: a slow movement over the whole history. A *spike*, a *dip* or \
  a *burst*: one day or a few days away from what was expected of them, weekday and ordinary \
  unrest taken into account. A *level_change_unconfirmed*: a few such days up to the last one that could be \
  compared, of which the next ones will tell whether they are a new level. A *season_break*: the days of the week differ in another way in the last \
  four weeks than before, with the likeliest date that this began on. A *window_change*: in a history of less than 14 buckets, or with too few \
  events for more, the second half lies off the first. *data_missing*: no record of any group reaches \
  these days; *open_bucket*: the last bucket is not complete (both are said and not tested). Each \
  finding has its size with a 95 % interval, the number of events it comes to, and the tests and \
  corrections that it passed. Over the whole report about a share `q` of the findings is expected \
  to be false. Findings that are certain but small are kept and listed low.

  **Why.** `segments` names fields that changes are explained by. For each finding the window is held \
  against the four weeks before it (single days against the same weekdays), and the change is taken \
  apart by the values of each field: how much of it their own rates make (*rate effect*) and how much \
  their shares of the records (*mix effect*; Kitagawa's decomposition, which adds up exactly). A field \
  *stands out* when the make-up of the events changed by more than chance and few of its values explain \
  two thirds. That a value carries a change is no proof that it caused it. Quantiles and distinct \
  counts cannot be taken apart.

  **Incidents.** The same metric, direction and kind of change within two buckets, in three groups and \
  in half of the tested groups of a scope, is one *incident*: of everything, or of one value of a field \
  (all queues of a market, a queue in all markets). `related` names what says the same: the total, the parts, \
  the others of the incident.

  **What moves with it.** Of the first 200 series with findings, pairs that differ in one field or in the \
  metric are held against each other as `correlate` does, with what the findings are about taken out. Those \
  that move together from day to day, or one of them first (up to 7 days), are in `related` too: \
  `moves_with`, `leads`, `follows`, with `lag`, `r`, `p` and `q` over these pairs.

  **Annotations.** `annotations` names a file of what happened when: policy changes, holidays, launches. \
  A finding has those of its days (a bucket before and behind it too) and of its group, in \
  `annotations`, in its detail and in the report. They explain nothing away: a finding stays what it is, \
  and that two things fall together proves no cause.

  **Evidence.** A finding names up to ten records of its window and five of the time that it is held \
  against, with shard, line and byte: `weir evidence FINDING` prints them. They are chosen by a hash and \
  are the same in every run over the same input.

  **What it does not claim.** That a series without finding did not change: \
  the `status` output says of each series whether it was tested and why not (too short, too few \
  events, no events, constant). Anything about a bucket that is still open.

  **Metrics.** `rate`: the share of records for which a condition holds. `count`: the records, all \
  (`true`) or those for which a condition holds. `mean` and `quantile` of a number, and `distinct` \
  values of a field; records where the field is null do not enter these. Quantiles are within 1 %, \
  distinct counts have a standard error of 1.6 %.

  **Rows that are already aggregated.** A table with a row for each group and day is read as well: \
  `counted` names the field with how many records a row stands for, `numerator` and `denominator` those \
  of a rate, `sum`, `sumsq` and `n` those of a mean (sum of the values, of their squares, and how many). \
  `time` is any instant of the bucket, rows of one group and bucket are added up, and a row stands for as \
  many records as the largest of its counts, denominators and n. A row of zeros says that there was \
  nothing; a bucket without any row is missing. The findings are those of the records themselves, but that \
  single days of a mean are judged with more care, as sums do not tell how long the tail of the records is; \
  their evidence is rows. Metrics of records and of rows do not mix in a stage. `complete` names a field \
  that says whether more will come.

  **Days.** A day begins at midnight in the `zone` of the spec (UTC without one), or in that which `zones` \
  gives the group. Where clocks are changed it has 23 or 25 hours, and counts are expected in proportion. \
  Times of day below are local, and a total over several zones adds up the days of each; there the first and last days are `partial` and \
  `open` as long as they are not whole in all zones. With a date, `through` is believed: days up to its end are \
  complete, and those without any record are missing. With `latest` the last bucket is the last one \
  that has at least 1 % of the median bucket's records; it counts as open, is shown and not \
  compared, when its latest record lies more than a 24th of a bucket before its end (of a day: \
  before 23:00); with `allowed_lateness` all those are open whose end the latest record of all has not passed \
  by as much. The first bucket is *partial* in the same way, when its first record comes later than a \
  24th of a bucket after its start and later than in any other bucket. Records after the last bucket are counted as `future`, those before the first \
  bucket with 1 % of the median as `early`: the ledger has them as aggregated, no series has them. A \
  bucket without any record of any group is *missing* and never a dip; a group without records on a \
  day that others have counts as zero.

  **Quarantine.** A record is taken by all metrics or by none. `missing_time`: the time is null. \
  `expression_error`: a condition has no value. `wrong_type`: a field declared `any` holds \
  something that cannot be grouped or measured. Of aggregated rows: `missing_count` and \
  `missing_sum` (null), `bad_count` (no whole number of 0 or more), `numerator_too_large`, and \
  `bad_squares` (less than the square of the sum over n: not the sum of the squares). `reserved_value`: a field of the group holds `*`, \
  which stands for a total in the outputs. A null in a field of the group is a value like others.

  **Outputs.** In `findings` and `series` a field of the group is `*` in a total. Numbers have ten \
  significant digits. A run for one market is a family of its own: its findings may differ from \
  those of a run over all markets.
  """
