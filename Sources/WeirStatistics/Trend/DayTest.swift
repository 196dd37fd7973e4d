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
  let level: [Double]?
  /// Parameters the level has used up, and the autocorrelation of what is left.
  let parameters: Double
  let phi: Double

  /// A bucket with fewer events than this is no claim where no level could be modelled.
  static let fewestEvents = 5.0
  /// A bucket counts for at most this many robust standard deviations in the variance of others, so
  /// that two far outliers do not hide each other.
  static let winsor = 6.0

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
      let df = max(3, freedom * damped)
      let fit = (1 + parameters / others).squareRoot()
      if let result = judge(i, from..<to, m, tau2: tau2, df: df, fit: fit) {
        results.append(result)
      }
    }
    return results
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
      let raw = min(1, max(1e-300, 2 * StudentT.sf(abs(z), df: df)))
      return DayResult(
        at: i, isUp: z > 0, z: z, raw: raw, p: min(1, raw * Double(series.count)),
        expected: expected, tau2: tau2, test: "student_t")
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

/// Squared residuals with their variance s + a q, on the scale where the law of the bucket holds:
/// events for counts and rates, the series' own scale for means and quantiles.
private struct Moments {
  var squares: [Double] = []
  var sampling: [Double] = []
  var process: [Double] = []
  private var candidates: [Bool] = []
  /// +1 or -1 where a bucket lies beyond 3 robust standard deviations, else 0.
  private var far: [Int] = []
  private var expected: [Double] = []
  private let total: Double
  private let weight: Double
  /// Makes the expected counts add up to the counts: the mean, where the level is nearer a median.
  private var calibration = 1.0

  init(_ test: DayTest) {
    let s = test.series
    let n = s.count
    total = s.k.reduce(0, +)
    weight = s.kind == .rate ? s.n.reduce(0, +) : s.exposure.reduce(0, +)
    for i in 0..<n {
      if let level = test.level {
        expected.append(
          s.natural(level[i] + test.profile.at(i, s)) * (s.isCounted ? s.exposure[i] : 1))
      } else {
        expected.append(pooled(total, weight, s) * (s.isCounted ? s.exposure[i] : 1))
      }
    }
    if test.level != nil, s.isCounted {
      // Without the wild ones: within 4 deviations of sampling and robust process noise.
      let r = (0..<n).map { s.y[$0] - log(max(expected[$0] / s.exposure[$0], 1e-9)) }
      let s2 = expected.map { 1 / ($0 + 0.5) }
      let tau2 = Dispersion.robust(r, s2)
      var (seen, wanted) = (0.0, 0.0)
      for i in 0..<n where abs(r[i]) <= 4 * (s2[i] + tau2).squareRoot() {
        seen += s.k[i]
        wanted += expected[i]
      }
      if seen > 0, wanted > 0 { calibration = seen / wanted }
      for i in 0..<n { expected[i] *= calibration }
    }
    var residual: [Double] = []
    for i in 0..<n {
      switch s.kind {
      case .count, .distinct:
        residual.append(s.k[i] - expected[i])
        sampling.append(max(expected[i], 1e-9))
        process.append(expected[i] * expected[i])
      case .rate:
        let pq = max(expected[i] * (1 - expected[i]), 1e-12)
        residual.append(s.k[i] - s.n[i] * expected[i])
        sampling.append(s.n[i] * pq)
        process.append(s.n[i] * max(0, s.n[i] - 1) * pq)
      case .mean, .quantile:
        let centre = (test.level?[i] ?? 0) + test.profile.at(i, s)
        residual.append(s.y[i] - centre)
        sampling.append(max(s.samplingVariance(i, level: centre), 1e-18))
        process.append(1)
      }
    }
    let robust = test.level == nil ? 0 : Self.robust(residual, sampling, process)
    for i in 0..<n {
      let v = sampling[i] + robust * process[i]
      let d2 = residual[i] * residual[i]
      var wild = d2 > 4 * v
      if s.isCounted, !wild, test.level != nil {
        // Far below on the log scale even where the count scale is too wide to say so.
        let r = log((s.k[i] + 0.5) / (expected[i] + 0.5))
        wild = r * r > 4 * (1 / (expected[i] + 0.5) + robust)
      }
      candidates.append(wild)
      far.append(d2 > 9 * v ? (residual[i] > 0 ? 1 : -1) : 0)
      squares.append(min(d2, DayTest.winsor * DayTest.winsor * v))
    }
  }

  func isCandidate(_ i: Int) -> Bool { candidates[i] }

  /// Bucket i with what may belong to the same event: the run of far buckets on the same side that it
  /// stands in (at most ``longestRun`` to each side), and one more bucket at both ends.
  func neighbourhood(_ i: Int, _ s: ComparedSeries) -> Range<Int> {
    var from = i
    var to = i
    func adjoins(_ a: Int, _ b: Int) -> Bool { s.index[b] == s.index[a] + 1 }
    while from > 0, i - from < Self.longestRun, far[i] != 0, far[from - 1] == far[i],
      adjoins(from - 1, from)
    { from -= 1 }
    while to + 1 < s.count, to - i < Self.longestRun, far[i] != 0, far[to + 1] == far[i],
      adjoins(to, to + 1)
    { to += 1 }
    if from > 0, adjoins(from - 1, from) { from -= 1 }
    if to + 1 < s.count, adjoins(to, to + 1) { to += 1 }
    return from..<(to + 1)
  }

  /// A longer run is a level, not an event.
  private static let longestRun = 6

  /// What bucket i should have shown, by the others.
  func expected(_ i: Int, without hole: Range<Int>, _ test: DayTest) -> Double {
    let s = test.series
    let size = s.isCounted ? s.exposure[i] : 1
    if let level = test.level {
      return s.natural(level[i] + test.profile.without(i, s)) * size * calibration
    }
    var (k, w) = (total, weight)
    for j in hole {
      k -= s.k[j]
      w -= s.kind == .rate ? s.n[j] : s.exposure[j]
    }
    return pooled(k, w, s) * size
  }

  private func pooled(_ k: Double, _ w: Double, _ s: ComparedSeries) -> Double {
    s.kind == .rate ? (k + 0.5) / (w + 1) : (k + 0.5) / max(1, w)
  }

  /// MAD of r / sqrt(s + a q) made one: a robust first guess of a, for the winsor limits only.
  private static func robust(_ r: [Double], _ s: [Double], _ q: [Double]) -> Double {
    Dispersion.robust(
      r.indices.map { r[$0] / max(q[$0], 1e-18).squareRoot() },
      s.indices.map { s[$0] / max(q[$0], 1e-18) })
  }
}
