import Testing

@testable import WeirStatistics

@Suite struct `Pieces of the trend analysis` {
  @Test func `running median equals the median of each window`() {
    var random = TestRandom(31)
    for n in [1, 5, 14, 15, 16, 60] {
      // Few different values, so that ties are met.
      let values = (0..<n).map { _ in (random.uniform() * 6).rounded() }
      let got = runningMedian(values, width: 15)
      let w = min(15, n)
      for i in 0..<n {
        let start = min(n - w, max(0, i - w / 2))
        #expect(got[i] == Robust.medianOfSorted(values[start..<(start + w)].sorted()))
      }
    }
    #expect(runningMedian([], width: 15).isEmpty)
  }

  @Test func `selected median equals the sorted one`() {
    var random = TestRandom(32)
    for n in 1...60 {
      let values = (0..<n).map { _ in (random.normal() * 4).rounded() }
      #expect(Robust.median(values) == Robust.medianOfSorted(values.sorted()))
    }
    #expect(Robust.median([]) == nil && Robust.mad([]) == nil)
  }

  @Test func `over-dispersion is found and is zero where there is none`() {
    var random = TestRandom(33)
    let mean = 200.0
    let plain = (0..<400).map { _ in random.poisson(mean) - mean }
    let wide = (0..<400).map { _ in
      random.poisson(mean * random.exponential(0.2 * random.normal())) - mean
    }
    let s = [Double](repeating: mean, count: 400)
    let q = [Double](repeating: mean * mean, count: 400)
    func alpha(_ r: [Double]) -> Double {
      Dispersion.moments(
        squares: r.map { $0 * $0 }, sampling: s, process: q, without: 0..<0, freedom: 399)
    }
    #expect(alpha(plain) < 0.002)
    #expect(abs(alpha(wide) - 0.04) < 0.012)
    #expect(Dispersion.robust([], []) == 0)
  }

  @Test func `a weekday profile is found, and shrunk to nothing where there is none`() {
    var random = TestRandom(34)
    let week = [1, 1.05, 1, 0.95, 1.1, 0.45, 0.4]
    let strong = WeekdayProfile(
      ComparedSeries(Make.count(random.daily(56, mean: 300, week: week).map { $0 })))
    #expect(strong.shrink > 0.95)
    #expect(abs(strong.offset[6] - strong.offset[0] - -0.916) < 0.12)
    var shrinks = 0.0
    for _ in 0..<50 {
      let flat = WeekdayProfile(
        ComparedSeries(
          Make.count(random.daily(56, mean: 300, week: [1, 1, 1, 1, 1, 1, 1]).map { $0 })))
      shrinks += flat.shrink
      #expect(flat.offset.allSatisfy { abs($0) < 0.1 })
    }
    #expect(shrinks / 50 < 0.35)
    // Without weekdays there is no profile.
    let buckets = ComparedSeries(Make.count((0..<30).map { Double($0) }, firstWeekday: nil))
    #expect(WeekdayProfile(buckets).shrink == 0)
  }

  @Test func `intervals of a shift hold the truth about as often as they say`() {
    var random = TestRandom(35)
    var (held, placed, found) = (0, 0, 0)
    for _ in 0..<120 {
      let n = (0..<90).map { _ in random.poisson(300) }
      let k = (0..<90).map { random.binomial(n[$0], $0 < 40 ? 0.12 : 0.17) }
      for f in findings([Make.rate(k.map { $0 }, of: n)]) where f.type == .shift {
        found += 1
        if f.effect.lo <= 0.05, 0.05 <= f.effect.hi { held += 1 }
        if (f.anchorLo...f.anchorHi).contains(40) { placed += 1 }
      }
    }
    #expect(found >= 110)
    #expect(Double(held) >= 0.90 * Double(found) && Double(placed) >= 0.90 * Double(found))
  }

  @Test func `a band holds about 95 percent of ordinary days, also of small counts`() {
    var random = TestRandom(36)
    for mean in [3.0, 40, 2000] {
      var (inside, all) = (0, 0)
      for _ in 0..<20 {
        let k = random.daily(84, mean: mean, week: [1, 1, 1, 1, 1, 1, 1])
        let verdict = analyze([Make.count(k.map { $0 })], settings: TrendSettings()).verdicts[0]
        for (value, band) in zip(k, verdict.expected) {
          guard let band else { continue }
          all += 1
          if band.lo <= value, value <= band.hi { inside += 1 }
        }
      }
      let share = Double(inside) / Double(all)
      #expect(share > 0.93 && share < 0.995, "\(mean): \(share)")
    }
  }

  @Test func `materiality and levels follow size and certainty`() {
    func size(_ before: Double, _ after: Double, sure: Double, n: Double) -> FindingSize {
      FindingSize(
        baseline: Estimate(value: before, lo: before - sure, hi: before + sure),
        observed: Estimate(value: after, lo: after - sure, hi: after + sure), kind: .rate,
        k: after * n, n: n, buckets: 10)
    }
    let settings = TrendSettings()
    #expect(!size(0.200, 0.210, sure: 0.001, n: 1e6).judge(.rate, settings).isMaterial)
    #expect(!size(0.001, 0.002, sure: 0.0001, n: 1000).judge(.rate, settings).isMaterial)
    #expect(!size(0.10, 0.15, sure: 0.06, n: 10_000).judge(.rate, settings).isMaterial)
    #expect(size(0.10, 0.13, sure: 0.005, n: 10_000).judge(.rate, settings).level == .warning)
    #expect(size(0.10, 0.30, sure: 0.01, n: 10_000).judge(.rate, settings).level == .critical)
    #expect(size(0.10, 0.30, sure: 0.01, n: 100).judge(.rate, settings).level == .warning)
  }
}
