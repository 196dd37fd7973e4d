import Glibc

/// A coefficient of association and its two-sided p under none.
public struct CorrelationTest: Sendable, Equatable {
  /// -1 ... 1.
  public var r: Double
  /// `nil` where too few pairs are left for a test.
  public var p: Double?
  /// Pairs used.
  public var n: Int
}

/// Association of two variables. Pairs with a NaN are left out; `nil` for fewer than two pairs or where
/// one of the variables does not vary.
public enum Correlation {
  /// Product-moment correlation; p from Student's t with n - 2 degrees of freedom, exact for normal
  /// values. O(n).
  public static func pearson(
    _ x: some Collection<Double>, _ y: some Collection<Double>
  ) -> CorrelationTest? {
    let pairs = CompletePairs(x, y)
    guard let r = coefficient(pairs.x, pairs.y) else { return nil }
    let n = pairs.x.count
    return CorrelationTest(r: r, p: n == 2 ? 1 : p(r, degrees: Double(n - 2)), n: n)
  }

  /// Spearman's rho: ``pearson(_:_:)`` of the average ranks; p from the same t (an approximation: for n
  /// below about 10 it is rough). O(n log n).
  public static func spearman(
    _ x: some Collection<Double>, _ y: some Collection<Double>
  ) -> CorrelationTest? {
    let pairs = CompletePairs(x, y)
    guard let r = coefficient(averageRanks(pairs.x), averageRanks(pairs.y)) else { return nil }
    let n = pairs.x.count
    return CorrelationTest(r: r, p: n == 2 ? nil : p(r, degrees: Double(n - 2)), n: n)
  }

  /// Two-sided p of a coefficient under none: t = r sqrt(df / (1 - r^2)), that is I_{1-r^2}(df/2, 1/2).
  /// `degrees` need not be whole: n - 2 of an effective size for autocorrelated series. `nil` for
  /// `degrees` <= 0.
  public static func p(_ r: Double, degrees: Double) -> Double? {
    guard degrees > 0 else { return nil }
    return regularizedBeta((1 - r) * (1 + r), degrees / 2, 0.5, complement: r * r).lower
  }

  /// sum dx dy / sqrt(sum dx^2 sum dy^2); `nil` for fewer than two pairs or where one side is constant
  /// but for rounding.
  static func coefficient(_ x: [Double], _ y: [Double]) -> Double? {
    guard x.count > 1, let mx = SampleMoments.mean(x), let my = SampleMoments.mean(y) else {
      return nil
    }
    var (xx, yy, xy) = (0.0, 0.0, 0.0)
    for i in x.indices {
      let dx = x[i] - mx
      let dy = y[i] - my
      xx += dx * dx
      yy += dy * dy
      xy += dx * dy
    }
    func varies(_ square: Double, _ mean: Double) -> Bool {
      let rounding = abs(mean) * 1e-15
      return square > rounding * rounding * Double(x.count)
    }
    guard varies(xx, mx), varies(yy, my) else { return nil }
    return max(-1, min(1, xy / (xx.squareRoot() * yy.squareRoot())))
  }

  /// Kendall's tau-b = (C - D) / sqrt((pairs - ties in x)(pairs - ties in y)).
  ///
  /// Without ties, and for n <= 33 or at most one pair on the rarer side, p is exact; else normal with
  /// the variance of C - D under ties (M. Kendall, "Rank correlation methods", 1970), without continuity
  /// correction, as `scipy.stats.kendalltau`. Discordant pairs by merge sort (W. Knight 1966):
  /// O(n log n).
  public static func kendall(
    _ x: some Collection<Double>, _ y: some Collection<Double>
  ) -> CorrelationTest? {
    let pairs = CompletePairs(x, y)
    let n = pairs.x.count
    guard n > 1 else { return nil }
    let order = (0..<n).sorted {
      (pairs.x[$0], pairs.y[$0], $0) < (pairs.x[$1], pairs.y[$1], $1)
    }
    let xs = order.map { pairs.x[$0] }
    var ys = order.map { pairs.y[$0] }
    let tiesX = Ties(ofSorted: xs)
    let joint = jointTies(xs, ys)
    let discordant = inversions(&ys)
    let tiesY = Ties(ofSorted: ys)
    let all = Double(n) * Double(n - 1) / 2
    guard tiesX.pairs < all, tiesY.pairs < all else { return nil }
    let difference = all - tiesX.pairs - tiesY.pairs + joint - 2 * Double(discordant)
    let tau = difference / (all - tiesX.pairs).squareRoot() / (all - tiesY.pairs).squareRoot()
    let rarer = min(Double(discordant), all - Double(discordant))
    let p: Double
    if tiesX.pairs == 0, tiesY.pairs == 0, n <= 33 || rarer <= 1 {
      p = KendallLaw.twoSided(n: n, pairs: Int(rarer))
    } else {
      let m = Double(n) * Double(n - 1)
      var variance =
        (m * Double(2 * n + 5) - tiesX.variance - tiesY.variance) / 18
        + 2 * tiesX.pairs * tiesY.pairs / m
      if n > 2 { variance += tiesX.triples * tiesY.triples / (9 * m * Double(n - 2)) }
      p = variance > 0 ? 2 * Normal.sf(abs(difference) / variance.squareRoot()) : 1
    }
    return CorrelationTest(r: max(-1, min(1, tau)), p: min(1, p), n: n)
  }

  /// Sums over groups of t equal values.
  private struct Ties {
    /// t (t - 1) / 2.
    var pairs = 0.0
    /// t (t - 1) (t - 2).
    var triples = 0.0
    /// t (t - 1) (2t + 5).
    var variance = 0.0

    init(ofSorted x: [Double]) {
      var start = 0
      while start < x.count {
        var end = start + 1
        while end < x.count, x[end] == x[start] { end += 1 }
        let t = Double(end - start)
        pairs += t * (t - 1) / 2
        triples += t * (t - 1) * (t - 2)
        variance += t * (t - 1) * (2 * t + 5)
        start = end
      }
    }
  }

  /// Pairs that are equal in both, of values sorted by both.
  private static func jointTies(_ x: [Double], _ y: [Double]) -> Double {
    var pairs = 0.0
    var start = 0
    while start < x.count {
      var end = start + 1
      while end < x.count, x[end] == x[start], y[end] == y[start] { end += 1 }
      let t = Double(end - start)
      pairs += t * (t - 1) / 2
      start = end
    }
    return pairs
  }
}

/// Sorts the values and counts the pairs i < j with x_i > x_j, by merging. O(n log n).
func inversions(_ x: inout [Double]) -> Int {
  let n = x.count
  var from = x
  var to = x
  var count = 0
  var width = 1
  while width < n {
    var start = 0
    while start < n {
      let middle = min(start + width, n)
      let end = min(start + 2 * width, n)
      var (i, j) = (start, middle)
      for k in start..<end {
        if i < middle, j >= end || from[i] <= from[j] {
          to[k] = from[i]
          i += 1
        } else {
          count += middle - i
          to[k] = from[j]
          j += 1
        }
      }
      start = end
    }
    swap(&from, &to)
    width *= 2
  }
  x = from
  return count
}
