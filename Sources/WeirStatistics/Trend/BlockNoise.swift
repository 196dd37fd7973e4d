/// Few blocks cannot tell their noise, so what is known of it is used: the sampling variance, and how
/// little of it days that resemble each other leave between blocks.
enum BlockNoise {
  /// An upper bound: blocks of seven days of an AR(1) of 0.8 a day correlate by 0.4, and only the
  /// process part of their variance does.
  static func autocorrelation(unit: Double, weights: [Double], tau2: Double) -> Double {
    var (whole, sampling) = (0.0, 0.0)
    for w in weights {
      whole += unit / w
      sampling += max(0, 1 / w - tau2)
    }
    return whole > 0 ? 0.4 * max(0, 1 - sampling / whole) : 0
  }

  /// `z` under the weights alone, over the residual variance where that is larger.
  static func deviate(_ z: Double, unit: Double, inflation: Double) -> Double {
    z / (max(1, unit) * max(1, inflation)).squareRoot()
  }
}
