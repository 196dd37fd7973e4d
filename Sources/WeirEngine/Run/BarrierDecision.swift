import Synchronization
import WeirData

/// Decides a barrier: which records of which shard do not pass it.
struct BarrierDecision {
  let plan: Plan
  let barrier: BarrierPlan
  let states: [ShardState]
  let workers: Int
  let memory: RunMemory
  let executor: BlockingExecutor

  /// One way to the barrier in one shard.
  private struct Way {
    let shard: Int
    let node: Int
    let instance: Int
    let tuples: BarrierTuples
  }
  private typealias Loss = BarrierResolver.Loss

  /// - Returns: the rows of the removed records, where they are wanted.
  func decide() async throws -> RowTable? {
    let ways = takeWays()
    let places = Places(ways.map { ($0.shard, $0.instance) }, shards: states.count)
    let losers = Mutex(ways.map { LineBitmap(lines: states[$0.shard].lines) })
    let removed = try await resolve(ways) { losses in
      losers.withLock { losers in
        for loss in losses {
          losers[places[loss.loser.shard, loss.loser.instance]].insert(loss.loser.line)
        }
      }
    }
    return try await memory.blocking(on: executor) {
      for (way, losers) in zip(ways, losers.withLock({ $0 })) { try settle(way, losers) }
      return barrier.wantsRemoved ? try removedRows(removed) : nil
    }
  }

  /// The ways to the barrier, which have no tuples any more.
  private func takeWays() -> [Way] {
    var ways: [Way] = []
    for (shard, state) in states.enumerated() {
      let nodes = plan.lanes[state.lane].nodes
      for index in nodes.indices where nodes[index].stage == barrier.stage {
        guard let tuples = state.tuples.removeValue(forKey: index) else { continue }
        ways.append(
          Way(shard: shard, node: index, instance: nodes[index].instance & 255, tuples: tuples))
      }
    }
    return ways
  }

  /// The partitions side by side, each worker taking the next one.
  private func resolve(
    _ ways: [Way], _ lose: @escaping @Sendable ([Loss]) -> Void
  ) async throws -> [Loss] {
    let index = TupleIndex(ways.map(\.tuples))
    let (keepsLast, keeps) = (barrier.keepsLast, barrier.keeps)
    let (isDraw, wantsRemoved) = (barrier.losesAs == .filtered, barrier.wantsRemoved)
    let (memory, executor) = (memory, executor)
    let next = Atomic(0)
    let removed = Mutex<[Loss]>([])
    _ = try await forEachIndex(min(workers, BarrierTuples.partitions), atMost: workers) { _ in
      try await memory.blocking(on: executor) {
        let resolver = BarrierResolver(keepsLast: keepsLast, limit: memory.shares.deciding)
        let draw = BarrierDraw(keeps: keeps)
        while true {
          let partition = next.wrappingAdd(1, ordering: .relaxed).oldValue
          guard partition < BarrierTuples.partitions else { return }
          if isDraw {
            try draw.resolve(partition, of: index) { losses in
              try Task.checkCancellation()
              lose(losses)
            }
            continue
          }
          try resolver.resolve(partition, of: index) { losses in
            try Task.checkCancellation()
            lose(losses)
            if wantsRemoved { removed.withLock { $0 += losses } }
          }
        }
      }
    }
    return removed.withLock { $0 }
  }

  /// Notes what became of the records of one way.
  private func settle(_ way: Way, _ losers: LineBitmap) throws {
    let state = states[way.shard]
    let arrived = state.arrived.removeValue(forKey: way.node)
    guard losers.count > 0 || arrived != nil else { return }
    try state.bringBack()
    if barrier.losesAs == .filtered {
      state.counts[way.node].filtered += losers.count
    } else {
      state.counts[way.node].deduplicated += losers.count
    }
    losers.forEach { state.outcomes.raise(Int($0), to: barrier.losesAs) }
    state.blocked[way.node, default: LineBitmap()].formUnion(losers)
    // Where no pass goes over the records again, what is left is what goes out: only the rows of the
    // removed ones are wanted, and what stays was used for them.
    if let arrived {
      let c = state.counts[way.node]
      state.counts[way.node].out = c.in - c.quarantined - c.deduplicated - c.filtered
      arrived.subtracting(losers).forEach { state.outcomes.raise(Int($0), to: .written) }
    }
    try state.setAside()
  }
}

/// Finds the place of a way by its shard and instance.
private struct Places {
  private var starts: [Int]
  private var instances: [Int] = []

  /// - Parameter ways: ascending by shard.
  init(_ ways: [(shard: Int, instance: Int)], shards: Int) {
    starts = [Int](repeating: 0, count: shards + 1)
    for way in ways {
      starts[way.shard + 1] += 1
      instances.append(way.instance)
    }
    for shard in 0..<shards { starts[shard + 1] += starts[shard] }
  }

  subscript(shard: Int, instance: Int) -> Int {
    for place in starts[shard]..<starts[shard + 1] where instances[place] == instance {
      return place
    }
    preconditionFailure("a tuple came from no node")
  }
}
