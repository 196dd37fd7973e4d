import Glibc

/// How skew the means of single buckets are, because the records are: handle times have a long tail, and
/// the mean of fifty of them still has a third of a deviation of skewness. A symmetric law would take their
/// ordinary days for spikes.
///
/// The third central moment of one record, m3, is pooled over all buckets but those that are judged, about
/// the mean of each: sum of cubes / sum (n - 1)(n - 2)/n. The mean of n records has m3 / n^2.
struct RecordSkew: Sendable {
  private let cubes: Double
  private let weight: Double
  /// Whether all values are positive.
  private let isPositive: Bool

  /// Records, less three a bucket, that a skewness is told from.
  private static let fewest = 30.0

  init(_ s: ComparedSeries) {
    guard s.kind == .mean else {
      (cubes, weight, isPositive) = (0, 0, false)
      return
    }
    cubes = s.cubes.reduce(0, +)
    weight = s.cubes.isEmpty ? 0 : s.n.reduce(0) { $0 + RecordSkew.weight($1) }
    isPositive = s.seen.allSatisfy { $0 > 0 }
  }

  private static func weight(_ n: Double) -> Double { n > 2 ? (n - 1) * (n - 2) / n : 0 }

  /// Skewness of what bucket i shows about its level, on the scale of the series: m3 / n^2 over the cube of its
  /// deviation, so that process noise is taken for symmetric. A logarithm takes three coefficients of
  /// variation off.
  ///
  /// A sample shows less skewness than there is, because the rarest records are not in it. So where all values
  /// are positive and m3 is, it is taken to be that of log-normal records, (3 c + c^3) s^3 with
  /// c = s / level, if that is more, but at most twice what was found. Where the cubes are not known the upper
  /// tail is that of log-normal records, and the lower one symmetric: the worse of the two for both.
  ///
  /// - Parameters:
  ///   - level: what is expected of the bucket, in the units of the series.
  ///   - deviation: standard deviation of the bucket on the scale.
  ///   - isUp: the side that is judged.
  func of(
    _ i: Int, in s: ComparedSeries, without hole: Range<Int>, level: Double, deviation: Double,
    isUp: Bool
  ) -> Double {
    guard s.kind == .mean, deviation > 0, level != 0 else { return 0 }
    let isLog = s.scale == .log
    let value = abs(level)
    let c = s.recordVariance.squareRoot() / value
    let logNormal = isPositive ? (3 * c + c * c * c) * s.recordVariance * c * value : 0
    var third = isUp ? logNormal : 0
    if let found = self.third(without: hole, s) {
      third = found > 0 ? min(2 * found, max(found, logNormal)) : found
    }
    let n = max(1, s.n[i])
    let width = isLog ? deviation * value : deviation
    let skewness = third / (n * n) / (width * width * width) - (isLog ? 3 * width / value : 0)
    return skewness.isFinite ? max(-10, min(10, skewness)) : 0
  }

  /// m3 of the records outside of `hole`; `nil` where too few are known.
  private func third(without hole: Range<Int>, _ s: ComparedSeries) -> Double? {
    guard !s.cubes.isEmpty else { return nil }
    let records = hole.reduce(weight) { $0 - RecordSkew.weight(s.n[$1]) }
    guard records >= RecordSkew.fewest else { return nil }
    return hole.reduce(cubes) { $0 - s.cubes[$1] } / records
  }
}
