import Glibc

/// A straight line through the median of the pairwise slopes.
public struct TheilSenFit: Sendable, Equatable {
  public var slope: Double
  /// median(y) - slope median(x).
  public var intercept: Double
  /// Confidence interval of the slope.
  public var lo: Double
  public var hi: Double
}

public enum TheilSen {
  /// Theil (1950) and Sen (1968) slope with Sen's interval from the variance of Kendall's S with ties
  /// (equation 2.6), as `scipy.stats.theilslopes(method="separate")`.
  ///
  /// `inflation` multiplies that variance (autocorrelated values). `nil` for fewer than two different
  /// x. O(n^2), see ``PairSlopes``.
  public static func fit(
    x: [Double], y: [Double], confidence: Double = 0.95, inflation: Double = 1
  ) -> TheilSenFit? {
    let n = min(x.count, y.count)
    var slopes = PairSlopes(x: x, y: y)
    guard let slope = slopes.median(), let middleX = Robust.median(x),
      let middleY = Robust.median(y)
    else { return nil }
    let m = Double(n)
    let pairs = m * (m - 1) * (2 * m + 5)
    let variance = (pairs - MannKendall.tieTerm(x) - MannKendall.tieTerm(y)) / 18 * inflation
    let reach = Normal.upperQuantile((1 - confidence) / 2) * max(0, variance).squareRoot()
    let count = Double(slopes.count)
    let high = min(Int(((count + reach) / 2).rounded(.toNearestOrEven)), slopes.count - 1)
    let low = max(Int(((count - reach) / 2).rounded(.toNearestOrEven)) - 1, 0)
    return TheilSenFit(
      slope: slope, intercept: middleY - slope * middleX,
      lo: slopes.slope(rank: min(low, slopes.count - 1)), hi: slopes.slope(rank: max(0, high)))
  }

  /// Siegel's repeated medians (1982): the median over i of the median slope through point i;
  /// intercept = median(y - slope x). `nil` for fewer than two different x. O(n^2 log n).
  public static func siegel(x: [Double], y: [Double]) -> (slope: Double, intercept: Double)? {
    let n = min(x.count, y.count)
    var medians: [Double] = []
    for i in 0..<n {
      var slopes: [Double] = []
      for j in 0..<n where x[i] != x[j] { slopes.append((y[i] - y[j]) / (x[i] - x[j])) }
      if let m = Robust.median(slopes) { medians.append(m) }
    }
    guard let slope = Robust.median(medians) else { return nil }
    let rest = (0..<n).map { y[$0] - slope * x[$0] }
    return (slope, Robust.median(rest) ?? 0)
  }
}
