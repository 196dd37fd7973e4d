import Glibc
import Synchronization
import Testing

@testable import WeirEngine

@Suite(.timeLimit(.minutes(1))) struct `An executor for calls that block` {
  /// The thread that hands over the last job may be stopped for as long as the job takes, and all that
  /// comes behind it: it then woke a thread through memory that was somebody else's by now.
  @Test func `lives until the call is over that gave it its last job`() async throws {
    var executor: BlockingExecutor? = try BlockingExecutor(threads: 1)
    let handover = Handover(executor!)
    executor?.beforeWaking = { handover.stopHere() }

    let job = Task { [executor = executor!] in
      await withTaskExecutorPreference(executor) {
        await withCheckedContinuation { handover.isWaiting($0) }
      }
    }
    // A thread of its own gives the rest of the job to the executor, and is stopped in it.
    handover.resumeOnThread()
    // Another job wakes the executor, which does both.
    await withTaskExecutorPreference(executor!) {}
    await job.value
    executor?.stop()
    executor = nil

    #expect(handover.isExecutorHeld(), "it was gone while a thread was in it")
    handover.goOn()
    handover.join()
  }

  @Test func `does every job before it ends`() async throws {
    let executor = try BlockingExecutor(threads: 3)
    let counter = Counter()
    await withTaskGroup { group in
      for _ in 0..<500 {
        group.addTask(executorPreference: executor) { counter.add() }
      }
    }
    executor.stop()
    #expect(counter.count == 500)
  }

  /// Threads are started when they are wanted: each of these waits for all of them.
  @Test func `runs as many calls at once as it has threads`() async throws {
    let executor = try BlockingExecutor(threads: 3)
    let counter = Counter()
    for round in 1...20 {
      await withTaskGroup { group in
        for _ in 0..<3 {
          group.addTask(executorPreference: executor) {
            counter.add()
            while counter.count < 3 * round { sched_yield() }
          }
        }
      }
    }
    executor.stop()
    #expect(counter.count == 60)
  }
}

private final class Counter: Sendable {
  private let value = Atomic(0)

  var count: Int { value.load(ordering: .relaxed) }

  func add() { value.add(1, ordering: .relaxed) }
}

/// A thread that is stopped in the middle of `enqueue`.
private final class Handover: @unchecked Sendable {
  private weak var executor: BlockingExecutor?
  private let continuation = Mutex<CheckedContinuation<Void, Never>?>(nil)
  /// The thread that is to be stopped; no other one is.
  private let stopped = Atomic<UInt>(0)
  private let isStopped = Atomic(false)
  private let mayGoOn = Atomic(false)
  private var thread = pthread_t()

  init(_ executor: BlockingExecutor) { self.executor = executor }

  func isWaiting(_ waiting: CheckedContinuation<Void, Never>) {
    continuation.withLock { $0 = waiting }
  }

  func stopHere() {
    guard stopped.load(ordering: .acquiring) == UInt(pthread_self()) else { return }
    isStopped.store(true, ordering: .releasing)
    while !mayGoOn.load(ordering: .acquiring) { sched_yield() }
  }

  /// Returns when the thread has been stopped.
  func resumeOnThread() {
    let code = pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<Handover>.fromOpaque(argument!).takeRetainedValue().resume()
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
    precondition(code == 0, "no thread could be started")
    while !isStopped.load(ordering: .acquiring) { sched_yield() }
  }

  private func resume() {
    stopped.store(UInt(pthread_self()), ordering: .releasing)
    while true {
      if let waiting = continuation.withLock({ $0.take() }) { return waiting.resume() }
      sched_yield()
    }
  }

  /// Whether the executor is still there when all others had the time to let go of it.
  func isExecutorHeld() -> Bool {
    for _ in 0..<20_000 {
      if executor == nil { return false }
      sched_yield()
    }
    return true
  }

  func goOn() { mayGoOn.store(true, ordering: .releasing) }

  func join() { pthread_join(thread, nil) }
}
