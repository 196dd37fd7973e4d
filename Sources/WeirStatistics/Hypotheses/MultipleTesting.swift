import Glibc

/// Corrections for testing many hypotheses at once. Input order is kept; ties keep their order.
public enum MultipleTesting {
  /// min over i of m p_(i) / i, at most 1 (Simes 1986); 1 for no hypotheses.
  public static func simes(_ p: [Double]) -> Double {
    let m = Double(p.count)
    var best = 1.0
    for (i, value) in p.sorted().enumerated() { best = min(best, m * value / Double(i + 1)) }
    return best
  }

  /// Step-up adjusted p-values that hold the false discovery rate (Benjamini and Hochberg 1995).
  public static func benjaminiHochberg(_ p: [Double]) -> [Double] { stepUp(p, factor: 1) }

  /// The same under any dependence (Benjamini and Yekutieli 2001): times 1 + 1/2 + ... + 1/m.
  public static func benjaminiYekutieli(_ p: [Double]) -> [Double] {
    var harmonic = 0.0
    for i in stride(from: p.count, to: 0, by: -1) { harmonic += 1 / Double(i) }
    return stepUp(p, factor: harmonic)
  }

  /// Step-down adjusted p-values that hold the family-wise error rate (Holm 1979).
  public static func holm(_ p: [Double]) -> [Double] {
    let order = ascending(p)
    var adjusted = p
    var running = 0.0
    for (i, at) in order.enumerated() {
      running = max(running, min(1, Double(p.count - i) * p[at]))
      adjusted[at] = running
    }
    return adjusted
  }

  /// min(1, m p).
  public static func bonferroni(_ p: [Double]) -> [Double] {
    p.map { min(1, Double(p.count) * $0) }
  }

  /// Adjusted p-values of the closed test with Simes' test (G. Hommel 1988), which hold the family-wise
  /// error rate and are never above Holm's; for independent or positively dependent hypotheses.
  /// O(m^2): meant for a report, not for a million hypotheses.
  public static func hommel(_ p: [Double]) -> [Double] {
    let order = ascending(p)
    let m = p.count
    guard m > 1 else { return p }
    let sorted = order.map { p[$0] }
    var sum = sorted
    for j in stride(from: m, to: 1, by: -1) {
      let size = Double(j)
      let first = m - j
      var least = Double.infinity
      for i in 0..<j { least = min(least, size * sorted[first + i] / Double(i + 1)) }
      for i in first..<m { sum[i] = max(sum[i], least) }
      for i in 0..<first { sum[i] = max(sum[i], min(size * sorted[i], least)) }
    }
    var adjusted = p
    for (i, place) in order.enumerated() { adjusted[place] = min(1, sum[i]) }
    return adjusted
  }

  /// Fisher's combination -2 sum log p, and its p from chi-square with 2m degrees of freedom; for
  /// independent hypotheses. p below 1e-300 counts as that.
  public static func fisher(_ p: [Double]) -> (statistic: Double, p: Double) {
    var statistic = 0.0
    for value in p { statistic -= 2 * log(max(value, 1e-300)) }
    guard !p.isEmpty else { return (0, 1) }
    return (statistic, ChiSquare.sf(statistic, df: 2 * Double(p.count)))
  }

  private static func stepUp(_ p: [Double], factor: Double) -> [Double] {
    let order = ascending(p)
    let m = Double(p.count)
    var adjusted = p
    var running = 1.0
    for i in stride(from: order.count - 1, through: 0, by: -1) {
      running = min(running, factor * m * p[order[i]] / Double(i + 1))
      adjusted[order[i]] = running
    }
    return adjusted
  }

  private static func ascending(_ p: [Double]) -> [Int] {
    p.indices.sorted { (p[$0], $0) < (p[$1], $1) }
  }
}

/// What the two levels of a hierarchical test decide.
public struct HierarchicalDecision: Sendable, Equatable {
  /// Simes p of each family.
  public var family: [Double]
  /// ``family`` adjusted for the number of families.
  public var adjusted: [Double]
  public var selected: [Bool]
  /// For each family and hypothesis, whether it is rejected.
  public var rejected: [[Bool]]
  /// Level used inside the selected families: q R / m.
  public var level: Double
}

extension MultipleTesting {
  /// Families selected by BH at `q` on their Simes p, then BH at q R / m inside each of the R selected
  /// of m (Benjamini and Bogomolov 2014). O(N log N).
  ///
  /// - Parameter isArbitrary: Benjamini and Yekutieli's correction in both places, which supposes nothing of
  ///   how the tests depend on each other.
  public static func hierarchical(
    _ families: [[Double]], q: Double, isArbitrary: Bool = false
  ) -> HierarchicalDecision {
    let adjust = isArbitrary ? benjaminiYekutieli : benjaminiHochberg
    let simesP = families.map { simes($0) }
    let adjusted = adjust(simesP)
    let selected = adjusted.map { $0 <= q }
    let count = selected.reduce(0) { $0 + ($1 ? 1 : 0) }
    let level = families.isEmpty ? 0 : q * Double(count) / Double(families.count)
    let rejected = families.indices.map { i in
      selected[i]
        ? adjust(families[i]).map { $0 <= level } : families[i].map { _ in false }
    }
    return HierarchicalDecision(
      family: simesP, adjusted: adjusted, selected: selected, rejected: rejected, level: level)
  }
}
