import WeirData

/// Adds up what shards refused, for each budget and group.
///
/// When a budget is over is decided by numbers that do not depend on the order in which shards are
/// done, see ``Moment``.
struct BudgetTally {
  /// What is known when the budgets are looked at.
  enum Moment {
    /// Some shards were gone over once. A stage's refusal is never taken back, so counts of stages can
    /// only grow; so can those of the run, as far as no other branch can deliver the record.
    case reading
    /// All shards were gone over in this pass, and those before it: what was read is known, and what
    /// came to the stages that work in them.
    case behindPass(Int)
    /// Nothing more happens to any record.
    case end
  }

  fileprivate struct Counts {
    var refused = 0
    var records = 0
    var codes: [String: Int] = [:]
    var first: (state: Int, line: Int, code: String)?
    /// Shards that were set aside.
    var faults: [ShardFault] = []
  }

  private let plan: Plan
  private let moment: Moment
  private let budgets: [ErrorBudget]
  /// By lane: stages that every record goes through which none of them takes out.
  private let trunks: [Set<Int>]
  /// Budget -> group, see ``BudgetGroups`` -> counts.
  private var groups: [[[UInt8]: Counts]]
  private var values: [[UInt8]: [JSONValue]] = [:]
  private var states: [ShardState] = []
  /// Whether a count is over, as of the shards so far.
  private(set) var isOverCount = false

  init(_ plan: Plan, at moment: Moment) {
    self.plan = plan
    self.moment = moment
    budgets = plan.spec.errorBudgets.filter { $0.isDecidable(plan, at: moment) }
    trunks = plan.lanes.map(\.trunk)
    groups = Array(repeating: [:], count: budgets.count)
  }

  /// Whether no budget can be over at this moment.
  var isIdle: Bool { budgets.isEmpty }

  /// Adds one shard; the shards must come in their order.
  mutating func add(_ state: ShardState) {
    states.append(state)
    if let fault = state.fault { return add(fault, state.lane) }
    let place = states.count - 1
    var keys = BudgetGroups(state)
    for (i, budget) in budgets.enumerated() where budget.rate != nil || budget.count != nil {
      if let check = budget.check {
        groups[i][[], default: Counts()].add(failures(of: check, budget.stage, state), state: place)
      }
      for (key, counts) in refused(budget, state, &keys) {
        groups[i][key, default: Counts()].add(counts, state: place)
        if budget.isOverCount(groups[i][key]!.refused) { isOverCount = true }
      }
      for (key, records) in records(budget, state, &keys) {
        groups[i][key, default: Counts()].records += records
      }
    }
    values.merge(keys.values) { first, _ in first }
  }

  private mutating func add(_ fault: ShardFault, _ lane: Int) {
    for (i, budget) in budgets.enumerated()
    where budget.shards != nil && [nil, plan.lanes[lane].stage].contains(budget.stage) {
      groups[i][[], default: Counts()].faults.append(fault)
      if budget.isOverShards(groups[i][[]]!.faults.count) { isOverCount = true }
    }
  }

  /// The records of one shard that fail a rule of a stage.
  private func failures(
    of check: ErrorBudget.Check, _ stage: Int?, _ state: ShardState
  ) -> Counts {
    var counts = Counts()
    for (node, tallies) in state.tallies where plan.lanes[state.lane].nodes[node].stage == stage {
      let tally = tallies[check.index]
      guard tally.count > 0 else { continue }
      counts.add(
        check.name, ShardRefusals.Count(count: tally.count, line: tally.firstLine))
    }
    return counts
  }

  /// What one shard refused, as far as a budget counts it.
  private func refused(
    _ budget: ErrorBudget, _ state: ShardState, _ keys: inout BudgetGroups
  ) -> [[UInt8]: Counts] {
    var found: [[UInt8]: Counts] = [:]
    if budget.check != nil { return found }
    let trunk = trunks[state.lane]
    for (refusal, count) in state.refusals.counts {
      let counts =
        if let stage = budget.stage { refusal.stage == stage } else {
          moment.isEnd || trunk.contains(refusal.stage)
        }
      guard counts else { continue }
      guard let key = keys.key(of: refusal.group, budget.grouping) else { continue }
      found[key, default: Counts()].add(refusal.code, count)
    }
    // At the end each line counts once for the run, for the best that happened to it.
    if budget.stage == nil, moment.isEnd {
      for key in found.keys { found[key]!.refused = 0 }
      for (group, outcomes) in state.outcomesByGroup.enumerated() {
        let count = outcomes[Int(Outcome.quarantined.rawValue)]
        guard count > 0, let key = keys.key(of: group, budget.grouping) else { continue }
        found[key, default: Counts()].refused += count
      }
    }
    return found
  }

  /// Of how many records.
  private func records(
    _ budget: ErrorBudget, _ state: ShardState, _ keys: inout BudgetGroups
  ) -> [[UInt8]: Int] {
    let lane = plan.lanes[state.lane]
    let isByField = if case .fields = budget.grouping { true } else { false }
    var byGroup: [[Int]] = []
    if let stage = budget.stage, stage != lane.stage {
      for (node, counts) in state.counts.enumerated() where lane.nodes[node].stage == stage {
        byGroup.append(isByField ? state.refusals.taken[node] ?? [] : [counts.in])
      }
    } else if budget.stage == nil || budget.stage == lane.stage {
      byGroup.append(isByField ? state.refusals.readByGroup : [state.refusals.read])
    }
    var found: [[UInt8]: Int] = [:]
    for counts in byGroup {
      for (group, count) in counts.enumerated() where count > 0 {
        guard let key = keys.key(of: group, budget.grouping) else { continue }
        found[key, default: 0] += count
      }
    }
    return found
  }

