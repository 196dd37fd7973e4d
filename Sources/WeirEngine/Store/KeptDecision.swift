import WeirData

/// What a barrier decided, as an entry of a pack: who lost, by the tasks that the records came from. The
/// next decision asks anew only for the keys that came or went meanwhile.
struct KeptDecision {
  /// One way to the barrier in one shard, by what never means another one's tuples.
  struct Way: Hashable {
    /// Of the pass that collected.
    var task: Hash128
    var lane: Int
    /// Among the nodes of the lane that work up to that pass.
    var node: Int
  }
  /// In the order of the input.
  var ways: [(way: Way, losers: LineBitmap)]

  /// Blocks.
  func write(to entry: EntryBuilder) throws(FileError) -> TaskStore.Place {
    var table = EntryWriter()
    table.put(list: ways) { table, kept in
      table.put([kept.way.task.high, kept.way.task.low])
      table.put(kept.way.lane)
      table.put(kept.way.node)
      table.put(kept.losers.trimmedWords)
    }
    return try entry.finish(table: table.bytes)
  }

  /// - Throws: ``EntryError`` where the table does not read as one.
  init(_ file: EntryFile) throws(EntryError) {
    var table = EntryReader(file.table[...])
    ways = try table.list { table throws(EntryError) in
      let task = try table.words()
      guard task.count == 2 else { throw EntryError() }
      return (
        way: Way(
          task: Hash128(high: task[0], low: task[1]), lane: try table.number(),
          node: try table.number()),
        losers: LineBitmap(words: try table.words())
      )
    }
    guard table.isAtEnd else { throw EntryError() }
  }

  init(ways: [(way: Way, losers: LineBitmap)]) { self.ways = ways }

  /// Compares with the ways that there are now.
  ///
  /// Where two ways stand in the same order in both, their records meet as they did before; a way that
  /// moved counts as one that went and one that came.
  func compare(with now: [Way]) -> Comparison {
    var comparison = Comparison(stayed: Array(repeating: nil, count: now.count), gone: [])
    let places = Dictionary(
      ways.enumerated().map { ($1.way, $0) }, uniquingKeysWith: { first, _ in first })
    var next = 0
    for (place, way) in now.enumerated() {
      guard let before = places[way], before >= next else { continue }
      comparison.stayed[place] = ways[before].losers
      comparison.gone += ways[next..<before].map(\.way)
      next = before + 1
    }
    comparison.gone += ways[next...].map(\.way)
    return comparison
  }

  struct Comparison {
    /// By way of now: who lost of it; `nil`: it came.
    var stayed: [LineBitmap?]
    var gone: [Way]

    var came: [Int] { stayed.indices.filter { stayed[$0] == nil } }
  }
}

extension TaskStore {
  /// What is kept under a key; `nil` where it is not there, not whole, or cannot be read: then it is made
  /// again. Blocks.
  func entry(_ key: Hash128) -> EntryFile? {
    do throws(FileError) {
      guard let (place, pack) = try find(key) else { return nil }
      if let file = try EntryFile(place, in: pack) { return file }
    } catch {
      stop(error)
    }
    forget(key)
    return nil
  }
}

/// The kept decisions of a run.
struct KeptDecisions: Sendable {
  let store: TaskStore
  let keys: TaskKeys
  let spools: SpoolFolder

  /// What was decided last; `nil` where nothing is known of it. Blocks.
  func last(of barrier: BarrierPlan, _ plan: Plan) -> KeptDecision? {
    let key = keys.decision(of: barrier, plan)
    guard let file = store.entry(key) else { return nil }
    do {
      return try KeptDecision(file)
    } catch {
      store.forget(key)
      return nil
    }
  }

  /// The tuples of a way that is not in the input any more; `nil` where they are not known. Blocks.
  func tuples(
    of way: KeptDecision.Way, depth: Int, _ plan: Plan, _ memory: RunMemory
  ) throws -> BarrierTuples? {
    guard plan.lanes.indices.contains(way.lane), let file = store.entry(way.task) else {
      return nil
    }
    let nodes = plan.lanes[way.lane].nodes(upTo: depth)
    guard nodes.indices.contains(way.node) else { return nil }
    let state = ShardState(
      lane: way.lane, ordinal: 0, shard: Shard(path: "", name: [], size: 0),
      nodes: plan.lanes[way.lane].nodes.count, memory: memory)
    do {
      _ = try TaskEntry(plan, pass: depth, state).read(file, spools)
    } catch is EntryError {
      store.forget(way.task)
      return nil
    }
    try state.dropAside()
    return state.tuples[nodes[way.node]]
  }

  /// Keeps a decision for the next one. Blocks.
  func keep(_ decision: KeptDecision, of barrier: BarrierPlan, _ plan: Plan) {
    let bytes = decision.ways.reduce(0) { $0 + 64 + 8 * $1.losers.words.count }
    guard let pack = store.takePack(isFirstPass: false, for: bytes) else { return }
    let start = pack.count
    do throws(FileError) {
      let place = try decision.write(to: EntryBuilder(pack))
      store.give(
        pack, isFirstPass: false, added: pack.count - start,
        entries: [(keys.decision(of: barrier, plan), place)])
    } catch {
      if error.operation != EntryBuilder.full { store.stop(error) }
      do throws(FileError) { try pack.cut(to: start) } catch { store.stop(error) }
      store.give(pack, isFirstPass: false, added: pack.count - start, entries: [])
    }
  }
}
