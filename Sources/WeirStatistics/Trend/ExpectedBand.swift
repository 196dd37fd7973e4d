import Glibc

/// What is said of a series beyond single days.
struct Reported: Sendable {
  var structure: Structure.Label?
  var season = false
  var halves = false

  var isEmpty: Bool { structure == nil && !season && !halves }
}

/// What every bucket of a series would have shown had nothing changed, for plots.
struct ExpectedBand {
  let series: TrendSeries
  let analysis: SeriesAnalysis
  /// The changes that are reported: the band then goes on from before them.
  let reported: Reported
  /// Compared buckets that are reported as spikes, dips or bursts: they have no say.
  let flagged: [Bool]

  func estimates() -> [Estimate?] {
    let s = analysis.compared
    guard s.count >= SeriesAnalysis.fewestBuckets else {
      return series.buckets.map { _ in nil }
    }
    if analysis.status == .constant || analysis.status == .noEvents {
      return constant(s)
    }
    let base = baseLevel(s)
    let older = olderLevels(s)
    let tau2 = dayTest().dispersion(excluding: flagged)
    let usual = usualRecords(s)
    return series.buckets.indices.map { i in
      let offset = analysis.profile.ofBucket(
        i, firstWeekday: series.firstWeekday, isUnchanged: reported.season)
      let base = older.last(where: { i < $0.end })?.level ?? base
      let bucket = series.buckets[i]
      let exposure = bucket.exposure > 0 && bucket.exposure.isFinite ? bucket.exposure : 1
      switch s.kind {
      case .count, .distinct:
        return counted(s.natural(base + offset) * exposure, alpha: tau2)
      case .rate:
        let p = min(1 - 1e-9, max(1e-9, s.natural(base + offset)))
        return rate(p, n: records(bucket, usual: usual[weekday(i)]), rho: tau2)
      case .mean, .quantile:
        let n = records(bucket, usual: usual[weekday(i)])
        let reach = 1.959963984540054 * (s.unitVariance / max(1, n) + tau2).squareRoot()
        let centre = base + offset
        return Estimate(
          value: s.natural(centre), lo: s.natural(centre - reach), hi: s.natural(centre + reach))
      }
    }
  }

  /// Days are judged by the pooled level where there are few events, but a change that is reported
  /// must not widen the band.
  private func dayTest() -> DayTest {
    var test = analysis.dayTest()
    if test.level == nil, let label = reported.structure, let structure = analysis.structure {
      test.level = analysis.level(of: structure, as: label)
    }
    return test
  }

  /// Level without any reported change, on the scale, so that expected counts add up.
  func baseLevel(_ s: ComparedSeries) -> Double {
    if reported.halves, let halves = analysis.halves {
      return level(s, 0..<halves.split)
    }
    guard analysis.level != nil || reported.structure != nil else { return pooledLevel(s) }
    guard let structure = analysis.structure else { return analysis.level?[0] ?? 0 }
    let level: Double
    let range: Range<Int>
    switch reported.structure {
    case .shift:
      range = structure.before
      level = structure.mean(range)
    case .trend:
      level = structure.line.at(firstWeeksCentre(s))
      range = 0..<s.count
    case nil:
      level = structure.mean(0..<s.count)
      range = 0..<s.count
    }
    let kept = range.filter { !flagged[$0] && structure.weights[$0] > 0 }
    let whole = (0..<s.count).map { i in
      // A trend is calibrated along its line, for a start that two odd weeks do not set.
      let drift = reported.structure == .trend ? structure.line.at(Double(s.index[i])) - level : 0
      return level + drift + analysis.profile.at(i, s)
    }
    return level + s.calibration(of: whole, over: kept)
  }

  /// Of a level that had moved before the change that is reported: the levels up to then, on the scale,
  /// the latest first, each with the number of the bucket that ends it.
  private func olderLevels(_ s: ComparedSeries) -> [(end: Int, level: Double)] {
    guard reported.structure == .shift, let structure = analysis.structure else { return [] }
    return structure.levels.dropLast(2).reversed().map { range in
      (s.index[range.upperBound], calibrated(structure, s, over: range))
    }
  }

  /// Of a level over `range`, such that expected counts add up there.
  private func calibrated(_ x: Structure, _ s: ComparedSeries, over range: Range<Int>) -> Double {
    let level = x.mean(range)
    let kept = range.filter { !flagged[$0] && x.weights[$0] > 0 }
    let whole = (0..<s.count).map { level + analysis.profile.at($0, s) }
    return level + s.calibration(of: whole, over: kept)
  }

