import WeirData

/// Does tasks, and again where that can help. An attempt that fails leaves nothing behind: what it had
/// noted about its shards is taken back.
struct TaskAttempts: Sendable {
  let policy: RetryPolicy
  let log: AttemptLog

  /// - Parameter restart: called before a task is tried again, to take back what it wrote elsewhere.
  /// - Returns: what came of each; of a shard that was set aside, nothing.
  func run(
    _ tasks: [ShardTask], restart: () throws -> Void = {}
  ) async throws -> [ShardTask.Output] {
    let before = tasks.map { $0.state.snapshot() }
    var outputs = tasks.map { _ in ShardTask.Output() }
    var waiting = Array(tasks.indices)
    var failures = tasks.map { _ in 0 }
    while !waiting.isEmpty {
      do {
        let made = try await ShardTask.run(waiting.map { tasks[$0] })
        for (index, output) in zip(waiting, made) { outputs[index] = output }
        break
      } catch let error as ShardError {
        guard
          let failed = waiting.first(where: {
            same(tasks[$0].state.shard.path, error.path)
          })
        else { throw error }
        let isFatal = !error.canPass && !tasks[failed].canSetAside(error)
        guard !isFatal, !error.canPass || failures[failed] < policy.limit else { throw error }
        for index in waiting {
          tasks[index].state.restore(before[index], tasks[index].work.progress)
        }
        try restart()
        if error.canPass {
          failures[failed] += 1
          let state = tasks[failed].state
          log.add(
            pass: tasks[failed].pass, shard: state.ordinal, attempt: failures[failed], error)
          try await policy.pause(RetryPolicy.delay(after: failures[failed]))
        } else {
          try tasks[failed].setAside(error)
          waiting.removeAll { $0 == failed }
        }
      }
    }
    return outputs
  }
}

extension ShardTask {
  /// Only the first reading may find a shard unfit: what it gave is in use after that.
  fileprivate func canSetAside(_ error: ShardError) -> Bool {
    pass == 0 && lane.source.setsBadShardsAside && error.isLasting
  }

  /// - Parameter error: what came up first, which may not be what is first in the shard.
  fileprivate func setAside(_ error: ShardError) throws {
    let (fault, content) = try ShardProbe(shard: state.shard, limits: limits).run()
    guard let fault else { throw error }
    state.contentHash = content
    state.fault = ShardFault(
      source: work.stageNames[lane.stage], shard: state.shard.nameText, bytes: state.shard.size,
      code: fault.code.rawValue, byte: fault.byte, message: fault.message)
    work.progress.addBytes(state.shard.size)
  }
}

// MARK: - All or nothing

extension ShardState {
  /// What a task may change.
  struct Snapshot {
    fileprivate var contentHash: Hash128?
    fileprivate var uncheckedFrames: Int
    fileprivate var outcomes: LineOutcomes
    fileprivate var blank: Int
    fileprivate var counts: [StageCounts]
    fileprivate var tallies: [Int: [NodeTally]]
    fileprivate var quarantines: [Int: ShardQuarantine]
    fileprivate var tuples: [Int: BarrierTuples]
    fileprivate var blocked: [Int: LineBitmap]
    fileprivate var retained: [Int: RetainedColumns]
    fileprivate var keys: [Int: RetainedColumns]
    fileprivate var arrived: [Int: LineBitmap]
    fileprivate var lineGroups: [UInt32]
    fileprivate var refusals: ShardRefusals
  }

  func snapshot() -> Snapshot {
    Snapshot(
      contentHash: contentHash, uncheckedFrames: uncheckedFrames, outcomes: outcomes,
      blank: blank, counts: counts, tallies: tallies, quarantines: quarantines, tuples: tuples,
      blocked: blocked, retained: retained, keys: keys, arrived: arrived, lineGroups: lineGroups,
      refusals: refusals)
  }

  /// Makes the state what it was. What an attempt kept in the stores of barriers and columns stays there
  /// unused until they are let go of.
  func restore(_ before: Snapshot, _ progress: Progress) {
    contentHash = before.contentHash
    uncheckedFrames = before.uncheckedFrames
    outcomes = before.outcomes
    blank = before.blank
    counts = before.counts
    tallies = before.tallies
    quarantines = before.quarantines
    tuples = before.tuples
    blocked = before.blocked
    retained = before.retained
    keys = before.keys
    arrived = before.arrived
    lineGroups = before.lineGroups
    refusals = before.refusals
    progress.addBytes(-shownBytes)
    progress.addRows(-shownRows)
    (shownBytes, shownRows) = (0, 0)
  }
}
