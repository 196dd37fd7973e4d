import WeirData
import WeirEngine
import WeirExpressions

/// Holds records against rules.
public struct Expect: MapStage {
  public static let manual = StageManual(
    type: "expect", kind: .map,
    summary: "Hold records against rules: count those that fail, or quarantine them.",
    discussion: """
      Each rule has a name and a condition, in CEL (docs/expressions.md), that every record should \
      meet. A record for which a condition has no answer (a null compared with `<`) does not meet it.

      A condition alone is a rule of level `warn`. With `"level": "warn"` the record goes on and is only counted; with `"fail"` it is quarantined as \
      `failed_expectation`. Every rule is held against every record that comes in, also against one that \
      another rule has failed. The ledger, the result of `weir run --json` and the report say for each \
      rule how many records do not meet it, and where the first of them stands.

      `error_budget` of a rule says how many may fail it, at either level: past that the outputs are \
      withheld and the run ends with exit status 2, or is published with a warning where it says \
      `"on_exceeded": "warn"`. It is looked at when all records are counted.
      """,
    accepts: [.records],
    outputs: [
      PortSpec(carries: .records, "The records, without those that fail a rule of level `fail`.")
    ],
    options: [
      OptionSpec(
        "rules", .map(.anyOf([.expression, .object(ruleOptions)])), .required,
        "The name of each rule, and its condition, or the condition and more.")
    ],
    example: """
      {
        "type": "expect",
        "inputs": ["clean"],
        "rules": {
          "has_time": "handle_ms != null",
          "known_market": {"that": "market in ['DE', 'FR', 'US']", "level": "fail"},
          "plausible_time": {"that": "handle_ms == null || handle_ms < 3600000", "error_budget": {"rate": 0.9}}
        }
      }
      """,
    exampleFields: #"{"market": "string", "handle_ms": "int?"}"#,
    synonyms: ["assert", "check", "validate", "expectations", "test", "rules", "quality", "verify"])

  private static let ruleOptions: [OptionSpec] = [
    OptionSpec("that", .expression, .required, "The condition that a record should meet, in CEL."),
    OptionSpec(
      "level", .choice(["warn", "fail"]), .default("\"warn\""),
      "What becomes of a record that does not: `warn` counts it, `fail` quarantines it."),
    OptionSpec(
      "error_budget", .object(budgetOptions), .optional, "How many records may fail the rule."),
  ]

  private static let budgetOptions: [OptionSpec] = [
    OptionSpec(
      "rate", .number(0...1), .optional,
      "The largest share of the records that come to the stage: 0.01 is one in a hundred."),
    OptionSpec("count", .int(0...Int.max), .optional, "The most records that may fail it."),
    OptionSpec(
      "min_records", .int(0...Int.max), .default("0"),
      "The rate is not held against fewer records than this."),
    OptionSpec(
      "on_exceeded", .choice(["fail", "warn"]), .default("\"fail\""),
      "`fail` withholds the outputs and exits with 2; `warn` publishes them and says it loudly."),
  ]

  private struct Rule {
    var name: String
    var condition: OptionValue
    var level: String
  }
  private let rules: [Rule]
  public let checkLimits: [CheckLimit]

  public init?(_ options: Options, _ problems: inout Problems) {
    let before = problems.errorCount
    var limits: [CheckLimit] = []
    var rules: [Rule] = []
    for (index, entry) in options.map("rules").enumerated() {
      guard case .object(let rule) = entry.value.content else {
        rules.append(Rule(name: entry.key, condition: entry.value, level: "warn"))
        continue
      }
      rules.append(
        Rule(name: entry.key, condition: rule.value("that"), level: rule.string("level")))
      guard let budget = rule["error_budget"]?.object else { continue }
      let (rate, count) = (budget["rate"]?.number, budget["count"]?.int)
      if rate == nil, count == nil {
        problems.add(
          "empty_budget", at: budget.node, "an error budget without a limit limits nothing",
          expected: "\"rate\" or \"count\"", fix: "add for example \"rate\": 0.01")
      }
      limits.append(
        CheckLimit(
          check: index, name: entry.key, rate: rate, count: count,
          minRecords: budget.int("min_records"),
          onExceeded: ErrorBudget.Consequence(rawValue: budget.string("on_exceeded")) ?? .fail))
    }
    if rules.isEmpty {
      problems.add(
        "nothing_to_do", at: options.node("rules"), "\"rules\" names no rule",
        fix: "\"rules\": {\"known_market\": \"market != ''\"}")
    }
    self.rules = rules
    checkLimits = limits
    if problems.errorCount > before { return nil }
  }

  public func bind(
    _ scope: inout Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundMap)? {
    let bound = rules.compactMap { rule in
      context.compileCondition(rule.condition.string, in: scope, at: rule.condition.node, &problems)
        .map { BoundExpect.Rule(name: rule.name, level: rule.level, condition: $0) }
    }
    return bound.count == rules.count ? BoundExpect(rules: bound) : nil
  }
}

private struct BoundExpect: BoundMap {
  struct Rule: Sendable {
    var name: String
    var level: String
    var condition: CompiledExpression
    var quarantines: Bool { same(level, "fail") }
  }
  let rules: [Rule]

  var columnsRead: [Int] { Set(rules.flatMap(\.condition.columnsRead)).sorted() }
  /// What fails goes to the quarantine.
  var filters: Bool { false }
  var checks: [RecordCheck] { rules.map { RecordCheck(name: $0.name, level: $0.level) } }
  func makeWorker() -> any MapWorker { ExpectWorker(rules) }
}

private final class ExpectWorker: CheckingWorker {
  private final class Rule {
    let rule: BoundExpect.Rule
    var evaluator: ExpressionEvaluator
    init(_ rule: BoundExpect.Rule) {
      self.rule = rule
      evaluator = rule.condition.makeEvaluator()
    }
  }
  private let rules: [Rule]
  private var truths: [Truth] = []
  private(set) var failures: [(count: Int, first: Int)]

  init(_ rules: [BoundExpect.Rule]) {
    self.rules = rules.map { Rule($0) }
    failures = Array(repeating: (0, 0), count: rules.count)
  }

  func apply(
    _ batch: inout Batch, _ selection: inout Selection, _ refusals: inout [Refusal]
  ) -> Int {
    // Of a row the first rule that quarantines it.
    var refused: [UInt32: String] = [:]
    for (i, rule) in rules.enumerated() {
      failures[i] = (0, 0)
      rule.evaluator.evaluate(batch, selection, into: &truths)
      if rule.rule.quarantines {
        for failure in rule.evaluator.failures where refused[UInt32(failure.row)] == nil {
          refused[UInt32(failure.row)] =
            "the rule `\(rule.rule.name)` has no answer: \(failure.message)"
        }
      }
      for (place, row) in selection.rows.enumerated() where truths[place] != .true {
        if failures[i].count == 0 { failures[i].first = Int(row) }
        failures[i].count += 1
        if rule.rule.quarantines, refused[row] == nil {
          refused[row] = "it does not meet the rule `\(rule.rule.name)`"
        }
      }
    }
    refuse(refused, code: "failed_expectation", of: batch, &selection, &refusals)
    return 0
  }
}
