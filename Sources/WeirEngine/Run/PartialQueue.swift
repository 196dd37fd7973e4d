import Synchronization

/// Takes the partials of one reduce as the shards finish, and merges them in the order of the shards.
final class PartialQueue: @unchecked Sendable {
  private struct State {
    var next = 0
    var waiting: [Int: (origin: ShardOrigin, partials: [RunMemory.Waiting])] = [:]
  }
  private let lock = Mutex(State())
  /// Touched under the lock only.
  private let merger: any ReduceMerger
  /// The same, where it wants to know where partials are from.
  private let tracing: (any TracingMerger)?
  private let memory: RunMemory
  /// What the merger wants to see again. Touched under the lock only.
  private let kept: KeptParts

  init(_ merger: any ReduceMerger, _ memory: RunMemory) {
    self.merger = merger
    tracing = merger as? any TracingMerger
    self.memory = memory
    kept = KeptParts(memory)
  }

  /// Takes the partials of a shard; may block.
  ///
  /// - Parameters:
  ///   - slot: place in the order of all passes and shards; every slot must be filled once.
  ///   - origin: the shard.
  ///   - partials: of the instances in order; none where the reduce did not work on that shard.
  func put(_ slot: Int, of origin: ShardOrigin, _ partials: [[UInt8]]) throws {
    try lock.withLock { state in
      guard slot == state.next else {
        state.waiting[slot] = (origin, try partials.map { try memory.setAside($0) })
        return
      }
      for partial in partials { try merge(partial, of: origin) }
      state.next += 1
      while let ready = state.waiting.removeValue(forKey: state.next) {
        for partial in ready.partials { try merge(memory.takeBack(partial), of: ready.origin) }
        state.next += 1
      }
    }
  }

  private func merge(_ partial: [UInt8], of origin: ShardOrigin) throws {
    guard let tracing else { return try merger.merge(partial) }
    if let bytes = try tracing.merge(partial, of: origin) { try kept.add(bytes, of: origin) }
  }

  /// The reduce's own count of records, and its outputs.
  func finish(slots: Int) throws -> (records: Int, outputs: [String: StageOutput]) {
    try lock.withLock { state in
      precondition(state.next == slots && state.waiting.isEmpty, "a partial is missing")
      let outputs = try tracing?.finish(kept) ?? merger.finish()
      return (merger.recordCount, outputs)
    }
  }
}
