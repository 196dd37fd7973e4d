import Glibc

/// One side of a comparison: a series, and those of its buckets that count.
public struct ComparisonSide: Sendable {
  public var series: TrendSeries
  public var buckets: Set<Int>
  /// The value of all of them together: a quantile is no mean of the quantiles of days. `nil`: the mean
  /// over the records.
  public var whole: Double?

  public init(series: TrendSeries, buckets: Set<Int>, whole: Double? = nil) {
    self.series = series
    self.buckets = buckets
    self.whole = whole
  }
}

/// The difference of a metric between two sides: two periods of one series, or two groups over the same
/// buckets.
///
/// Buckets, not records, are what chance draws: days differ by more than the counts on them say and
/// resemble the day before, so an interval from the counts alone would call every other comparison a
/// difference. *Periods* are compared by their pooled levels, weekdays adjusted for. *Groups* are
/// compared bucket by bucket, on those that both have, so that what moves both (a holiday, a busy week) cancels:
/// rates with Mantel and Haenszel's weights (1959), n n' / (n + n') a bucket. In both the variance is that of
/// sampling noise plus a process with memory, of which every likely kind counts (``NoisyContrast``).
/// Intervals: of a rate Newcombe's (1998) over counts divided by what the variance is inflated by; else
/// those of the two levels put together (G. Zou and A. Donner 2008). O(n) for each of 31 kinds of noise.
public struct SideComparison: Sendable {
  public let kind: MetricKind
  /// `ok`: tested; else why not.
  public var status: SeriesStatus
  /// Compared buckets of each side.
  public var bucketsA = 0
  public var bucketsB = 0
  public var kA = 0.0
  public var nA = 0.0
  public var kB = 0.0
  public var nB = 0.0
  /// Levels: of counts and distinct values of one bucket. `nil` without records.
  public var a: Estimate?
  public var b: Estimate?
  /// b - a.
  public var difference: Estimate?
  /// (b - a) / a; 0 for a = 0.
  public var relative = 0.0
  /// Events that the difference makes on side b, or the records there (mean, quantile, distinct).
  public var impact: Estimate?
  public var p = 1.0
  public var test = ""
  /// Normal deviate of ``p``, signed.
  public var statistic = 0.0
  /// What the variance is of that of independent records.
  public var inflation = 1.0
  public var phi = 0.0

  public static let fewestBuckets = 5
  static let fewestEvents = 10.0
  static let fewestRecords = 30.0

  /// - Parameter isPaired: groups over the same buckets; else two periods, which must not overlap.
  public init(_ a: ComparisonSide, _ b: ComparisonSide, isPaired: Bool) {
    let (x, y) = (Side(a), Side(b))
    kind = x.kind
    (bucketsA, bucketsB) = (x.count, y.count)
    (kA, nA, kB, nB) = (x.k, x.n, y.k, y.n)
    (self.a, self.b) = (x.plain, y.plain)
    status = Self.status(x, y, isPaired: isPaired)
    guard status == .ok else { return }
    let contrast =
      isPaired ? Self.paired(x, y) : Self.periods(x, y)
    guard let contrast else {
      status = .insufficientHistory
      return
    }
    test = isPaired ? "by_bucket" : "two_periods"
    p = contrast.p
    phi = contrast.phi
    inflation = contrast.sampling > 0 ? max(1, contrast.variance / contrast.sampling) : 1
    let size = max(0, Normal.upperQuantile(min(0.5, p / 2)))
    statistic = contrast.value < 0 ? -size : size
    measure(x, y, contrast)
  }

  private static func status(_ x: Side, _ y: Side, isPaired: Bool) -> SeriesStatus {
    if x.count < fewestBuckets || y.count < fewestBuckets { return .insufficientHistory }
    switch x.kind {
    case .rate:
      let events = x.k + y.k
      if events == 0 || events == x.n + y.n { return .noEvents }
      if min(events, x.n + y.n - events) < fewestEvents || min(x.n, y.n) < fewestRecords {
        return .insufficientVolume
      }
    case .count, .distinct:
      if x.k + y.k == 0 { return .noEvents }
      if x.k + y.k < fewestEvents { return .insufficientVolume }
    case .mean, .quantile:
      if min(x.n, y.n) < fewestRecords { return .insufficientVolume }
      let values = x.values + y.values
      if values.allSatisfy({ $0 == values[0] }) { return .constant }
    }
    return .ok
  }

