import Synchronization

/// Takes the partials of one reduce as the shards finish, and merges them in the order of the shards.
final class PartialQueue: @unchecked Sendable {
  private struct State {
    var next = 0
    var waiting: [Int: [RunMemory.Waiting]] = [:]
  }
  private let lock = Mutex(State())
  /// Touched under the lock only.
  private let merger: any ReduceMerger
  private let memory: RunMemory

  init(_ merger: any ReduceMerger, _ memory: RunMemory) {
    self.merger = merger
    self.memory = memory
  }

  /// Takes the partials of a shard; may block.
  ///
  /// - Parameters:
  ///   - slot: place in the order of all passes and shards; every slot must be filled once.
  ///   - partials: of the instances in order; none where the reduce did not work on that shard.
  func put(_ slot: Int, _ partials: [[UInt8]]) throws {
    try lock.withLock { state in
      guard slot == state.next else {
        state.waiting[slot] = try partials.map { try memory.setAside($0) }
        return
      }
      for partial in partials { try merger.merge(partial) }
      state.next += 1
      while let ready = state.waiting.removeValue(forKey: state.next) {
        for partial in ready { try merger.merge(try memory.takeBack(partial)) }
        state.next += 1
      }
    }
  }

  /// The reduce's own count of records, and its outputs.
  func finish(slots: Int) throws -> (records: Int, outputs: [String: StageOutput]) {
    try lock.withLock { state in
      precondition(state.next == slots && state.waiting.isEmpty, "a partial is missing")
      return (merger.recordCount, try merger.finish())
    }
  }
}
