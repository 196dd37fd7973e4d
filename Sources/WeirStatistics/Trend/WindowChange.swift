import Glibc

/// Whether the second half of a history that is too short, or has too few events, for anything else lies
/// off the first.
struct WindowChange: Sendable {
  var p: Double
  /// Student's t.
  var statistic: Double
  var freedom: Double
  /// First compared bucket of the second half.
  var split: Int
  /// Standard error of each half's level on the scale.
  var errors: (before: Double, after: Double)

  static let fewest = 6
  static let fewestEvents = 10.0
  /// What the variance of a half is multiplied by for days that resemble each other, at least: as they do
  /// with an autocorrelation of 0.2. Few days cannot tell their own; from 30 on they are asked.
  static let inflation = 1.5
  private static let fewestForMemory = 30

  private static func inflation(_ residuals: [Double], _ s: ComparedSeries) -> Double {
    guard residuals.count >= fewestForMemory else { return inflation }
    let phi = Autocorrelation.lagOne(residuals, index: s.index, fitted: 2)
    return max(inflation, Autocorrelation.inflation(phi))
  }

  /// Halves of at least three buckets. Counts and rates by their pooled levels with the dispersion that
  /// the buckets have about their own half, at least that of Poisson and binomial counts; the rest by
  /// Welch's pooled mean. `nil` where there are too few buckets, events or differences.
  init?(_ s: ComparedSeries) {
    let n = s.count
    guard n >= WindowChange.fewest else { return nil }
    split = n / 2
    let (first, second) = (0..<split, split..<n)
    freedom = Double(n - 2)
    guard !s.isValue else {
      let (a, b) = (Self.mean(s.y, first), Self.mean(s.y, second))
      let square =
        first.reduce(0) { $0 + (s.y[$1] - a) * (s.y[$1] - a) }
        + second.reduce(0) { $0 + (s.y[$1] - b) * (s.y[$1] - b) }
      let typical = (0..<n).reduce(0) { $0 + s.samplingVariance($1, level: s.y[$1]) } / Double(n)
      let split = split
      let rest = (0..<n).map { s.y[$0] - ($0 < split ? a : b) }
      let unit = max(square / freedom, typical) * Self.inflation(rest, s)
      guard unit > 0 else { return nil }
      errors = ((unit / Double(split)).squareRoot(), (unit / Double(n - split)).squareRoot())
      statistic =
        (b - a) / (errors.before * errors.before + errors.after * errors.after).squareRoot()
      p = max(1e-300, min(1, 2 * StudentT.sf(abs(statistic), df: freedom)))
      return
    }
    func size(_ i: Int) -> Double { s.kind == .rate ? s.n[i] : s.exposure[i] }
    func total(_ range: Range<Int>, _ f: (Int) -> Double) -> Double {
      range.reduce(0) { $0 + f($1) }
    }
    let (k0, k1) = (total(first) { s.k[$0] }, total(second) { s.k[$0] })
    let (w0, w1) = (total(first, size), total(second, size))
    let rarer = s.kind == .rate ? min(k0 + k1, w0 + w1 - k0 - k1) : k0 + k1
    guard rarer >= WindowChange.fewestEvents, w0 > 0, w1 > 0 else { return nil }
    func variance(_ level: Double) -> Double {
      s.kind == .rate ? level * (1 - level) : level
    }
    // Pearson's chi-square about the two levels.
    var rest: [Double] = []
    for (range, level) in [(first, k0 / w0), (second, k1 / w1)] {
      for i in range {
        let scale = max(variance(level) * size(i), 1e-9)
        rest.append((s.k[i] - level * size(i)) / scale.squareRoot())
      }
    }
    let square = rest.reduce(0) { $0 + $1 * $1 }
    let pooled = variance((k0 + k1) / (w0 + w1))
    let unit = max(1, square / freedom) * Self.inflation(rest, s)
    statistic = (k1 / w1 - k0 / w0) / (unit * pooled * (1 / w0 + 1 / w1)).squareRoot()
    p = max(1e-300, min(1, 2 * StudentT.sf(abs(statistic), df: freedom)))
    func error(_ k: Double, _ w: Double) -> Double {
      let of = s.kind == .rate ? 1 / (k + 0.5) + 1 / (w - k + 0.5) : 1 / (k + 0.5)
      return (unit * of).squareRoot()
    }
    errors = (error(k0, w0), error(k1, w1))
  }

  private static func mean(_ y: [Double], _ range: Range<Int>) -> Double {
    range.reduce(0) { $0 + y[$1] } / Double(max(1, range.count))
  }
}
