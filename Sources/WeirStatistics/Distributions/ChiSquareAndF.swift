/// Chi-square with `df` > 0 degrees of freedom.
public enum ChiSquare {
  public static func sf(_ x: Double, df: Double) -> Double {
    regularizedGamma(df / 2, x / 2).upper
  }

  public static func cdf(_ x: Double, df: Double) -> Double {
    regularizedGamma(df / 2, x / 2).lower
  }

  /// The x with P(X > x) = p; infinity at 0, 0 at 1.
  public static func upperQuantile(_ p: Double, df: Double) -> Double {
    2 * regularizedGammaInverse(df / 2, p, upper: true)
  }

  /// The x with P(X <= x) = p.
  public static func quantile(_ p: Double, df: Double) -> Double {
    2 * regularizedGammaInverse(df / 2, p)
  }
}

/// Fisher's F with `df1` and `df2` degrees of freedom.
public enum FisherF {
  public static func sf(_ f: Double, df1: Double, df2: Double) -> Double {
    guard f > 0 else { return 1 }
    let d = df2 + df1 * f
    return regularizedBeta(df2 / d, df2 / 2, df1 / 2, complement: df1 * f / d).lower
  }

  public static func cdf(_ f: Double, df1: Double, df2: Double) -> Double {
    guard f > 0 else { return 0 }
    let d = df2 + df1 * f
    return regularizedBeta(df1 * f / d, df1 / 2, df2 / 2, complement: df2 / d).lower
  }

  /// The f with P(F > f) = p; infinity at 0, 0 at 1.
  public static func upperQuantile(_ p: Double, df1: Double, df2: Double) -> Double {
    if p <= 0 { return .infinity }
    if p >= 1 { return 0 }
    // df2 / (df2 + df1 f) is Beta(df2/2, df1/2): from the side where it is small.
    let x = regularizedBetaInverse(p, df2 / 2, df1 / 2)
    if x < 0.5 { return df2 / df1 * (1 - x) / x }
    let y = regularizedBetaInverse(1 - p, df1 / 2, df2 / 2)
    return df2 / df1 * y / (1 - y)
  }
}

/// Beta with shapes `a` and `b` > 0.
public enum BetaLaw {
  public static func cdf(_ x: Double, a: Double, b: Double) -> Double {
    regularizedBeta(x, a, b).lower
  }

  public static func sf(_ x: Double, a: Double, b: Double) -> Double {
    regularizedBeta(x, a, b).upper
  }

  /// The x with P(X <= x) = p.
  public static func quantile(_ p: Double, a: Double, b: Double) -> Double {
    regularizedBetaInverse(p, a, b)
  }
}
