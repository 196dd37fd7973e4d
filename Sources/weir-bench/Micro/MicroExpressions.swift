import WeirData
import WeirExpressions

/// A filter and three derived fields, as a spec may have them behind a `normalize`.
final class MicroExpressions {
  private static let condition = "market in ['DE', 'FR'] && has(handle_ms) && handle_ms > 1000"
  private static let values = [
    "has(handle_ms) ? double(handle_ms) / 3600000.0 : 0.0", "market + '/' + queue", "ts.getHours()",
  ]

  private let condition: Held
  private let values: [Held]
  private var truths: [WeirExpressions.Truth] = []
  private var cells: [Cell] = []

  init(_ fields: [ExpressionScope.Field]) throws {
    let scope = ExpressionScope(fields: fields)
    condition = Held(try CompiledExpression(MicroExpressions.condition, scope: scope))
    values = try MicroExpressions.values.map { Held(try CompiledExpression($0, scope: scope)) }
  }

  /// Evaluates all of them for the selected records.
  ///
  /// - Returns: how many records the condition holds for.
  func run(_ batch: borrowing Batch, _ selection: borrowing Selection) -> Int {
    condition.evaluator.evaluate(batch, selection, into: &truths)
    for value in values { value.evaluator.evaluateValues(batch, selection, into: &cells) }
    return truths.count { $0 == .true }
  }

  private final class Held {
    var evaluator: ExpressionEvaluator
    init(_ expression: CompiledExpression) { evaluator = expression.makeEvaluator() }
  }
}
