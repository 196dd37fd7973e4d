import Glibc
import WeirData
import WeirStatistics
import WeirTesting

/// Changes for the records of one report, drawn as those of labelled series are: a trend, a shift, a spike
/// or a dip, on the log or log odds scale, in about a third of the series.
struct PlantedRecords {
  let calendar: Calendar
  let effects: Effects
  /// What was planted in each series, by (market, queue) and metric in the order of the generator.
  private(set) var truth: [SeriesName: [PlantedEvent]] = [:]

  struct SeriesName: Hashable {
    var market: String
    var queue: String
    var metric: String
  }

  /// - Parameter isEmpty: plants nothing.
  init(calendar: Calendar, seed: UInt64, isEmpty: Bool) {
    self.calendar = calendar
    var random = SeededRandom(seed: seed &* 0x9E37_79B9 &+ 1)
    var list: [Effect] = []
    var drawn: [(name: SeriesName, type: String, effect: Effect, size: Double)] = []
    for series in 0..<World.seriesCount {
      let (market, queue) = (World.market(ofSeries: series), World.queue(ofSeries: series))
      for metric in Effect.Metric.allCases {
        let name = SeriesName(
          market: World.markets[market].code, queue: World.queues[queue].name,
          metric: metric.rawValue)
        truth[name] = []
        guard !isEmpty, random.oneIn(3) else { continue }
        let (type, shape, day, days, size) = Self.draw(calendar.days, &random)
        let effect = Effect(
          shape: shape, metric: metric, market: market, queue: queue, day: day, days: days,
          size: Self.size(size, metric, series))
        list.append(effect)
        drawn.append((name, type, effect, size))
      }
    }
    effects = Effects(list)
    for (name, type, effect, size) in drawn {
      let z = Oracle(effect, among: effects, calendar: calendar).z
      truth[name] = [
        PlantedEvent(
          type: type, at: type == "trend" ? nil : effect.day, effect: size, oracle_z: z)
      ]
    }
  }

  /// One change: its size is a difference of logarithms or of log odds.
  private static func draw(
    _ count: Int, _ random: inout SeededRandom
  ) -> (type: String, shape: Effect.Shape, day: Int, days: Int, size: Double) {
    func uniform(_ range: ClosedRange<Double>) -> Double {
      range.lowerBound
        + Double(random.next() >> 11) / 9_007_199_254_740_992
        * (range.upperBound - range.lowerBound)
    }
    let kind = uniform(0...1)
    switch kind {
    case ..<0.33:
      let size = log(uniform(1.15...2.5))
      return ("trend", .drift, 0, count, random.oneIn(2) ? size : -size)
    case ..<0.67:
      let size = log(uniform(1.15...2.5))
      let edge = max(7, count / 6)
      let day = edge + random.below(max(1, count - 2 * edge))
      return ("shift", .shift, day, count - day, random.oneIn(2) ? size : -size)
    case ..<0.85:
      return ("spike", .spike, 1 + random.below(count - 2), 1, log(uniform(1.6...5)))
    default: return ("dip", .dip, 1 + random.below(count - 2), 1, log(uniform(0.05...0.6)))
    }
  }

  /// As the generator wants it: what is added to the rate, or the relative change.
  private static func size(_ size: Double, _ metric: Effect.Metric, _ series: Int) -> Double {
    guard metric == .violationRate else { return exp(size) - 1 }
    let rate = World.violationRate(ofSeries: series)
    let odds = rate / (1 - rate) * exp(size)
    return odds / (1 + odds) - rate
  }
}