  // MARK: The test

  /// Levels of two periods of one series, by what each bucket adds to them.
  private static func periods(_ x: Side, _ y: Side) -> NoisyContrast? {
    let (first, second) = (x.index.last ?? 0) < (y.index.first ?? 0) ? (x, y) : (y, x)
    guard let last = first.index.last, let next = second.index.first, last < next else {
      return nil
    }
    let level = first.commonLevel(second)
    let sign = first.index == x.index ? 1.0 : -1.0
    let values = first.scaled(level) + second.scaled(level)
    let noise = first.sampling(level) + second.sampling(level)
    let sizes = first.sizes + second.sizes
    let (all0, all1) = (first.sizes.reduce(0, +), second.sizes.reduce(0, +))
    guard all0 > 0, all1 > 0 else { return nil }
    let c = sizes.indices.map {
      $0 < first.count ? -sign * sizes[$0] / all0 : sign * sizes[$0] / all1
    }
    return NoisyContrast(
      values, at: first.index + second.index, sampling: noise, c, split: first.count,
      spent: first.spent)
  }

  /// Differences of two groups on the buckets that both have.
  private static func paired(_ x: Side, _ y: Side) -> NoisyContrast? {
    var place: [Int: Int] = [:]
    for (i, t) in y.index.enumerated() { place[t] = i }
    let level = x.commonLevel(y)
    let (vx, vy) = (x.scaled(level), y.scaled(level))
    let (sx, sy) = (x.sampling(level), y.sampling(level))
    var (d, s2, c, t): ([Double], [Double], [Double], [Int]) = ([], [], [], [])
    for i in x.index.indices {
      guard let j = place[x.index[i]] else { continue }
      d.append(vy[j] - vx[i])
      s2.append(sx[i] + sy[j])
      t.append(x.index[i])
      let (m, n) = (x.sizes[i], y.sizes[j])
      c.append(m + n > 0 ? m * n / (m + n) : 0)
    }
    let all = c.reduce(0, +)
    guard d.count >= fewestBuckets, all > 0 else { return nil }
    return NoisyContrast(
      d, at: t, sampling: s2, c.map { $0 / all }, split: nil, spent: max(x.spent, y.spent))
  }

  // MARK: Sizes

  private mutating func measure(_ x: Side, _ y: Side, _ contrast: NoisyContrast) {
    let process = max(0, contrast.variance - contrast.sampling)
    let (one, two) = (
      x.level(inflation: inflation, process: process / 2),
      y.level(inflation: inflation, process: process / 2)
    )
    (a, b) = (one, two)
    let change = two.value - one.value
    func root(_ u: Double, _ v: Double) -> Double { (u * u + v * v).squareRoot() }
    let effect = Estimate(
      value: change, lo: change - root(two.value - two.lo, one.hi - one.value),
      hi: change + root(two.hi - two.value, one.value - one.lo))
    difference = effect
    relative = one.value != 0 ? change / abs(one.value) : 0
    switch x.kind {
    case .rate: impact = effect.scaled(by: y.n)
    case .count: impact = effect.scaled(by: Double(y.count))
    case .mean, .quantile, .distinct: impact = Estimate(value: y.n, lo: y.n, hi: y.n)
    }
  }

  /// Whether it matters to anyone, and how loudly to say it, by the rules for findings of a trend.
  public func judge(
    _ settings: TrendSettings
  ) -> (isMaterial: Bool, reason: String, level: FindingLevel) {
    guard let a, let b, let difference, let impact else { return (false, "not tested", .notice) }
    var size = FindingSize(
      baseline: a, observed: b, kind: kind, k: kB, n: nB, buckets: Double(bucketsB))
    (size.effect, size.impact) = (difference, impact)
    if a.value == 0 { size.relative = b.value > 0 ? 1 : 0 }
    return size.judge(kind, settings)
  }

}
