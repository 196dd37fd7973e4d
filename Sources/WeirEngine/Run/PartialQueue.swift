import Synchronization

/// Takes the partials of one reduce as the shards finish, and merges them in the order of the shards.
final class PartialQueue: @unchecked Sendable {
  private struct State {
    var next = 0
    var waiting: [Int: [[UInt8]]] = [:]
  }
  private let lock = Mutex(State())
  /// Touched under the lock only.
  private let merger: any ReduceMerger

  init(_ merger: any ReduceMerger) { self.merger = merger }

  /// - Parameters:
  ///   - slot: place in the order of all passes and shards; every slot must be filled once.
  ///   - partials: of the instances in order; none where the reduce did not work on that shard.
  func put(_ slot: Int, _ partials: [[UInt8]]) throws {
    try lock.withLock { state in
      state.waiting[slot] = partials
      while let ready = state.waiting.removeValue(forKey: state.next) {
        for partial in ready { try merger.merge(partial) }
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
