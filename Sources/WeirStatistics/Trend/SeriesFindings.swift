import Glibc

/// Turns the accepted tests of one series into findings.
struct SeriesFindings {
  let number: Int
  let series: TrendSeries
  let analysis: SeriesAnalysis
  let settings: TrendSettings
  /// The record of a test with the corrections over the report filled in.
  let pFamily: Double
  let q: Double
  let families: Int
  let selected: Int
  private var s: ComparedSeries { analysis.compared }
  private static let z = 1.959963984540054

  init(
    number: Int, series: TrendSeries, analysis: SeriesAnalysis, settings: TrendSettings,
    pFamily: Double, q: Double, families: Int, selected: Int
  ) {
    self.number = number
    self.series = series
    self.analysis = analysis
    self.settings = settings
    self.pFamily = pFamily
    self.q = q
    self.families = families
    self.selected = selected
  }

  // MARK: Shift and trend

  func structural(_ x: Structure, band: ExpectedBand) -> TrendFinding {
    let size = x.label == .shift ? shiftSize(x, band) : trendSize(x, band)
    let verdict = size.judge(s.kind, settings)
    let isShift = x.label == .shift
    let other = isShift ? x.pTrend : x.pShift
    let first = isShift ? x.split : 0
    return TrendFinding(
      series: number, type: isShift ? .shift : .trend,
      direction: size.effect.value >= 0 ? .up : .down, anchor: s.index[first],
      anchorLo: s.index[isShift ? x.splitLo : 0], anchorHi: s.index[isShift ? x.splitHi : 0],
      window: s.index[first]...s.index[s.count - 1], windowValid: s.count - first,
      baseline: size.baseline, observed: size.observed, k: size.k, n: size.n,
      effect: size.effect, relative: size.relative,
      slopePerWeek: isShift ? nil : slope(x), impact: size.impact,
      test: TestRecord(
        name: isShift
          ? (x.isTwice ? "two_steps" : "shift_scan")
          : x.isBlocked ? "weighted_line" : "mann_kendall",
        statistic: x.statistic, p: x.p,
        pFamily: pFamily, q: q, families: families, selected: selected, phi: x.phi,
        varianceInflation: x.inflation, tau2: x.tau2, effectiveBuckets: x.effectiveBuckets),
      level: verdict.level, isMaterial: verdict.isMaterial, materialityReason: verdict.reason,
      explainedAway: other <= SeriesAnalysis.acceptedLevel ? [isShift ? "trend" : "shift"] : [],
      earlier: isShift ? earlier(x) : [])
  }

  private func earlier(_ x: Structure) -> [EarlierShift] {
    let levels = x.levels
    return x.earlier.indices.map { i in
      EarlierShift(
        anchor: s.index[x.earlier[i]], from: mean(levels[i]) { s.seen[$0] },
        to: mean(levels[i + 1]) { s.seen[$0] })
    }
  }

  private func shiftSize(_ x: Structure, _ band: ExpectedBand) -> FindingSize {
    let base = band.baseLevel(s)
    let window = x.split..<s.count
    let expected = mean(window) { s.natural(base + analysis.profile.at($0, s)) * unit($0) }
    let seen = mean(window) { s.seen[$0] }
    return FindingSize(
      baseline: around(expected, error: x.error(x.before)),
      observed: around(seen, error: x.error(window)), kind: s.kind, k: sum(window) { s.k[$0] },
      n: sum(window) { s.n[$0] }, buckets: Double(window.count))
  }

  private func trendSize(_ x: Structure, _ band: ExpectedBand) -> FindingSize {
    let m = min(14, s.count)
    let start = band.firstWeeksCentre(s)
    let end = s.index.suffix(m).reduce(0) { $0 + Double($1) } / Double(m)
    let base = band.baseLevel(s)
    let rise = x.line.at(end) - x.line.at(start)
    func error(_ t: Double) -> Double {
      (x.line.leverage(t) * max(0.25, x.unit) * x.inflation).squareRoot()
    }
    // Without weekdays: the level, not one bucket.
    var size = FindingSize(
      baseline: around(s.natural(base), error: error(start)),
      observed: around(s.natural(base + rise), error: error(end)), kind: s.kind,
      k: s.k.reduce(0, +), n: s.n.reduce(0, +), buckets: Double(s.count))
    guard s.kind == .count || s.kind == .rate, size.effect.value != 0 else { return size }
    // Events over the whole history: the sum over buckets, with the effect's relative interval.
    let all = 0..<s.count
    let events = sum(all) { i in
      let expected = s.natural(base + analysis.profile.at(i, s))
      return s.k[i] - expected * (s.kind == .rate ? s.n[i] : s.exposure[i])
    }
    let a = events * size.effect.lo / size.effect.value
    let b = events * size.effect.hi / size.effect.value
    size.impact = Estimate(value: events, lo: min(a, b), hi: max(a, b))
    return size
  }

