import Glibc

/// The compared buckets of a series on the scale where changes add up.
///
/// count and distinct: log((k + 1/2) / exposure); rate: log odds with 1/2 added to both parts;
/// quantile, and mean where that is asked for: log where every value is positive; else as they are.
struct ComparedSeries: Sendable {
  enum Scale: String, Sendable { case log, logit, identity }

  var kind: MetricKind
  var scale: Scale
  /// Number of each compared bucket in the series, ascending.
  var index: [Int] = []
  /// 0 = Monday; empty where buckets are not days.
  var weekday: [Int] = []
  /// Events: the count, the numerator, or the value of `distinct`; 0 for mean and quantile.
  var k: [Double] = []
  /// Records (the denominator of a rate).
  var n: [Double] = []
  var exposure: [Double] = []
  /// What a reader sees: k, k/n or the value.
  var seen: [Double] = []
  /// The same on the scale.
  var y: [Double] = []
  /// Sampling variance of one record on the scale: mean and quantile only.
  var unitVariance = 0.0

  /// Of a mean: sums of the cubes of the records of each bucket about its value; empty where not all are known.
  var cubes: [Double] = []
  /// Of a mean: variance of one record about the mean of its bucket, over all buckets, in squared units.
  var recordVariance = 0.0

  /// Of a quantile: share of the records in the shorter of the tails that it cuts off.
  let tailShare: Double

  /// Larger values (and NaN) are not compared: their squares would not be finite.
  private static let limit = 1e100

  var count: Int { index.count }

  /// Drops all buckets.
  mutating func forget() {
    (index, weekday) = ([], [])
    (k, n, exposure, seen, y) = ([], [], [], [], [])
    cubes = []
  }
  var isCounted: Bool { kind == .count || kind == .distinct }
  var isValue: Bool { kind == .mean || kind == .quantile }

  init(_ series: TrendSeries) {
    kind = series.kind
    tailShare = min(series.quantile, 1 - series.quantile)
    var variances: [Double] = []
    for (i, b) in series.buckets.enumerated() {
      guard b.state.isCompared else { continue }
      var events = 0.0
      switch series.kind {
      case .count: events = b.k
      case .rate:
        guard b.n > 0 else { continue }
        events = min(b.n, max(0, b.k))
      case .distinct: events = b.value ?? 0
      case .mean, .quantile: guard let v = b.value, abs(v) < Self.limit else { continue }
      }
      guard abs(events) < Self.limit, abs(b.n) < Self.limit else { continue }
      index.append(i)
      if let first = series.firstWeekday { weekday.append((first + i) % 7) }
      k.append(max(0, events))
      n.append(b.n)
      exposure.append(b.exposure > 0 && b.exposure.isFinite ? b.exposure : 1)
      seen.append(
        series.kind == .rate ? events / b.n : isValueOf(series.kind) ? b.value ?? 0 : events)
      variances.append(b.variance)
      if series.kind == .mean, b.cubes.isFinite { cubes.append(b.cubes) }
    }
    if cubes.count < index.count { cubes = [] }
    switch series.kind {
    case .count, .distinct: scale = .log
    case .rate: scale = .logit
    case .mean where !series.isLogarithmic: scale = .identity
    case .mean, .quantile: scale = seen.allSatisfy { $0 > 0 } ? .log : .identity
    }
    for i in index.indices {
      if isValue {
        y.append(scale == .log ? log(seen[i]) : seen[i])
      } else if scale == .log {
        y.append(log((k[i] + 0.5) / exposure[i]))
      } else {
        y.append(log((k[i] + 0.5) / (n[i] - k[i] + 0.5)))
      }
    }
    if kind == .mean {
      let squares = index.indices.reduce(0) { $0 + variances[$1] * n[$1] * max(0, n[$1] - 1) }
      recordVariance = squares / max(1, n.reduce(0) { $0 + max(0, $1 - 1) })
    }
    if isValue {
      // One record's variance from all buckets: a bucket's own says nothing where n = 1.
      let units = index.indices.compactMap { i -> Double? in
        let v = variances[i] * max(1, n[i]) / (scale == .log ? seen[i] * seen[i] : 1)
        return v > 0 && v.isFinite ? v : nil
      }
      unitVariance = Robust.median(units) ?? 0
    }
  }

  /// Median events of a bucket; of a rate the rarer outcome. Decides whether a level is modelled.
  var size: Double {
    switch kind {
    case .count, .distinct: Robust.median(k) ?? 0
    case .rate: Robust.median(index.indices.map { min(k[$0], n[$0] - k[$0]) }) ?? 0
    case .mean, .quantile: .infinity
    }
  }

  /// The value a reader would see where the scale says `level` (count: at full exposure).
  func natural(_ level: Double) -> Double {
    switch scale {
    case .log: exp(min(700, level))
    case .logit: 1 / (1 + exp(-level))
    case .identity: level
    }
  }

  /// Sampling variance of bucket i on the scale if `level` is what was to be expected there. The
  /// expected and not the observed size: an observed 0 must not excuse itself.
  func samplingVariance(_ i: Int, level: Double) -> Double {
    switch kind {
    case .count, .distinct: return 1 / (exp(min(700, level)) * exposure[i] + 0.5)
    case .rate:
      let p = natural(level)
      return 1 / (n[i] * p + 0.5) + 1 / (n[i] * (1 - p) + 0.5)
    case .mean, .quantile: return unitVariance / max(1, n[i])
    }
  }
  /// Positions within 4 standard deviations of what `level` expects there, process noise included.
  func ordinary(about level: [Double]) -> [Int] {
    let s2 = index.indices.map { samplingVariance($0, level: level[$0]) }
    let r = index.indices.map { y[$0] - level[$0] }
    let tau2 = Dispersion.robust(r, s2)
    return index.indices.filter { abs(r[$0]) <= 4 * (s2[$0] + tau2).squareRoot() }
  }

  /// What has to be added to `level` so that the expected events of the given positions add up to
  /// those counted. A mean of logarithms or log odds alone is a little off the pooled level; 0 for
  /// means and quantiles.
  func calibration(of level: [Double], over positions: [Int]) -> Double {
    guard !isValue, !positions.isEmpty else { return 0 }
    let seen = positions.reduce(0) { $0 + k[$1] }
    if isCounted {
      let wanted = positions.reduce(0) { $0 + natural(level[$1]) * exposure[$1] }
      return wanted > 0 ? log(max(seen, 0.5) / wanted) : 0
    }
    let records = positions.reduce(0) { $0 + n[$1] }
    let target = min(records - 0.5, max(0.5, seen))
    var move = 0.0
    for _ in 0..<4 {
      var (wanted, slope) = (0.0, 0.0)
      for i in positions {
        let p = natural(level[i] + move)
        wanted += n[i] * p
        slope += n[i] * p * (1 - p)
      }
      guard slope > 0 else { break }
      move += min(1, max(-1, (target - wanted) / slope))
    }
    return move
  }
}

private func isValueOf(_ kind: MetricKind) -> Bool { kind == .mean || kind == .quantile }
