import WeirData

/// What a sink may say about the run: nothing in it depends on the clock, the host, the number of
/// workers or the id of the run.
public struct RunFacts: Sendable {
  public var pipeline: String
  public var description: String
  public var params: [(name: String, text: String)]
  /// The stage whose output the sink writes.
  public var input: String
  public var ledger: Ledger
  public var quarantine: QuarantineSummary
  /// Budgets that are over and only warn.
  public var overBudget: [BudgetExcess] = []
  /// The share of all records that the run may refuse, where its budget says so.
  public var refusalRateMax: Double?
  /// By level.
  public var findings: [(level: String, count: Int)] = []
  /// Shards whose frames carry no checksum: damage in them may go unseen.
  public var uncheckedShards: Int
  /// Hexadecimal: SHA-256 of the spec's file, of the plan, and of all inputs with it.
  public var specHash: String
  public var planHash: String
  public var runKey: String
  /// Paths of all sinks that are known before the run.
  public var outputs: [String]
}
