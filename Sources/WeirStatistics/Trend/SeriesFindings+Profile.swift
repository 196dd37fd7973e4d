import Glibc

extension SeriesFindings {
  /// The weekday that changed most stands for the change of the profile: its level as before, and as in
  /// the last four weeks. The impact is what moved between the weekdays: half of all differences.
  func seasonal(_ x: SeasonBreak, band: ExpectedBand) -> TrendFinding {
    let s = analysis.compared
    let day = x.weekday
    let first = s.index.firstIndex { $0 >= x.from } ?? 0
    let window = first..<s.count
    let base = level(of: window)
    let (before, after) = (base + x.before[day], base + x.after[day])
    let error = (x.variance[day] / 2).squareRoot()
    var size = FindingSize(
      baseline: around(s.natural(before), error: error),
      observed: around(s.natural(after), error: error), kind: s.kind,
      k: sum(window) { s.k[$0] }, n: sum(window) { s.n[$0] }, buckets: 1)
    if s.kind == .count || s.kind == .rate, size.effect.value != 0 {
      let moved = sum(window) { i in
        let d = s.weekday[i]
        let difference = s.natural(base + x.after[d]) - s.natural(base + x.before[d])
        return abs(difference) * (s.kind == .rate ? s.n[i] : s.exposure[i]) / 2
      }
      // As uncertain as the change of the one weekday.
      let share = size.effect
      let a = abs(moved * share.lo / share.value)
      let b = abs(moved * share.hi / share.value)
      size.impact = Estimate(
        value: moved, lo: share.lo * share.hi <= 0 ? 0 : min(a, b), hi: max(a, b))
    }
    var made = finding(
      .seasonBreak, size, window: window, weekday: day,
      test: record("weekday_contrasts", statistic: x.statistic, p: x.p, of: s.count))
    (made.anchorLo, made.anchorHi) = (x.lo, x.hi)
    return made
  }

  /// The second half of a short history against the first.
  func halved(_ x: WindowChange) -> TrendFinding {
    let s = analysis.compared
    let window = x.split..<s.count
    func level(_ range: Range<Int>) -> Double {
      if s.isValue { return s.natural(sum(range) { s.y[$0] } / Double(range.count)) }
      return sum(range) { s.k[$0] } / sum(range) { s.kind == .rate ? s.n[$0] : s.exposure[$0] }
    }
    let size = FindingSize(
      baseline: around(level(0..<x.split), error: x.errors.before),
      observed: around(level(window), error: x.errors.after), kind: s.kind,
      k: sum(window) { s.k[$0] }, n: sum(window) { s.n[$0] }, buckets: Double(window.count))
    return finding(
      .windowChange, size, window: window,
      test: record("halves", statistic: x.statistic, p: x.p, of: s.count))
  }

  private func finding(
    _ type: FindingType, _ size: FindingSize, window: Range<Int>, weekday: Int? = nil,
    test: TestRecord
  ) -> TrendFinding {
    let s = analysis.compared
    let verdict = size.judge(s.kind, settings)
    let first = s.index[window.lowerBound]
    return TrendFinding(
      series: number, type: type, direction: size.effect.value >= 0 ? .up : .down, anchor: first,
      anchorLo: first, anchorHi: first, window: first...s.index[s.count - 1],
      windowValid: window.count, baseline: size.baseline, observed: size.observed, k: size.k,
      n: size.n, effect: size.effect, relative: size.relative, slopePerWeek: nil,
      impact: size.impact, test: test, level: verdict.level, isMaterial: verdict.isMaterial,
      materialityReason: verdict.reason, weekday: weekday)
  }

  private func record(_ name: String, statistic: Double, p: Double, of buckets: Int) -> TestRecord {
    TestRecord(
      name: name, statistic: statistic, p: p, pFamily: pFamily, q: q, families: families,
      selected: selected, effectiveBuckets: Double(buckets))
  }

  /// Mean level over some buckets, without weekdays.
  private func level(of window: Range<Int>) -> Double {
    let s = analysis.compared
    if let level = analysis.level {
      return sum(window) { level[$0] } / Double(window.count)
    }
    return sum(window) { s.y[$0] - analysis.profile.at($0, s) } / Double(window.count)
  }
}
