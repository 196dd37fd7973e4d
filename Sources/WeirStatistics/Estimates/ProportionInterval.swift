import Glibc

/// Confidence intervals of a share k of n. Counts may be fractional (effective counts of an
/// over-dispersed sample). n = 0 gives the whole of 0 ... 1.
public enum ProportionInterval {
  public typealias Bounds = (lo: Double, hi: Double)

  /// Wilson's score interval (1927): (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n).
  public static func wilson(k: Double, n: Double, confidence: Double = 0.95) -> Bounds {
    guard n > 0 else { return (0, 1) }
    let z = Normal.upperQuantile((1 - confidence) / 2)
    let p = k / n
    let square = z * z
    let centre = p + square / (2 * n)
    let reach = z * max(0, p * (1 - p) / n + square / (4 * n * n)).squareRoot()
    let scale = 1 + square / n
    return (
      k <= 0 ? 0 : max(0, (centre - reach) / scale), k >= n ? 1 : min(1, (centre + reach) / scale)
    )
  }

  /// Clopper and Pearson's exact interval (1934), from beta quantiles.
  public static func clopperPearson(k: Double, n: Double, confidence: Double = 0.95) -> Bounds {
    guard n > 0 else { return (0, 1) }
    let tail = (1 - confidence) / 2
    return (
      k <= 0 ? 0 : regularizedBetaInverse(tail, k, n - k + 1),
      k >= n ? 1 : regularizedBetaInverse(1 - tail, k + 1, n - k)
    )
  }

  /// Quantiles of the posterior under Jeffreys' prior Beta(1/2, 1/2).
  public static func jeffreys(k: Double, n: Double, confidence: Double = 0.95) -> Bounds {
    let tail = (1 - confidence) / 2
    return (
      regularizedBetaInverse(tail, k + 0.5, n - k + 0.5),
      regularizedBetaInverse(1 - tail, k + 0.5, n - k + 0.5)
    )
  }

  /// Agresti and Coull (1998): a normal interval around (k + z^2/2) / (n + z^2), cut to 0 ... 1.
  public static func agrestiCoull(k: Double, n: Double, confidence: Double = 0.95) -> Bounds {
    let z = Normal.upperQuantile((1 - confidence) / 2)
    let total = n + z * z
    let p = (k + z * z / 2) / total
    let reach = z * (p * (1 - p) / total).squareRoot()
    return (max(0, p - reach), min(1, p + reach))
  }

  /// The normal interval p -+ z sqrt(p(1-p)/n), cut to 0 ... 1; only for comparison with others.
  public static func normal(k: Double, n: Double, confidence: Double = 0.95) -> Bounds {
    guard n > 0 else { return (0, 1) }
    let p = k / n
    let z = Normal.upperQuantile((1 - confidence) / 2)
    let reach = z * max(0, p * (1 - p) / n).squareRoot()
    return (max(0, p - reach), min(1, p + reach))
  }

  /// Newcombe's hybrid score interval (1998, method 10) of p1 - p2.
  public static func newcombeDifference(
    k1: Double, n1: Double, k2: Double, n2: Double, confidence: Double = 0.95
  ) -> Bounds {
    guard n1 > 0, n2 > 0 else { return (-1, 1) }
    let (p1, p2) = (k1 / n1, k2 / n2)
    let a = wilson(k: k1, n: n1, confidence: confidence)
    let b = wilson(k: k2, n: n2, confidence: confidence)
    func root(_ u: Double, _ v: Double) -> Double { (u * u + v * v).squareRoot() }
    return (p1 - p2 - root(p1 - a.lo, b.hi - p2), p1 - p2 + root(a.hi - p1, p2 - b.lo))
  }
}

/// Confidence intervals of a Poisson rate.
public enum PoissonInterval {
  /// Garwood's exact interval (1936) of count / exposure, from gamma quantiles.
  public static func garwood(
    count: Double, exposure: Double = 1, confidence: Double = 0.95
  ) -> (lo: Double, hi: Double) {
    guard exposure > 0 else { return (0, .greatestFiniteMagnitude) }
    let tail = (1 - confidence) / 2
    let lo = count > 0 ? regularizedGammaInverse(count, tail) : 0
    return (lo / exposure, regularizedGammaInverse(count + 1, tail, upper: true) / exposure)
  }

  /// The score interval: c + z^2/2 -+ z sqrt(c + z^2/4), by exposure.
  public static func score(
    count: Double, exposure: Double = 1, confidence: Double = 0.95
  ) -> (lo: Double, hi: Double) {
    guard exposure > 0 else { return (0, .greatestFiniteMagnitude) }
    let z = Normal.upperQuantile((1 - confidence) / 2)
    let centre = count + z * z / 2
    let reach = z * (count + z * z / 4).squareRoot()
    return (max(0, centre - reach) / exposure, (centre + reach) / exposure)
  }
}
