import WeirData
import WeirEngine
import WeirStatistics

/// The `compare` stage: how two periods, or the values of a field, differ, and what carries it.
public struct Compare: ReduceStage {
  let counting: SeriesCounting
  let rules: CompareRules

  public static let manual = StageManual(
    type: "compare", kind: .reduce,
    summary:
      "Compares two periods, or markets, vendors or policy versions, and says what carries the difference.",
    discussion: compareDiscussion, accepts: [.records],
    outputs: [
      PortSpec(carries: .findings, "Differences that are no chance, the most important first."),
      PortSpec(
        "comparisons", carries: .rows,
        "Every comparison with its numbers, and why it was not tested if it was not."),
    ],
    options: SeriesCounting.options("time", "bucket", "zones", "through", "allowed_lateness") + [
      OptionSpec(
        "periods",
        .list(
          .object([
            OptionSpec("name", .string, .required, "What to call it: `before`, `policy v2`."),
            OptionSpec("from", .date, .required, "Its first day."),
            OptionSpec("to", .date, .required, "Its last day; `latest` is the last complete one."),
          ])), .optional,
        "Two periods to compare, the one to compare with first; or else `field`."),
      OptionSpec(
        "field", .fieldPath, .optional,
        "The field whose values are compared, over the same days: market, vendor, policy version."),
      OptionSpec(
        "values", .list(.string), .optional, "Which values of `field`; absent: all of them."),
      OptionSpec(
        "against", .choice(["each_other", "first", "rest"]), .default(#""each_other""#),
        "What a value of `field` is compared with: every other value, the first of `values`, or all the rest "
          + "together."),
      OptionSpec(
        "by", .list(.fieldPath), .default("[]"),
        "Fields that make groups, each compared by itself, as are the totals over them; at most three, with "
          + "`field` two."),
      OptionSpec(
        "segments", .list(.fieldPath), .optional,
        "Up to eight other fields that differences are explained by."),
    ] + SeriesCounting.options("metrics") + [
      OptionSpec(
        "q", .number(0.0001...0.5), .default("0.05"),
        "Share of the findings that may be false, over all comparisons together.")
    ] + SeriesCounting.options("material_relative", "material_difference", "material_events") + [
      OptionSpec(
        "max_comparisons", .int(1...1_000_000), .default("50000"),
        "More comparisons than this are an error.")
    ] + SeriesCounting.options("max_series"),
    example: """
      { "type": "compare", "inputs": ["decisions"], "time": "ts", "by": ["market", "queue"],
        "periods": [ { "name": "before", "from": "2026-10-01", "to": "2026-10-28" },
                     { "name": "after",  "from": "2026-10-29", "to": "latest" } ],
        "segments": ["vendor"],
        "metrics": { "violation_rate": { "rate": "decision == 'violation'" },
                     "volume":         { "count": true } } }
      """,
    exampleFields: """
      { "ts": "timestamp", "market": "string", "queue": "string", "vendor": "string?",
        "decision": "string" }
      """)

  public init?(_ options: Options, _ problems: inout Problems) {
    var settings = TrendSettings()
    settings.falseDiscoveryRate = options.number("q")
    settings.materialRelative = options.number("material_relative")
    settings.materialRateDifference = options.number("material_difference")
    settings.materialEvents = options.number("material_events")
    guard let sides = Compare.sides(options, &problems) else { return nil }
    let own = SeriesCounting.fields(options.list("by"))
    let field = options["field"].map { SeriesCounting.fields([$0]) } ?? []
    let counting = SeriesCounting(
      options, by: own + field,
      segments: SeriesCounting.fields(options["segments"]?.list ?? []), fewest: field.count,
      reserved: CompareTables.reserved, settings: settings, &problems)
    guard let counting else { return nil }
    self.counting = counting
    rules = CompareRules(
      series: counting.rules, by: own.count, sides: sides,
      most: options.int("max_comparisons"))
  }

  private static func sides(
    _ options: Options, _ problems: inout Problems
  ) -> CompareRules.Sides? {
    guard (options["periods"] == nil) != (options["field"] == nil) else {
      problems.add(
        "what_to_compare", at: options.node,
        options["field"] == nil
          ? "nothing says what is compared" : "two things say what is compared",
        expected: "either \"periods\" or \"field\"",
        fix: options["field"] == nil
          ? #"for example "field": "market""# : "take one of the two out")
      return nil
    }
    guard let list = options["periods"] else { return values(options, &problems) }
    for name in ["values", "against"] where options[name].map({ !$0.isDefault }) ?? false {
      problems.add(
        "unused_option", at: options.node(name), "\"\(name)\" belongs to \"field\"",
        fix: "remove it")
    }
    guard list.list.count == 2 else {
      problems.add(
        "bad_periods", at: list.node, "\(list.list.count) periods are given", expected: "two")
      return nil
    }
    let periods = list.list.compactMap { ComparePeriod($0.object, &problems) }
    guard periods.count == 2 else { return nil }
    if periods[0].name.utf8.elementsEqual(periods[1].name.utf8) {
      problems.add(
        "duplicate_name", at: list.list[1].object.node("name"), "both periods have one name",
        fix: "give them two")
      return nil
    }
    if periods[0].overlaps(periods[1]) {
      problems.add(
        "periods_overlap", at: list.list[1].node, "the two periods have days in common",
        fix: "let one end before the other begins")
      return nil
    }
    return .periods(periods[0], periods[1])
  }

  private static func values(
    _ options: Options, _ problems: inout Problems
  ) -> CompareRules.Sides? {
    let values = options["values"]?.list.map(\.string)
    let before = problems.errorCount
    for (i, value) in (options["values"]?.list ?? []).enumerated() {
      if values?[..<i].contains(where: { $0.utf8.elementsEqual(value.string.utf8) }) ?? false {
        problems.add(
          "duplicate_value", at: value.node, "\"\(value.string)\" is named twice", fix: "remove it")
      }
    }
    let against = options.string("against")
    let least = against == "rest" ? 1 : 2
    if let values, values.count < least {
      problems.add(
        "too_few_values", at: options.node("values"), "\(values.count) values are given",
        expected: "at least \(least)", fix: "leave \"values\" out to compare all of them")
    }
    if against == "first", values == nil {
      problems.add(
        "too_few_values", at: options.node("against"), "\"first\" is the first of \"values\"",
        fix: "add \"values\", the one to compare with first")
    }
    guard problems.errorCount == before else { return nil }
    return .values(values, CompareRules.Against(rawValue: against) ?? .eachOther)
  }

  public func bind(
    _ scope: Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundReduce)? {
    counting.bind(scope, context, namesEvidence: true, &problems)
  }

  public func makeMerger(_ instances: [any BoundReduce]) -> any ReduceMerger {
    var rules = rules
    rules.series = rules.series.asBound(instances)
    return CompareMerger(rules)
  }
}

/// One of two periods: whole buckets between two days.
struct ComparePeriod: Sendable {
  var name: String
  var from: CivilDate
  /// `nil`: the last complete bucket.
  var to: CivilDate?

  init?(_ options: Options, _ problems: inout Problems) {
    name = options.string("name")
    guard case .day(let day) = options.date("from") else {
      problems.add(
        "bad_period", at: options.node("from"), "a period begins on a day",
        expected: "a date such as \"2026-10-04\"")
      return nil
    }
    from = day
    if case .day(let day) = options.date("to") { to = day }
    if let to, to < from {
      problems.add(
        "bad_period", at: options.node("to"), "the period ends before it begins",
        fix: "exchange \"from\" and \"to\"")
      return nil
    }
    if name.utf8.isEmpty {
      problems.add("bad_name", at: options.node("name"), "a period needs a name")
      return nil
    }
  }

  func overlaps(_ other: ComparePeriod) -> Bool {
    let (first, second) = from <= other.from ? (self, other) : (other, self)
    return first.to.map { $0 >= second.from } ?? true
  }
}

/// What the parts of the stage share.
struct CompareRules: Sendable {
  enum Against: String, Sendable {
    case eachOther = "each_other"
    case first, rest
  }
  enum Sides: Sendable {
    case periods(ComparePeriod, ComparePeriod)
    /// Of the last field that is counted by; `nil`: all values.
    case values([String]?, Against)
  }
  /// Counted by the fields of a group and, last, the one whose values are compared.
  var series: TrendRules
  /// Fields of a group.
  var by: Int
  var sides: Sides
  var most: Int

  var groupFields: [String] { Array(series.by.prefix(by)) }
  /// The field whose values are compared.
  var field: String? { series.by.count > by ? series.by[by] : nil }
}

private let compareDiscussion = """
  Two sides are held against each other: two *periods* of the same groups, or two *values of a field* over the \
  same days (two markets, a vendor and all the others, two versions of a policy). Each metric of each group of `by`, \
  and of the totals over them, is one comparison.

  **The difference.** Side `a` is what is compared with (the first period, the first value, the rest), side `b` is \
  compared. The finding has both levels, the difference b - a with its 95 % interval, and the events that it comes to on \
  side b. Days are what chance draws, not records: they differ by more than their counts say and resemble the day before, \
  so the intervals are wider than those of a calculator that only knows the counts. Counts are those of one bucket. \
  In periods, weekdays are allowed for: a period with more weekends is not \
  compared as if it had not. Values of a field are compared day by day, on the days that both have: what moves both cancels.

  **Why.** `segments` names fields that a difference is taken apart by (Kitagawa): how much of it the \
  values' own rates make (*rate effect*) and how much their shares of the records (*mix effect*); the two add up exactly. \
  Where every value differs the other way than the whole, `simpson` is true and the text says so. \
  A field *stands out* when the make-up of the events differs by more than chance and few of its values explain two thirds. That a value \
  carries a difference is no proof that it causes it.

  **Evidence.** A finding names up to ten records of side b and five of side a, with shard, line and byte, \
  as those of `trend` do: `weir evidence FINDING` prints them.

  **What it claims.** q is p corrected over all comparisons: about a share `q` of the findings is expected \
  to be false. Findings that are certain but small are kept and listed low, by the same options as in `trend`.

  **What it does not claim.** That groups without a finding are alike: `comparisons` has every interval. \
  That a period is better or worse for a reason: between two periods everything else may have changed too. Anything \
  about fewer than 5 compared buckets, fewer than 10 events (or 10 of the rarer outcome of a rate), or fewer than 30 \
  records of a side: `comparisons` says which.

  Days, the zones that they are counted in, the calendar and the quarantine are those of `trend`; `zones` may also \
  go by `field`. An open or partial bucket is on no side; a week is on a side where all \
  of its days are.
  """
