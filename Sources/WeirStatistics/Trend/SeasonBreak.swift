import Glibc

/// Whether the days of the week differ in another way in the last four weeks than before.
struct SeasonBreak: Sendable {
  /// Of the F test that the seven differences between the weekdays are one level.
  var p: Double
  var statistic: Double
  /// Number of the first bucket with the new profile, and its interval.
  var from: Int
  var lo: Int
  var hi: Int
  /// Offsets of the weekdays on the scale, Monday first, and the variance of each difference.
  var before: [Double]
  var after: [Double]
  var variance: [Double]
  /// Mean variance of a day about its weekday.
  var noise: Double
  /// Degrees of freedom that ``noise`` is known with.
  var freedom: Double

  /// Buckets that a new profile is looked for in, and fewest compared buckets in all.
  static let window = 28
  static let fewest = 56
  /// A break this likely is taken out before anything else is tested.
  static let acceptedLevel = 0.01

  /// `profile` has been fitted in two parts, see ``WeekdayProfile/init(_:from:)``. `nil` where a weekday
  /// has fewer than two buckets in a part.
  init?(_ profile: WeekdayProfile, _ series: ComparedSeries) {
    guard let from = profile.from, let fit = profile.parts, series.count >= SeasonBreak.fewest
    else { return nil }
    guard fit.days.allSatisfy({ $0 >= 2 }) else { return nil }
    (self.from, lo, hi) = (from, from, from)
    before = Array(fit.raw[0..<7])
    after = Array(fit.raw[7..<14])
    let all = series.index.indices
    let n = fit.isIn.count { $0 }
    let s2 = all.map {
      series.samplingVariance($0, level: fit.trend[$0] + fit.raw[fit.group[$0]])
    }
    let rest = all.map { fit.residual[$0] - fit.raw[fit.group[$0]] }
    let tau2 = Dispersion.robust(rest, s2)
    // The level under the weekdays follows the values too.
    freedom = max(6, 0.5 * Double(n) - 14)
    var (unit, scale) = (0.0, 0.0)
    var variances = [Double](repeating: 0, count: 14)
    for i in all where fit.isIn[i] {
      let v = max(s2[i] + tau2, 1e-18)
      unit += rest[i] * rest[i] / v
      scale += v
      let days = fit.days[fit.group[i]]
      variances[fit.group[i]] += v / (days * days)
    }
    unit = max(unit / max(8, 0.9 * Double(n) - 14), 1e-12)
    noise = unit * scale / Double(max(1, n))
    let errors = (0..<7).map { unit * (variances[$0] + variances[7 + $0]) }
    let d = (0..<7).map { fit.raw[7 + $0] - fit.raw[$0] }
    let weight = errors.reduce(0) { $0 + 1 / $1 }
    let centre = (0..<7).reduce(0) { $0 + d[$1] / errors[$1] } / weight
    let square = (0..<7).reduce(0) { $0 + (d[$1] - centre) * (d[$1] - centre) / errors[$1] }
    variance = errors
    statistic = square / 6
    p = max(1e-300, FisherF.sf(statistic, df1: 6, df2: freedom))
  }

  /// The weekday that moved furthest, in standard errors.
  var weekday: Int {
    (0..<7).max { a, b in
      let (x, y) = (strength(a), strength(b))
      return x != y ? x < y : a > b
    } ?? 0
  }

  private func strength(_ d: Int) -> Double {
    let move = after[d] - before[d]
    return move * move / max(variance[d], 1e-300)
  }
}
