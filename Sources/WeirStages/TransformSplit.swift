import WeirData
import WeirEngine
import WeirExpressions

/// Sends each record to one of several outputs.
public struct Split: MapStage {
  public static let manual = StageManual(
    type: "split", kind: .map,
    summary: "Send each record to one of several outputs, by conditions.",
    discussion: """
      `outputs` names the outputs and gives the condition of each, in CEL (docs/expressions.md). A record \
      goes to the first one whose condition is true, in the order in which they are written, and to `rest` \
      where none is: always to exactly one. Other stages read `NAME.OUTPUT`, here `"inputs": ["routed.high"]`.

      A record for which a condition has no answer before one is true is quarantined as \
      `expression_error`, as in `filter`. Records that leave by an output that nobody reads count as \
      filtered; `weir validate` warns of it. The ledger says how many left by each.
      """,
    accepts: [.records],
    outputs: [
      PortSpec(
        "rest", carries: .records,
        "The records that no condition takes; and an output for each name under `outputs`.")
    ],
    options: [
      OptionSpec(
        "outputs", .map(.expression), .required, "The name of each output and its condition."),
      OptionSpec(
        "rest", .string, .default("\"rest\""), "The output of the records that no condition takes."),
    ],
    example: """
      {"type": "split", "inputs": ["clean"], "outputs": {"slow": "handle_ms > 60000", "quick": "handle_ms < 5000"}}
      """,
    exampleFields: #"{"market": "string", "handle_ms": "int"}"#,
    synonyms: ["route", "router", "switch", "branch", "partition", "case", "swimlanes"])

  private let entries: [OptionEntry]
  private let names: [String]

  public init?(_ options: Options, _ problems: inout Problems) {
    entries = options.map("outputs")
    let rest = options.value("rest")
    names = entries.map(\.key) + [rest.string]
    let before = problems.errorCount
    if entries.isEmpty {
      problems.add(
        "nothing_to_do", at: options.node("outputs"), "\"outputs\" names no output",
        fix: "\"outputs\": {\"slow\": \"handle_ms > 60000\"}")
    }
    for (name, node) in entries.map({ ($0.key, $0.keyNode) }) + [(rest.string, rest.node)] {
      if !isPlainName(name) {
        problems.add(
          "bad_output_name", at: node, "an output has a name of letters, digits, _ and -",
          fix: "\"slow\"")
      }
    }
    if let twin = entries.first(where: { same($0.key, rest.string) }) {
      problems.add(
        "duplicate_output", at: twin.keyNode, "`\(rest.string)` is the output of the rest",
        fix: "give one of the two another name")
    }
    if problems.errorCount > before { return nil }
  }

  public var outputs: [PortSpec] {
    names.map { PortSpec($0, carries: .records, "The records of this output.") }
  }

  public func bind(
    _ scope: inout Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundMap)? {
    let conditions = entries.compactMap {
      context.compileCondition($0.value.string, in: scope, at: $0.value.node, &problems)
    }
    return conditions.count == entries.count
      ? BoundSplit(ports: names, conditions: conditions) : nil
  }
}

private struct BoundSplit: BoundMap {
  let ports: [String]
  let conditions: [CompiledExpression]

  var columnsRead: [Int] { Set(conditions.flatMap(\.columnsRead)).sorted() }
  var filters: Bool { true }
  func makeWorker() -> any MapWorker { SplitWorker(self) }
}

private final class SplitWorker: RoutingWorker {
  private final class Condition {
    var evaluator: ExpressionEvaluator
    init(_ condition: CompiledExpression) { evaluator = condition.makeEvaluator() }
  }
  private let names: [String]
  private let conditions: [Condition]
  private var truths: [Truth] = []
  private(set) var routes: [Selection]

  init(_ split: BoundSplit) {
    names = split.ports
    conditions = split.conditions.map { Condition($0) }
    routes = Array(repeating: Selection(), count: split.ports.count)
  }

  func apply(
    _ batch: inout Batch, _ selection: inout Selection, _ refusals: inout [Refusal]
  ) -> Int {
    var open = selection
    var refused: [UInt32: String] = [:]
    for (i, condition) in conditions.enumerated() {
      routes[i].rows.removeAll(keepingCapacity: true)
      condition.evaluator.evaluate(batch, open, into: &truths)
      for failure in condition.evaluator.failures {
        refused[UInt32(failure.row)] =
          "the condition of `\(names[i])` has no answer: \(failure.message)"
      }
      var kept = 0
      for (place, row) in open.rows.enumerated() {
        if truths[place] == .true {
          routes[i].rows.append(row)
        } else if refused.isEmpty || refused[row] == nil {
          open.rows[kept] = row
          kept += 1
        }
      }
      open.rows.removeLast(open.rows.count - kept)
    }
    routes[routes.count - 1] = open
    refuse(refused, code: "expression_error", of: batch, &selection, &refusals)
    return 0
  }
}
