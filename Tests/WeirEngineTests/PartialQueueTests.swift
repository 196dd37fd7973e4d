import Synchronization
import Testing
import WeirData
import WeirTesting

@testable import WeirEngine

/// Notes in which order it gets its partials, and that nobody else gives it one meanwhile.
private final class OrderMerger: ReduceMerger {
  var seen: [UInt8] = []
  private let isBusy = Mutex(false)

  func merge(_ partial: [UInt8]) throws {
    isBusy.withLock {
      #expect(!$0)
      $0 = true
    }
    guard partial[0] != .max else { throw CancellationError() }
    seen.append(partial[0])
    isBusy.withLock { $0 = false }
  }

  var recordCount: Int { seen.count }
  func finish() throws -> [String: StageOutput] { [:] }
}

@Suite struct `A queue of partials` {
  private func item(_ slot: Int) -> PartialQueue.Item {
    PartialQueue.Item(
      slot: slot, origin: ShardOrigin(source: "s", shard: []), partials: [[UInt8(slot % 251)]])
  }

  @Test(arguments: 0..<20)
  func `merges in the order of the shards, whoever comes when`(seed: Int) async throws {
    var random = SeededRandom(seed: UInt64(seed))
    var runs: [[PartialQueue.Item]] = []
    var at = 0
    while at < 400 {
      let end = min(400, at + 1 + random.below(12))
      runs.append((at..<end).map(item))
      at = end
    }
    runs.shuffle(using: &random)
    try await withTemporaryFolder { folder in
      // With room for all that waits, and with none.
      for kept in [Int.max, 0] {
        let merger = OrderMerger()
        let memory = RunMemory(
          MemoryShares(workers: 2, kept: kept, deciding: 1_000), directory: folder.path)
        let queue = PartialQueue(merger, memory)
        let all = runs
        _ = try await forEachIndex(all.count, atMost: 4) { try queue.put(all[$0]) }
        #expect(try queue.finish(slots: 400).records == 400)
        #expect(merger.seen == (0..<400).map { UInt8($0 % 251) })
      }
    }
  }

  @Test func `merges nothing more behind a failure`() throws {
    let merger = OrderMerger()
    let queue = PartialQueue(merger, RunMemory(MemoryShares(workers: 1), directory: "/nowhere"))
    try queue.put([item(0)])
    var bad = item(1)
    bad.partials = [[.max]]
    #expect(throws: CancellationError.self) { try queue.put([bad]) }
    try queue.put([item(2)])
    #expect(merger.seen == [0])
  }

  @Test func `waits for the one who merges where much is left, and goes on`() async throws {
    let merger = OrderMerger()
    let queue = PartialQueue(merger, RunMemory(MemoryShares(workers: 4), directory: "/nowhere"))
    var random = SeededRandom(seed: 3)
    // 4 MiB each: eight of them are more than may wait.
    let order = (0..<60).map { $0 }.shuffled(using: &random)
    _ = try await forEachIndex(60, atMost: 4) { at in
      var item = self.item(order[at])
      item.partials[0] += [UInt8](repeating: 0, count: 4 << 20)
      try queue.put([item])
    }
    #expect(try queue.finish(slots: 60).records == 60)
    #expect(merger.seen == (0..<60).map { UInt8($0) })
  }

  @Test func `stops between two partials when the run is cancelled`() async throws {
    let merger = OrderMerger()
    let queue = PartialQueue(merger, RunMemory(MemoryShares(workers: 1), directory: "/nowhere"))
    let items = (0..<5).map(item)
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      try queue.put(items)
    }
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(merger.seen.isEmpty)
  }
}
