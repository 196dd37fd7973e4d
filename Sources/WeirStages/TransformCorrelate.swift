import WeirData
import WeirEngine
import WeirStatistics

/// The `correlate` stage: which series move together, and which of them first.
public struct Correlate: ReduceStage {
  let counting: SeriesCounting
  let rules: CorrelateRules

  public static let manual = StageManual(
    type: "correlate", kind: .reduce,
    summary:
      "Finds which groups or metrics move together from day to day, and which of them first.",
    discussion: correlateDiscussion, accepts: [.records],
    outputs: [
      PortSpec(carries: .findings, "Pairs that move together, the closest first."),
      PortSpec("pairs", carries: .rows, "Every pair that was tested, with or without a relation."),
      PortSpec(
        "status", carries: .rows,
        "One row a series: whether it could be correlated, and if not, why."),
    ],
    options: SeriesCounting.options(
      "time", "bucket", "zones", "through", "allowed_lateness", "by", "metrics") + [
        OptionSpec(
          "across", .list(.string), .optional,
          "What two series of a pair may differ in: names of fields in `by`, and `metric`. Absent: "
            + "each field of `by`."),
        OptionSpec(
          "max_lag", .int(0...30), .default("7"),
          "How many buckets one series may come after the other."),
        OptionSpec(
          "q", .number(0.0001...0.5), .default("0.05"),
          "Share of the findings that may be false, over all pairs together."),
        TrendRules.dependence,
        OptionSpec(
          "min_history", .int(28...4_000), .default("28"),
          "Compared buckets below which a series is correlated with nothing."),
        OptionSpec(
          "min_correlation", .number(0...1), .default("0.3"),
          "A relation weaker than this is listed low."),
        OptionSpec(
          "max_pairs", .int(1...5_000_000), .default("200000"),
          "More pairs than this are an error."),
      ] + SeriesCounting.options("max_series"),
    example: """
      { "type": "correlate", "inputs": ["decisions"], "time": "ts", "by": ["market", "queue"],
        "across": ["market", "metric"], "max_lag": 7,
        "metrics": { "violation_rate": { "rate": "decision == 'violation'" },
                     "volume":         { "count": true } } }
      """,
    exampleFields: """
      { "ts": "timestamp", "market": "string", "queue": "string", "decision": "string" }
      """)

  public init?(_ options: Options, _ problems: inout Problems) {
    let by = SeriesCounting.fields(options.list("by"))
    var settings = TrendSettings()
    settings.falseDiscoveryRate = options.number("q")
    settings.minHistory = options.int("min_history")
    let counting = SeriesCounting(
      options, by: by, segments: [], fewest: 1,
      reserved: CorrelateTables.reserved(by.map(\.path.text)), settings: settings, &problems)
    guard let counting,
      let across = Correlate.across(options["across"], by: counting.rules.by, &problems)
    else { return nil }
    if across.metrics, across.fields.isEmpty, counting.rules.metrics.count < 2 {
      problems.add(
        "no_pairs", at: options.node("across"),
        "there is one metric, and pairs are to differ in it",
        fix: "add a second metric, or a field of \"by\" to \"across\"")
      return nil
    }
    self.counting = counting
    rules = CorrelateRules(
      series: counting.rules, fields: across.fields, metrics: across.metrics,
      maxLag: options.int("max_lag"), isArbitrary: options.string("dependence") == "arbitrary",
      minCorrelation: options.number("min_correlation"), maxPairs: options.int("max_pairs"))
  }

  private static func across(
    _ value: OptionValue?, by: [String], _ problems: inout Problems
  ) -> (fields: [Int], metrics: Bool)? {
    guard let value else { return (Array(by.indices), false) }
    var fields: [Int] = []
    var metrics = false
    let before = problems.errorCount
    for entry in value.list {
      if entry.string.utf8.elementsEqual("metric".utf8) {
        metrics = true
      } else if let field = by.firstIndex(where: { $0.utf8.elementsEqual(entry.string.utf8) }) {
        if !fields.contains(field) { fields.append(field) }
      } else {
        problems.add(
          "unknown_field", at: entry.node, "`\(entry.string)` is no field of \"by\"",
          expected: (by.map { "\"\($0)\"" } + ["\"metric\""]).joined(separator: ", "))
      }
    }
    if value.list.isEmpty {
      problems.add(
        "no_pairs", at: value.node, "\"across\" names nothing that two series may differ in",
        fix: "leave it out: then it is each field of \"by\"")
    }
    return problems.errorCount == before ? (fields.sorted(), metrics) : nil
  }

  public func bind(
    _ scope: Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundReduce)? {
    counting.bind(scope, context, namesEvidence: false, &problems)
  }

  public func makeMerger(_ instances: [any BoundReduce]) -> any ReduceMerger {
    var rules = rules
    rules.series = rules.series.asBound(instances)
    return CorrelateMerger(rules)
  }
}

/// What the parts of the stage share.
struct CorrelateRules: Sendable {
  var series: TrendRules
  /// Fields of `by` that a pair may differ in.
  var fields: [Int]
  /// Whether a pair may differ in its metric.
  var metrics: Bool
  var maxLag: Int
  var isArbitrary: Bool
  var minCorrelation: Double
  var maxPairs: Int

  var q: Double { series.settings.falseDiscoveryRate }
  var fewest: Int { series.settings.minHistory }
}

private let correlateDiscussion = """
  Series are made as by `trend`: one for each metric of each group and of the totals, by day or week. Two \
  of them are a *pair* where they differ in one thing alone: in one field of `by`, both with a value of \
  it (the same queue in two markets, two queues of a market), or, with `"metric"` in `across`, in the \
  metric. A total is never paired with what it contains.

  **What moves together.** Of each series is taken away what it does anyway: its weekday, its own \
  level of the four weeks around (a slow drift or a lasting step is a matter for `trend`), and its \
  memory from one day to the next. What is left are surprises; those of two series are ranked and correlated. \
  One loud day that both had makes no correlation, two weekday patterns make none, and neither do two smooth curves.

  **Who comes first.** The same at each `lag` up to `max_lag`. The finding has the lag at which the two are most \
  alike, with the interval of lags that the days allow. `leads` is said only where that interval does not \
  hold 0; the first series of the finding is then the one that comes first.

  **What it claims.** r, from -1 to 1, with its 95 % interval: the share of the daily surprises that is common \
  is its square. p counts how many independent days the overlap is worth (`n_eff`) and how \
  many lags were tried; q is corrected over all pairs, so that about a share `q` of the findings is expected to be false.

  **What it does not claim.** That one causes the other: a third thing may move both. That pairs without a finding are \
  unrelated: `pairs` has their intervals. Anything about series with fewer than `min_history` compared \
  buckets or fewer than 5 events on a usual one (`status` says which; try `"bucket": "1w"`). \
  Two conditions of one metric that exclude each other, or that contain each other, are \
  related by arithmetic: do not put such metrics side by side.

  Relations are notes about how things hang together and no alarms: their level is `notice`.

  Days, the zones that they are counted in, the calendar, totals and the quarantine are those of `trend`. Two \
  markets in zones of their own are paired by local days: 4 October of Tokyo with that of New York, which begins \
  thirteen hours later.
  """
