import WeirData
import WeirEngine
import WeirExpressions

/// A metric as the spec declares it.
struct DeclaredMetric: Sendable {
  let name: String
  let keyNode: SpecNode
  private let function: MetricFunction
  /// The expression; `nil` for the number of records.
  private let argument: OptionValue?

  init?(_ entry: OptionEntry, _ problems: inout Problems) {
    name = entry.key
    keyNode = entry.keyNode
    let options = entry.value.object
    let functions: [(String, MetricFunction)] = [
      ("count", .countWhere), ("rate", .rate), ("sum", .sum), ("mean", .mean), ("min", .min),
      ("max", .max), ("distinct", .distinct),
    ]
    guard let (word, function) = functions.first(where: { options.node.member($0.0) != nil }) else {
      self.function = .quantile(options.number("quantile"))
      argument = options.value("of")
      return
    }
    let value = options.value(word)
    if case .bool(let isAll) = value.content {
      guard isAll else {
        problems.add(
          "bad_count", at: value.node, "\"count\": false counts nothing",
          expected: "true or a condition", fix: "write true, or take the metric out")
        return nil
      }
      self.function = .countAll
      argument = nil
    } else {
      self.function = function
      argument = value
    }
  }

  /// Adds the metric to the layout; false with a problem.
  func bind(
    _ scope: Scope, _ context: BindContext, _ layout: inout AggregateLayout,
    _ problems: inout Problems
  ) -> Bool {
    guard let argument else {
      layout.addCount(name)
      return true
    }
    let isCondition = function == .countWhere || function == .rate
    let compiled =
      isCondition
      ? context.compileCondition(argument.string, in: scope, at: argument.node, &problems)
      : context.compile(argument.string, in: scope, at: argument.node, &problems)
    guard let expression = compiled else { return false }
    guard let kind = stateKind(expression.resultType.base) else {
      problems.add(
        "wrong_metric_type", at: argument.node,
        "`\(name)` cannot be computed of a value of type \(expression.resultType.text)",
        expected: expectation,
        fix: "declare the field with its type on the source, or normalize it before")
      return false
    }
    layout.add(name, function, kind, of: expression, source: Array(argument.string.utf8))
    return true
  }

  private func stateKind(_ type: FieldType.Base) -> StateKind? {
    switch (function, type) {
    case (.countWhere, _), (.rate, _): .hits
    case (.sum, .int), (.mean, .int): .intSum
    case (.sum, .number), (.mean, .number): .numberSum
    case (.min, .int), (.min, .timestamp): .intLeast
    case (.max, .int), (.max, .timestamp): .intGreatest
    case (.min, .number): .numberLeast
    case (.max, .number): .numberGreatest
    case (.min, .string): .stringLeast
    case (.max, .string): .stringGreatest
    case (.quantile, .int), (.quantile, .number): .sketch
    case (.distinct, let type) where type != .any: .distinct
    default: nil
    }
  }

  private var expectation: String {
    switch function {
    case .min, .max: "an int, number, string or timestamp"
    case .distinct: "a value of one declared type"
    default: "an int or number"
    }
  }
}
