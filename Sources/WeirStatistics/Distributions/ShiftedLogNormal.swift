import Glibc

/// The standardised Pearson type III distribution: a shifted gamma of mean 0, variance 1 and any skewness.
///
/// What a mean of n records with skewness g looks like to the third order, with skewness g / sqrt n; exact
/// for exponential and gamma laws (K. Pearson 1895).
public enum PearsonThree {
  /// Below this much skewness it is taken for normal: no tail in use differs by 0.1 %.
  private static let least = 1e-4

  /// P(X > x). Normal where the skewness is within 1e-4 of 0; 0 or 1 past the end that it has at
  /// -2 / skewness. O(1 / |skewness|).
  public static func sf(_ x: Double, skewness: Double) -> Double {
    guard abs(skewness) >= least else { return Normal.sf(x) }
    let shape = 4 / (skewness * skewness)
    let place = shape + (skewness > 0 ? x : -x) * shape.squareRoot()
    let halves = regularizedGamma(shape, place)
    return skewness > 0 ? halves.upper : halves.lower
  }

  /// The deviate of a normal law with the same tail, with the sign of `x`, within 37.
  ///
  /// Only the longer tail is taken from the skew law: the shorter one ends somewhere, which no mean of
  /// real records does, and is judged as normal.
  public static func deviate(_ x: Double, skewness: Double) -> Double {
    let size = abs(x)
    let longer = x < 0 ? -skewness : skewness
    guard longer > 0 else { return x }
    let tail = max(1e-300, sf(size, skewness: longer))
    let z = min(size, max(0, Normal.upperQuantile(min(0.5, tail))))
    return x < 0 ? -z : z
  }
}
