import Glibc

/// Variance beyond sampling noise.
enum Dispersion {
  /// The tau^2 with MAD(r / sqrt(s^2 + tau^2)) = 1 normal unit: robust, 0 where sampling noise is
  /// enough. `factor` corrects residuals for fitted parameters.
  static func robust(_ r: [Double], _ s2: [Double], factor: Double = 1) -> Double {
    guard r.count >= 3 else { return 0 }
    var z = r
    func spread(_ tau2: Double) -> Double {
      for i in r.indices { z[i] = abs(r[i]) / (s2[i] + tau2).squareRoot() }
      return (Robust.median(reordering: &z) ?? 0) / Robust.madOfNormal * factor
    }
    guard s2.allSatisfy({ $0 > 0 }) else {
      let scale = (Robust.median(r.map { abs($0) }) ?? 0) / Robust.madOfNormal * factor
      return scale * scale
    }
    let first = spread(0)
    guard first > 1 else { return 0 }
    var lo = 0.0
    var hi = (Robust.median(r.map { abs($0) }) ?? 0) / Robust.madOfNormal * factor
    hi *= hi
    hi = max(hi, 1e-12)
    while spread(hi) > 1 { hi *= 2 }
    for _ in 0..<14 {
      let middle = 0.5 * (lo + hi)
      if spread(middle) > 1 { lo = middle } else { hi = middle }
    }
    return 0.5 * (lo + hi)
  }

  /// The a >= 0 with sum d^2 / (s + a q) = degrees of freedom (Pearson's chi-square made to fit):
  /// over-dispersion of counts with variance s + a q. Newton from the left, monotone.
  static func moments(
    squares d2: [Double], sampling s: [Double], process q: [Double], without excluded: Range<Int>,
    freedom: Double
  ) -> Double {
    guard freedom > 0 else { return 0 }
    var a = 0.0
    for _ in 0..<60 {
      var value = -freedom
      var slope = 0.0
      for j in d2.indices where !excluded.contains(j) {
        let v = s[j] + a * q[j]
        guard v > 0 else { continue }
        value += d2[j] / v
        slope -= d2[j] * q[j] / (v * v)
      }
      guard value > 0, slope < 0 else { break }
      let step = -value / slope
      a += step
      if step < 1e-10 * a { break }
    }
    return a
  }
}
