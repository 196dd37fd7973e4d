/// Cuts every queue into numbered parts, `live_scam_0001` and so on, so that there are about as many
/// series as wanted, of about the same size: a (market, queue) has parts in proportion to its
/// records.
struct QueueParts {
  /// Parts of each (market, queue), in the order of ``World/series(market:queue:)``.
  private let counts: [Int]
  /// Number of the first part of each among all series.
  private let starts: [Int]
  /// How many series there are.
  let total: Int
  /// Whether queues have numbers at all.
  let areNumbered: Bool
  private let seed: UInt64

  /// - Parameter wanted: how many series there should be; `nil` for the queues as they are.
  init(wanted: Int?, seed: UInt64) {
    self.seed = seed
    areNumbered = wanted != nil
    var counts: [Int] = []
    var starts: [Int] = []
    var total = 0
    for series in 0..<World.seriesCount {
      let share =
        World.markets[World.market(ofSeries: series)].perDay[World.queue(ofSeries: series)]
        / World.totalPerDay
      let count = max(1, Int((Double(wanted ?? 0) * share).rounded()))
      starts.append(total)
      counts.append(count)
      total += count
    }
    self.counts = counts
    self.starts = starts
    self.total = total
  }

  /// The parts of a (market, queue), as numbers among all series.
  func all(ofSeries series: Int) -> Range<Int> {
    starts[series]..<(starts[series] + counts[series])
  }

  /// The part that decision `ordinal` is in, from 0.
  func part(ofDecision ordinal: Int, series: Int) -> Int {
    guard counts[series] > 1 else { return 0 }
    var stream = RandomStream(seed: seed, ordinal: ordinal, purpose: 5)
    return stream.below(counts[series])
  }

  /// Digits of a number behind the name of a queue.
  static let digits = 4

  /// What stands behind the name of the queue: `_0001`; nothing where queues have no numbers.
  func suffix(_ part: Int) -> String {
    areNumbered ? "_\(String(10_000 + part + 1).dropFirst())" : ""
  }
}
