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
  }
  var name: String
  var formula: Formula
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
    .object([OptionSpec("mean", .fieldPath, .required, "Mean of an `int` or a `number`.")]),
    .object([
      OptionSpec("distinct", .fieldPath, .required, "Number of different values of a field.")
    ]),
  ])

  init?(_ entry: OptionEntry, _ problems: inout Problems) {
    name = entry.key
    if name.utf8.isEmpty {
      problems.add("bad_name", at: entry.keyNode, "a metric needs a name")
      return nil
    }
    let options = entry.value.object
    // The keys tell which of the alternatives the checker took.
    func has(_ key: String) -> Bool { options.node.member(key) != nil }
    if has("rate") {
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
    case .all, .matching: .count
    case .rate: .rate
    case .mean: .mean
    case .quantile: .quantile
    case .distinct: .distinct
    }
  }

  var tally: TrendShape.Tally {
    switch formula {
    case .all: .records
    case .matching: .matching
    case .rate: .share
    case .mean: .moments
    case .quantile: .sketch
    case .distinct: .registers
    }
  }

  /// What differences of it are counted in.
  func unit(_ clock: TrendClock) -> String {
    let each = clock.isWeekly ? "per week" : "per day"
    switch formula {
    case .all, .matching: return "records \(each)"
    case .rate: return "share of records"
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

    var column: BoundTrend.Column? {
      switch self {
      case .nothing, .condition: nil
      case .number(let column), .value(let column): column
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
      guard let field = scope.require(path, at: node, &problems) else { return nil }
      guard [.int, .number, .any].contains(field.type.base) else {
        problems.add(
          "wrong_type", at: node, "`\(path.text)` is declared as \(field.type.text)",
          expected: "int or number")
        return nil
      }
      return .number(BoundTrend.Column(index: field.column, name: path.text))
    case .distinct(let path):
      guard let field = scope.require(path, at: node, &problems) else { return nil }
      return .value(BoundTrend.Column(index: field.column, name: path.text))
    }
  }
}
