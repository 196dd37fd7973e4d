import Glibc

/// The buckets of one side as the test of a ``SideComparison`` reads them: values whose mean, weighted by
/// ``sizes``, is the level of the side.
struct Side {
  let kind: MetricKind
  var index: [Int] = []
  /// Events, or of a mean the values; records.
  var values: [Double] = []
  /// Records of a rate, a mean or a quantile; of counts what share of a usual bucket it is, by its
  /// weekday and length.
  var sizes: [Double] = []
  private(set) var k = 0.0
  private(set) var n = 0.0
  /// Parameters of the weekday profile.
  private(set) var spent = 0.0
  private var unit = 0.0
  private let whole: Double?
  /// What the weekday adds to a rate or a mean.
  private var offsets: [Double] = []

  var count: Int { index.count }
  private var isCounted: Bool { kind == .count || kind == .distinct }

  init(_ side: ComparisonSide) {
    var s = ComparedSeries(side.series)
    kind = s.kind
    whole = side.whole
    unit = Side.unitVariance(s, side.series)
    // The profile of the whole series, on the scale of what is compared.
    let total = s.isCounted ? s.k.reduce(0, +) : 0
    let usual = s.isCounted ? total / max(1, s.exposure.reduce(0, +)) : 1
    s.y = s.index.indices.map { i in
      switch s.kind {
      case .count, .distinct: usual > 0 ? s.k[i] / s.exposure[i] / usual : 0
      default: s.seen[i]
      }
    }
    let profile = s.size >= SeriesAnalysis.smallestSize ? WeekdayProfile(s) : WeekdayProfile()
    spent = profile.parameters
    for i in s.index.indices where side.buckets.contains(s.index[i]) {
      index.append(s.index[i])
      k += s.k[i]
      n += s.kind == .distinct || s.kind == .count ? s.k[i] : s.n[i]
      let offset = profile.at(i, s)
      switch s.kind {
      case .count, .distinct:
        values.append(s.k[i])
        sizes.append(s.exposure[i] * max(0.05, 1 + offset))
        offsets.append(0)
      case .rate:
        values.append(s.k[i] / s.n[i])
        sizes.append(s.n[i])
        offsets.append(offset)
      case .mean, .quantile:
        values.append(s.seen[i])
        sizes.append(max(1, s.n[i]))
        offsets.append(offset)
      }
    }
  }

  /// Of one record of a mean or a quantile, in its own units.
  private static func unitVariance(_ s: ComparedSeries, _ series: TrendSeries) -> Double {
    guard s.isValue else { return 0 }
    let units = s.index.compactMap { t -> Double? in
      let bucket = series.buckets[t]
      let v = bucket.variance * max(1, bucket.n)
      return v > 0 && v.isFinite ? v : nil
    }
    return Robust.median(units) ?? 0
  }

  private var allSizes: Double { sizes.reduce(0, +) }

  private var value: Double {
    if isCounted { return allSizes > 0 ? k / allSizes : 0 }
    if kind == .rate { return n > 0 ? k / n : 0 }
    if let whole { return whole }
    return sizes.indices.reduce(0) { $0 + sizes[$1] * values[$1] } / max(1e-300, allSizes)
  }

  /// The level without an interval; `nil` where there is none.
  var plain: Estimate? {
    guard count > 0, isCounted || n > 0 else { return nil }
    return Estimate(value: value, lo: value, hi: value)
  }

  /// The level of both sides together: what each would have were they alike.
  func commonLevel(_ other: Side) -> Double {
    if isCounted { return (k + other.k) / max(1e-300, allSizes + other.allSizes) }
    if kind == .rate { return (k + other.k) / max(1, n + other.n) }
    return 0
  }

  /// What the test compares: shares of `level` for counts, else the values without their weekday.
  func scaled(_ level: Double) -> [Double] {
    values.indices.map { i in
      isCounted ? values[i] / sizes[i] / level : values[i] - offsets[i]
    }
  }

  /// Sampling variances of ``scaled(_:)``.
  func sampling(_ level: Double) -> [Double] {
    sizes.map { size in
      switch kind {
      case .count, .distinct: 1 / max(1e-300, level * size)
      case .rate: max(1e-300, level * (1 - level) / size)
      case .mean, .quantile: max(1e-300, unit / size)
      }
    }
  }

  /// The level with its 95 % interval. `inflation` is that of the whole variance, `process` the part of
  /// this side that sampling does not make, on the scale of ``scaled(_:)``.
  func level(inflation: Double, process: Double) -> Estimate {
    let z = 1.959963984540054
    switch kind {
    case .rate:
      let range = ProportionInterval.wilson(k: k / inflation, n: n / inflation)
      return Estimate(value: value, lo: range.lo, hi: range.hi)
    case .count, .distinct:
      guard k > 0 else {
        return Estimate(
          value: 0, lo: 0, hi: PoissonInterval.garwood(count: 0).hi / max(1e-300, allSizes))
      }
      let reach = min(300, z * (1 / k + process).squareRoot())
      return Estimate(value: value, lo: value * exp(-reach), hi: value * exp(reach))
    case .mean, .quantile:
      let reach = z * (unit / max(1, allSizes) + process).squareRoot()
      return Estimate(value: value, lo: value - reach, hi: value + reach)
    }
  }
}
