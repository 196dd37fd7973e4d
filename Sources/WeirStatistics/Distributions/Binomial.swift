import Glibc

/// The binomial law: successes among `n` trials of probability `p`.
public enum Binomial {
  /// log P(X = k); -infinity outside 0 ... n.
  public static func logDensity(_ k: Int, of n: Int, p: Double) -> Double {
    guard k >= 0, k <= n else { return -.infinity }
    return SaddlePoint.logBinomial(Double(k), of: Double(n), p: p, q: 1 - p)
  }

  /// P(X <= k) = I_{1-p}(n - k, k + 1).
  public static func cdf(_ k: Int, of n: Int, p: Double) -> Double {
    if k < 0 { return 0 }
    if k >= n || p <= 0 { return 1 }
    if p >= 1 { return 0 }
    return regularizedBeta(p, Double(k + 1), Double(n - k)).upper
  }

  /// P(X > k) = I_p(k + 1, n - k).
  public static func sf(_ k: Int, of n: Int, p: Double) -> Double {
    if k < 0 { return 1 }
    if k >= n || p <= 0 { return 0 }
    if p >= 1 { return 1 }
    return regularizedBeta(p, Double(k + 1), Double(n - k)).lower
  }

  /// Exact two-sided test of `k` successes: the probability of all outcomes no likelier than `k`, those
  /// within a ten-millionth of it counted too (equal but for rounding). O(log n) tails.
  public static func twoSided(_ k: Int, of n: Int, p: Double) -> Double {
    guard n > 0, k >= 0, k <= n else { return 1 }
    if p <= 0 { return k == 0 ? 1 : 0 }
    if p >= 1 { return k == n ? 1 : 0 }
    let limit = logDensity(k, of: n, p: p) + 1e-7
    let mean = Double(n) * p
    if Double(k) == mean { return 1 }
    func isRare(_ j: Int) -> Bool { logDensity(j, of: n, p: p) <= limit }
    if Double(k) < mean {
      // The first rare outcome above the mean.
      let first = firstPlace(from: min(n, Int(mean.rounded(.up))), through: n, where: isRare)
      return min(1, cdf(k, of: n, p: p) + (first.map { sf($0 - 1, of: n, p: p) } ?? 0))
    }
    // The last rare outcome below the mean, found from the mean downwards.
    let top = Int(mean.rounded(.down))
    let steps = firstPlace(from: 0, through: top) { isRare(top - $0) }
    return min(1, sf(k - 1, of: n, p: p) + (steps.map { cdf(top - $0, of: n, p: p) } ?? 0))
  }
}

/// The first place of a range from which on a condition holds, by bisection; `nil` where it never does.
func firstPlace(from low: Int, through high: Int, where holds: (Int) -> Bool) -> Int? {
  guard low <= high, holds(high) else { return nil }
  var (lo, hi) = (low, high)
  while lo < hi {
    let middle = (lo + hi) / 2
    if holds(middle) { hi = middle } else { lo = middle + 1 }
  }
  return lo
}
