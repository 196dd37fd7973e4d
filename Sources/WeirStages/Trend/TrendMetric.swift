import WeirData
import WeirEngine
import WeirExpressions
import WeirStatistics

/// One metric of the spec.
struct TrendMetric: Sendable {
  enum Formula: Sendable {
    case all
    case matching(String)
    case rate(String)
    case mean(FieldPath)
    case quantile(Double, FieldPath)
    case distinct(FieldPath)
    // Of rows that are already aggregated:
    case counted(FieldPath)
    case ratio(numerator: FieldPath, denominator: FieldPath)
    case sums(TrendSums<FieldPath>)

    var isAggregated: Bool {
      switch self {
      case .counted, .ratio, .sums: true
      case .all, .matching, .rate, .mean, .quantile, .distinct: false
      }
    }
  }
  var name: String
  var formula: Formula
  /// Of a mean: whether its days are compared as logarithms.
  var isLogarithmic = false
  /// The condition or field, to point at.
  var node: SpecNode

  static let option = OptionType.anyOf([
    .object([
      OptionSpec("rate", .expression, .required, "Share of the records for which this is true.")
    ]),
    .object([
      OptionSpec(
        "count", .anyOf([.bool, .expression]), .required,
        "`true` for all records, or the condition of those that count.")
    ]),
    .object([
      OptionSpec("quantile", .number(0.001...0.999), .required, "Which quantile: 0.95."),
      OptionSpec("of", .fieldPath, .required, "Of which field, an `int` or a `number`."),
    ]),
    .object([OptionSpec("mean", .fieldPath, .required, "Mean of an `int` or a `number`."), scale]),
    .object([
      OptionSpec("distinct", .fieldPath, .required, "Number of different values of a field.")
    ]),
    .object([
      OptionSpec(
        "counted", .fieldPath, .required,
        "Of rows that are already aggregated: the field with how many records a row stands for.")
    ]),
    .object([
      OptionSpec(
        "numerator", .fieldPath, .required,
        "Of rows that are already aggregated: the field with the records that the rate counts."),
      OptionSpec(
        "denominator", .fieldPath, .required, "The field with those that it is a share of."),
    ]),
    .object([
      OptionSpec(
        "sum", .fieldPath, .required,
        "Of rows that are already aggregated, for a mean: the field with the sum of the values."),
      OptionSpec("sumsq", .fieldPath, .required, "The field with the sum of their squares."),
      OptionSpec("n", .fieldPath, .required, "The field with how many values there are."),
      scale,
    ]),
  ])

