import Glibc

/// How many items a sample for quality checks needs, and what a stratified one says.
public enum Sampling {
  /// n0 = z^2 p (1 - p) / h^2: items for a normal interval of half width `h` about a share `p`. Not rounded.
  public static func size(
    share p: Double, halfWidth h: Double, confidence: Double = 0.95
  ) -> Double {
    let z = Normal.upperQuantile((1 - confidence) / 2)
    return p * (1 - p) * (z / h) * (z / h)
  }

  /// n0 / (1 + (n0 - 1) / N): what is enough out of `population` items without replacement.
  public static func finite(_ n0: Double, population: Double) -> Double {
    n0 / (1 + (n0 - 1) / population)
  }

  /// Items in each of two equal groups so that a two-sided z test finds the effect `h` (Cohen's h, see
  /// ``TwoProportions/cohenH(_:_:)``) with the given power. Not rounded; infinity for no effect.
  public static func perGroup(effect h: Double, level: Double = 0.05, power: Double = 0.8) -> Double
  {
    let size = abs(h)
    guard size > 0, power > level, power < 1 else { return size > 0 ? 0 : .infinity }
    let limit = Normal.upperQuantile(level / 2)
    func reached(_ n: Double) -> Double {
      let shift = size * (n / 2).squareRoot()
      return Normal.sf(limit - shift) + Normal.cdf(-limit - shift)
    }
    // A one-sided guess is nearly right; widen until it brackets, then halve.
    let guess = limit + Normal.upperQuantile(1 - power)
    var hi = max(2 * guess * guess / (size * size), 1e-9)
    while reached(hi) < power { hi *= 2 }
    var lo = hi
    while lo > 1e-300, reached(lo) >= power { lo /= 2 }
    for _ in 0..<200 {
      let middle = 0.5 * (lo + hi)
      if middle == lo || middle == hi { break }
      if reached(middle) < power { lo = middle } else { hi = middle }
    }
    return hi
  }

  /// Splits `total` over strata in proportion to N_h sqrt(p_h (1 - p_h)) (J. Neyman 1934): the smallest
  /// variance of the overall share. Not rounded. All 0 where no stratum varies.
  public static func neyman(total: Double, sizes: [Double], shares: [Double]) -> [Double] {
    let weights = sizes.indices.map {
      sizes[$0] * max(0, shares[$0] * (1 - shares[$0])).squareRoot()
    }
    let sum = weights.reduce(0, +)
    return weights.map { sum > 0 ? total * $0 / sum : 0 }
  }

  /// Splits `total` over strata in proportion to their sizes.
  public static func proportional(total: Double, sizes: [Double]) -> [Double] {
    let sum = sizes.reduce(0, +)
    return sizes.map { sum > 0 ? total * $0 / sum : 0 }
  }

  /// Overall share of a stratified sample k_h of n_h out of N_h: sum W p; variance sum W^2 p (1 - p) / (n -
  /// 1) (1 - n / N) with W = N_h / N; normal interval. `nil` where a stratum has fewer than two.
  public static func stratified(
    k: [Double], n: [Double], sizes: [Double], confidence: Double = 0.95
  ) -> (share: Double, variance: Double, lo: Double, hi: Double)? {
    let total = sizes.reduce(0, +)
    guard total > 0, n.allSatisfy({ $0 > 1 }) else { return nil }
    var (share, variance) = (0.0, 0.0)
    for h in k.indices {
      let w = sizes[h] / total
      let p = k[h] / n[h]
      share += w * p
      variance += w * w * p * (1 - p) / (n[h] - 1) * max(0, 1 - n[h] / sizes[h])
    }
    let reach = Normal.upperQuantile((1 - confidence) / 2) * variance.squareRoot()
    return (share, variance, share - reach, share + reach)
  }

  /// Probability that a lot with a share `p` of faults passes when at most `accepted` of `n` items may be
  /// faulty: one point of the operating characteristic, binomial.
  public static func acceptance(n: Int, accepted: Int, share p: Double) -> Double {
    Binomial.cdf(accepted, of: n, p: p)
  }
}
