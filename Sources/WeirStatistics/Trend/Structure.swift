import Glibc

/// The one structural hypothesis of a series: something moved, as a line or as a step.
struct Structure: Sendable {
  enum Label: String, Sendable { case trend, shift }

  var label: Label
  var pTrend: Double
  var pShift: Double
  /// See ``TwoStepTest``.
  var pTwice = 1.0
  /// min(1, 1.25 min(pTrend, pShift), 6 pTwice): the tests see much the same, so that three times would be too
  /// much. Measured on series without a change (docs/trends.md).
  var p: Double { min(1, 1.25 * min(pTrend, pShift), 6 * pTwice) }
  /// Whether what was seen are two steps rather than one.
  var isTwice: Bool { !earlier.isEmpty && 6 * pTwice < 1.25 * min(pTrend, pShift) }
  /// Deviate of the test that ``label`` belongs to, after all corrections.
  var statistic: Double
  /// First compared bucket of the new level, and its 95 % interval (positions among the compared).
  var split: Int
  var splitLo: Int
  var splitHi: Int
  /// Where the level had changed before ``split``, rising: the first compared bucket of each level but the
  /// first; of a shift only.
  var earlier: [Int] = []
  /// Autocorrelation and variance inflation of the labelled model's residuals.
  var phi: Double
  var inflation: Double
  var tau2: Double
  var effectiveBuckets: Double
  /// Robust copy of the deseasonalised values, their weights 1/(s^2 + tau^2), 0 where masked.
  var values: [Double]
  var weights: [Double]
  /// Weighted residual variance of the labelled model, in units of 1/weight.
  var unit: Double
  var line: WeightedLine
  /// Where something moved and buckets were tested, not blocks.
  var fit: FindingModel.Fit?
  /// One position a block where ``values`` are those of blocks and repeat; see ``WeekBlocks``.
  var middles: [Int]?

  var isBlocked: Bool { middles != nil }

  /// The stretches of a shift that keep a level, the last one from ``split`` on.
  var levels: [Range<Int>] {
    let starts = [0] + earlier + [split]
    return zip(starts, starts.dropFirst() + [values.count]).map { $0..<$1 }
  }

  /// The stretch in front of ``split``.
  var before: Range<Int> { (earlier.last ?? 0)..<split }

  func mean(_ range: Range<Int>) -> Double {
    var (sum, weight) = (0.0, 0.0)
    for i in range {
      sum += weights[i] * values[i]
      weight += weights[i]
    }
    return weight > 0 ? sum / weight : 0
  }

  /// Standard error of ``mean(_:)`` with process noise and autocorrelation.
  func error(_ range: Range<Int>) -> Double {
    let weight = range.reduce(0) { $0 + weights[$1] }
    return weight > 0 ? (max(0.25, unit) * inflation / weight).squareRoot() : 0
  }
}

extension Structure {
  /// The places around the best one, the likelier neighbour first, until they carry 95 % of the mass.
  static func interval(of mass: [Double], around best: Int) -> (lo: Int, hi: Int) {
    let sum = mass.reduce(0, +)
    var (lo, hi) = (best, best)
    var covered = mass[best]
    while covered < 0.95 * sum {
      let left = lo > 0 ? mass[lo - 1] : -1
      let right = hi + 1 < mass.count ? mass[hi + 1] : -1
      if left < 0, right < 0 { break }
      if left >= right {
        lo -= 1
        covered += left
      } else {
        hi += 1
        covered += right
      }
    }
    return (lo, hi)
  }
}

/// A weighted least-squares line through (t, y), about the mean of t.
struct WeightedLine: Sendable {
  var centre = 0.0
  var level = 0.0
  var slope = 0.0
  private var weight = 0.0
  private var moment = 0.0

  init(t: [Double], y: [Double], w: [Double]) {
    var (st, sy) = (0.0, 0.0)
    for i in t.indices {
      weight += w[i]
      st += w[i] * t[i]
      sy += w[i] * y[i]
    }
    guard weight > 0 else { return }
    centre = st / weight
    level = sy / weight
    var cross = 0.0
    for i in t.indices {
      let d = t[i] - centre
      moment += w[i] * d * d
      cross += w[i] * d * (y[i] - level)
    }
    slope = moment > 0 ? cross / moment : 0
  }

  func at(_ t: Double) -> Double { level + slope * (t - centre) }

  /// Variance of ``slope`` per unit of residual variance.
  var slopeVariance: Double { moment > 0 ? 1 / moment : .infinity }

  /// Variance of the line at t per unit of residual variance.
  func leverage(_ t: Double) -> Double {
    let d = t - centre
    return (weight > 0 ? 1 / weight : 0) + (moment > 0 ? d * d / moment : 0)
  }
}
