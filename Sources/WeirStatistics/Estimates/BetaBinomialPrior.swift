import Glibc

/// Shares of groups drawn from one Beta(a, b): what the groups together say about each (empirical Bayes).
public struct BetaBinomialPrior: Sendable, Equatable {
  public var a: Double
  public var b: Double

  public init(a: Double, b: Double) {
    self.a = a
    self.b = b
  }

  /// Pooled share and intra-class correlation by moments: with p = sum k / sum n and S = sum n_i (p_i -
  /// p)^2, rho = (S / (p (1 - p)) - sum (1 - n_i / N)) / sum (n_i - 1)(1 - n_i / N), within 0 ... 0.999; 0
  /// where nothing varies (J. Kleinman, JASA 68, 1973, with weights n_i). Groups with n = 0 say nothing.
  public static func moments(k: [Double], n: [Double]) -> (share: Double, rho: Double) {
    let total = n.reduce(0, +)
    guard total > 0 else { return (0, 0) }
    let p = k.reduce(0, +) / total
    var (spread, expected, scale) = (0.0, 0.0, 0.0)
    for i in n.indices where n[i] > 0 {
      let d = k[i] / n[i] - p
      spread += n[i] * d * d
      expected += 1 - n[i] / total
      scale += (n[i] - 1) * (1 - n[i] / total)
    }
    guard p > 0, p < 1, scale > 0 else { return (p, 0) }
    return (p, min(0.999, max(0, (spread / (p * (1 - p)) - expected) / scale)))
  }

  /// By ``moments(k:n:)``: a = p (1/rho - 1), b = (1 - p)(1/rho - 1). `nil` where rho is 0: the groups are
  /// one, and the posterior of each is the pooled share.
  public init?(momentsOf k: [Double], n: [Double]) {
    let (p, rho) = Self.moments(k: k, n: n)
    guard rho > 0 else { return nil }
    self.init(a: p * (1 / rho - 1), b: (1 - p) * (1 / rho - 1))
  }

  /// log likelihood of the counts, beta-binomial with binomial coefficients.
  public func logLikelihood(k: [Double], n: [Double]) -> Double {
    var sum = 0.0
    for i in k.indices {
      let (x, m) = (k[i], n[i])
      guard m > 0 else { continue }
      sum +=
        logBeta(a + x, b + m - x) - logBeta(a, b) + logGamma(m + 1) - logGamma(x + 1)
        - logGamma(m - x + 1)
    }
    return sum
  }

  /// Maximum likelihood from this prior on, by Newton steps on (log a, log b) that are halved until they
  /// gain, along the gradient where the curvature is of the wrong sign. Without over-dispersion the
  /// maximum is at infinity: steps stop at a + b = 1e8. O(groups) a step, at most 200.
  public func fitted(to k: [Double], n: [Double]) -> BetaBinomialPrior {
    var here = self
    var value = here.logLikelihood(k: k, n: n)
    for _ in 0..<200 {
      let (ga, gb, haa, hab, hbb) = here.derivatives(k, n)
      let determinant = haa * hbb - hab * hab
      var da = ga
      var db = gb
      if haa < 0, determinant > 0 {
        da = -(hbb * ga - hab * gb) / determinant
        db = -(haa * gb - hab * ga) / determinant
      }
      let length = max(abs(da), abs(db))
      if length > 2 {
        da *= 2 / length
        db *= 2 / length
      }
      var moved = false
      for _ in 0..<40 {
        let next = BetaBinomialPrior(a: here.a * exp(da), b: here.b * exp(db))
        let gained = next.logLikelihood(k: k, n: n)
        if gained > value, next.a + next.b < 1e8 {
          moved = abs(da) + abs(db) > 1e-12
          here = next
          value = gained
          break
        }
        da /= 2
        db /= 2
      }
      if !moved { break }
    }
    return here
  }

  /// Gradient and Hessian of the log likelihood in log a and log b.
  private func derivatives(
    _ k: [Double], _ n: [Double]
  ) -> (Double, Double, Double, Double, Double) {
    var (fa, fb, faa, fbb, fab) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for i in k.indices where n[i] > 0 {
      let (x, m) = (k[i], n[i])
      let both = digamma(a + b) - digamma(a + b + m)
      let bent = trigamma(a + b) - trigamma(a + b + m)
      fa += digamma(a + x) - digamma(a) + both
      fb += digamma(b + m - x) - digamma(b) + both
      faa += trigamma(a + x) - trigamma(a) + bent
      fbb += trigamma(b + m - x) - trigamma(b) + bent
      fab += bent
    }
    return (a * fa, b * fb, a * a * faa + a * fa, a * b * fab, b * b * fbb + b * fb)
  }

  /// What is known of a group with k of n: Beta(a + k, b + n - k).
  public struct Posterior: Sendable, Equatable {
    public var mean: Double
    public var lo: Double
    public var hi: Double
    /// Probability that the group's share is above the reference.
    public var above: Double
  }

  /// Mean, central interval, and the probability of a share above `reference`.
  public func posterior(
    k: Double, n: Double, reference: Double, confidence: Double = 0.95
  ) -> Posterior {
    let (u, v) = (a + k, b + n - k)
    let tail = (1 - confidence) / 2
    return Posterior(
      mean: u / (u + v), lo: regularizedBetaInverse(tail, u, v),
      hi: regularizedBetaInverse(1 - tail, u, v), above: regularizedBeta(reference, u, v).upper)
  }
}