  /// The budgets that are over, in their order, the groups with most refusals first.
  func excesses() -> [BudgetExcess] {
    var found: [BudgetExcess] = []
    for (budget, groups) in zip(budgets, groups) {
      let over = groups.filter { isOver(budget, $0.value) }.sorted { a, b in
        a.value.refused != b.value.refused
          ? a.value.refused > b.value.refused : a.key.lexicographicallyPrecedes(b.key)
      }
      found += over.map { excess(budget, $0.key, $0.value) }
    }
    return found
  }

  private func isOver(_ budget: ErrorBudget, _ counts: Counts) -> Bool {
    budget.isOverShards(counts.faults.count) || isOverRecords(budget, counts)
  }

  private func isOverRecords(_ budget: ErrorBudget, _ counts: Counts) -> Bool {
    if budget.isOverCount(counts.refused) { return true }
    return budget.knowsRecords(plan, at: moment)
      && budget.isOverRate(counts.refused, of: counts.records)
  }

  private func excess(_ budget: ErrorBudget, _ key: [UInt8], _ counts: Counts) -> BudgetExcess {
    let codes = counts.codes.sorted { a, b in
      a.value != b.value
        ? a.value > b.value : a.key.utf8.lexicographicallyPrecedes(b.key.utf8)
    }
    let sample = counts.first.map { first in
      BudgetExcess.Sample(
        source: plan.stage(plan.lanes[states[first.state].lane].stage).name,
        shard: states[first.state].shard.nameText, line: first.line, code: first.code)
    }
    return BudgetExcess(
      budget: budget, stage: budget.stage.map { plan.stage($0).name },
      group: members(budget.grouping, key), refused: counts.refused,
      records: counts.records, isOverRecords: isOverRecords(budget, counts),
      shardsSetAside: counts.faults, codes: codes.map { (code: $0.key, count: $0.value) },
      sample: sample)
  }

  private func members(
    _ grouping: ErrorBudget.Grouping, _ key: [UInt8]
  ) -> [(name: String, value: JSONValue)] {
    let names: [String] =
      switch grouping {
      case .none: []
      case .shard: ["shard"]
      case .fields(let fields): fields.map { plan.spec.ledgerBy[$0].text }
      }
    return zip(names, values[key] ?? []).map { (name: $0, value: $1) }
  }
}

extension BudgetTally.Counts {
  fileprivate mutating func add(_ code: String, _ count: ShardRefusals.Count) {
    refused += count.count
    codes[code, default: 0] += count.count
    if first.map({ (count.line, code) < ($0.line, $0.code) }) ?? true {
      first = (0, count.line, code)
    }
  }

  fileprivate mutating func add(_ other: Self, state: Int) {
    refused += other.refused
    for (code, count) in other.codes { codes[code, default: 0] += count }
    if first == nil, let theirs = other.first { first = (state, theirs.line, theirs.code) }
  }
}

extension BudgetTally.Moment {
  fileprivate var isEnd: Bool { if case .end = self { true } else { false } }
}

extension ErrorBudget {
  /// Before the end only what withholds the outputs is asked for, and only where the answer is final.
  fileprivate func isDecidable(_ plan: Plan, at moment: BudgetTally.Moment) -> Bool {
    if check != nil { return moment.isEnd }
    return switch moment {
    case .end: true
    case .reading: onExceeded == .fail && (count != nil || shards != nil)
    case .behindPass:
      onExceeded == .fail && (count != nil || shards != nil || knowsRecords(plan, at: moment))
    }
  }

  /// Whether the number of records that its rate is of can grow no more.
  fileprivate func knowsRecords(_ plan: Plan, at moment: BudgetTally.Moment) -> Bool {
    switch moment {
    case .reading: false
    case .behindPass(let pass): stage.map { plan.depth(of: $0) <= pass } ?? true
    case .end: true
    }
  }
}

extension Plan {
  /// The pass in which a stage works.
  func depth(of stage: Int) -> Int {
    lanes.flatMap(\.nodes).filter { $0.stage == stage }.map(\.depth).max() ?? 0
  }

  /// Whether a budget holds its limits against values of fields.
  var hasFieldBudgets: Bool {
    spec.errorBudgets.contains { if case .fields = $0.grouping { true } else { false } }
  }

  /// The nodes of a lane of which it must be known how many records of each group they take in.
  func groupedNodes(ofLane lane: Int) -> Set<Int> {
    let stages = spec.errorBudgets.compactMap { budget -> Int? in
      guard case .fields = budget.grouping, budget.rate != nil else { return nil }
      return budget.stage
    }
    let nodes = lanes[lane].nodes
    return Set(nodes.indices.filter { stages.contains(nodes[$0].stage) })
  }
}

extension Lane {
  /// The stages that every record goes through until one of them takes it out: what one of them
  /// refuses, no branch can deliver.
  fileprivate var trunk: Set<Int> {
    var stages: Set<Int> = [stage]
    var next = roots
    while next.count == 1 {
      stages.insert(nodes[next[0]].stage)
      next = nodes[next[0]].children
    }
    return stages
  }
}
