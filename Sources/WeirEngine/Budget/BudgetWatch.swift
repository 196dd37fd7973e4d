import Synchronization

/// Looks at the budgets while the shards are read, so that a run that cannot meet one need not read the
/// rest.
///
/// Shards are done in any order, but looked at in theirs: the run stops at the first shard with which
/// those up to it are over a count, however many workers there are. What is said about the run is said
/// of these shards.
final class BudgetWatch: Sendable {
  /// Thrown by the task of a shard when the run need not go on.
  struct Stop: Error {}

  private struct Progress {
    var tally: BudgetTally
    var next = 0
    var done: Set<Int> = []
    var isStopped = false
  }
  private let states: [ShardState]
  private let progress: Mutex<Progress>

  /// `nil` where no budget can be decided so early.
  init?(_ plan: Plan, _ states: [ShardState]) {
    let tally = BudgetTally(plan, at: .reading)
    guard !tally.isIdle else { return nil }
    self.states = states
    progress = Mutex(Progress(tally: tally))
  }

  /// - Parameter ordinal: of a shard that was gone over once.
  func finished(_ ordinal: Int) throws(Stop) {
    let isStopped = progress.withLock { progress -> Bool in
      progress.done.insert(ordinal)
      while !progress.isStopped, progress.done.remove(progress.next) != nil {
        progress.tally.add(states[progress.next])
        progress.next += 1
        if progress.tally.isOverCount { progress.isStopped = true }
      }
      return progress.isStopped
    }
    if isStopped { throw Stop() }
  }

  /// The shards that the decision was made on.
  var decidedOn: ArraySlice<ShardState> {
    states[..<progress.withLock { $0.next }]
  }

  func excesses() -> [BudgetExcess] { progress.withLock { $0.tally.excesses() } }
}
