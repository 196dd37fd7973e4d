import Glibc

/// Squared residuals with their variance s + a q, on the scale where the law of the bucket holds:
/// events for counts and rates, the series' own scale for means and quantiles.
struct Moments {
  var squares: [Double] = []
  var sampling: [Double] = []
  var process: [Double] = []
  private var candidates: [Bool] = []
  /// +1 or -1 where a bucket lies beyond 3 robust standard deviations, else 0.
  private var far: [Int] = []
  private var expected: [Double] = []
  /// Of the mean of a bucket.
  let skew: RecordSkew
  private let total: Double
  private let weight: Double
  /// What the level has to be moved by, on the scale, so that the expected events add up.
  private var calibration = 0.0

  init(_ test: DayTest) {
    let s = test.series
    let n = s.count
    skew = RecordSkew(s)
    total = s.k.reduce(0, +)
    weight = s.kind == .rate ? s.n.reduce(0, +) : s.exposure.reduce(0, +)
    if let level = test.level {
      let whole = (0..<n).map { level[$0] + test.profile.at($0, s) }
      calibration = s.calibration(of: whole, over: s.ordinary(about: whole))
      expected = whole.indices.map {
        s.natural(whole[$0] + calibration) * (s.isCounted ? s.exposure[$0] : 1)
      }
    } else {
      let mean = pooled(total, weight, s)
      expected = (0..<n).map { mean * (s.isCounted ? s.exposure[$0] : 1) }
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
      return s.natural(level[i] + test.profile.without(i, s) + calibration) * size
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
