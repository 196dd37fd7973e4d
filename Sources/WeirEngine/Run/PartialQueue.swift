import Synchronization

/// Takes the partials of one reduce as the shards finish, and merges them in the order of the shards.
///
/// Whoever comes with the next ones merges them, and what others leave meanwhile. Nobody waits for
/// somebody who merges, unless what was left comes to ``bytesWaiting``.
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
  /// What waits for its turn.
  private struct Left {
    var origin: ShardOrigin
    var partials: [RunMemory.Waiting]
    var bytes: Int
  }
  private struct State {
    var next = 0
    /// Whether somebody merges, who will look for more.
    var isMerging = false
    var waiting: [Int: Left] = [:]
    /// Of what waits.
    var bytes = 0
  }
  /// Where more than this waits, merging is what is slow.
  private static let bytesWaiting = 32 << 20

  private let lock = Mutex(State())
  /// Held by the one who merges.
  private let turn = Mutex(())
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
  /// - Throws: `CancellationError` too, between two partials.
  func put(_ items: [Item]) throws {
    guard let first = items.first else { return }
    let (isMine, isTooMuch) = try lock.withLock { state in
      guard state.isMerging || first.slot != state.next else {
        state.isMerging = true
        return (true, false)
      }
      for item in items { try PartialQueue.leave(item, memory, &state) }
      return (false, state.isMerging && state.bytes > PartialQueue.bytesWaiting)
    }
    if isMine {
      try turn.withLock { _ in try merge(items) }
    } else if isTooMuch {
      turn.withLock { _ in }
    }
  }

  /// Merges these, and what waits behind them. Where this throws the run fails, and nobody merges any more.
  private func merge(_ items: [Item]) throws {
    var next = items[0].slot
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
    let left = Left(
      origin: item.origin, partials: try item.partials.map { try memory.setAside($0) },
      bytes: item.partials.reduce(0) { $0 + $1.count })
    state.waiting[item.slot] = left
    state.bytes += left.bytes
  }

  /// What waits for its turn; where it is not there, somebody else merges from here on.
  private func takeReady(_ next: inout Int) -> Left? {
    lock.withLock { state in
      if let ready = state.waiting.removeValue(forKey: next) {
        state.bytes -= ready.bytes
        return ready
      }
      state.next = next
      state.isMerging = false
      return nil
    }
  }

  private func merge(_ partial: [UInt8], of origin: ShardOrigin) throws {
    try Task.checkCancellation()
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
