/// Mean, spread and shape by moments.
public enum SampleMoments {
  /// `nil` for no values.
  public static func mean(_ x: [Double]) -> Double? {
    guard !x.isEmpty else { return nil }
    // About the first value, so that a high level costs no digits.
    let start = x[0]
    var sum = 0.0
    for v in x { sum += v - start }
    return start + sum / Double(x.count)
  }

  /// Sum of squared deviations from the mean over n - `less`: 1 for the unbiased variance of a sample, 0
  /// for that of a population. `nil` for `less` values or fewer.
  public static func variance(_ x: [Double], lessThanCount less: Int = 1) -> Double? {
    guard x.count > less, let mean = mean(x) else { return nil }
    return powerSum(x, about: mean, 2) / Double(x.count - less)
  }

  /// Third standardised moment, m3 / m2^1.5 with population moments; `nil` where nothing varies.
  public static func skewness(_ x: [Double]) -> Double? {
    guard let mean = mean(x) else { return nil }
    let n = Double(x.count)
    let m2 = powerSum(x, about: mean, 2) / n
    // Deviations that are only rounding of the mean are no variation.
    let rounding = abs(mean) * 1e-15
    guard m2 > rounding * rounding else { return nil }
    return powerSum(x, about: mean, 3) / n / (m2 * m2.squareRoot())
  }

  private static func powerSum(_ x: [Double], about mean: Double, _ power: Int) -> Double {
    var sum = 0.0
    for v in x {
      let d = v - mean
      sum += power == 2 ? d * d : d * d * d
    }
    return sum
  }
}

extension Robust {
  /// Mean of what is left when floor(n `share`) values are cut from each end; `nil` where none is left.
  /// O(n log n).
  public static func trimmedMean(_ values: [Double], share: Double) -> Double? {
    let cut = Int(Double(values.count) * max(0, share))
    guard values.count > 2 * cut else { return nil }
    return SampleMoments.mean(Array(values.sorted()[cut..<(values.count - cut)]))
  }

  /// Distance of the quartiles (linear quantiles); `nil` for no values.
  public static func interquartileRange(_ values: [Double]) -> Double? {
    let sorted = values.sorted()
    guard let q1 = quantile(ofSorted: sorted, 0.25, rule: .linear),
      let q3 = quantile(ofSorted: sorted, 0.75, rule: .linear)
    else { return nil }
    return q3 - q1
  }
}
