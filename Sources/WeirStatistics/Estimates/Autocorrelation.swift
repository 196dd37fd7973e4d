import Glibc

/// Autocorrelation of equally spaced values.
public enum Autocorrelation {
  /// Biased sample autocorrelations r_0 ... r_lags (divisor n at every lag); all 0 after r_0 for
  /// constant values. O(n lags).
  public static func biased(_ x: [Double], lags: Int) -> [Double] {
    let n = x.count
    guard n > 0 else { return [] }
    let mean = x.reduce(0, +) / Double(n)
    let y = x.map { $0 - mean }
    let total = y.reduce(0) { $0 + $1 * $1 }
    return (0...max(0, lags)).map { lag in
      if lag == 0 { return 1 }
      guard total > 0, lag < n else { return 0 }
      var sum = 0.0
      for i in lag..<n { sum += y[i] * y[i - lag] }
      return sum / total
    }
  }

  /// (1 + phi) / (1 - phi): how much an AR(1) with coefficient `phi` inflates the variance of a mean.
  public static func inflation(_ phi: Double) -> Double { (1 + phi) / (1 - phi) }

  /// Lag-1 coefficient of residuals, corrected upwards for its bias, within 0 ... `cap`.
  ///
  /// The raw coefficient is too small by about (1 + 3 rho)/n (Kendall 1954), more where `fitted`
  /// parameters were taken out; half a standard error is added because an inflation that is too
  /// small costs false alarms and one that is too large only power. Values beyond 3 normal MADs are
  /// clipped first. `index` gives the places in time: only neighbours one step apart count.
  public static func lagOne(
    _ residuals: [Double], index: [Int], fitted: Double, cap: Double = 0.8
  ) -> Double {
    let n = residuals.count
    guard n >= 8 else { return 0 }
    let mean = residuals.reduce(0, +) / Double(n)
    var y = residuals.map { $0 - mean }
    if let scale = Robust.normalMAD(y), scale > 0 {
      y = y.map { min(3 * scale, max(-3 * scale, $0)) }
    }
    var square = 0.0
    var product = 0.0
    var pairs = 0
    for i in 0..<n {
      square += y[i] * y[i]
      if i > 0, index[i] == index[i - 1] + 1 {
        product += y[i] * y[i - 1]
        pairs += 1
      }
    }
    guard square > 0, pairs >= 5 else { return 0 }
    let m = Double(n)
    // Missing neighbours shorten the sum: scale it to the n - 1 pairs of a full series.
    let raw = product / square * (m - 1) / Double(pairs)
    guard n > 12 else { return min(cap, max(0, raw)) }
    var phi = (m * raw + 1 + fitted / 2) / (m - 3 - fitted / 2)
    phi += 0.5 * (max(0.05, 1 - phi * phi) / m).squareRoot()
    return min(cap, max(0, phi))
  }
}
