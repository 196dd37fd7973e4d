import Glibc

/// Whether a weighted sum of unruly values is zero: its p is averaged over the process noise and memory
/// that the values allow (see ``NoiseModel``).
struct NoisyContrast {
  /// Two-sided.
  var p = 1.0
  var value = 0.0
  /// Of ``value``, averaged, and the part of it that sampling alone makes.
  var variance = 0.0
  var sampling = 0.0
  /// Average memory from one bucket to the next.
  var phi = 0.0

  /// - Parameters:
  ///   - y: values at the rising places `t`, with the sampling variances `s2`.
  ///   - c: what each counts for in the sum.
  ///   - split: first of the second group of values; `nil` where all have one level.
  ///   - spent: parameters that have been taken out of the values before.
  init(_ y: [Double], at t: [Int], sampling s2: [Double], _ c: [Double], split: Int?, spent: Double)
  {
    let n = y.count
    value = (0..<n).reduce(0) { $0 + c[$1] * y[$1] }
    sampling = (0..<n).reduce(0) { $0 + c[$1] * c[$1] * s2[$1] }
    guard n > 4 else { return }
    func mean(_ range: Range<Int>) -> Double {
      range.reduce(0) { $0 + y[$1] } / Double(max(1, range.count))
    }
    let (first, second) = split.map { (mean(0..<$0), mean($0..<n)) } ?? (mean(0..<n), 0)
    let square = (0..<n).reduce(0) { sum, i in
      let r = y[i] - (i < split ?? n ? first : second)
      return sum + r * r
    }
    let lost = (split == nil ? 1.0 : 2.0)
    let factor = Double(n) / max(Double(n) / 2, Double(n) - spent)
    let noise = NoiseModel(
      y, at: t, sampling: s2, split: split ?? n / 2,
      variance: square / max(1, Double(n) - lost))
    let variances = noise.variances(c)
    let weights = Self.weights(noise, split == nil ? \.line : \.step)
    p = 0
    for (i, weight) in weights.enumerated() {
      let whole = sampling + (variances[i].whole - sampling) * factor
      p += weight * min(1, 2 * Normal.sf(abs(value) / max(whole, 1e-300).squareRoot()))
      variance += weight * whole
      phi += weight * noise.nodes[i].phi
    }
    p = min(1, max(1e-300, p))
  }

  /// What a pair is worth before the data falls with its memory as exp(-phi): flatter than for the tests of
  /// trends, because a side may have a handful of buckets, which say little of their memory. Chosen on
  /// simulated reports (seeds 50001 to 50060), judged on others (Benchmarks/REALDATA.md).
  private static let priorSlope = 1.0

  private static func weights(
    _ noise: NoiseModel, _ likelihood: KeyPath<NoiseModel.Node, Double>
  ) -> [Double] {
    let values = noise.nodes.map { $0[keyPath: likelihood] - Self.priorSlope * $0.phi }
    let top = values.max() ?? 0
    let mass = values.map { exp($0 - top) }
    let whole = mass.reduce(0, +)
    return mass.map { $0 / whole }
  }
}
