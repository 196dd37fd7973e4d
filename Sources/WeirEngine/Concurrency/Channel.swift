import Synchronization

/// A bounded queue between two workers of a task: a full one suspends the sender, an empty one the
/// receiver, so that memory stays bounded and a slow sink slows the source.
///
/// One sender, one receiver. Elements may be noncopyable: they stay in the ring until they are taken.
public final class Channel<Element: ~Copyable & Sendable>: Sendable {
  private struct State: ~Copyable {
    let ring: UnsafeMutablePointer<Element>
    let capacity: Int
    var head = 0
    var count = 0
    var isFinished = false
    var isCancelled = false
    var sender: CheckedContinuation<Void, Never>?
    var receiver: CheckedContinuation<Void, Never>?

    init(capacity: Int) {
      ring = .allocate(capacity: capacity)
      self.capacity = capacity
    }

    deinit {
      for i in 0..<count { (ring + (head + i) % capacity).deinitialize(count: 1) }
      ring.deallocate()
    }

    mutating func append(_ element: consuming Element) {
      (ring + (head + count) % capacity).initialize(to: element)
      count += 1
    }

    mutating func removeFirst() -> Element {
      let element = (ring + head).move()
      head = (head + 1) % capacity
      count -= 1
      return element
    }

    /// Takes out who waits, to be woken outside the lock.
    mutating func takeWaiting() -> [CheckedContinuation<Void, Never>] {
      defer {
        sender = nil
        receiver = nil
      }
      return [sender, receiver].compactMap { $0 }
    }
  }
  private let state: Mutex<State>

  /// - Parameter capacity: elements that may wait.
  public init(capacity: Int) {
    precondition(capacity > 0)
    state = Mutex(State(capacity: capacity))
  }

  /// Hands `element` on, waiting while the queue is full.
  ///
  /// - Throws: `CancellationError` when the task or the channel was cancelled.
  public func send(_ element: consuming Element) async throws {
    var slot: Element? = consume element
    while true {
      var wake: CheckedContinuation<Void, Never>?
      var isCancelled = false
      let isSent = state.withLock { state -> Bool in
        isCancelled = state.isCancelled
        if isCancelled || state.count == state.capacity { return false }
        state.append(slot.take()!)
        wake = state.receiver.take()
        return true
      }
      wake?.resume()
      if isSent { return }
      if isCancelled { throw CancellationError() }
      await wait(
        until: { $0.count < $0.capacity || $0.isCancelled }, parkAt: { $0.sender = $1 })
    }
  }

  /// The next element, or `nil` when the sender is done and the queue is empty.
  ///
  /// - Throws: `CancellationError` when the task or the channel was cancelled.
  public func receive() async throws -> Element? {
    while true {
      var wake: CheckedContinuation<Void, Never>?
      var isOver = false
      var isCancelled = false
      let element: Element? = state.withLock { state in
        isCancelled = state.isCancelled
        if isCancelled { return nil }
        if state.count == 0 {
          isOver = state.isFinished
          return nil
        }
        wake = state.sender.take()
        return state.removeFirst()
      }
      wake?.resume()
      if isCancelled { throw CancellationError() }
      if let element { return element }
      if isOver { return nil }
      await wait(
        until: { $0.count > 0 || $0.isFinished || $0.isCancelled }, parkAt: { $0.receiver = $1 })
    }
  }

  /// Says that nothing more will be sent.
  public func finish() { end { $0.isFinished = true } }

  /// Wakes both sides with a `CancellationError`; what waits in the queue is dropped.
  public func cancel() { end { $0.isCancelled = true } }

  private func end(_ change: (inout State) -> Void) {
    let waiting = state.withLock { state in
      change(&state)
      return state.takeWaiting()
    }
    for continuation in waiting { continuation.resume() }
  }

  private func wait(
    until isReady: (borrowing State) -> Bool,
    parkAt park: (inout State, CheckedContinuation<Void, Never>) -> Void
  ) async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isReady = state.withLock { state -> Bool in
          if isReady(state) { return true }
          park(&state, continuation)
          return false
        }
        if isReady { continuation.resume() }
      }
    } onCancel: {
      cancel()
    }
  }
}
