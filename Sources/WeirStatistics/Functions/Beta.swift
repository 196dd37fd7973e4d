import Glibc

/// log B(a, b) for positive a and b.
public func logBeta(_ a: Double, _ b: Double) -> Double {
  logGamma(a) + logGamma(b) - logGamma(a + b)
}

/// Regularised incomplete beta function I_x(a, b) and its complement.
///
/// Lentz' continued fraction (DLMF 8.17.22) on the side of the mean where it converges fast;
/// O(sqrt(max(a, b))) steps. `complement` is 1 - x, given apart where x is close to 1. a, b > 0.
public func regularizedBeta(
  _ x: Double, _ a: Double, _ b: Double, complement: Double? = nil
) -> Halves {
  let y = complement ?? (1 - x)
  guard x > 0 else { return Halves(lower: 0, upper: 1) }
  guard y > 0 else { return Halves(lower: 1, upper: 0) }
  // x^a y^b / B(a, b) by way of the binomial density, which does not cancel for large a and b.
  let front = exp(SaddlePoint.logBinomial(a, b, p: x, q: y)) * a * b / (a + b)
  if x <= (a + 1) / (a + b + 2) {
    let lower = min(1, front * betaFraction(x, a, b) / a)
    return Halves(lower: lower, upper: 1 - lower)
  }
  let upper = min(1, front * betaFraction(y, b, a) / b)
  return Halves(lower: 1 - upper, upper: upper)
}

private func betaFraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
  let tiny = 1e-300
  func guarded(_ v: Double) -> Double { abs(v) < tiny ? tiny : v }
  var c = 1.0
  var d = 1 / guarded(1 - (a + b) * x / (a + 1))
  var h = d
  var m = 1.0
  while m < 200_000 {
    let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / guarded(1 + even * d)
    c = guarded(1 + even / c)
    h *= d * c
    let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / guarded(1 + odd * d)
    c = guarded(1 + odd / c)
    let change = d * c
    h *= change
    if abs(change - 1) < 1e-16 { break }
    m += 1
  }
  return h
}

/// The x with I_x(a, b) = p, by safeguarded Newton steps on logarithms.
///
/// 0 <= p <= 1; relative error about 1e-14 of min(x, 1 - x).
public func regularizedBetaInverse(_ p: Double, _ a: Double, _ b: Double) -> Double {
  if p <= 0 { return 0 }
  if p >= 1 { return 1 }
  let atMean = regularizedBeta(a / (a + b), a, b)
  if p > atMean.lower { return 1 - betaQuantile(1 - p, b, a) }
  return betaQuantile(p, a, b)
}

/// The quantile below the mean, where log I is nearly linear in log x.
private func betaQuantile(_ p: Double, _ a: Double, _ b: Double) -> Double {
  let target = log(p)
  var hi = log(a / (a + b)) + 1e-9
  var lo = -Double.infinity
  var u = min(hi - 1e-6, (target + log(a) + logBeta(a, b)) / a)
  if !u.isFinite { u = hi - 1 }
  for _ in 0..<300 {
    let x = exp(u)
    let value = regularizedBeta(x, a, b).lower
    let excess = value > 0 ? log(value) - target : -.infinity
    if excess > 0 { hi = min(hi, u) } else { lo = max(lo, u) }
    let density =
      exp(SaddlePoint.logBinomial(a, b, p: x, q: 1 - x)) * a * b / (a + b) / max(1e-300, 1 - x)
    var next = u - excess * value / density
    if !(next > lo && next < hi) || !next.isFinite {
      next = lo == -.infinity ? u - 1 : 0.5 * (lo + hi)
    }
    if abs(next - u) < 1e-15 * max(1, abs(u)) { return exp(next) }
    u = next
  }
  return exp(u)
}
