/// What a generalised ESD test says.
public struct ESDResult: Sendable, Equatable {
  /// Largest studentised deviation of each round.
  public var statistics: [Double]
  /// Critical value of each round.
  public var limits: [Double]
  /// Place of the value that each round removed.
  public var removed: [Int]
  /// The outliers: the removed values up to the last round that passed its limit.
  public var outliers: [Int]
}

/// Several outliers among normal values: generalised extreme studentised deviates (B. Rosner,
/// Technometrics 25, 1983).
public enum GeneralizedESD {
  /// In round i the value farthest from the mean is removed; R_i is its distance in standard deviations,
  /// lambda_i = (n - i) t / sqrt((n - i - 1 + t^2)(n - i + 1)) with t the 1 - alpha / (2 (n - i + 1))
  /// quantile of Student's t with n - i - 1 degrees of freedom. The number of outliers is the last i with
  /// R_i > lambda_i, so that outliers do not mask each other.
  ///
  /// `robust` measures from the median in normal MADs (the "hybrid" of S-H-ESD). Stops where the scale
  /// is 0 or no degree of freedom is left: more than half equal values have no outlier in the robust
  /// form. O(k n), O(k n) more for the medians.
  public static func test(
    _ x: [Double], most k: Int, level alpha: Double = 0.05, robust: Bool = false
  ) -> ESDResult {
    var result = ESDResult(statistics: [], limits: [], removed: [], outliers: [])
    var left = Array(x.indices)
    let n = x.count
    for i in stride(from: 1, through: min(k, n - 2), by: 1) {
      let values = left.map { x[$0] }
      let centre = robust ? Robust.median(values) : SampleMoments.mean(values)
      let scale =
        robust
        ? Robust.normalMAD(values)
        : SampleMoments.variance(values).map { $0.squareRoot() }
      guard let centre, let scale, scale > 0 else { break }
      var far = 0
      for j in values.indices where abs(values[j] - centre) > abs(values[far] - centre) { far = j }
      result.statistics.append(abs(values[far] - centre) / scale)
      result.removed.append(left.remove(at: far))
      let df = Double(n - i - 1)
      let t = StudentT.upperQuantile(alpha / (2 * Double(n - i + 1)), df: df)
      result.limits.append(
        Double(n - i) * t / ((df + t * t) * Double(n - i + 1)).squareRoot())
    }
    let last = result.limits.indices.last { result.statistics[$0] > result.limits[$0] }
    result.outliers = Array(result.removed.prefix(last.map { $0 + 1 } ?? 0))
    return result
  }
}
