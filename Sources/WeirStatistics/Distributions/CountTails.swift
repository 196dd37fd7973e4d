import Glibc

/// Tail probabilities of a count at an observed value, with the value itself split in half (mid-p).
public struct MidTails: Sendable, Equatable {
  /// P(X > x) + P(X = x) / 2.
  public var upper: Double
  /// P(X < x) + P(X = x) / 2; upper + lower = 1.
  public var lower: Double
  /// min(1, 2 min(upper, lower)).
  public var twoSided: Double { min(1, 2 * min(upper, lower)) }

  public init(upper: Double, lower: Double) {
    self.upper = upper
    self.lower = lower
  }

  /// From the log density at x and P(beyond x) / P(x) on the side where it was summed.
  fileprivate init(logDensity: Double, ratioBeyond ratio: Double, above: Bool) {
    let small = min(1, exp(logDensity) * (0.5 + ratio))
    self.init(upper: above ? small : 1 - small, lower: above ? 1 - small : small)
  }
}

/// Exact mid-p tails of count laws (Lancaster 1961 for mid-p).
///
/// The density at x is a saddle-point form; the tail beyond x, away from the mean, is summed by the
/// ratio of neighbouring terms until it no longer counts, so that a tail of 1e-300 keeps its digits.
/// Cost: O(1 + standard deviation) terms; a few million at worst for wide laws at 1e7.
public enum CountTails {
  /// Poisson with the given mean >= 0.
  public static func poisson(_ x: Int, mean: Double) -> MidTails {
    guard mean > 0 else { return degenerate(x, at: 0) }
    let v = Double(x)
    return tails(
      v, mean: mean, last: .infinity, logDensity: SaddlePoint.logPoisson(v, mean: mean),
      up: { mean / ($0 + 1) }, down: { $0 / mean })
  }

  /// Negative binomial with mean mu and variance mu + alpha mu^2; Poisson at alpha = 0.
  public static func negativeBinomial(_ x: Int, mean: Double, alpha: Double) -> MidTails {
    guard mean > 0 else { return degenerate(x, at: 0) }
    guard alpha > 1e-12 else { return poisson(x, mean: mean) }
    let size = 1 / alpha
    let q = mean / (size + mean)
    let v = Double(x)
    // (size/(size+x)) times a binomial density of size among size + x.
    let logDensity =
      log(size / (size + v)) + SaddlePoint.logBinomial(size, v, p: size / (size + mean), q: q)
    // The upper tail is an incomplete beta: P(X > x) = I_q(x + 1, size).
    let spread = (mean + alpha * mean * mean).squareRoot()
    if spread > 20_000 {
      let halves = regularizedBeta(q, v + 1, size, complement: size / (size + mean))
      let half = 0.5 * exp(logDensity)
      if v > mean { return MidTails(upper: halves.lower + half, lower: 1 - halves.lower - half) }
      let below = max(0, halves.upper - half)
      return MidTails(upper: 1 - below, lower: below)
    }
    return tails(
      v, mean: mean, last: .infinity, logDensity: logDensity,
      up: { ($0 + size) / ($0 + 1) * q }, down: { $0 / ($0 - 1 + size) / q })
  }

  /// Binomial: k of n at probability p.
  public static func binomial(_ k: Int, of n: Int, p: Double) -> MidTails {
    guard n > 0 else { return MidTails(upper: 0.5, lower: 0.5) }
    guard p > 0 else { return degenerate(k, at: 0) }
    guard p < 1 else { return degenerate(k, at: n) }
    let v = Double(k)
    let m = Double(n)
    let odds = p / (1 - p)
    return tails(
      v, mean: m * p, last: m, logDensity: SaddlePoint.logBinomial(v, of: m, p: p, q: 1 - p),
      up: { (m - $0) / ($0 + 1) * odds }, down: { $0 / (m - $0 + 1) / odds })
  }

  /// Beta-binomial with mean p and intra-class correlation rho: a = p(1/rho - 1), b = (1-p)(1/rho - 1).
  /// Variance n p (1-p) (1 + (n-1) rho); binomial at rho = 0.
  public static func betaBinomial(_ k: Int, of n: Int, p: Double, rho: Double) -> MidTails {
    guard n > 0 else { return MidTails(upper: 0.5, lower: 0.5) }
    guard p > 0 else { return degenerate(k, at: 0) }
    guard p < 1 else { return degenerate(k, at: n) }
    guard rho > 1e-12 else { return binomial(k, of: n, p: p) }
    let total = 1 / min(rho, 0.999999) - 1
    let a = p * total
    let b = (1 - p) * total
    let v = Double(k)
    let m = Double(n)
    // A ratio of three negative binomial densities with a common, free probability.
    let c = total / (total + m)
    let logDensity =
      logNegativeBinomial(v, a, c) + logNegativeBinomial(m - v, b, c)
      - logNegativeBinomial(m, total, c)
    return tails(
      v, mean: m * p, last: m, logDensity: logDensity,
      up: { (m - $0) * (a + $0) / (($0 + 1) * (b + m - $0 - 1)) },
      down: { $0 * (b + m - $0) / ((m - $0 + 1) * (a + $0 - 1)) })
  }

  /// log of Gamma(x+size) / (x! Gamma(size)) p^size (1-p)^x.
  private static func logNegativeBinomial(_ x: Double, _ size: Double, _ p: Double) -> Double {
    if x <= 0 { return size * log(p) }
    return log(size / (size + x)) + SaddlePoint.logBinomial(size, x, p: p, q: 1 - p)
  }

  /// Sums the side of `x` that lies away from the mean. `up(j)` = P(j+1)/P(j), `down(j)` = P(j-1)/P(j).
  @inline(__always)
  private static func tails(
    _ x: Double, mean: Double, last: Double, logDensity: Double, up: (Double) -> Double,
    down: (Double) -> Double
  ) -> MidTails {
    var term = 1.0
    var sum = 0.0
    var j = x
    if x > mean {
      while j < last {
        term *= up(j)
        sum += term
        j += 1
        if term < sum * 1e-17 { break }
      }
      return MidTails(logDensity: logDensity, ratioBeyond: sum, above: true)
    }
    while j > 0 {
      term *= down(j)
      sum += term
      j -= 1
      if term < sum * 1e-17 { break }
    }
    return MidTails(logDensity: logDensity, ratioBeyond: sum, above: false)
  }

  /// All mass at one value.
  private static func degenerate(_ x: Int, at value: Int) -> MidTails {
    if x == value { return MidTails(upper: 0.5, lower: 0.5) }
    return x > value ? MidTails(upper: 0, lower: 1) : MidTails(upper: 1, lower: 0)
  }
}