  /// Middle, in bucket numbers, of the first 14 compared buckets.
  func firstWeeksCentre(_ s: ComparedSeries) -> Double {
    let m = min(14, s.count)
    return s.index.prefix(m).reduce(0) { $0 + Double($1) } / Double(m)
  }

  private func pooledLevel(_ s: ComparedSeries) -> Double { level(s, 0..<s.count) }

  /// Of some buckets together, on the scale.
  private func level(_ s: ComparedSeries, _ range: Range<Int>) -> Double {
    guard !s.isValue else {
      return range.reduce(0) { $0 + s.y[$1] } / Double(max(1, range.count))
    }
    var (k, w) = (0.0, 0.0)
    for i in range where !flagged[i] {
      k += s.k[i]
      w += s.kind == .rate ? s.n[i] : s.exposure[i]
    }
    if s.kind == .rate {
      let p = (k + 0.5) / (w + 1)
      return log(p / (1 - p))
    }
    return log((k > 0 ? k : 0.5) / max(1, w))
  }

  private func constant(_ s: ComparedSeries) -> [Estimate?] {
    let value = s.seen[0]
    return series.buckets.map { b in
      s.isCounted
        ? counted(value * (b.exposure > 0 ? b.exposure : 1), alpha: 0)
        : Estimate(value: value, lo: value, hi: value)
    }
  }

  /// 95 % range of one count.
  private func counted(_ mean: Double, alpha: Double) -> Estimate {
    if mean < 10, mean > 0 {
      let range = stepped(upTo: 100_000) {
        CountTails.negativeBinomial($0, mean: mean, alpha: alpha)
      }
      return Estimate(value: mean, lo: Double(range.lo), hi: Double(range.hi))
    }
    let reach = 1.959963984540054 * (1 / (mean + 0.5) + alpha).squareRoot()
    return Estimate(value: mean, lo: mean * exp(-reach), hi: mean * exp(min(300, reach)))
  }

  /// 95 % range of the rate of one bucket of n records.
  private func rate(_ p: Double, n: Double, rho: Double) -> Estimate {
    let pq = p * (1 - p)
    if n * min(p, 1 - p) < 10, n <= 1e6 {
      let records = max(1, Int(n.rounded()))
      // Count the rarer outcome, so that the steps are few.
      let rare = min(p, 1 - p)
      let range = stepped(upTo: records) {
        CountTails.betaBinomial($0, of: records, p: rare, rho: min(0.9, rho))
      }
      let (lo, hi) = (Double(range.lo) / Double(records), Double(range.hi) / Double(records))
      return p <= 0.5
        ? Estimate(value: p, lo: min(lo, p), hi: max(hi, p))
        : Estimate(value: p, lo: min(1 - hi, p), hi: max(1 - lo, p))
    }
    let reach = 1.959963984540054 * (1 / max(1e-9, n * pq) + rho / max(1e-9, pq)).squareRoot()
    let centre = log(p / (1 - p))
    return Estimate(
      value: p, lo: 1 / (1 + exp(-(centre - reach))), hi: 1 / (1 + exp(-(centre + reach))))
  }

  /// Smallest counts with at least 2.5 % below or at, and at most 2.5 % above, by doubling and halving.
  private func stepped(upTo last: Int, _ tails: (Int) -> MidTails) -> (lo: Int, hi: Int) {
    func first(_ holds: (Int) -> Bool) -> Int {
      var high = 1
      while high < last, !holds(high) { high *= 2 }
      var (lo, hi) = (-1, min(high, last))
      while hi - lo > 1 {
        let middle = (lo + hi) / 2
        if holds(middle) { hi = middle } else { lo = middle }
      }
      return hi
    }
    return (first { tails($0).lower > 0.025 }, first { tails($0).upper <= 0.025 })
  }

  private func weekday(_ i: Int) -> Int { series.firstWeekday.map { ($0 + i) % 7 } ?? 0 }

  /// Median records of a compared bucket, by weekday where there are at least two of it.
  private func usualRecords(_ s: ComparedSeries) -> [Double] {
    let all = Robust.median(s.n) ?? 1
    return (0..<7).map { d in
      guard !s.weekday.isEmpty else { return all }
      let same = s.index.indices.filter { s.weekday[$0] == d }.map { s.n[$0] }
      return same.count >= 2 ? Robust.median(same) ?? all : all
    }
  }

  /// Records the band is drawn for: the expected number where the bucket is open, missing or odd.
  private func records(_ b: TrendBucket, usual: Double) -> Double {
    let isWhole = b.state.isCompared
    return max(1, isWhole && b.n >= usual / 4 ? b.n : usual)
  }
}
