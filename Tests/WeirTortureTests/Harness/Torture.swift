import Glibc
import Synchronization
import Testing
import WeirTesting

/// How much is to be done: `make test` strikes some of the points, `make torture` all of them.
enum Torture {
  /// `WEIR_TORTURE=full`: every point and every case.
  static let isFull = value("WEIR_TORTURE") == "full"

  /// `WEIR_TORTURE_CASE=NAME`: only the case of that name, as a failure has shown it.
  static let only = value("WEIR_TORTURE_CASE")

  /// Cases that run side by side.
  static let threads = max(2, min(8, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))))

  /// Longest that one process may take, in seconds: what takes longer hangs.
  static let patience = 20

  private static func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

  /// Some of the items, evenly over all of them, or all in the full form. Other `turn`s take others.
  static func some<Item>(_ items: [Item], oneIn step: Int, turn: Int = 0) -> [Item] {
    if isFull { return items }
    return items.enumerated().filter { ($0.offset + turn) % step == 0 }.map(\.element)
  }
}

/// One case: what is done to which run, under a name by which it can be done again.
struct TortureCase: Sendable {
  var family: String
  var name: String
  /// What is wrong with what came of it; empty where all is well.
  var run: @Sendable () throws -> [String]
}

/// Does all cases, and reports each that fails with the way to repeat it.
///
/// - Parameters:
///   - points: how many places they strike, for the count that is shown.
///   - threads: that do so side by side.
func torture(
  _ family: String, points: Int, threads: Int = Torture.threads, _ cases: [TortureCase]
) {
  let chosen = Torture.only.map { only in cases.filter { $0.name == only } } ?? cases
  guard !chosen.isEmpty else { return }
  let started = ContinuousClock.now
  let complaints = inParallel(chosen.count, threads: threads) { i -> [String] in
    do { return try chosen[i].run() } catch { return ["the test itself failed: \(error)"] }
  }
  var failed = 0
  for (one, found) in zip(chosen, complaints) where !found.isEmpty {
    failed += 1
    Issue.record(
      """
      \(one.name)
      \(found.map { "  - " + $0 }.joined(separator: "\n"))
        again: WEIR_TORTURE_CASE='\(one.name)' make torture
      """)
  }
  let seconds = ContinuousClock.now - started
  print(
    "torture: \(family): \(points) points, \(chosen.count) cases, \(failed) failed, \(seconds.components.seconds) s"
  )
}

/// Calls `body` for each number below `count` on threads of their own: it may block.
func inParallel<Value: Sendable>(
  _ count: Int, threads: Int, _ body: @escaping @Sendable (Int) -> Value
) -> [Value] {
  let results = Mutex<[Value?]>(Array(repeating: nil, count: count))
  let next = Atomic<Int>(0)
  @Sendable func work() {
    while true {
      let i = next.add(1, ordering: .relaxed).oldValue
      guard i < count else { return }
      let value = body(i)
      results.withLock { $0[i] = value }
    }
  }
  let handles = (0..<min(threads, count)).map { _ in ThreadHandle(work) }
  for handle in handles { handle.join() }
  return results.withLock { $0.map { $0! } }
}

/// A thread with a body, to be joined once.
private struct ThreadHandle {
  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }
  private let thread: pthread_t

  init(_ run: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(Body(run)).toOpaque())
    precondition(code == 0, "no thread could be started")
    self.thread = thread
  }

  func join() { pthread_join(thread, nil) }
}
