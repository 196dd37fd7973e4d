import Synchronization

/// Takes the partials of one reduce as the shards finish, and merges them in the order of the shards.
///
/// Whoever comes with the next ones merges them, and what others leave meanwhile: nobody waits for
/// somebody who merges.
final class PartialQueue: @unchecked Sendable {
  /// What a shard gave in one pass.
  struct Item {
    /// Place in the order of all passes and shards; every slot must be filled once.
    var slot: Int
    /// The shard.
    var origin: ShardOrigin
    /// Of the instances in order; none where the reduce did not work on that shard.
    var partials: [[UInt8]]
  }
  private struct State {
    var next = 0
    /// Whether somebody merges, who will look for more.
    var isMerging = false
    var waiting: [Int: (origin: ShardOrigin, partials: [RunMemory.Waiting])] = [:]
  }
  private let lock = Mutex(State())
  // Touched by the one who merges.
  private let merger: any ReduceMerger
  /// The same, where it wants to know where partials are from.
  private let tracing: (any TracingMerger)?
  private let memory: RunMemory
  /// What the merger wants to see again.
  private let kept: KeptParts

  init(_ merger: any ReduceMerger, _ memory: RunMemory) {
    self.merger = merger
    tracing = merger as? any TracingMerger
    self.memory = memory
    kept = KeptParts(memory)
  }

  /// Takes the partials of some shards; may block.
  ///
  /// - Parameter items: ascending by slot.
  func put(_ items: [Item]) throws {
    guard let first = items.first else { return }
    let isMine = try lock.withLock { state in
      guard state.isMerging || first.slot != state.next else {
        state.isMerging = true
        return true
      }
      for item in items { try PartialQueue.leave(item, memory, &state) }
      return false
    }
    guard isMine else { return }
    // Where this throws the run fails, and nobody merges any more.
    var next = first.slot
    for item in items {
      guard item.slot == next else {
        try lock.withLock { try PartialQueue.leave(item, memory, &$0) }
        continue
      }
      for partial in item.partials { try merge(partial, of: item.origin) }
      next += 1
    }
    while let ready = takeReady(&next) {
      for partial in ready.partials { try merge(memory.takeBack(partial), of: ready.origin) }
      next += 1
    }
  }

  private static func leave(_ item: Item, _ memory: RunMemory, _ state: inout State) throws {
    state.waiting[item.slot] = (item.origin, try item.partials.map { try memory.setAside($0) })
  }

  /// What waits for its turn; where it is not there, somebody else merges from here on.
  private func takeReady(
    _ next: inout Int
  ) -> (origin: ShardOrigin, partials: [RunMemory.Waiting])? {
    lock.withLock { state in
      if let ready = state.waiting.removeValue(forKey: next) { return ready }
      state.next = next
      state.isMerging = false
      return nil
    }
  }

  private func merge(_ partial: [UInt8], of origin: ShardOrigin) throws {
    guard let tracing else { return try merger.merge(partial) }
    if let bytes = try tracing.merge(partial, of: origin) { try kept.add(bytes, of: origin) }
  }

  /// The reduce's own count of records, and its outputs.
  func finish(slots: Int) throws -> (records: Int, outputs: [String: StageOutput]) {
    lock.withLock { state in
      precondition(
        state.next == slots && state.waiting.isEmpty && !state.isMerging, "a partial is missing")
    }
    let outputs = try tracing?.finish(kept) ?? merger.finish()
    return (merger.recordCount, outputs)
  }
}
