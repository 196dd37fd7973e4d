import Glibc

/// One level shift at an unknown place.
public struct ShiftScanResult: Sendable, Equatable {
  /// First value after the best split; `nil` where nothing varies or the series is too short.
  public var split: Int?
  /// Largest standardised distance of the two means.
  public var statistic: Double
  public var p: Double
}

/// Maximally selected two-sample statistic (R. Miller and D. Siegmund, Biometrics 38, 1982).
public enum ShiftScan {
  /// T = max over m <= k <= n - m of |S_k| / (sd sqrt(n k/n (1 - k/n))) with S_k the sum of the first
  /// k deviations from the (weighted) mean and sd the population deviation; the p-value is that of
  /// the maximum, not of one split. O(n).
  public static func scan(
    _ y: [Double], weights: [Double]? = nil, minSize m: Int
  ) -> ShiftScanResult {
    let n = y.count
    guard m >= 1, n >= 2 * m else { return ShiftScanResult(split: nil, statistic: 0, p: 1) }
    var weight = 0.0
    var sum = 0.0
    for i in 0..<n {
      let w = weights?[i] ?? 1
      weight += w
      sum += w * y[i]
    }
    let mean = sum / weight
    var square = 0.0
    for i in 0..<n {
      let d = y[i] - mean
      square += (weights?[i] ?? 1) * d * d
    }
    // Deviations that are only rounding of the mean are no variation.
    let floor = abs(mean) * 1e-14
    guard square > weight * floor * floor, square > 0 else {
      return ShiftScanResult(split: nil, statistic: 0, p: 1)
    }
    let unit = square / Double(n)
    var best = -1.0
    var place = 0
    var (partial, part) = (0.0, 0.0)
    for k in 1..<n {
      let w = weights?[k - 1] ?? 1
      partial += w * (y[k - 1] - mean)
      part += w
      guard k >= m, k <= n - m else { continue }
      let share = part / weight
      let t = abs(partial) / (unit * weight * share * (1 - share)).squareRoot()
      if t > best {
        best = t
        place = k
      }
    }
    return ShiftScanResult(
      split: place, statistic: best, p: tail(best, trimmed: Double(m) / Double(n)))
  }

  /// P(T >= b) when a share `trimmed` is left out at both ends:
  /// 4 phi(b)/b + phi(b) (b - 1/b) log((1 - e)^2 / e^2), within 0 ... 1; 1 below b = 1.
  public static func tail(_ b: Double, trimmed e: Double) -> Double {
    guard b >= 1 else { return 1 }
    let phi = Normal.density(b)
    let edge = 2 * log((1 - e) / e)
    return min(1, max(0, 4 * phi / b + phi * (b - 1 / b) * edge))
  }
}
