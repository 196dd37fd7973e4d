import Glibc

/// The standard normal law.
public enum Normal {
  /// P(Z <= z).
  public static func cdf(_ z: Double) -> Double { 0.5 * erfc(-z * 0.5.squareRoot()) }

  /// P(Z > z); accurate to 1e-300.
  public static func sf(_ z: Double) -> Double { 0.5 * erfc(z * 0.5.squareRoot()) }

  public static func density(_ z: Double) -> Double {
    exp(-0.5 * z * z) * 0.39894228040143267793994605993438
  }

  /// The z with P(Z <= z) = p; -infinity at 0, infinity at 1.
  public static func quantile(_ p: Double) -> Double { -upperQuantile(p) }

  /// The z with P(Z > z) = p, for p down to 1e-300.
  ///
  /// M. J. Wichura, algorithm AS 241 (1988), PPND16, about 1e-16.
  public static func upperQuantile(_ p: Double) -> Double {
    if p <= 0 { return .infinity }
    if p >= 1 { return -.infinity }
    let q = 0.5 - p
    if abs(q) <= 0.425 {
      let r = 0.180625 - q * q
      return q * ratio(r, centreTop, centreBottom)
    }
    let small = q > 0 ? p : 1 - p
    var r = (-log(small)).squareRoot()
    let size: Double
    if r <= 5 {
      r -= 1.6
      size = ratio(r, nearTop, nearBottom)
    } else {
      r -= 5
      size = ratio(r, farTop, farBottom)
    }
    return q > 0 ? size : -size
  }

  private static func ratio(_ r: Double, _ top: [Double], _ bottom: [Double]) -> Double {
    var a = 0.0
    var b = 0.0
    for i in stride(from: 7, through: 0, by: -1) {
      a = a * r + top[i]
      b = b * r + bottom[i]
    }
    return a / b
  }

  private static let centreTop = [
    3.3871328727963666080, 1.3314166789178437745e2, 1.9715909503065514427e3,
    1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
    3.3430575583588128105e4, 2.5090809287301226727e3,
  ]
  private static let centreBottom = [
    1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
    2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4,
    5.2264952788528545610e3,
  ]
  private static let nearTop = [
    1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550,
    3.64784832476320460504, 1.27045825245236838258, 2.41780725177450611770e-1,
    2.27238449892691845833e-2, 7.74545014278341407640e-4,
  ]
  private static let nearBottom = [
    1.0, 2.05319162663775882187, 1.67638483018380384940, 6.89767334985100004550e-1,
    1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
    1.05075007164441684324e-9,
  ]
  private static let farTop = [
    6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580,
    2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
    2.71155556874348757815e-5, 2.01033439929228813265e-7,
  ]
  private static let farBottom = [
    1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
    7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
    2.04426310338993978564e-15,
  ]
}
