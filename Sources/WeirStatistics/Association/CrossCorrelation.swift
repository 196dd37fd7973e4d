/// Correlation of two equally long, equally spaced series at lags: lag k pairs x at t + k with y at t, so
/// that a peak at a positive lag says that y leads. NaN is a missing value.
public enum CrossCorrelation {
  public struct AtLag: Sendable, Equatable {
    public var lag: Int
    /// `nil` where too little overlaps or one side does not vary.
    public var test: CorrelationTest?
  }

  public enum Kind: Sendable { case pearson, spearman }

  /// Lags -most ... most, each from the overlapping part alone: means and spread are those of the
  /// overlap. The p-values know nothing of autocorrelation: two smooth series are "correlated" at some
  /// lag more often than not; see ``prewhitened(_:_:most:)`` and ``effectiveSize(_:r1x:r1y:)``.
  /// O(n most).
  public static func overlapping(
    _ x: [Double], _ y: [Double], most: Int, kind: Kind = .pearson
  ) -> [AtLag] {
    let n = min(x.count, y.count)
    let reach = max(0, most)
    return (-reach...reach).map { lag in
      guard abs(lag) < n else { return AtLag(lag: lag, test: nil) }
      let a = lag >= 0 ? x[lag..<n] : x[0..<(n + lag)]
      let b = lag >= 0 ? y[0..<(n - lag)] : y[(-lag)..<n]
      let test = kind == .pearson ? Correlation.pearson(a, b) : Correlation.spearman(a, b)
      return AtLag(lag: lag, test: test)
    }
  }

  /// Sample cross-correlations at lags 0 ... most with the means and deviations of the whole series and
  /// divisor n at every lag (`statsmodels.ccf(adjusted=False)`). Complete series; empty where one does
  /// not vary.
  public static func biased(_ x: [Double], _ y: [Double], most: Int) -> [Double] {
    let n = min(x.count, y.count)
    guard let mx = SampleMoments.mean(x), let my = SampleMoments.mean(y),
      let vx = SampleMoments.variance(x, lessThanCount: 0),
      let vy = SampleMoments.variance(y, lessThanCount: 0), vx > 0, vy > 0
    else { return [] }
    let scale = Double(n) * vx.squareRoot() * vy.squareRoot()
    return (0...max(0, most)).map { lag in
      var sum = 0.0
      for t in stride(from: 0, to: n - lag, by: 1) { sum += (x[t + lag] - mx) * (y[t] - my) }
      return sum / scale
    }
  }

  /// How many independent pairs a correlation of two AR(1) series is worth (M. Bartlett 1935): n (1 - r1x
  /// r1y) / (1 + r1x r1y), with the lag-1 autocorrelations of both.
  public static func effectiveSize(_ n: Double, r1x: Double, r1y: Double) -> Double {
    n * (1 - r1x * r1y) / (1 + r1x * r1y)
  }

  /// Both series filtered by the AR(1) of x, x_t - r1 x_{t-1}, so that x has no memory left that could
  /// pass for a relation (G. Box and G. Jenkins, 12.1); then ``overlapping(_:_:most:kind:)``.
  ///
  /// `coefficient` is r1, the biased lag-1 autocorrelation of x when `nil`. A missing value leaves out
  /// itself and the next.
  public static func prewhitened(
    _ x: [Double], _ y: [Double], most: Int, coefficient: Double? = nil
  ) -> [AtLag] {
    let n = min(x.count, y.count)
    guard n > 1 else { return overlapping([], [], most: most) }
    let phi = coefficient ?? lagOne(x)
    func filtered(_ v: [Double]) -> [Double] { (1..<n).map { v[$0] - phi * v[$0 - 1] } }
    return overlapping(filtered(x), filtered(y), most: most)
  }

  /// Biased lag-1 autocorrelation, sum of the products of present neighbours over the sum of squares; 0
  /// for constant values.
  public static func lagOne(_ x: [Double]) -> Double {
    let present = x.filter { !$0.isNaN }
    guard let mean = SampleMoments.mean(present) else { return 0 }
    var (square, product) = (0.0, 0.0)
    for i in x.indices where !x[i].isNaN {
      square += (x[i] - mean) * (x[i] - mean)
      if i > 0, !x[i - 1].isNaN { product += (x[i] - mean) * (x[i - 1] - mean) }
    }
    return square > 0 ? product / square : 0
  }
}
