import WeirData

/// What all tasks of one pass share. A reference, so that a task is a few words.
final class PassWork: Sendable {
  let plan: Plan
  let pass: Int
  let executor: BlockingExecutor
  let hasher: SipHasher
  let spools: SpoolFolder
  let progress: Progress
  let stageNames: [String]
  let batchBytes: Int
  /// A worker keeps unpacking until it has been given so many bytes of the file.
  let turnBytes: Int
  let kits: KitPool
  /// Barrier stages of which the removed records are wanted.
  let wantsRemoved: Set<Int>
  /// By lane.
  let groupedNodes: [Set<Int>]
  let entryForms: [TaskEntry.Form]

  init(
    plan: Plan, pass: Int, executor: BlockingExecutor, hasher: SipHasher, spools: SpoolFolder,
    progress: Progress, options: RunOptions, kits: KitPool
  ) {
    self.plan = plan
    self.pass = pass
    self.executor = executor
    self.hasher = hasher
    self.spools = spools
    self.progress = progress
    stageNames = plan.spec.stages.map(\.name)
    batchBytes = options.batchBytes
    turnBytes = min(ShardPieces.pieceBytes, options.wideShardBytes)
    self.kits = kits
    wantsRemoved = Set(plan.barriers.filter(\.wantsRemoved).map(\.stage))
    entryForms = plan.lanes.indices.map { TaskEntry.Form(plan, pass: pass, lane: $0) }
    groupedNodes = plan.lanes.indices.map { plan.groupedNodes(ofLane: $0) }
  }
}
