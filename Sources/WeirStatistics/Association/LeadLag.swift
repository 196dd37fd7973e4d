import Glibc

/// Whether two series move together, and whether one of them does so first.
///
/// Cross-correlation of both series' ``SeriesMovement`` (each filtered by its own AR(1), which leaves
/// nothing that could pass for a relation: L. Haugh 1976) at the lags -most ... most. An effective
/// number of buckets n / V, V = 1 + 2 sum (1 - k/n) r_k r'_k at least 1 (M. Bartlett 1935), takes care of what
/// the filters left. Each p is that of Student's t; that of the pair is the smallest after a weighted
/// Bonferroni correction: lag 0 has half of the weight, the others share the rest.
public struct LeadLag: Sendable, Equatable {
  /// Buckets that the second series comes after the first where they are most alike; negative where it
  /// comes before.
  public var lag: Int
  /// The lags that carry 95 % of the likelihood around ``lag``, each weighed as in the test.
  public var lagLo: Int
  public var lagHi: Int
  /// Correlation at ``lag`` with its 95 % interval (R. Fisher's z).
  public var r: Estimate
  /// At lag 0.
  public var together: Double? { profile.isEmpty ? nil : profile[profile.count / 2] }
  /// At -most ... most; `nil` where too little overlaps.
  public var profile: [Double?]
  /// Pairs of buckets at ``lag``, and how many independent ones they are worth.
  public var pairs: Int
  public var effective: Double
  /// Two-sided, corrected for the lags.
  public var p: Double

  /// The second comes after the first, or before it: 0 is no likely lag.
  public var isLead: Bool { lagLo > 0 || lagHi < 0 }

  /// The same relation seen from the second series.
  public var reversed: LeadLag {
    var other = self
    other.lag = -lag
    (other.lagLo, other.lagHi) = (-lagHi, -lagLo)
    other.profile.reverse()
    return other
  }

  /// Fewer pairs of buckets than this say nothing.
  static let fewestPairs = 12.0

  /// `nil` where one of them cannot be correlated (see ``SeriesMovement/status``) or too little overlaps.
  /// The series have the same buckets. O(n most).
  public init?(_ a: SeriesMovement, _ b: SeriesMovement, most: Int) {
    guard a.status == .ok, b.status == .ok else { return nil }
    let most = max(0, most)
    struct Place {
      var lag: Int
      var r: Double
      var n: Double
      var degrees: Double
      var effective: Double
      var p: Double
      var weight: Double
    }
    var places: [Place] = []
    let spent = max(a.spent, b.spent)
    for lag in -most...most {
      guard let (r, n) = productMoment(a.scores, b.scores, lag: lag), n >= Self.fewestPairs else {
        continue
      }
      var inflation = 1.0
      for k in 1...SeriesMovement.memory {
        inflation += 2 * (1 - Double(k) / n) * a.left[k - 1] * b.left[k - 1]
      }
      let effective = n / max(1, inflation)
      let degrees = effective - 2 - spent
      guard degrees >= 3, let p = Correlation.p(r, degrees: degrees) else { continue }
      let weight = most == 0 ? 1 : lag == 0 ? 0.5 : 0.5 / Double(2 * most)
      places.append(
        Place(lag: lag, r: r, n: n, degrees: degrees, effective: effective, p: p, weight: weight))
    }
    // Equal ones go by the nearest lag, the earlier of two.
    func rank(_ x: Place) -> (Double, Int, Int) { (x.p / x.weight, abs(x.lag), x.lag) }
    guard let best = places.min(by: { rank($0) < rank($1) }) else { return nil }
    lag = best.lag
    pairs = Int(best.n)
    effective = best.effective
    p = min(1, best.p / best.weight)
    profile = (-most...most).map { lag in places.first { $0.lag == lag }?.r }
    let reach = 1.959963984540054 / max(1, best.degrees - 1).squareRoot()
    let z = atanh(max(-0.999_999_999, min(0.999_999_999, best.r)))
    r = Estimate(value: best.r, lo: tanh(z - reach), hi: tanh(z + reach))
    // Lags of the other sign are no other places of the same relation.
    let support = places.map { place -> Double in
      guard (place.r < 0) == (best.r < 0) else { return -.infinity }
      return -0.5 * place.degrees * log(max(1e-12, 1 - place.r * place.r)) + log(place.weight)
    }
    let top = support.max() ?? 0
    let at = places.firstIndex { $0.lag == best.lag } ?? 0
    let found = Structure.interval(of: support.map { exp($0 - top) }, around: at)
    (lagLo, lagHi) = (places[found.lo].lag, places[found.hi].lag)
  }
}
