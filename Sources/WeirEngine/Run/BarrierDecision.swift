import Synchronization
import WeirData

/// Decides a barrier: which records of which shard do not pass it.
struct BarrierDecision {
  let plan: Plan
  let barrier: BarrierPlan
  let states: [ShardState]
  let workers: Int
  let memory: RunMemory
  /// What was decided before; `nil` where nothing is kept.
  var kept: KeptDecisions?

  /// One way to the barrier in one shard.
  private struct Way {
    let shard: Int
    let node: Int
    let instance: Int
    let tuples: BarrierTuples
  }
  private typealias Loss = BarrierResolver.Loss
  /// Of so many tuples one may be new or gone where not all are decided anew.
  private static let changedShare = 4

  /// - Returns: the rows of the removed records, where they are wanted.
  func decide() async throws -> RowTable? {
    let ways = takeWays()
    let names = names(of: ways)
    let before = try names.flatMap { try compare(ways, $0) }
    let places = Places(ways.map { ($0.shard, $0.instance) }, shards: states.count)
    let losers = Mutex(
      ways.enumerated().map { place, way in
        before?.losers[place] ?? LineBitmap(lines: states[way.shard].lines)
      })
    let removed = try await resolve(ways, changed: before?.changed) { met, losses in
      losers.withLock { losers in
        for tuple in met { losers[places[tuple.shard, tuple.instance]].remove(tuple.line) }
        for loss in losses {
          losers[places[loss.loser.shard, loss.loser.instance]].insert(loss.loser.line)
        }
      }
    }
    let decided = losers.withLock { $0 }
    if let names, before.map({ $0.isOther }) ?? true {
      kept?.keep(KeptDecision(ways: Array(zip(names, decided))), of: barrier, plan)
    }
    for (way, losers) in zip(ways, decided) { settle(way, losers) }
    return barrier.wantsRemoved ? try removedRows(removed) : nil
  }

  // MARK: What was decided before

  /// A decision that holds but for the keys of some tuples.
  private struct Before {
    /// By way of now: who lost; `nil`: it came.
    var losers: [LineBitmap?]
    /// Tuples that came or went.
    var changed: [BarrierTuples]
    /// Whether there are ways that came or went.
    var isOther: Bool
  }

  /// What the ways are called; `nil` where a decision is not to be kept.
  private func names(of ways: [Way]) -> [KeptDecision.Way]? {
    // The rows of the removed are wanted of all; few keys of a draw are without a new tuple.
    guard kept != nil, !barrier.wantsRemoved, barrier.losesAs == .deduplicated else { return nil }
    let nodes = plan.lanes.map { $0.nodes(upTo: barrier.depth) }
    var names: [KeptDecision.Way] = []
    for way in ways {
      let lane = states[way.shard].lane
      guard let task = states[way.shard].taskKey, let node = nodes[lane].firstIndex(of: way.node)
      else { return nil }
      names.append(KeptDecision.Way(task: task, lane: lane, node: node))
    }
    return names
  }

  /// - Returns: `nil` where all is to be decided anew.
  private func compare(_ ways: [Way], _ names: [KeptDecision.Way]) throws -> Before? {
    guard let kept, let last = kept.last(of: barrier, plan) else { return nil }
    let comparison = last.compare(with: names)
    var changed = comparison.came.map { ways[$0].tuples }
    let most = ways.reduce(0) { $0 + $1.tuples.count } / BarrierDecision.changedShare
    for way in comparison.gone {
      guard changed.reduce(0, { $0 + $1.count }) <= most,
        let tuples = try kept.tuples(of: way, depth: barrier.depth, plan, memory)
      else { return nil }
      changed.append(tuples)
    }
    guard changed.reduce(0, { $0 + $1.count }) <= most else { return nil }
    return Before(
      losers: comparison.stayed, changed: changed,
      isOther: !(comparison.came.isEmpty && comparison.gone.isEmpty))
  }

  // MARK: Deciding

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

  /// Groups of partitions side by side, each worker taking the next one.
  private func resolve(
    _ ways: [Way], changed changedTuples: [BarrierTuples]?,
    _ decide: @escaping @Sendable (_ met: [BarrierTuple.Packed], [Loss]) -> Void
  ) async throws -> [Loss] {
    if let changedTuples, changedTuples.allSatisfy({ $0.count == 0 }) { return [] }
    let tuples = ways.map(\.tuples)
    let together = TupleIndex.together(tuples)
    let index = TupleIndex(tuples, together: together)
    let changed = changedTuples.map { TupleIndex($0, together: together) }
    let groups = index.pieces.count
    let (keepsLast, keeps) = (barrier.keepsLast, barrier.keeps)
    let (isDraw, wantsRemoved) = (barrier.losesAs == .filtered, barrier.wantsRemoved)
    let limit = memory.shares.deciding
    let next = Atomic(0)
    let removed = Mutex<[Loss]>([])
    _ = try await forEachIndex(min(workers, groups), atMost: workers) { _ in
      let resolver = BarrierResolver(keepsLast: keepsLast, limit: limit)
      let draw = BarrierDraw(keeps: keeps)
      while true {
        let group = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard group < groups else { return }
        if isDraw {
          try draw.resolve(group, of: index) { losses in
            try Task.checkCancellation()
            decide([], losses)
          }
          continue
        }
        try resolver.resolve(group, of: index, changed: changed) { met, losses in
          try Task.checkCancellation()
          decide(met, losses)
          if wantsRemoved { removed.withLock { $0 += losses } }
        }
      }
    }
    return removed.withLock { $0 }
  }

  /// Notes what became of the records of one way.
  private func settle(_ way: Way, _ losers: LineBitmap) {
    let state = states[way.shard]
    let arrived = state.arrived.removeValue(forKey: way.node)
    let count = losers.count
    guard count > 0 || arrived != nil else { return }
    if barrier.losesAs == .filtered {
      state.counts[way.node].filtered += count
    } else {
      state.counts[way.node].deduplicated += count
    }
    state.raise(losers, to: barrier.losesAs)
    state.blocked[way.node, default: LineBitmap()].formUnion(losers)
    // Where no pass goes over the records again, what is left is what goes out: only the rows of the
    // removed ones are wanted, and what stays was used for them.
    if let arrived {
      let c = state.counts[way.node]
      state.counts[way.node].out = c.in - c.quarantined - c.deduplicated - c.filtered
      state.raise(arrived.subtracting(losers), to: .written)
    }
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
