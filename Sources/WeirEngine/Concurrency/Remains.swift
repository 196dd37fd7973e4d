import Synchronization

/// What a run does not need any more, and what takes a while to be freed: the memory of many shards lies
/// in many pieces.
final class Remains: Sendable {
  private let things = Mutex<[any Sendable]>([])

  /// Holds something until ``letGo()``.
  func take(_ thing: any Sendable) { things.withLock { $0.append(thing) } }

  /// Frees what nobody else holds: before it returns, or beside what comes next.
  func letGo(beside: Bool) {
    let all = things.withLock { things in
      defer { things = [] }
      return things
    }
    if beside { Task.detached { withExtendedLifetime(all) {} } }
  }
}
