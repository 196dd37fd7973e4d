import Glibc

/// Student's t with `df` > 0 degrees of freedom (not necessarily whole).
public enum StudentT {
  /// P(T > t) = I_{df/(df+t^2)}(df/2, 1/2) / 2 for t >= 0.
  public static func sf(_ t: Double, df: Double) -> Double {
    if t.isInfinite { return t > 0 ? 0 : 1 }
    let square = t * t
    let x = df / (df + square)
    let half = 0.5 * regularizedBeta(x, df / 2, 0.5, complement: square / (df + square)).lower
    return t >= 0 ? half : 1 - half
  }

  public static func cdf(_ t: Double, df: Double) -> Double { sf(-t, df: df) }

  /// The t with P(T > t) = p.
  public static func upperQuantile(_ p: Double, df: Double) -> Double {
    if p <= 0 { return .infinity }
    if p >= 1 { return -.infinity }
    if p == 0.5 { return 0 }
    if p > 0.5 { return -upperQuantile(1 - p, df: df) }
    let x = regularizedBetaInverse(2 * p, df / 2, 0.5)
    return (df * (1 - x) / x).squareRoot()
  }

  public static func quantile(_ p: Double, df: Double) -> Double { -upperQuantile(p, df: df) }

  /// The normal deviate as far out as `z` is for Student's t: it pays for an estimated scale.
  /// Keeps the sign; never larger than |z|.
  public static func normalEquivalent(_ z: Double, df: Double) -> Double {
    let tail = sf(abs(z), df: df)
    let size = Normal.upperQuantile(max(tail, 1e-300))
    return z < 0 ? -max(0, size) : max(0, size)
  }
}
