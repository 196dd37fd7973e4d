import Synchronization

/// What a run does not need any more, and what takes a while to be freed: the memory of many shards lies
/// in many pieces. It is let go of beside what comes next.
final class Remains: Sendable {
  private let things = Mutex<[any Sendable]>([])

  /// Holds something until ``letGo()``.
  func take(_ thing: any Sendable) { things.withLock { $0.append(thing) } }

  /// Frees what nobody else holds. Returns at once.
  func letGo() {
    let all = things.withLock { things in
      defer { things = [] }
      return things
    }
    Task.detached { withExtendedLifetime(all) {} }
  }
}
