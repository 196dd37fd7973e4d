import WeirData

/// How many records a run, or one stage of it, may refuse. Past that the outputs are withheld, or the
/// run says so loudly.
public struct ErrorBudget: Sendable {
  /// What a group of records is for a budget that holds its limits against each group by itself.
  public enum Grouping: Sendable, Equatable {
    /// All records together.
    case none
    /// Each input file by itself.
    case shard
    /// Each combination of values of some of the `ledger_by` fields: indices into them, ascending.
    /// Records without a value in any of them are in no group.
    case fields([Int])
  }

  public enum Consequence: String, Sendable, CaseIterable {
    /// The outputs are withheld, and the run ends with exit status 2.
    case fail
    /// The outputs are published, and the run says that it is over the budget.
    case warn
  }

  /// A rule of a stage that records may fail.
  public struct Check: Sendable {
    /// Place among ``BoundMap/checks``.
    public let index: Int
    public let name: String
  }

  /// Index of the stage whose refusals count; `nil`: the run, where each line counts once.
  public let stage: Int?
  /// The rule of the stage whose failures count, instead of its refusals.
  public private(set) var check: Check?
  /// The largest share of the records that may be refused, 0 to 1.
  public let rate: Double?
  /// The most records that may be refused.
  public let count: Int?
  /// The most shards that may be set aside.
  public let shards: Int?
  public let grouping: Grouping
  /// The rate is not held against fewer records than this.
  public let minRecords: Int
  public let onExceeded: Consequence

  /// Whether `refused` of `records` is over the rate.
  ///
  /// The quotient of two integers, rounded once, is compared with the literal of the spec, rounded
  /// once: 29 of 100 is not over 0.29.
  func isOverRate(_ refused: Int, of records: Int) -> Bool {
    guard let rate, records > 0, records >= minRecords else { return false }
    return Double(refused) / Double(records) > rate
  }

  func isOverCount(_ refused: Int) -> Bool { count.map { refused > $0 } ?? false }

  func isOverShards(_ setAside: Int) -> Bool { shards.map { setAside > $0 } ?? false }
}

extension ErrorBudget {
  init(stage: Int, _ limit: CheckLimit) {
    self.init(
      stage: stage, check: Check(index: limit.check, name: limit.name), rate: limit.rate,
      count: limit.count, shards: nil, grouping: .none, minRecords: limit.minRecords,
      onExceeded: limit.onExceeded)
  }
}

// MARK: - In a spec

extension ErrorBudget {
  static let key = "error_budget"

  /// The members of one budget.
  static let options: [OptionSpec] = [
    OptionSpec(
      "rate", .number(0...1), .optional,
      "The largest share of the records that may be refused: 0.01 is one in a hundred."),
    OptionSpec("count", .int(0...Int.max), .optional, "The most records that may be refused."),
    OptionSpec(
      "by", .anyOf([.fieldPath, .list(.fieldPath)]), .optional,
      "Holds the limits against each group by itself: `shard` for each input file, or fields of \"ledger_by\"."
    ),
    OptionSpec(
      "min_records", .int(0...Int.max), .default("0"),
      "The rate is not held against fewer records than this: one of two is half."),
    OptionSpec(
      "shards", .int(0...Int.max), .optional,
      "The most shards that may be set aside: for the whole pipeline, and for sources, with \"on_bad_shard\"."
    ),
    OptionSpec(
      "on_exceeded", .choice(Consequence.allCases.map(\.rawValue)), .default("\"fail\""),
      "`fail` withholds the outputs and exits with 2; `warn` publishes them and says it loudly."),
  ]

  /// One budget or several.
  static let type = OptionType.anyOf([.object(options), .list(.object(options))])

  static let summary =
    "How many records may be refused before the outputs are withheld: one budget, or a list of them."

  /// Reads the budgets of a spec. Needs the stages in their order, to say which are meant.
  struct Reading {
    let ledgerBy: [FieldPath]
    var problems = Problems()
    var budgets: [ErrorBudget] = []

    init(ledgerBy: [FieldPath]) { self.ledgerBy = ledgerBy }

    /// - Parameters:
    ///   - stage: index of the one that has the budgets; `nil`: the run.
    ///   - hasShards: whether shards can be set aside there.
    ///   - scope: what holds in the file in which they stand.
    mutating func read(_ node: SpecNode, _ scope: SpecScope, stage: Int?, hasShards: Bool) {
      var check = OptionCheck(scope)
      let value = check.value(node, ErrorBudget.type, of: quoted(ErrorBudget.key))
      problems.add(contentsOf: check.problems)
      guard let value else { return }
      switch value.content {
      case .object(let options): add(options, stage, hasShards)
      case .list(let entries):
        if entries.isEmpty {
          problems.add(
            "empty_budget", at: node, "\(quoted(ErrorBudget.key)) is an empty list",
            fix: "write a limit, for example { \"rate\": 0.01 }, or remove it")
        }
        for entry in entries { add(entry.object, stage, hasShards) }
      default: preconditionFailure("a budget is an object or a list of them")
      }
    }

