import Testing
import WeirStatistics
import WeirTesting

@Suite struct `Comparison of two sides` {
  @Test func `finds a rate that differs between two periods, with its interval`() throws {
    var random = SeededRandom(seed: 3)
    let moves = Noise.autoregressive(56, phi: 0.3, &random).enumerated().map { t, u in
      0.15 * u + (t >= 28 ? 0.5 : 0)
    }
    let series = Noise.rates(moves, rate: 0.1, records: 200, &random)
    let found = periods(series)
    #expect(found.status == .ok && found.p < 0.01 && found.statistic > 0)
    let change = try #require(found.difference)
    #expect(change.lo < 0.05 && change.hi > 0.05 && change.lo > 0)
    let (a, b) = (try #require(found.a), try #require(found.b))
    #expect(abs(change.value - (b.value - a.value)) < 1e-12)
    #expect(abs(found.relative - change.value / a.value) < 1e-12)
    let events = try #require(found.impact)
    #expect(abs(events.value - change.value * found.nB) < 1e-9)
  }

  @Test func `turns around with its sides`() throws {
    var random = SeededRandom(seed: 8)
    let series = Noise.counts(
      (0..<60).map { $0 >= 30 ? 0.4 : 0 }, level: 40, &random)
    let (first, second) = (side(series, 0..<30), side(series, 30..<60))
    let there = SideComparison(first, second, isPaired: false)
    let back = SideComparison(second, first, isPaired: false)
    #expect(abs(there.p - back.p) < 1e-12 && there.statistic == -back.statistic)
    #expect(
      abs(try #require(there.difference).value + (try #require(back.difference)).value) < 1e-12)
  }

  @Test func `is Newcombe's interval where days differ by no more than chance`() throws {
    // Days that are all alike: the variance is that of the records.
    let buckets = (0..<28).map { t in
      TrendBucket(state: .closed, n: 100, k: t < 14 ? 10 : 20)
    }
    let series = TrendSeries(
      key: [], metric: "r", kind: .rate, buckets: buckets, firstWeekday: nil)
    let found = SideComparison(side(series, 0..<14), side(series, 14..<28), isPaired: false)
    #expect(found.inflation < 1.05)
    let want = ProportionInterval.newcombeDifference(k1: 280, n1: 1400, k2: 140, n2: 1400)
    let change = try #require(found.difference)
    #expect(abs(change.lo - want.lo) < 0.002 && abs(change.hi - want.hi) < 0.002)
  }

  @Test func `lets what moves both groups cancel`() throws {
    var random = SeededRandom(seed: 12)
    let shared = Noise.autoregressive(60, phi: 0.7, &random).map { 0.6 * $0 }
    let a = Noise.rates(shared, rate: 0.20, records: 300, &random)
    let b = Noise.rates(shared.map { $0 + 0.25 }, rate: 0.20, records: 300, &random)
    let days = Set(0..<60)
    let paired = SideComparison(
      ComparisonSide(series: a, buckets: days), ComparisonSide(series: b, buckets: days),
      isPaired: true)
    #expect(paired.p < 1e-3 && paired.inflation < 4, "\(paired)")
  }

  @Test func `compares weekdays with weekdays`() {
    // Weekends are quiet; the second period has nothing but them more of.
    var random = SeededRandom(seed: 21)
    let series = Noise.counts(
      (0..<70).map { $0 % 7 >= 5 ? -1.2 : 0 }, level: 100, &random)
    let found = SideComparison(side(series, 0..<40), side(series, 40..<49), isPaired: false)
    #expect(found.status == .ok && found.p > 0.01, "\(found)")
    #expect(abs(found.relative) < 0.1)
  }

  /// Fixed seeds; the larger simulation is in Benchmarks/ACCURACY.md.
  @Test(arguments: [0.0, 0.5, 0.8])
  func `keeps its level where nothing differs`(phi: Double) {
    var (below, tests) = (0, 0)
    for seed in 0..<60 {
      var random = SeededRandom(seed: UInt64(7_000 + seed))
      func moves(_ n: Int) -> [Double] {
        Noise.autoregressive(n, phi: phi, &random).map { 0.25 * $0 }
      }
      let rate = Noise.rates(moves(56), rate: 0.12, records: 60, &random)
      let count = Noise.counts(moves(42), level: 25, &random)
      let (x, y) = (
        Noise.rates(moves(42), rate: 0.3, records: 40, &random),
        Noise.rates(moves(42), rate: 0.3, records: 90, &random)
      )
      let days = Set(0..<42)
      let all = [
        periods(rate), SideComparison(side(count, 0..<21), side(count, 21..<42), isPaired: false),
        SideComparison(
          ComparisonSide(series: x, buckets: days), ComparisonSide(series: y, buckets: days),
          isPaired: true),
      ]
      for one in all {
        tests += 1
        if one.p <= 0.05 { below += 1 }
      }
    }
    #expect(tests == 180)
    #expect(below <= (phi < 0.7 ? 14 : 24), "\(below) of \(tests)")
  }

  @Test func `says why it does not compare`() {
    var random = SeededRandom(seed: 1)
    let flat = [Double](repeating: 0, count: 40)
    #expect(
      SideComparison(
        side(Noise.counts(flat, level: 50, &random), 0..<3),
        side(Noise.counts(flat, level: 50, &random), 3..<40), isPaired: false
      ).status == .insufficientHistory)
    #expect(periods(Noise.counts(flat, level: 0, &random)).status == .noEvents)
    #expect(periods(Noise.counts(flat, level: 0.1, &random)).status == .insufficientVolume)
    #expect(
      periods(Noise.rates(flat, rate: 0.2, records: 1, &random)).status == .insufficientVolume)
    let nothing = TrendSeries(
      key: [], metric: "r", kind: .mean, buckets: flat.map { _ in TrendBucket(state: .missing) },
      firstWeekday: nil)
    let none = periods(nothing)
    #expect(none.status == .insufficientHistory && none.a == nil && none.p == 1)
  }

  private func side(_ series: TrendSeries, _ range: Range<Int>) -> ComparisonSide {
    ComparisonSide(series: series, buckets: Set(range))
  }

  private func periods(_ series: TrendSeries) -> SideComparison {
    let half = series.buckets.count / 2
    return SideComparison(
      side(series, 0..<half), side(series, half..<series.buckets.count), isPaired: false)
  }
}
