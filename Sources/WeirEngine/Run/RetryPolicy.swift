import Glibc
import Synchronization
import WeirData

/// How often, and after how long a wait, a task is tried again that failed for a reason which can pass:
/// a network file system that did not answer.
public struct RetryPolicy: Sendable {
  /// Times that one task is tried again.
  public var limit = 2
  /// Waits; a test has a clock of its own.
  public var pause: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

  public init() {}

  /// How long to wait before trying again: 1 s the first time, then four times as long each, at most
  /// 30 s.
  ///
  /// - Parameter attempt: how often it failed, from 1.
  static func delay(after attempt: Int) -> Duration {
    .seconds(min(30, 1 << min(10, 2 * (attempt - 1))))
  }

  /// Whether an error can pass by itself within seconds. A full disk or too many open files can pass as
  /// well, but not because this run waits.
  static func canPass(_ error: any Error) -> Bool {
    switch error {
    case let error as ShardError: error.canPass
    case let error as FileError: ShardError.passingCodes.contains(error.code)
    default: false
    }
  }

  /// Does something that has no effect where it fails, as often as it may be tried.
  func run<Value>(
    _ log: AttemptLog, isolation: isolated (any Actor)? = #isolation, _ body: () throws -> Value
  ) async throws -> Value {
    var attempt = 1
    while true {
      do {
        return try body()
      } catch {
        guard attempt <= limit, RetryPolicy.canPass(error) else { throw error }
        log.add(pass: 0, shard: -1, attempt: attempt, error)
        try await pause(RetryPolicy.delay(after: attempt))
        attempt += 1
      }
    }
  }
}

/// What was tried again in a run, and why.
final class AttemptLog: Sendable {
  private struct Entry {
    var pass: Int
    /// Ordinal; -1: no shard.
    var shard: Int
    var attempt: Int
    var message: String
  }
  private let entries = Mutex<[Entry]>([])

  func add(pass: Int, shard: Int, attempt: Int, _ error: any Error) {
    let entry = Entry(pass: pass, shard: shard, attempt: attempt, message: "\(error)")
    entries.withLock { $0.append(entry) }
  }

  private var sorted: [Entry] {
    entries.withLock { $0 }
      .sorted { ($0.pass, $0.shard, $0.attempt) < ($1.pass, $1.shard, $1.attempt) }
  }

  /// For people: what the run had trouble with and came through.
  var notes: [String] {
    sorted.map { "tried again after failure \($0.attempt): \($0.message)" }
  }

  var json: JSONValue {
    .array(
      sorted.map {
        [
          "pass": .int($0.pass), "attempt": .int($0.attempt), "error": .text($0.message),
        ]
      })
  }

  var isEmpty: Bool { entries.withLock { $0.isEmpty } }
}