    private mutating func add(_ options: Options, _ stage: Int?, _ hasShards: Bool) {
      let (rate, count) = (options["rate"]?.number, options["count"]?.int)
      let shards = options["shards"]
      if let shards, !hasShards {
        problems.add(
          "useless_budget", at: shards.node, "only sources set shards aside",
          fix: "put \"shards\" into the budget of a source, or of the whole pipeline")
      }
      if let shards, options["by"] != nil {
        problems.add(
          "bad_by", at: shards.node, "shards are not counted \"by\" anything",
          fix: "write two budgets: a list of them is allowed")
      }
      if rate == nil, count == nil, shards == nil {
        problems.add(
          "empty_budget", at: options.node, "an error budget without a limit limits nothing",
          expected: "\"rate\", \"count\" or \"shards\"", fix: "add for example \"rate\": 0.01")
      }
      let least = options.value("min_records")
      if rate == nil, count != nil, !least.isDefault {
        problems.add(
          "unused_option", at: least.node,
          "\"min_records\" is for \"rate\": a count holds from the first record on",
          fix: "add \"rate\", or remove it")
      }
      budgets.append(
        ErrorBudget(
          stage: stage, rate: rate, count: count, shards: shards?.int,
          grouping: grouping(options["by"]),
          minRecords: least.int,
          onExceeded: Consequence(rawValue: options.string("on_exceeded")) ?? .fail))
    }

    /// What the ledger is kept by, it can answer for; nothing else.
    private mutating func grouping(_ by: OptionValue?) -> Grouping {
      guard let by else { return .none }
      var entries = [by]
      if case .list(let values) = by.content { entries = values }
      let shard = FieldPath(components: [Array("shard".utf8)])
      var fields: [Int] = []
      var hasShard = false
      for entry in entries {
        let path = entry.fieldPath
        if path == shard {
          hasShard = true
          if ledgerBy.contains(shard) {
            problems.add(
              "ambiguous_by", at: entry.node,
              "`shard` is a field of \"ledger_by\" here, and the word for the input file",
              fix: "name another field, or take `shard` out of \"ledger_by\"")
          }
          continue
        }
        guard let index = ledgerBy.firstIndex(of: path) else {
          unknown(path, entry.node)
          continue
        }
        guard !fields.contains(index) else {
          problems.add(
            "duplicate_entry", at: entry.node, "`\(path.text)` stands twice in \"by\"",
            fix: "remove one of them")
          continue
        }
        fields.append(index)
      }
      if entries.isEmpty {
        problems.add(
          "empty_by", at: by.node, "\"by\" is empty",
          fix: "name a field of \"ledger_by\" or `shard`, or remove \"by\"")
      }
      if hasShard, entries.count > 1 {
        problems.add(
          "bad_by", at: by.node, "a budget is held by shard or by fields, not by both",
          fix: "write two budgets: a list of them is allowed")
      }
      return hasShard ? .shard : fields.isEmpty ? .none : .fields(fields.sorted())
    }

    private mutating func unknown(_ path: FieldPath, _ node: SpecNode) {
      if problems.countsOnly() { return }
      let known = ledgerBy.map(\.text) + ["shard"]
      problems.add(
        "unknown_by", at: node,
        "the ledger is not kept by `\(path.text)`, so it cannot answer for its values",
        expected: oneOf(known),
        fix: problems.suggestion(for: path.text, among: known).map { quoted($0) }
          ?? "add \(quoted(path.text)) to \"ledger_by\"")
    }
  }
}

extension Spec {
  /// The budgets of the run and of its stages, those of the run first, then in the order of the
  /// stages.
  ///
  /// - Parameters:
  ///   - own: what holds in the spec itself.
  ///   - scopes: what holds in its fragments.
  ///   - takesRecords: whether a stage does, by its place in the file.
  ///   - order: the places in the file in the order of the checked spec.
  func errorBudgets(
    _ own: SpecScope, _ scopes: [SpecScope], _ order: [Int], takesRecords: (Int) -> Bool,
    _ problems: inout Problems
  ) -> [ErrorBudget] {
    var reading = ErrorBudget.Reading(ledgerBy: ledgerBy)
    if let member = root.member(ErrorBudget.key) {
      reading.read(member.value, own, stage: nil, hasShards: true)
    }
    for (position, index) in order.enumerated() {
      guard let member = stages[index].node.member(ErrorBudget.key) else { continue }
      guard takesRecords(index) else {
        reading.problems.add(
          "useless_budget", at: member.keyNode,
          "\(shown(stages[index].name)) takes no records, so it can refuse none",
          fix: "put the budget on a stage that takes records, or on the whole pipeline")
        continue
      }
      reading.read(
        member.value, stages[index].fragment.map { scopes[$0] } ?? own, stage: position,
        hasShards: stages[index].section == .sources)
    }
    problems.add(contentsOf: reading.problems)
    return reading.budgets
  }
}
