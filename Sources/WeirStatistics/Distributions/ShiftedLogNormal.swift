import Glibc

/// The standardised shifted log-normal distribution: mean 0, variance 1 and any skewness (Johnson's S_L, 1949).
///
/// What a mean of n records with skewness g looks like: its skewness is g / sqrt n. Of the laws with a given
/// skewness that means of real records come near to (gamma, inverse Gaussian, log-normal) this one has the
/// longest tail.
public enum ShiftedLogNormal {
  /// The deviate of a normal law with the same tail: P(X > x) = P(Z > deviate). Skewness (w + 2) sqrt(w - 1) with
  /// w = exp(s^2); with u = sqrt(w - 1) that is u^3 + 3 u, and the deviate log(1 + u x) / s + s / 2.
  ///
  /// Only the longer tail is taken from the skew law, the upper one where `skewness` is positive: the shorter
  /// one ends somewhere, which no mean of real records does, and is judged as normal. O(1).
  public static func deviate(_ x: Double, skewness: Double) -> Double {
    let longer = x < 0 ? -skewness : skewness
    guard longer > 1e-9 else { return x }
    let u = 2 * sinh(asinh(longer / 2) / 3)
    let s = log1p(u * u).squareRoot()
    let z = log1p(u * abs(x)) / s + s / 2
    // Below the median of the skew law all is ordinary.
    return x < 0 ? -min(-x, z) : min(x, z)
  }
}