  /// Sen's slope in units of the series over seven buckets, at the level of the middle.
  private func slope(_ x: Structure) -> Estimate? {
    let kept = x.middles ?? (0..<s.count).filter { x.weights[$0] > 0 }
    guard
      let fit = TheilSen.fit(
        x: kept.map { Double(s.index[$0]) }, y: kept.map { x.values[$0] },
        inflation: x.inflation)
    else { return nil }
    let level = s.natural(x.line.level)
    let unit: Double
    switch s.scale {
    case .log: unit = level
    case .logit: unit = level * (1 - level)
    case .identity: unit = 1
    }
    return Estimate(value: fit.slope, lo: fit.lo, hi: fit.hi).scaled(by: 7 * unit)
  }

  // MARK: Single days

  /// Neighbouring days of the same sign become one burst.
  func runs(of days: [DayResult]) -> [[DayResult]] {
    var runs: [[DayResult]] = []
    for day in days {
      if let last = runs.last?.last, last.isUp == day.isUp, last.at + 1 == day.at {
        runs[runs.count - 1].append(day)
      } else {
        runs.append([day])
      }
    }
    return runs
  }

  func daily(_ run: [DayResult]) -> TrendFinding? {
    guard let first = run.first, let last = run.last,
      let peak = run.min(by: { ($0.p, -abs($0.z), $0.at) < ($1.p, -abs($1.z), $1.at) })
    else { return nil }
    let window = first.at..<(last.at + 1)
    let size = daySize(run, window)
    let verdict = size.judge(s.kind, settings)
    let isUp = first.isUp
    let type: FindingType =
      run.count == 1
      ? (isUp ? .spike : .dip)
      : last.at == s.count - 1 && run.count < settings.minSegment ? .unconfirmedLevel : .burst
    return TrendFinding(
      series: number, type: type,
      direction: isUp ? .up : .down, anchor: s.index[first.at], anchorLo: s.index[first.at],
      anchorHi: s.index[first.at], window: s.index[first.at]...s.index[last.at],
      windowValid: run.count, baseline: size.baseline, observed: size.observed, k: size.k,
      n: size.n, effect: size.effect, relative: size.relative, slopePerWeek: nil,
      impact: size.impact,
      test: TestRecord(
        name: peak.test, statistic: peak.z, p: peak.p, pFamily: pFamily, q: q,
        families: families, selected: selected, tau2: peak.tau2,
        effectiveBuckets: Double(s.count)),
      level: verdict.level, isMaterial: verdict.isMaterial, materialityReason: verdict.reason)
  }

  private func daySize(_ run: [DayResult], _ window: Range<Int>) -> FindingSize {
    let k = sum(window) { s.k[$0] }
    let n = sum(window) { s.n[$0] }
    let m = Double(window.count)
    let tau2 = run.reduce(0) { $0 + $1.tau2 } / m
    let level = analysis.level == nil ? 0 : analysis.structure?.error(0..<s.count) ?? 0
    // What the underlying level of these days may have been: process noise and the level's error.
    let error = (tau2 / m + level * level).squareRoot()
    let expected: Double
    let observed: Estimate
    switch s.kind {
    case .count, .distinct:
      expected = run.reduce(0) { $0 + $1.expected } / m
      let range = PoissonInterval.garwood(count: k)
      observed = Estimate(value: k / m, lo: range.lo / m, hi: range.hi / m)
    case .rate:
      expected = run.reduce(0) { $0 + $1.expected * s.n[$1.at] } / max(1, n)
      let range = ProportionInterval.wilson(k: k, n: n)
      observed = Estimate(value: n > 0 ? k / n : 0, lo: range.lo, hi: range.hi)
    case .mean, .quantile:
      expected = run.reduce(0) { $0 + $1.expected } / m
      let value = mean(window) { s.seen[$0] }
      observed = around(value, error: (s.unitVariance / max(1, n)).squareRoot())
    }
    return FindingSize(
      baseline: around(expected, error: error), observed: observed, kind: s.kind, k: k, n: n,
      buckets: m)
  }

  // MARK: Helpers

  /// `value` with the 95 % interval that `error` on the scale gives it.
  func around(_ value: Double, error: Double) -> Estimate {
    let reach = min(300, Self.z * error)
    switch s.scale {
    case .log: return Estimate(value: value, lo: value * exp(-reach), hi: value * exp(reach))
    case .identity: return Estimate(value: value, lo: value - reach, hi: value + reach)
    case .logit:
      guard value > 0, value < 1 else {
        return Estimate(value: value, lo: max(0, value), hi: min(1, value))
      }
      let odds = value / (1 - value)
      let (lo, hi) = (odds * exp(-reach), odds * exp(reach))
      return Estimate(value: value, lo: lo / (1 + lo), hi: hi / (1 + hi))
    }
  }

  private func unit(_ i: Int) -> Double { s.isCounted ? s.exposure[i] : 1 }

  func sum(_ window: Range<Int>, _ f: (Int) -> Double) -> Double {
    window.reduce(0) { $0 + f($1) }
  }

  /// Mean over buckets; of a rate, a mean or a quantile weighted by records.
  private func mean(_ window: Range<Int>, _ f: (Int) -> Double) -> Double {
    if s.isCounted { return sum(window, f) / Double(window.count) }
    let weight = sum(window) { s.kind == .rate ? s.n[$0] : max(1, s.n[$0]) }
    return sum(window) { f($0) * (s.kind == .rate ? s.n[$0] : max(1, s.n[$0])) } / weight
  }
}
