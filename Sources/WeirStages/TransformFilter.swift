import WeirData
import WeirEngine
import WeirExpressions

/// Keeps the records for which a condition holds.
public struct Filter: MapStage {
  public static let manual = StageManual(
    type: "filter", kind: .map,
    summary: "Keep the records for which a condition is true.",
    discussion: """
      The condition is an expression in CEL (docs/expressions.md): comparisons, `&&`, `||`, `!`, `in`, \
      null tests, text and times, lists and objects inside the record, and parameters as \
      `params.name`. It is checked against the declared fields before anything runs.

      A record for which the condition has no answer (a null compared with `<`, an overflow) is \
      quarantined as `expression_error`: it is never taken for false. Test for null first: \
      `handle_ms != null && handle_ms > 60000`.

      What is dropped is counted as filtered in the ledger. A filter in front of a `dedupe` can keep \
      a record that a later revision moved elsewhere; `weir validate` warns of that.
      """,
    accepts: [.records],
    outputs: [PortSpec(carries: .records, "The records for which the condition is true.")],
    options: [
      OptionSpec("where", .expression, .required, "The condition, in CEL.")
    ],
    example: """
      {"type": "filter", "inputs": ["clean"], "where": "market in ['DE', 'FR'] && handle_ms != null"}
      """,
    exampleFields: #"{"market": "string", "handle_ms": "int?"}"#,
    synonyms: ["where", "query", "having", "match"])

  private let condition: OptionValue

  public init?(_ options: Options, _ problems: inout Problems) {
    condition = options.value("where")
  }

  public func bind(
    _ scope: inout Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundMap)? {
    context.compileCondition(condition.string, in: scope, at: condition.node, &problems)
      .map(BoundFilter.init)
  }
}

private struct BoundFilter: BoundMap {
  let condition: CompiledExpression

  var columnsRead: [Int] { condition.columnsRead }
  var filters: Bool { condition.constantBool != true }
  func makeWorker() -> any MapWorker { FilterWorker(condition) }
}

private final class FilterWorker: MapWorker {
  private let constant: Bool?
  private var evaluator: ExpressionEvaluator
  private var truths: [Truth] = []

  init(_ condition: CompiledExpression) {
    constant = condition.constantBool
    evaluator = condition.makeEvaluator()
  }

  func apply(
    _ batch: inout Batch, _ selection: inout Selection, _ refusals: inout [Refusal]
  ) -> Int {
    if let constant {
      guard !constant else { return 0 }
      defer { selection.rows.removeAll() }
      return selection.count
    }
    evaluator.evaluate(batch, selection, into: &truths)
    for failure in evaluator.failures {
      refusals.append(
        Refusal(
          row: Int(failure.row), of: batch, code: "expression_error",
          message: "the condition has no answer: \(failure.message)"))
    }
    let before = selection.count
    var kept = 0
    selection.rows.withUnsafeMutableBufferPointer { rows in
      truths.withUnsafeBufferPointer { truths in
        for i in 0..<before where truths[i] == .true {
          rows[kept] = rows[i]
          kept &+= 1
        }
      }
    }
    selection.rows.removeLast(before - kept)
    return before - kept - evaluator.failures.count
  }
}
