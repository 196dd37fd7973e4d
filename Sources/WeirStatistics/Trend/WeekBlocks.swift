import Glibc

/// Seven-day sums of a daily series, ending at its last compared day: the grain at which a lasting
/// change is looked for where a day has too few events for a level of its own.
struct WeekBlocks: Sendable {
  /// The blocks as buckets, without weekdays; their exposure is in days, so that levels are too.
  var series: ComparedSeries
  /// Compared days (positions) of each compared block.
  var days: [Range<Int>]

  static let length = 7
  /// Fewest blocks, covered days a block, and (below) blocks on each side of a shift.
  static let fewest = 6
  static let fewestDays = 4
  /// Median events a block.
  static let smallestSize = 5.0
  static let minSegment = 3

  /// `nil` where buckets are no days, the values cannot be added, or even blocks are too few or too
  /// small.
  init?(_ series: TrendSeries, _ daily: ComparedSeries) {
    guard series.firstWeekday != nil, series.kind == .count || series.kind == .rate,
      let last = daily.index.last, (last + 1) / Self.length >= Self.fewest
    else { return nil }
    let start = (last + 1) % Self.length
    var blocks: [TrendBucket] = []
    var held: [Range<Int>] = []
    var next = daily.index.firstIndex { $0 >= start } ?? 0
    for first in stride(from: start, through: last, by: Self.length) {
      let from = next
      while next < daily.count, daily.index[next] < first + Self.length { next += 1 }
      let covered = series.buckets[first..<(first + Self.length)].filter(\.state.isCompared)
      held.append(from..<next)
      guard covered.count >= Self.fewestDays else {
        blocks.append(TrendBucket(state: .missing))
        continue
      }
      blocks.append(
        TrendBucket(
          state: .closed, n: (from..<next).reduce(0) { $0 + daily.n[$1] },
          k: (from..<next).reduce(0) { $0 + daily.k[$1] },
          exposure: (from..<next).reduce(0) { $0 + daily.exposure[$1] }))
    }
    self.series = ComparedSeries(
      TrendSeries(
        key: series.key, metric: series.metric, kind: series.kind, buckets: blocks,
        firstWeekday: nil))
    days = self.series.index.map { held[$0] }
    guard self.series.count >= Self.fewest, self.series.size >= Self.smallestSize else {
      return nil
    }
  }

  /// The structure of the blocks, told in days: every day has the value of its block and its share
  /// of the weight, days outside of compared blocks have none.
  func structure(of daily: ComparedSeries) -> Structure {
    let test = StructureTest(
      series: series, profile: WeekdayProfile(), minSegment: Self.minSegment,
      blocks: (self, daily))
    var x = test.run()
    let placed = place(x, daily)
    var values = [Double](repeating: 0, count: daily.count)
    var weights = values
    for (block, range) in days.enumerated() {
      for i in range {
        values[i] = x.values[block]
        weights[i] = x.weights[block] / Double(range.count)
      }
    }
    x.middles = days.indices.filter { x.weights[$0] > 0 && !days[$0].isEmpty }.map {
      (days[$0].lowerBound + days[$0].upperBound) / 2
    }
    (x.split, x.splitLo, x.splitHi) = (placed.best, placed.lo, placed.hi)
    (x.values, x.weights) = (values, weights)
    x.line = WeightedLine(t: daily.index.map(Double.init), y: values, w: weights)
    return x
  }

  /// Whether a line describes the days of `kept` blocks better than a step near block `split`, at the
  /// prices of ``StructureTest``. Told by the days, because a step inside of a block looks like a
  /// slope to blocks.
  func isLine(
    _ daily: ComparedSeries, kept: [Int], split: Int, inflation: Double
  ) -> Bool {
    let fit = DayLikelihood(daily, over: kept.flatMap { Array(days[$0]) })
    let step = fit.steps(near(split)).max() ?? -.infinity
    let line = fit.line()
    let unit = fit.dispersion(leftBy: max(line, step)) * inflation
    let price = 2 * log(Double(max(2, fit.count)))
    return -2 * line / unit + price <= -2 * step / unit + 2 * price
  }

  /// The day a shift began on and its 95 % interval, from the profile likelihood of two levels over
  /// the dispersion that they leave.
  private func place(_ x: Structure, _ daily: ComparedSeries) -> (best: Int, lo: Int, hi: Int) {
    let kept = days.indices.filter { x.weights[$0] > 0 }
    let fit = DayLikelihood(daily, over: kept.flatMap { Array(days[$0]) })
    let margin = Self.minSegment - 1
    let places = days[margin].lowerBound..<days[days.count - 1 - margin].upperBound
    let gain = fit.steps(places)
    var best = near(x.split).lowerBound
    for i in near(x.split) where gain[i - places.lowerBound] > gain[best - places.lowerBound] {
      best = i
    }
    let top = gain[best - places.lowerBound]
    let unit = fit.dispersion(leftBy: top) * x.inflation
    let range = Structure.interval(
      of: gain.map { exp(min(0, ($0 - top) / unit)) }, around: best - places.lowerBound)
    return (best, range.lo + places.lowerBound, range.hi + places.lowerBound)
  }

  /// Days of the two blocks beside the border that a shift was found at: only borders were tested.
  private func near(_ split: Int) -> Range<Int> {
    let border = min(days.count - Self.minSegment, max(Self.minSegment, split))
    return days[border - 1].lowerBound..<days[border].upperBound
  }
}
