import Glibc

/// A copy of the values that single wild buckets do not move.
struct Cleaned {
  var values: [Double]
  /// 1/(s^2 + tau^2); 0 where the bucket is masked.
  var weights: [Double]
  var tau2: Double

  /// Residuals from a running median of `width` buckets. Beyond 4 standard deviations a bucket is
  /// masked, beyond 3 it is clipped. A block shorter than half the window is a burst and is masked
  /// whole; a longer one is a level and stays.
  init(
    _ a: [Double], t: [Double], series: ComparedSeries, profile: WeekdayProfile, width: Int
  ) {
    let n = a.count
    func attempt(_ base: [Double]) -> (local: [Double], s2: [Double], tau2: Double, masked: Int) {
      let rest = runningMedian((0..<n).map { a[$0] - base[$0] }, width: width)
      let local = (0..<n).map { base[$0] + rest[$0] }
      let s2 = (0..<n).map {
        series.samplingVariance($0, level: local[$0] + profile.at($0, series))
      }
      let r = (0..<n).map { a[$0] - local[$0] }
      let lost = Double(n) / Double(width) + profile.parameters
      let factor = (Double(n) / max(1, Double(n) - lost)).squareRoot()
      let tau2 = Dispersion.robust(r, s2, factor: factor)
      let masked = (0..<n).filter { abs(r[$0]) > 4 * (s2[$0] + tau2).squareRoot() }.count
      return (local, s2, tau2, masked)
    }
    var found = attempt([Double](repeating: 0, count: n))
    if found.masked > 0 {
      // At the ends of a steep line the running median is far off: try along a resistant line.
      let slope = resistantSlope(a, t)
      let tilted = attempt(t.map { slope * $0 })
      if tilted.masked < found.masked { found = tilted }
    }
    let mask = found.masked * 3 <= n
    tau2 = found.tau2
    values = a
    weights = [Double](repeating: 0, count: n)
    for i in 0..<n {
      let variance = max(found.s2[i] + tau2, 1e-18)
      let scale = variance.squareRoot()
      let r = a[i] - found.local[i]
      values[i] = found.local[i] + min(3 * scale, max(-3 * scale, r))
      if !mask || abs(r) <= 4 * scale { weights[i] = 1 / variance }
    }
  }
}

/// Slope between the medians of the first and the last third (Tukey's resistant line).
func resistantSlope(_ y: [Double], _ t: [Double]) -> Double {
  let third = y.count / 3
  guard third > 0, let y0 = Robust.median(Array(y.prefix(third))),
    let y1 = Robust.median(Array(y.suffix(third))), let t0 = Robust.median(Array(t.prefix(third))),
    let t1 = Robust.median(Array(t.suffix(third))), t1 > t0
  else { return 0 }
  return (y1 - y0) / (t1 - t0)
}
