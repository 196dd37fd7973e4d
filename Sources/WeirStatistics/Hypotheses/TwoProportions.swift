import Glibc

/// Tests and intervals for two independent shares k1 of n1 and k2 of n2; see also
/// ``ProportionInterval/newcombeDifference(k1:n1:k2:n2:confidence:)``.
public enum TwoProportions {
  /// Deviate of p1 - p2 under the pooled share, sqrt(p (1 - p) (1/n1 + 1/n2)): the score test of no
  /// difference; its square is Pearson's chi-square. `nil` where nothing varies. p is two-sided.
  public static func pooled(
    k1: Double, n1: Double, k2: Double, n2: Double
  ) -> (z: Double, p: Double)? {
    guard n1 > 0, n2 > 0 else { return nil }
    let share = (k1 + k2) / (n1 + n2)
    let variance = share * (1 - share) * (1 / n1 + 1 / n2)
    guard variance > 0 else { return nil }
    let z = (k1 / n1 - k2 / n2) / variance.squareRoot()
    return (z, 2 * Normal.sf(abs(z)))
  }

  /// Fisher's exact test, two-sided by likelihood.
  public static func fisherExact(k1: Int, n1: Int, k2: Int, n2: Int) -> Double {
    Hypergeometric.fisherExact(k1, of: n1, k2, of: n2)
  }

  /// Cohen's h = 2 asin sqrt p1 - 2 asin sqrt p2.
  public static func cohenH(_ p1: Double, _ p2: Double) -> Double {
    2 * asin(p1.squareRoot()) - 2 * asin(p2.squareRoot())
  }

  /// Interval of p1 / p2 on the log scale (D. Katz et al. 1978): variance 1/k1 - 1/n1 + 1/k2 - 1/n2.
  /// `nil` where a count is 0.
  public static func logRatio(
    k1: Double, n1: Double, k2: Double, n2: Double, confidence: Double = 0.95
  ) -> ProportionInterval.Bounds? {
    guard k1 > 0, k2 > 0, n1 > 0, n2 > 0 else { return nil }
    let reach =
      Normal.upperQuantile((1 - confidence) / 2)
      * max(0, 1 / k1 - 1 / n1 + 1 / k2 - 1 / n2).squareRoot()
    let ratio = log(k1 / n1 / (k2 / n2))
    return (exp(ratio - reach), exp(ratio + reach))
  }

  /// Score interval of p1 - p2: the differences that the score test does not reject (O. Miettinen and
  /// M. Nurminen, Statistics in Medicine 4, 1985, without their factor n/(n-1) unless `corrected`).
  /// Within -1 ... 1. `statsmodels` 0.15 is a little off here: the closed form of its restricted shares
  /// has a count where the paper has the size of the group.
  public static func scoreDifference(
    k1: Double, n1: Double, k2: Double, n2: Double, confidence: Double = 0.95,
    corrected: Bool = false
  ) -> ProportionInterval.Bounds {
    guard n1 > 0, n2 > 0 else { return (-1, 1) }
    let factor = corrected ? (n1 + n2) / (n1 + n2 - 1) : 1
    return scoreInterval(seen: k1 / n1 - k2 / n2, confidence: confidence) { d in
      let (p1, p2) = restricted(k1, n1, k2, n2, difference: d)
      return (p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2) * factor
    }
  }

  /// Differences d with |seen - d| within the limit times sqrt(variance(d)), by halving on both sides.
  static func scoreInterval(
    seen: Double, confidence: Double, variance: (Double) -> Double
  ) -> ProportionInterval.Bounds {
    let limit = Normal.upperQuantile((1 - confidence) / 2)
    func isKept(_ d: Double) -> Bool {
      abs(seen - d) <= limit * max(0, variance(d)).squareRoot()
    }
    func edge(_ far: Double) -> Double {
      if isKept(far) { return far }
      var (inside, outside) = (seen, far)
      for _ in 0..<200 {
        let middle = 0.5 * (inside + outside)
        if middle == inside || middle == outside { break }
        if isKept(middle) { inside = middle } else { outside = middle }
      }
      return inside
    }
    return (edge(-1), edge(1))
  }

  /// Most likely shares with p1 - p2 = `difference`: the root of a cubic, in closed form
  /// (Miettinen and Nurminen, appendix).
  static func restricted(
    _ k1: Double, _ n1: Double, _ k2: Double, _ n2: Double, difference d: Double
  ) -> (p1: Double, p2: Double) {
    let n = n1 + n2
    let k = k1 + k2
    return root(
      n, (n1 + 2 * n2) * d - n - k, (n2 * d - n - 2 * k2) * d + k, k2 * d * (1 - d),
      difference: d)
  }

  /// The root of l3 p^3 + l2 p^2 + l1 p + l0 that is a share p2 with p2 + d a share too.
  static func root(
    _ l3: Double, _ l2: Double, _ l1: Double, _ l0: Double, difference d: Double
  ) -> (p1: Double, p2: Double) {
    let s = l2 / (3 * l3)
    let q = s * s * s - l1 * l2 / (6 * l3 * l3) + l0 / (2 * l3)
    let root = max(0, s * s - l1 / (3 * l3)).squareRoot()
    let p = q < 0 ? -root : root
    let cosine = p == 0 ? 0 : max(-1, min(1, q / (p * p * p)))
    let angle = (Double.pi + acos(cosine)) / 3
    let p2 = max(max(0, -d), min(min(1, 1 - d), 2 * p * cos(angle) - s))
    return (max(0, min(1, p2 + d)), p2)
  }
}

/// Two Poisson rates: count1 over exposure1 against count2 over exposure2.
public enum TwoPoissonRates {
  /// Score deviate of no difference, (c1 - c2 e1/e2) / sqrt((c1 + c2) e1/e2); two-sided p. `nil` without
  /// events or exposure.
  public static func score(
    count1: Double, exposure1: Double, count2: Double, exposure2: Double
  ) -> (z: Double, p: Double)? {
    guard exposure1 > 0, exposure2 > 0, count1 + count2 > 0 else { return nil }
    let ratio = exposure1 / exposure2
    let z = (count1 - count2 * ratio) / ((count1 + count2) * ratio).squareRoot()
    return (z, 2 * Normal.sf(abs(z)))
  }

  /// Exact two-sided test given the sum of both: count1 is binomial with share e1 / (e1 + e2)
  /// (J. Przyborowski and H. Wilenski 1940).
  public static func exact(
    count1: Int, exposure1: Double, count2: Int, exposure2: Double
  ) -> Double {
    guard exposure1 > 0, exposure2 > 0 else { return 1 }
    return Binomial.twoSided(
      count1, of: count1 + count2, p: exposure1 / (exposure1 + exposure2))
  }
}
