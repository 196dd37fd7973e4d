import Synchronization
import Testing

@testable import WeirEngine

/// Counts how many of its kind are alive.
private final class Counted: Sendable {
  static let alive = Atomic<Int>(0)
  let number: Int
  init(_ number: Int) {
    self.number = number
    Counted.alive.wrappingAdd(1, ordering: .relaxed)
  }
  deinit { Counted.alive.wrappingSubtract(1, ordering: .relaxed) }
}

private struct Fault: Error, Equatable { var number: Int }

@Suite(.timeLimit(.minutes(1))) struct `A channel` {
  @Test(arguments: [1, 2, 7])
  func `hands on every element once, in order`(capacity: Int) async throws {
    let channel = Channel<Int>(capacity: capacity)
    async let sent: Void = {
      for i in 0..<2_000 { try await channel.send(i) }
      channel.finish()
    }()
    var got: [Int] = []
    while let next = try await channel.receive() { got.append(next) }
    try await sent
    #expect(got == Array(0..<2_000))
  }

  @Test func `lets its sender be ahead by its capacity and no more`() async throws {
    let channel = Channel<Int>(capacity: 3)
    let sent = Count()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for i in 0..<50 {
          try await channel.send(i)
          sent.value.store(i + 1, ordering: .sequentiallyConsistent)
        }
        channel.finish()
      }
      var received = 0
      while let _ = try await channel.receive() {
        received += 1
        // One may be in hand between the queue and the count.
        #expect(sent.value.load(ordering: .sequentiallyConsistent) <= received + 3)
        await Task.yield()
      }
      #expect(received == 50)
      try await group.waitForAll()
    }
  }

  @Test func `that is cancelled wakes a sender that waits`() async {
    let channel = Channel<Int>(capacity: 1)
    let sent = Count()
    let sender = Task {
      while true {
        try await channel.send(1)
        sent.value.wrappingAdd(1, ordering: .sequentiallyConsistent)
      }
    }
    while sent.value.load(ordering: .sequentiallyConsistent) == 0 { await Task.yield() }
    channel.cancel()
    await #expect(throws: CancellationError.self) { try await sender.value }
    await #expect(throws: CancellationError.self) { try await channel.receive() }
  }

  @Test func `that is cancelled wakes a receiver that waits`() async {
    let channel = Channel<Int>(capacity: 1)
    let receiver = Task { try await channel.receive() }
    await Task.yield()
    channel.cancel()
    await #expect(throws: CancellationError.self) { _ = try await receiver.value }
    await #expect(throws: CancellationError.self) { try await channel.send(1) }
  }

  @Test func `lets a task that is cancelled go, and its other side with it`() async {
    let channel = Channel<Int>(capacity: 1)
    let receiver = Task { try await channel.receive() }
    await Task.yield()
    receiver.cancel()
    await #expect(throws: CancellationError.self) { _ = try await receiver.value }
    await #expect(throws: CancellationError.self) { try await channel.send(1) }
  }

  @Test func `lets go of what nobody took`() async throws {
    let before = Counted.alive.load(ordering: .relaxed)
    do {
      let channel = Channel<Counted>(capacity: 8)
      for i in 0..<5 { try await channel.send(Counted(i)) }
      #expect(try await channel.receive()?.number == 0)
      // Goes round the end of the ring.
      for i in 5..<8 { try await channel.send(Counted(i)) }
      #expect(try await channel.receive()?.number == 1)
      channel.cancel()
      await #expect(throws: CancellationError.self) { try await channel.send(Counted(9)) }
    }
    #expect(Counted.alive.load(ordering: .relaxed) == before)
  }

  @Test func `that is finished gives what waits and then its end, again and again`() async throws {
    let channel = Channel<Int>(capacity: 2)
    try await channel.send(1)
    channel.finish()
    #expect(try await channel.receive() == 1)
    #expect(try await channel.receive() == nil)
    #expect(try await channel.receive() == nil)
  }
}

private final class Count: Sendable { let value = Atomic<Int>(0) }

@Suite(.timeLimit(.minutes(1))) struct `Workers side by side` {
  @Test func `report the error that began it, not the cancellations that followed`() async {
    for round in 0..<50 {
      await #expect(throws: Fault(number: round)) {
        _ = try await together { (group: inout TaskGroup<Result<Int, any Error>>) in
          for i in 0..<4 {
            group.addTask {
              await Result {
                if i == round % 4 { throw Fault(number: round) }
                try await Task.sleep(for: .seconds(3_600))
                return i
              }
            }
          }
        }
      }
    }
  }

  @Test func `prefer a real error to a cancellation that came first`() async {
    await #expect(throws: Fault(number: 1)) {
      _ = try await together { (group: inout TaskGroup<Result<Int, any Error>>) in
        group.addTask { .failure(CancellationError()) }
        group.addTask {
          // Ends only because the first one failed.
          while !Task.isCancelled { await Task.yield() }
          return .failure(Fault(number: 1))
        }
      }
    }
  }

  @Test func `wait for every one before an error leaves`() async {
    let running = Count()
    do {
      _ = try await together { (group: inout TaskGroup<Result<Int, any Error>>) in
        for i in 0..<8 {
          group.addTask {
            running.value.wrappingAdd(1, ordering: .relaxed)
            defer { running.value.wrappingSubtract(1, ordering: .relaxed) }
            if i == 3 { return .failure(Fault(number: 3)) }
            while !Task.isCancelled { await Task.yield() }
            return .success(i)
          }
        }
      }
      Issue.record("no error")
    } catch {
      #expect(error as? Fault == Fault(number: 3))
    }
    #expect(running.value.load(ordering: .relaxed) == 0)
  }

  @Test func `a channel between a failing and a waiting one hangs neither`() async {
    for capacity in [1, 4] {
      let channel = Channel<Int>(capacity: capacity)
      await #expect(throws: Fault(number: 7)) {
        _ = try await together { (group: inout TaskGroup<Result<Int, any Error>>) in
          group.addTask {
            await Result {
              while true { try await channel.send(1) }
            }
          }
          group.addTask {
            await Result {
              _ = try await channel.receive()
              throw Fault(number: 7)
            }
          }
        }
      }
    }
  }

  @Test(arguments: [1, 2, 5, 100])
  func `of many give their results in order, so many at a time`(limit: Int) async throws {
    let running = Count()
    let most = Count()
    let values = try await forEachIndex(60, atMost: limit) { index in
      let now = running.value.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue
      most.value.max(now, ordering: .sequentiallyConsistent)
      for _ in 0..<(index % 5) { await Task.yield() }
      running.value.wrappingSubtract(1, ordering: .sequentiallyConsistent)
      return index * index
    }
    #expect(values == (0..<60).map { $0 * $0 })
    #expect(most.value.load(ordering: .sequentiallyConsistent) <= limit)
  }

  @Test func `of many start no more when one has failed`() async {
    let started = Count()
    await #expect(throws: Fault(number: 2)) {
      _ = try await forEachIndex(1_000, atMost: 2) { index in
        started.value.wrappingAdd(1, ordering: .relaxed)
        if index == 2 { throw Fault(number: 2) }
        return index
      }
    }
    #expect(started.value.load(ordering: .relaxed) < 1_000)
  }

  @Test func `of none have no results`() async throws {
    #expect(try await forEachIndex(0, atMost: 3) { $0 }.isEmpty)
  }
}
