import Glibc

/// Densities of the binomial and Poisson laws for real arguments, without cancellation.
///
/// C. Loader, "Fast and Accurate Computation of Binomial Probabilities" (2000): the density is the
/// Stirling approximation times an exact correction and a deviance, so that relative error stays
/// near 1e-14 where differences of log-gamma lose eight digits (n = 1e7).
enum SaddlePoint {
  static let log2Pi = 1.837877066409345483560659472811

  /// log n! - (n + 1/2) log n + n - log(2 pi) / 2, for n > 0.
  static func stirlingError(_ n: Double) -> Double {
    if n <= 15 {
      return logGamma(n + 1) - (n + 0.5) * log(n) + n - 0.5 * log2Pi
    }
    let r = 1 / (n * n)
    let s =
      1.0 / 12 - r
      * (1.0 / 360 - r
        * (1.0 / 1260 - r * (1.0 / 1680 - r * (1.0 / 1188 - r * (691.0 / 360360 - r / 156)))))
    return s / n
  }

  /// x log(x / m) + m - x, by series where x and m are close.
  static func deviance(_ x: Double, _ m: Double) -> Double {
    let difference = x - m
    if abs(difference) < 0.1 * (x + m) {
      let v = difference / (x + m)
      var sum = difference * v
      var term = 2 * x * v
      let v2 = v * v
      var j = 1.0
      while j < 1000 {
        term *= v2
        let next = sum + term / (2 * j + 1)
        if next == sum { return next }
        sum = next
        j += 1
      }
      return sum
    }
    return x * log(x / m) + m - x
  }

  /// log of m^x exp(-m) / Gamma(x + 1), for x >= 0 and m >= 0.
  static func logPoisson(_ x: Double, mean m: Double) -> Double {
    if m <= 0 { return x <= 0 ? 0 : -.infinity }
    if x <= 0 { return -m }
    return -stirlingError(x) - deviance(x, m) - 0.5 * (log2Pi + log(x))
  }

  /// log of Gamma(n+1) / (Gamma(x+1) Gamma(n-x+1)) p^x q^(n-x), for 0 <= x <= n, p + q = 1.
  static func logBinomial(_ x: Double, of n: Double, p: Double, q: Double) -> Double {
    logBinomial(x, n - x, p: p, q: q)
  }

  /// The same with successes `x` and failures `y` given apart, so that none is a difference.
  static func logBinomial(_ x: Double, _ y: Double, p: Double, q: Double) -> Double {
    if p <= 0 { return x <= 0 ? 0 : -.infinity }
    if q <= 0 { return y <= 0 ? 0 : -.infinity }
    let n = x + y
    if n <= 0 { return 0 }
    if x <= 0 { return p < 0.1 ? -deviance(n, n * q) - n * p : n * log(q) }
    if y <= 0 { return q < 0.1 ? -deviance(n, n * p) - n * q : n * log(p) }
    let correction = stirlingError(n) - stirlingError(x) - stirlingError(y)
    let exponent = correction - deviance(x, n * p) - deviance(y, n * q)
    return exponent - 0.5 * (log2Pi + log(x) + log(y / n))
  }
}