  private static let scale = OptionSpec(
    "scale", .choice(["linear", "log"]), .default(#""linear""#),
    "`log`: days are compared as shares of each other, where all means are positive; for times and sums of "
      + "money that grow by factors.")

  init?(_ entry: OptionEntry, _ problems: inout Problems) {
    name = entry.key
    if name.utf8.isEmpty {
      problems.add("bad_name", at: entry.keyNode, "a metric needs a name")
      return nil
    }
    let options = entry.value.object
    // The keys tell which of the alternatives the checker took.
    func has(_ key: String) -> Bool { options.node.member(key) != nil }
    if has("mean") || has("sum") {
      isLogarithmic = options.string("scale").utf8.elementsEqual("log".utf8)
    }
    if has("counted") {
      node = options.node("counted")
      formula = .counted(options.fieldPath("counted"))
    } else if has("numerator") {
      node = options.node("numerator")
      formula = .ratio(
        numerator: options.fieldPath("numerator"), denominator: options.fieldPath("denominator"))
    } else if has("sum") {
      node = options.node("sum")
      formula = .sums(
        TrendSums(
          sum: options.fieldPath("sum"), squares: options.fieldPath("sumsq"),
          count: options.fieldPath("n")))
    } else if has("rate") {
      node = options.node("rate")
      formula = .rate(options.string("rate"))
    } else if has("quantile") {
      node = options.node("of")
      formula = .quantile(options.number("quantile"), options.fieldPath("of"))
    } else if has("mean") {
      node = options.node("mean")
      formula = .mean(options.fieldPath("mean"))
    } else if has("distinct") {
      node = options.node("distinct")
      formula = .distinct(options.fieldPath("distinct"))
    } else {
      node = options.node("count")
      switch options.value("count").content {
      case .string(let condition): formula = .matching(condition)
      case .bool(true): formula = .all
      default:
        problems.add(
          "bad_metric", at: node, "\"count\": false counts nothing",
          expected: "true or a condition", fix: "write true")
        return nil
      }
    }
  }

  var kind: MetricKind {
    switch formula {
    case .all, .matching, .counted: .count
    case .rate, .ratio: .rate
    case .mean, .sums: .mean
    case .quantile: .quantile
    case .distinct: .distinct
    }
  }

  var tally: TrendShape.Tally {
    switch formula {
    case .all: .records
    case .matching, .counted: .matching
    case .rate: .share
    case .ratio: .ratio
    case .mean, .sums: .moments
    case .quantile: .sketch
    case .distinct: .registers
    }
  }

  /// What differences of it are counted in.
  func unit(_ clock: TrendClock) -> String {
    let each = clock.isWeekly ? "per week" : "per day"
    switch formula {
    case .all, .matching, .counted: return "records \(each)"
    case .rate, .ratio: return "share of records"
    case .sums(let fields): return "\(fields.sum.text) / \(fields.count.text)"
    case .mean(let field), .quantile(_, let field): return field.text
    case .distinct(let field): return "distinct \(field.text) \(each)"
    }
  }

  /// What a worker reads for it.
  enum Input: Sendable {
    case nothing
    case condition(CompiledExpression)
    case number(BoundTrend.Column)
    case value(BoundTrend.Column)
    case counted(BoundTrend.Column)
    case ratio(numerator: BoundTrend.Column, denominator: BoundTrend.Column)
    case sums(TrendSums<BoundTrend.Column>)

    var columns: [BoundTrend.Column] {
      switch self {
      case .nothing, .condition: []
      case .number(let column), .value(let column), .counted(let column): [column]
      case .ratio(let numerator, let denominator): [numerator, denominator]
      case .sums(let columns): [columns.sum, columns.squares, columns.count]
      }
    }
  }

  func bind(_ scope: Scope, _ context: BindContext, _ problems: inout Problems) -> Input? {
    switch formula {
    case .all: return .nothing
    case .matching(let source), .rate(let source):
      return context.compileCondition(source, in: scope, at: node, &problems).map {
        .condition($0)
      }
    case .mean(let path), .quantile(_, let path):
      return number(path, scope, &problems).map { .number($0) }
    case .counted(let path): return number(path, scope, &problems).map { .counted($0) }
    case .ratio(let above, let below):
      guard let numerator = number(above, scope, &problems),
        let denominator = number(below, scope, &problems)
      else { return nil }
      return .ratio(numerator: numerator, denominator: denominator)
    case .sums(let paths):
      guard let sum = number(paths.sum, scope, &problems),
        let squares = number(paths.squares, scope, &problems),
        let count = number(paths.count, scope, &problems)
      else { return nil }
      return .sums(TrendSums(sum: sum, squares: squares, count: count))
    case .distinct(let path):
      return scope.column(path, at: node, "any type", &problems) { _ in true }.map { .value($0) }
    }
  }

  private func number(
    _ path: FieldPath, _ scope: Scope, _ problems: inout Problems
  ) -> BoundTrend.Column? {
    scope.column(path, at: node, "int or number", &problems) {
      [.int, .number, .any].contains($0)
    }
  }
}

/// Where a mean of rows that are already aggregated comes from.
struct TrendSums<Place: Sendable>: Sendable {
  var sum: Place
  /// Sum of the squares of the values themselves.
  var squares: Place
  var count: Place
}
