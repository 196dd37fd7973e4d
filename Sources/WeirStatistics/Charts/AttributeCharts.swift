/// A control chart of shares or rates with limits that follow the size of each group.
public struct AttributeChart: Sendable, Equatable {
  /// Pooled share or rate.
  public var centre: Double
  /// Standard deviation of each group under the plain law.
  public var deviations: [Double]
  /// (group - centre) / deviation; `nil` where the deviation is 0.
  public var z: [Double?]
  /// Mean moving range of ``z`` / 1.128: how much more (above 1) or less the groups vary than the plain
  /// law says. `nil` for fewer than two groups with a deviate.
  public var spread: Double?
  /// Half widths of the limits are this many deviations.
  public var width: Double
  /// Smallest and largest value that a group can have.
  var bounds: ClosedRange<Double>

  /// centre -+ width x deviation, cut to what is possible; times ``spread`` when `adjusted` (Laney).
  public func limits(_ group: Int, adjusted: Bool) -> (lo: Double, hi: Double) {
    let reach = width * deviations[group] * (adjusted ? spread ?? 1 : 1)
    return (max(bounds.lowerBound, centre - reach), min(bounds.upperBound, centre + reach))
  }

  /// Groups outside their limits; none where nothing varies.
  public func outside(adjusted: Bool) -> [Int] {
    let limit = width * (adjusted ? spread ?? 1 : 1)
    return z.indices.filter { i in z[i].map { abs($0) > limit } ?? false }
  }
}

/// Attribute control charts, and Laney's forms of them for over-dispersed groups (D. Laney, Quality
/// Engineering 14, 2002). O(n).
public enum AttributeCharts {
  /// Mean of the range of two normal values in standard deviations, as the charts print it.
  static let meanRangeOfTwo = 1.128

  /// p chart of `k` of `n` in each group: deviation sqrt(p (1 - p) / n). Groups with n = 0 have no
  /// deviate.
  public static func shares(k: [Double], n: [Double], width: Double = 3) -> AttributeChart {
    let total = n.reduce(0, +)
    let p = total > 0 ? k.reduce(0, +) / total : 0
    return chart(
      values: k.indices.map { n[$0] > 0 ? k[$0] / n[$0] : p }, centre: p,
      deviations: n.map { $0 > 0 ? max(0, p * (1 - p) / $0).squareRoot() : 0 }, width: width,
      bounds: 0...1)
  }

  /// u chart of events per exposure: deviation sqrt(u / exposure).
  public static func rates(
    counts: [Double], exposures: [Double], width: Double = 3
  ) -> AttributeChart {
    let total = exposures.reduce(0, +)
    let u = total > 0 ? counts.reduce(0, +) / total : 0
    return chart(
      values: counts.indices.map { exposures[$0] > 0 ? counts[$0] / exposures[$0] : u },
      centre: u, deviations: exposures.map { $0 > 0 ? (u / $0).squareRoot() : 0 }, width: width,
      bounds: 0...Double.greatestFiniteMagnitude)
  }

  private static func chart(
    values: [Double], centre: Double, deviations: [Double], width: Double,
    bounds: ClosedRange<Double>
  ) -> AttributeChart {
    let z = values.indices.map { i -> Double? in
      deviations[i] > 0 ? (values[i] - centre) / deviations[i] : nil
    }
    let known = z.compactMap { $0 }
    var spread: Double?
    if known.count > 1 {
      var sum = 0.0
      for i in 1..<known.count { sum += abs(known[i] - known[i - 1]) }
      spread = sum / Double(known.count - 1) / meanRangeOfTwo
    }
    return AttributeChart(
      centre: centre, deviations: deviations, z: z, spread: spread, width: width, bounds: bounds)
  }
}
