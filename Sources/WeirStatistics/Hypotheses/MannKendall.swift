import Glibc

/// What a Mann-Kendall test says.
public struct MannKendallResult: Sendable, Equatable {
  /// Sum over i < j of sign(x_j - x_i).
  public var s: Double
  /// Variance of ``s`` under no trend, as the test corrected it.
  public var variance: Double
  /// S / (n (n-1) / 2), tau-a.
  public var tau: Double
  /// Continuity-corrected deviate; `nil` where the corrected variance is negative.
  public var z: Double?
  /// Two-sided; `nil` with ``z``.
  public var p: Double?
}

/// Monotone trend by the signs of pairs (Mann 1945, Kendall 1975) and its corrections for
/// autocorrelation. The corrected ones take out Sen's slope first, see ``PairSlopes``.
public enum MannKendall {
  /// The original test. Constant values give z = 0 and p = 1.
  public static func original(_ x: [Double]) -> MannKendallResult {
    result(s: score(x), variance: variance(x), pairs: pairs(x.count))
  }

  /// Sum over i < j of sign(x_j - x_i). Pairs one by one for a few hundred values, where that is fastest;
  /// beyond, O(n log n) by merge sort.
  public static func score(_ x: [Double]) -> Double {
    let n = x.count
    guard n <= 512 else { return sortedScore(x) }
    var s = 0
    x.withUnsafeBufferPointer { v in
      for i in 0..<n {
        let a = v[i]
        for j in (i + 1)..<max(i + 1, n) {
          let b = v[j]
          s &+= (b > a ? 1 : 0) &- (b < a ? 1 : 0)
        }
      }
    }
    return Double(s)
  }

  /// All pairs, less those that are equal, less twice those that fall.
  static func sortedScore(_ x: [Double]) -> Double {
    var sorted = x
    let falling = inversions(&sorted)
    var equal = 0
    var start = 0
    while start < sorted.count {
      var end = start + 1
      while end < sorted.count, sorted[end] == sorted[start] { end += 1 }
      equal += (end - start) * (end - start - 1) / 2
      start = end
    }
    return Double(x.count * (x.count - 1) / 2 - equal - 2 * falling)
  }

  /// (n(n-1)(2n+5) - sum t(t-1)(2t+5)) / 18 over groups of t ties.
  public static func variance(_ x: [Double]) -> Double {
    let n = Double(x.count)
    return (n * (n - 1) * (2 * n + 5) - tieTerm(x)) / 18
  }

  static func tieTerm(_ x: [Double]) -> Double {
    let sorted = x.sorted()
    var sum = 0.0
    var start = 0
    while start < sorted.count {
      var end = start + 1
      while end < sorted.count, sorted[end] == sorted[start] { end += 1 }
      let t = Double(end - start)
      sum += t * (t - 1) * (2 * t + 5)
      start = end
    }
    return sum
  }

  static func pairs(_ n: Int) -> Double { 0.5 * Double(n) * Double(n - 1) }

  /// `continuity` is what |S| is lowered by before it is divided by its standard deviation.
  static func result(
    s: Double, variance: Double, pairs: Double, continuity: Double = 1
  ) -> MannKendallResult {
    let tau = pairs > 0 ? s / pairs : 0
    guard s != 0 else { return MannKendallResult(s: s, variance: variance, tau: tau, z: 0, p: 1) }
    guard variance > 0 else {
      return MannKendallResult(s: s, variance: variance, tau: tau, z: nil, p: nil)
    }
    let z = (s > 0 ? s - continuity : s + continuity) / variance.squareRoot()
    return MannKendallResult(s: s, variance: variance, tau: tau, z: z, p: 2 * Normal.sf(abs(z)))
  }

  /// Hamed and Rao (1998): variance times 1 + 2/(n(n-1)(n-2)) sum (n-k)(n-k-1)(n-k-2) r_k over the
  /// rank autocorrelations (Sen's slope removed) beyond z_{1-level/2}/sqrt(n), up to `lag` (all when
  /// `nil`). `guarded` keeps the original variance where n < 20 or the factor is below 1: without it
  /// the variance can be negative and the test has no answer.
  public static func hamedRao(
    _ x: [Double], lag: Int? = nil, level: Double = 0.05, guarded: Bool = false
  ) -> MannKendallResult {
    let n = x.count
    let m = Double(n)
    let ranks = averageRanks(detrended(x))
    let last = min(n - 1, lag ?? n - 1)
    let r = Autocorrelation.biased(ranks, lags: last)
    let limit = Normal.upperQuantile(level / 2) / m.squareRoot()
    var sum = 0.0
    for k in stride(from: 1, through: last, by: 1) where abs(r[k]) > limit {
      let d = m - Double(k)
      sum += d * (d - 1) * (d - 2) * r[k]
    }
    var factor = 1 + 2 / (m * (m - 1) * (m - 2)) * sum
    if guarded, n < 20 || factor < 1 { factor = 1 }
    return result(s: score(x), variance: variance(x) * factor, pairs: pairs(n))
  }

  /// Yue and Wang (2004): variance times 1 + 2 sum (1 - k/n) r_k over the autocorrelations of the
  /// detrended values up to `lag`. Summing all lags is identically degenerate; use 1.
  public static func yueWang(_ x: [Double], lag: Int = 1) -> MannKendallResult {
    let n = x.count
    let last = min(n - 1, lag)
    let r = Autocorrelation.biased(detrended(x), lags: last)
    var sum = 0.0
    for k in stride(from: 1, through: last, by: 1) { sum += (1 - Double(k) / Double(n)) * r[k] }
    return result(s: score(x), variance: variance(x) * (1 + 2 * sum), pairs: pairs(n))
  }

  /// The original test on x_t - r_1 x_{t-1}.
  public static func preWhitened(_ x: [Double]) -> MannKendallResult { original(whitened(x)) }

  /// Trend-free pre-whitening (Yue et al. 2002): detrend, pre-whiten, add the trend back.
  public static func trendFreePreWhitened(_ x: [Double]) -> MannKendallResult {
    let slope = senSlope(x.map { $0 })?.slope ?? 0
    let w = whitened(detrended(x))
    return original(w.indices.map { w[$0] + Double($0 + 1) * slope })
  }

  private static func whitened(_ x: [Double]) -> [Double] {
    let r = Autocorrelation.biased(x, lags: 1)
    guard x.count > 1 else { return [] }
    return (1..<x.count).map { x[$0] - x[$0 - 1] * r[1] }
  }

  /// x - slope t for t = 1 ... n, with Sen's slope.
  private static func detrended(_ x: [Double]) -> [Double] {
    let slope = senSlope(x.map { $0 })?.slope ?? 0
    return x.indices.map { x[$0] - Double($0 + 1) * slope }
  }
}
