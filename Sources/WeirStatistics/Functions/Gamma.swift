import Glibc

/// log |Gamma(x)|, from the C library; its sign is dropped (arguments here are positive).
public func logGamma(_ x: Double) -> Double {
  var sign: Int32 = 0
  return lgamma_r(x, &sign)
}

/// The two halves of a distribution at a point, each computed for itself where it is small.
public struct Halves: Sendable, Equatable {
  /// Probability below the point.
  public var lower: Double
  /// Probability above the point.
  public var upper: Double

  public init(lower: Double, upper: Double) {
    self.lower = lower
    self.upper = upper
  }
}

/// Regularised incomplete gamma functions P(a, x) and Q(a, x).
///
/// Series for x < a + 1, Lentz' continued fraction above (DLMF 8.11.4, 8.9.2). O(sqrt a) steps near
/// x = a. P = 0 at x <= 0; a must be positive.
public func regularizedGamma(_ a: Double, _ x: Double) -> Halves {
  guard x > 0 else { return Halves(lower: 0, upper: 1) }
  guard x < .infinity else { return Halves(lower: 1, upper: 0) }
  // x^a e^-x / Gamma(a + 1)
  let front = exp(SaddlePoint.logPoisson(a, mean: x))
  if x < a + 1 {
    var term = 1.0
    var sum = 1.0
    var n = a
    for _ in 0..<200_000 {
      n += 1
      term *= x / n
      sum += term
      if term < sum * 1e-17 { break }
    }
    let lower = min(1, front * sum)
    return Halves(lower: lower, upper: 1 - lower)
  }
  let tiny = 1e-300
  var b = x + 1 - a
  var c = 1 / tiny
  var d = 1 / b
  var h = d
  var i = 1.0
  while i < 200_000 {
    let an = -i * (i - a)
    b += 2
    d = an * d + b
    if abs(d) < tiny { d = tiny }
    c = b + an / c
    if abs(c) < tiny { c = tiny }
    d = 1 / d
    let change = d * c
    h *= change
    if abs(change - 1) < 1e-16 { break }
    i += 1
  }
  let upper = min(1, front * a * h)
  return Halves(lower: 1 - upper, upper: upper)
}

/// The x with P(a, x) = p (or Q(a, x) = p when `upper`), by safeguarded Newton steps on logarithms.
///
/// 0 <= p <= 1, a > 0. Relative error about 1e-14.
public func regularizedGammaInverse(_ a: Double, _ p: Double, upper: Bool = false) -> Double {
  if p <= 0 { return upper ? .infinity : 0 }
  if p >= 1 { return upper ? 0 : .infinity }
  if p > 0.5 { return regularizedGammaInverse(a, 1 - p, upper: !upper) }
  let target = log(p)
  // Wilson and Hilferty (1931) as the first guess; far below, P ~ x^a / Gamma(a + 1).
  let z = upper ? Normal.upperQuantile(p) : -Normal.upperQuantile(p)
  let root = 1 - 1 / (9 * a) + z / (3 * a.squareRoot())
  var u = root > 0.05 ? log(a) + 3 * log(root) : (target + logGamma(a + 1)) / a
  var lo = -Double.infinity
  var hi = Double.infinity
  for _ in 0..<200 {
    let x = exp(u)
    let halves = regularizedGamma(a, x)
    let value = upper ? halves.upper : halves.lower
    let excess = value > 0 ? log(value) - target : -.infinity
    // excess rises with u for the lower half and falls for the upper.
    if (excess > 0) != upper { hi = min(hi, u) } else { lo = max(lo, u) }
    let slope = a * exp(SaddlePoint.logPoisson(a, mean: x)) / max(value, 1e-300)
    var next = upper ? u + excess / slope : u - excess / slope
    if !(next > lo && next < hi) || !next.isFinite {
      if lo == -.infinity {
        next = u - 1
      } else if hi == .infinity {
        next = u + 1
      } else {
        next = 0.5 * (lo + hi)
      }
    }
    if abs(next - u) < 1e-15 * max(1, abs(u)) { return exp(next) }
    u = next
  }
  return exp(u)
}
