import WeirData

/// Holds a run against its budgets: while the shards are read, behind each pass, and at the end.
struct BudgetCheck {
  let plan: Plan
  let states: [ShardState]
  /// Of the run: where its quarantine goes.
  let directory: String
  let watch: BudgetWatch?

  init(plan: Plan, states: [ShardState], directory: String) {
    self.plan = plan
    self.states = states
    self.directory = directory
    watch = BudgetWatch(plan, states)
  }

  /// The error of a run that the watch has stopped.
  func stopped(_ spools: QuarantineSpools) throws -> OverBudget? {
    guard let watch else { return nil }
    return try makeError(watch.excesses(), Array(watch.decidedOn), spools)
  }

  /// The error of a run that is certain to be over a budget, whatever later passes find; `nil`: it may
  /// go on. The last pass is left to ``checkEnd``, which knows all.
  func check(behindPass pass: Int, _ spools: QuarantineSpools) throws -> OverBudget? {
    guard pass + 1 < plan.passCount else { return nil }
    let excesses = excesses(at: .behindPass(pass))
    return excesses.isEmpty ? nil : try makeError(excesses, states, spools)
  }

  /// - Returns: the budgets that are over and only warn.
  /// - Throws: ``OverBudget`` where one withholds the outputs.
  func checkEnd(
    _ ledger: Ledger, _ quarantine: QuarantineSummary, _ spools: QuarantineSpools
  ) throws -> [BudgetExcess] {
    let excesses = excesses(at: .end)
    let fatal = excesses.filter { $0.budget.onExceeded == .fail }
    let warnings = excesses.filter { $0.budget.onExceeded == .warn }
    guard !fatal.isEmpty else { return warnings }
    try writeQuarantine(spools, states)
    throw OverBudget(
      excesses: fatal + warnings, ledger: ledger, quarantine: quarantine, shardsLeft: 0,
      isComplete: true)
  }

  private func excesses(at moment: BudgetTally.Moment) -> [BudgetExcess] {
    var tally = BudgetTally(plan, at: moment)
    guard !tally.isIdle else { return [] }
    for state in states { tally.add(state) }
    return tally.excesses()
  }

  /// - Parameter states: those that the decision was made on, the first ones of the input.
  private func makeError(
    _ excesses: [BudgetExcess], _ states: [ShardState], _ spools: QuarantineSpools
  ) throws -> OverBudget {
    for state in states { try state.settle(isPartial: true) }
    let ledger = plan.ledger(states, isPartial: true)
    try ledger.check()
    let quarantine = plan.quarantineSummary(states)
    try writeQuarantine(spools, states)
    return OverBudget(
      excesses: excesses, ledger: ledger, quarantine: quarantine,
      shardsLeft: self.states.count - states.count, isComplete: false)
  }

  private func writeQuarantine(_ spools: QuarantineSpools, _ states: [ShardState]) throws {
    try QuarantineFile(path: joinPath(directory, QuarantineFile.name))
      .write(spools.all.filter { $0.shard < states.count }, states)
  }
}
