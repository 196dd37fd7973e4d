import WeirData

/// One task of a run: a pass over one shard.
public struct TaskRecord: Sendable, Equatable {
  public var pass: Int
  /// Name of the source stage.
  public var source: String
  public var shard: String
  /// What the result depends on: equal keys, equal results.
  public var key: String
  /// Whether an earlier run had done it.
  public var isReused: Bool
  /// Time that it took, in seconds.
  public var seconds: Double

  public init(
    pass: Int, source: String, shard: String, key: String, isReused: Bool, seconds: Double
  ) {
    self.pass = pass
    self.source = source
    self.shard = shard
    self.key = key
    self.isReused = isReused
    self.seconds = seconds
  }

  public var json: JSONValue {
    [
      "pass": .int(pass), "source": .text(source), "shard": .text(shard), "key": .text(key),
      "reused": .bool(isReused), "seconds": .number(milliseconds(seconds)),
    ]
  }
}

/// How long one part of a run took.
public struct RunPhase: Sendable, Equatable {
  public enum Name: String, Sendable, CaseIterable {
    /// The shards are looked for, and the lock is taken.
    case prepare
    /// Pass 0: the shards are read.
    case scan
    /// Barriers are decided.
    case barrier
    /// The records are gone over again.
    case laterPasses = "later_passes"
    /// Ledger, reduces, sinks of rows and findings, quarantine, flush.
    case finish
    /// What changed is worked out, and the outputs are swapped in.
    case commit
  }
  public var name: Name
  public var seconds: Double
}

/// Adds up the time of the parts of a run: each stretch belongs to the part it is ended for.
final class PhaseClock {
  private let clock = ContinuousClock()
  private var last: ContinuousClock.Instant
  private var spent: [RunPhase.Name: Double] = [:]

  init() { last = clock.now }

  /// The time since the last call, or since the start, was spent on `phase`.
  func end(_ phase: RunPhase.Name) {
    let now = clock.now
    spent[phase, default: 0] += (now - last).seconds
    last = now
  }

  /// In the order of the run; only those that there were.
  var phases: [RunPhase] {
    RunPhase.Name.allCases.compactMap { name in
      spent[name].map { RunPhase(name: name, seconds: $0) }
    }
  }

  var seconds: Double { spent.values.reduce(0, +) }
}

/// Rounded to what a clock of a busy machine is worth.
func milliseconds(_ seconds: Double) -> Double { (seconds * 1_000).rounded() / 1_000 }
