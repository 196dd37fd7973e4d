/// Shares of groups (vendors, moderators, markets) against the pooled share, with over-dispersion.
public struct Funnel: Sendable, Equatable {
  /// Pooled share.
  public var share: Double
  /// (p_i - p0) / s_i with s_i = sqrt(p0 (1 - p0) / n_i); `nil` where that is 0.
  public var z: [Double?]
  /// Mean square of the winsorised deviates: 1 where groups differ by chance alone.
  public var dispersion: Double
  /// Variance between groups beyond chance.
  public var betweenVariance: Double
  /// (p_i - p0) / sqrt(s_i^2 + betweenVariance).
  public var adjusted: [Double?]
  /// Two-sided p of ``adjusted``; 1 where there is none.
  public var p: [Double]
  /// Benjamini-Hochberg adjusted ``p``.
  public var q: [Double]
}

extension Funnel {
  /// Funnel plot with an additive random effect (D. Spiegelhalter, Quality and Safety in Health Care 14,
  /// 2005; Statistics in Medicine 24, 2005).
  ///
  /// Deviates are pulled in to their `winsor` and 1 - `winsor` quantiles (linear) before phi = mean z^2 is
  /// taken, so that true outliers do not excuse themselves; tau^2 = (I phi - (I - 1)) / (sum w - sum w^2
  /// / sum w) with w = 1/s^2, 0 where phi <= (I - 1)/I. O(I log I). Groups with n = 0 have no deviate.
  public init(k: [Double], n: [Double], winsor: Double = 0.1) {
    let total = n.reduce(0, +)
    let p0 = total > 0 ? k.reduce(0, +) / total : 0
    let variance = n.map { $0 > 0 ? max(0, p0 * (1 - p0) / $0) : 0 }
    let known = n.indices.filter { variance[$0] > 0 }
    var z = [Double?](repeating: nil, count: n.count)
    for i in known { z[i] = (k[i] / n[i] - p0) / variance[i].squareRoot() }
    let sorted = known.compactMap { z[$0] }.sorted()
    let lo = quantile(ofSorted: sorted, winsor, rule: .linear) ?? 0
    let hi = quantile(ofSorted: sorted, 1 - winsor, rule: .linear) ?? 0
    let groups = Double(known.count)
    var squares = 0.0
    for v in sorted {
      let inside = min(hi, max(lo, v))
      squares += inside * inside
    }
    let phi = known.isEmpty ? 0 : squares / groups
    var (weight, weightSquares) = (0.0, 0.0)
    for i in known {
      weight += 1 / variance[i]
      weightSquares += 1 / (variance[i] * variance[i])
    }
    var between = 0.0
    let scale = weight > 0 ? weight - weightSquares / weight : 0
    if groups > 1, phi > (groups - 1) / groups, scale > 0 {
      between = max(0, (groups * phi - (groups - 1)) / scale)
    }
    var adjusted = z
    for i in known { adjusted[i] = (k[i] / n[i] - p0) / (variance[i] + between).squareRoot() }
    let p = adjusted.map { $0.map { 2 * Normal.sf(abs($0)) } ?? 1 }
    self.init(
      share: p0, z: z, dispersion: phi, betweenVariance: between, adjusted: adjusted, p: p,
      q: MultipleTesting.benjaminiHochberg(p))
  }
}
