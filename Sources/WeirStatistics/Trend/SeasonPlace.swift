import Glibc

/// Since when the days of the week differ in another way, and whether every week since then shows it.
///
/// The test of ``SeasonBreak`` looks at the last four weeks as a whole. What it finds there may have begun
/// earlier or later, and two storms on a Tuesday make other Tuesdays as well as a new roster does.
struct SeasonPlace {
  /// Number of the first bucket with the new profile, and the interval that carries 95 % of the likelihood.
  var from: Int
  var lo: Int
  var hi: Int

  /// Fewest buckets on each side.
  private static let fewestBefore = 28
  private static let fewestAfter = 14

  /// Where two sets of weekday means describe the values best. O(n).
  ///
  /// Values are those of `fit` less their trend; single wild days have no say.
  init(_ fit: WeekdayProfile.Parts, _ series: ComparedSeries, else start: Int) {
    (from, lo, hi) = (start, start, start)
    let n = series.count
    guard n >= Self.fewestBefore + Self.fewestAfter else { return }
    let isIn = SeasonPlace.ordinary(fit.residual, series.weekday)
    var sums = WeekdaySums()
    for i in 0..<n where isIn[i] { sums.add(fit.residual[i], series.weekday[i]) }
    // Sum of squares between the groups, for each first position of the later part.
    var gains: [Double] = []
    for i in 0..<n {
      if i >= Self.fewestBefore, i <= n - Self.fewestAfter { gains.append(sums.between) }
      if isIn[i] { sums.move(fit.residual[i], series.weekday[i]) }
    }
    guard let top = gains.max(), let best = gains.firstIndex(of: top) else { return }
    let freedom = Double(isIn.count { $0 }) - 14
    let unit = max(1e-18, (sums.square - top) / max(1, freedom))
    let range = Structure.interval(of: gains.map { exp(($0 - top) / (2 * unit)) }, around: best)
    func bucket(_ place: Int) -> Int { series.index[Self.fewestBefore + place] }
    (from, lo, hi) = (bucket(best), bucket(range.lo), bucket(range.hi))
  }

  /// Positions near to those of the same weekday in the weeks around.
  private static func ordinary(_ residual: [Double], _ weekday: [Int]) -> [Bool] {
    var away = [Double](repeating: 0, count: residual.count)
    for d in 0..<7 {
      let mine = residual.indices.filter { weekday[$0] == d }
      let local = runningMedian(mine.map { residual[$0] }, width: 7)
      for (place, i) in mine.enumerated() { away[i] = abs(residual[i] - local[place]) }
    }
    let scale = (Robust.median(away.filter { $0 > 0 }) ?? 0) / Robust.madOfNormal
    return away.map { $0 <= 4 * scale }
  }
}

/// Weekday means before and after a place that moves.
private struct WeekdaySums {
  private var count = [Double](repeating: 0, count: 14)
  private var sum = [Double](repeating: 0, count: 14)
  private(set) var square = 0.0

  /// Everything begins in the later part.
  mutating func add(_ value: Double, _ weekday: Int) {
    count[7 + weekday] += 1
    sum[7 + weekday] += value
    square += value * value
  }

  mutating func move(_ value: Double, _ weekday: Int) {
    count[7 + weekday] -= 1
    sum[7 + weekday] -= value
    count[weekday] += 1
    sum[weekday] += value
  }

  /// Sum of n mean^2 over the groups.
  var between: Double {
    (0..<14).reduce(0) { $0 + (count[$1] > 0 ? sum[$1] * sum[$1] / count[$1] : 0) }
  }
}

extension SeasonBreak {
  /// Weeks that differ from each other by more than this leaves are no new profile.
  static let steadyLevel = 0.001

  /// p of the weeks since ``from`` all showing the change: each week's own share of it, the slope of its
  /// days on the change of their weekdays about a level of its own, against that of the others. F on
  /// weeks - 1 degrees.
  func steadiness(_ fit: WeekdayProfile.Parts, _ series: ComparedSeries, freedom: Double) -> Double
  {
    let change = (0..<7).map { after[$0] - before[$0] }
    var (sum, square, weight, weeks) = (0.0, 0.0, 0.0, 0.0)
    var end = series.index.last.map { $0 + 1 } ?? 0
    while end - 7 >= from {
      let mine = series.index.indices.filter {
        series.index[$0] >= end - 7 && series.index[$0] < end
      }
      end -= 7
      guard mine.count >= 5 else { continue }
      let size = Double(mine.count)
      let c = mine.map { change[series.weekday[$0]] }
      let x = mine.map { fit.residual[$0] - before[series.weekday[$0]] }
      let (cm, xm) = (c.reduce(0, +) / size, x.reduce(0, +) / size)
      let moment = c.reduce(0) { $0 + ($1 - cm) * ($1 - cm) }
      guard moment > 0 else { continue }
      let share = zip(c, x).reduce(0) { $0 + ($1.0 - cm) * ($1.1 - xm) } / moment
      sum += moment * share
      square += moment * share * share
      weight += moment
      weeks += 1
    }
    guard weeks >= 2, noise > 0 else { return 1 }
    let between = square - sum * sum / weight
    return FisherF.sf(between / (weeks - 1) / noise, df1: weeks - 1, df2: freedom)
  }
}
