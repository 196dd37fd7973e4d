import Testing

@testable import WeirStatistics

/// Series with too few events a day: lasting changes are told from blocks of seven days.
@Suite struct `Trends of few events` {
  @Test func `a rate with two violations a day that falls to none is a shift on its day`() {
    var (shifts, near, covered, held) = (0, 0, 0, 0)
    for seed in 1...100 {
      var random = TestRandom(UInt64(500 + seed))
      let n = (0..<56).map { _ in random.poisson(10) }
      let k = (0..<56).map { random.binomial(n[$0], $0 < 25 ? 0.30 : 0.03) }
      let found = findings([Make.rate(k.map { $0 }, of: n)])
      #expect(found.allSatisfy { $0.direction == .down || $0.type == .spike }, "seed \(seed)")
      // Now and then a steady fall describes the draw as well.
      guard let shift = found.first(where: { $0.type == .shift }) else { continue }
      shifts += 1
      if abs(shift.anchor - 25) <= 2 { near += 1 }
      if (shift.anchorLo...shift.anchorHi).contains(25) { covered += 1 }
      #expect(shift.window == shift.anchor...55 && shift.windowValid == 56 - shift.anchor)
      if shift.effect.lo <= -0.27, -0.27 <= shift.effect.hi { held += 1 }
      #expect(shift.n == n[shift.anchor...].reduce(0, +) && shift.test.effectiveBuckets <= 8)
    }
    #expect(shifts >= 80)
    #expect(10 * min(near, covered, held) >= 9 * shifts, "\(near) \(covered) \(held) \(shifts)")
  }

  @Test func `a count that grows from one to three a day is a trend with its slope`() throws {
    var (found, held) = (0, 0)
    for seed in 1...20 {
      var random = TestRandom(UInt64(600 + seed))
      let k = (0..<112).map { random.poisson(random.exponential(1.1 * Double($0) / 111)) }
      for f in findings([Make.count(k.map { $0 })]) where f.type == .trend {
        found += 1
        #expect(f.direction == .up && f.anchor == 0 && f.test.name == "weighted_line")
        let slope = try #require(f.slopePerWeek)
        if slope.lo <= 0.12, 0.12 <= slope.hi, (0.03...0.3).contains(slope.value) { held += 1 }
      }
    }
    #expect(found >= 14 && Double(held) >= 0.7 * Double(found), "\(held) of \(found)")
  }

  @Test func `a rate of few events does not move with the volume`() {
    var random = TestRandom(41)
    var said = 0
    for _ in 0..<200 {
      let n = (0..<56).map { random.poisson($0 < 28 ? 10 : 40) }
      let k = n.map { random.binomial($0, 0.1) }
      said += findings([Make.rate(k.map { $0 }, of: n)]).count
    }
    #expect(said <= 14)
  }

  @Test func `the band after a shift goes on from before it and is not widened by it`() throws {
    var random = TestRandom(42)
    let k = (0..<84).map { random.poisson($0 < 42 ? 2.5 : 0.4) }
    let report = analyze([Make.count(k.map { $0 })], settings: TrendSettings())
    #expect(report.findings.map(\.type) == [.shift] && report.verdicts[0].status == .ok)
    let late = try #require(report.verdicts[0].expected[80])
    #expect(abs(late.value - 2.5) < 0.6 && late.hi <= 7)
  }

  @Test func `blocks end at the last compared day and need enough days and events`() throws {
    func blocks(_ k: [Double?], complete: [Bool]? = nil) -> WeekBlocks? {
      let series = Make.count(k, complete: complete)
      return WeekBlocks(series, ComparedSeries(series))
    }
    var k = [Double?](repeating: 1, count: 46)
    let whole = try #require(blocks(k))
    #expect(whole.series.k == [Double](repeating: 7, count: 6) && whole.days[0] == 4..<11)
    // The last day is open: everything moves by one.
    let open = try #require(blocks(k, complete: (0..<46).map { $0 < 45 }))
    #expect(open.days[0] == 3..<10)
    // Two missing days are less exposure, four are a missing block, of which one is too many here.
    k[5] = nil
    k[6] = nil
    let gap = try #require(blocks(k))
    #expect(gap.series.k[0] == 5 && gap.series.exposure[0] == 5)
    k[7] = nil
    k[8] = nil
    #expect(blocks(k) == nil)
    #expect(blocks([Double?](repeating: 1, count: 41)) == nil)
    #expect(blocks((0..<84).map { $0 % 2 == 0 ? 1 : 0 }) == nil)
  }

  @Test func `a fitted line is at least as likely as a level and follows a line`() {
    var random = TestRandom(43)
    let n = (0..<60).map { _ in random.poisson(12) }
    let k = (0..<60).map { random.binomial(n[$0], 0.05 + 0.006 * Double($0)) }
    let daily = ComparedSeries(Make.rate(k.map { $0 }, of: n))
    let fit = DayLikelihood(daily, over: Array(0..<daily.count))
    let flat = fit.steps(0..<1)[0]
    let step = fit.steps(10..<50).max() ?? 0
    #expect(fit.line() > step && step > flat)
    #expect(fit.dispersion(leftBy: fit.line()) < 1.5)
    let none = ComparedSeries(Make.count((0..<20).map { _ in 0 }))
    #expect(DayLikelihood(none, over: Array(0..<20)).line() == 0)
  }
}
