import Glibc

/// One compared bucket against what the others say it should have been.
struct DayResult: Sendable {
  /// Position among the compared buckets.
  var at: Int
  var isUp: Bool
  /// Signed normal deviate of the tail, before Student's correction.
  var z: Double
  /// Two-sided, for this bucket alone.
  var raw: Double
  /// After Bonferroni over the compared buckets.
  var p: Double
  /// Expected value as a reader sees it (count and distinct: with the bucket's exposure).
  var expected: Double
  /// Process variance on the scale, from the other buckets.
  var tau2: Double
  var test: String
}

/// Exact tests of single buckets, each left out (with its neighbours) of what it is judged by.
struct DayTest {
  let series: ComparedSeries
  let profile: WeekdayProfile
  /// Level of each compared bucket on the scale without its weekday; `nil` where there are too few
  /// events for that: then the pooled mean or rate of the other buckets is expected everywhere.
  var level: [Double]?
  /// Parameters the level has used up, and the autocorrelation of what is left.
  let parameters: Double
  let phi: Double

  /// A bucket with fewer events than this is no claim where no level could be modelled.
  static let fewestEvents = 5.0
  /// A bucket counts for at most this many robust standard deviations in the variance of others, so
  /// that two far outliers do not hide each other.
  static let winsor = 6.0
  /// The estimated part of a variance is taken to be at least this share of it.
  static let leastShare = 0.5
  static let freedomOfTail = 4.0

  /// Over-dispersion of all buckets but those in `excluded`, for the plots.
  func dispersion(excluding excluded: [Bool]) -> Double {
    let m = Moments(self)
    let kept = (0..<series.count).filter { !excluded[$0] }
    return Dispersion.moments(
      squares: kept.map { m.squares[$0] }, sampling: kept.map { m.sampling[$0] },
      process: kept.map { m.process[$0] }, without: 0..<0,
      freedom: Double(kept.count) - parameters)
  }

  /// Every bucket that is not plainly ordinary, in time order. O(n) for each of them.
  func run() -> [DayResult] {
    let n = series.count
    let m = Moments(self)
    var results: [DayResult] = []
    for i in 0..<n where m.isCandidate(i) {
      let hole = m.neighbourhood(i, series)
      let (from, to) = (hole.lowerBound, hole.upperBound)
      let others = Double(n - (to - from))
      let freedom = others - parameters
      guard freedom >= 3 else { continue }
      let tau2 = Dispersion.moments(
        squares: m.squares, sampling: m.sampling, process: m.process, without: from..<to,
        freedom: freedom)
      let damped = (1 - phi * phi) / (1 + phi * phi)
      let df = max(3, self.freedom(of: tau2, at: i, m, freedom * damped))
      let fit = (1 + parameters / others).squareRoot()
      if let result = judge(i, from..<to, m, tau2: tau2, df: df, fit: fit) {
        results.append(result)
      }
    }
    return results
  }

  /// Degrees of freedom of the whole variance of bucket i: its sampling part is known and only the
  /// process part is estimated, so that df / share^2 (Satterthwaite 1946). The share is taken two
  /// standard errors high, because an estimate of no process noise is uncertain too.
  ///
  /// A quantile of few records has no normal law: the 95th percentile of ten is their largest. It is given
  /// as many degrees of freedom as ``freedomOfTail`` times the records expected beyond it.
  private func freedom(of tau2: Double, at i: Int, _ m: Moments, _ df: Double) -> Double {
    if series.kind == .quantile {
      return min(df, Self.freedomOfTail * series.n[i] * series.tailShare)
    }
    guard !series.isValue, df > 0 else { return df }
    let process = tau2 * m.process[i]
    let whole = m.sampling[i] + process
    let share = min(1, (whole > 0 ? process / whole : 0) + 2 * (2 / df).squareRoot())
    return df / max(Self.leastShare * Self.leastShare, share * share)
  }

  private func judge(
    _ i: Int, _ hole: Range<Int>, _ m: Moments, tau2: Double, df: Double, fit: Double
  ) -> DayResult? {
    let expected = m.expected(i, without: hole, self)
    let name: String
    var z: Double
    switch series.kind {
    case .mean, .quantile:
      let centre = (level?[i] ?? 0) + profile.without(i, series)
      let variance = series.samplingVariance(i, level: centre) + tau2
      // Values that never vary leave nothing to compare with but rounding.
      let scale = max(variance.squareRoot(), 1e-9 * max(1, abs(series.y[i])))
      z = (series.y[i] - centre) / scale / fit
      let skewness = m.skew.of(
        i, in: series, without: hole, level: series.natural(centre), deviation: scale, isUp: z > 0)
      z = ShiftedLogNormal.deviate(z, skewness: skewness)
      let raw = min(1, max(1e-300, 2 * StudentT.sf(abs(z), df: df)))
      return DayResult(
        at: i, isUp: z > 0, z: z, raw: raw, p: min(1, raw * Double(series.count)),
        expected: expected, tau2: tau2, test: skewness == 0 ? "student_t" : "log_normal")
    case .count, .distinct:
      let x = whole(series.k[i])
      name = tau2 > 1e-12 ? "negbinomial" : "poisson"
      z = deviate(CountTails.negativeBinomial(x, mean: max(expected, 1e-9), alpha: tau2))
      if level == nil, z > 0, series.k[i] < Self.fewestEvents { return nil }
    case .rate:
      name = tau2 > 1e-12 ? "betabinomial" : "binomial"
      let p = min(1 - 1e-12, max(1e-12, expected))
      z = deviate(
        CountTails.betaBinomial(
          whole(series.k[i]), of: whole(series.n[i]), p: p, rho: min(0.9, tau2)))
      let events = z > 0 ? series.k[i] : series.n[i] - series.k[i]
      if level == nil, events < Self.fewestEvents { return nil }
    }
    let raw = min(1, max(1e-300, 2 * StudentT.sf(abs(z) / fit, df: df)))
    return DayResult(
      at: i, isUp: z > 0, z: z, raw: raw, p: min(1, raw * Double(series.count)),
      expected: expected, tau2: scaleVariance(tau2, expected), test: name)
  }

  /// The normal deviate of a mid-p tail, signed, within 37.
  private func deviate(_ tails: MidTails) -> Double {
    let small = max(1e-300, min(tails.upper, tails.lower))
    let size = max(0, Normal.upperQuantile(small))
    return tails.upper <= tails.lower ? size : -size
  }

  private func whole(_ v: Double) -> Int { Int(min(9e15, max(0, v.rounded()))) }

  /// The over-dispersion of the test as a variance on the scale: alpha, rho / (p (1-p)), tau^2.
  func scaleVariance(_ tau2: Double, _ expected: Double) -> Double {
    guard series.kind == .rate else { return tau2 }
    let pq = expected * (1 - expected)
    return pq > 1e-9 ? tau2 / pq : 0
  }
}
