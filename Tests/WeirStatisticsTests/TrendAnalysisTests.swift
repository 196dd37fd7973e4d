import Testing
import WeirStatistics

@Suite struct `Trend analysis` {
  let week = [1, 1.05, 1, 0.95, 1.1, 0.45, 0.4]

  @Test func `a step from 25 to 35 percent is a shift up at its day`() throws {
    for seed in 1...20 {
      var random = TestRandom(UInt64(seed))
      let n = (0..<56).map { _ in random.poisson(130) }
      let k = (0..<56).map { random.binomial(n[$0], $0 < 37 ? 0.25 : 0.35) }
      let found = findings([Make.rate(k.map { $0 }, of: n)])
      let shift = try #require(found.first, "seed \(seed)")
      #expect(shift.type == .shift && shift.direction == .up)
      #expect(abs(shift.anchor - 37) <= 2 || (shift.anchorLo...shift.anchorHi).contains(37))
      #expect(shift.effect.lo > 0 && abs(shift.effect.value - 0.10) < 0.05)
      #expect(shift.isMaterial)
    }
  }

  @Test func `a day of 29 percent among days of 10 is a spike`() {
    var found = 0
    for seed in 1...20 {
      var random = TestRandom(UInt64(100 + seed))
      let n = (0..<56).map { $0 == 53 ? 85 : random.poisson(85) }
      let k = (0..<56).map { $0 == 53 ? 25 : random.binomial(n[$0], 0.10) }
      // Among a hundred others, nine of which have a step.
      var all = [Make.rate(k.map { $0 }, of: n)]
      for i in 0..<100 {
        let m = (0..<56).map { _ in random.poisson(85) }
        all.append(
          Make.rate((0..<56).map { random.binomial(m[$0], i < 9 && $0 > 30 ? 0.25 : 0.1) }, of: m))
      }
      let said = findings(all).filter { $0.series == 0 }
      if said.map(\.type) == [.spike], said.first?.window == 53...53 { found += 1 }
    }
    // One draw in twenty has a second day near 25 % of its own.
    #expect(found >= 18)
  }

  @Test func `two neighbouring days are one burst and do not hide each other`() throws {
    var random = TestRandom(7)
    let n = (0..<120).map { _ in random.poisson(150) }
    let k = (0..<120).map { day in
      random.binomial(n[day], day == 60 || day == 61 ? 0.5 : 0.02)
    }
    let found = findings([Make.rate(k.map { $0 }, of: n)])
    #expect(found.map(\.type) == [.burst])
    let burst = try #require(found.first)
    #expect(burst.window == 60...61 && burst.windowValid == 2 && burst.level == .critical)
    #expect(burst.impact.lo > 100)
  }

  @Test func `reports without any change rarely say one`() {
    var random = TestRandom(2024)
    var speaking = 0
    for _ in 0..<40 {
      var all: [TrendSeries] = []
      for i in 0..<50 {
        let phi = 0.5 * random.uniform()
        let days = [21, 35, 60, 120][i % 4]
        let volume = random.daily(
          days, mean: [4, 30, 400, 3000][(i / 4) % 4],
          week: i % 3 == 0 ? week : [1, 1, 1, 1, 1, 1, 1],
          phi: phi)
        if i % 2 == 0 {
          all.append(Make.count(volume.map { $0 }))
        } else {
          let p = 0.02 + 0.3 * random.uniform()
          all.append(Make.rate(volume.map { random.binomial($0, p) }, of: volume))
        }
      }
      let report = analyze(all, settings: TrendSettings())
      #expect(isSound(report))
      if !report.findings.isEmpty { speaking += 1 }
    }
    // 7 % of 40 reports.
    #expect(speaking <= 3, "\(speaking) of 40 reports without any change said one")
  }

  @Test func `red noise is no trend and no shift`() {
    var random = TestRandom(6)
    var said = 0
    for _ in 0..<100 {
      let k = random.daily(120, mean: 800, week: [1, 1, 1, 1, 1, 1, 1], phi: 0.6, sd: 0.08)
      let found = findings([Make.count(k.map { $0 })])
      if found.contains(where: { $0.type == .trend || $0.type == .shift }) { said += 1 }
    }
    #expect(said <= 7)
  }

  @Test func `a band goes on as before the change and spikes do not widen it`() throws {
    var random = TestRandom(11)
    var k = random.daily(84, mean: 400, week: week, sd: 0.03)
    let calm = analyze([Make.count(k.map { $0 })], settings: TrendSettings())
    k[30] *= 30
    let wild = analyze([Make.count(k.map { $0 })], settings: TrendSettings())
    #expect(wild.findings.map(\.type) == [.spike])
    for (a, b) in zip(calm.verdicts[0].expected, wild.verdicts[0].expected) {
      let (a, b) = (try #require(a), try #require(b))
      #expect(abs(a.value - b.value) < 0.05 * a.value)
      #expect(b.hi - b.lo < 1.3 * (a.hi - a.lo))
    }
    var stepped = random.daily(84, mean: 400, week: week, sd: 0.03)
    for day in 50..<84 { stepped[day] = (stepped[day] * 0.5).rounded() }
    let shifted = analyze([Make.count(stepped.map { $0 })], settings: TrendSettings())
    #expect(shifted.findings.first?.type == .shift)
    let after = try #require(shifted.verdicts[0].expected[77])
    #expect(stepped[77] < after.lo)
  }

  @Test func `an open bucket has the band of a whole one and is not compared`() throws {
    var random = TestRandom(12)
    let n = (0..<40).map { $0 == 39 ? 6 : random.poisson(300) }
    let k = n.map { random.binomial($0, 0.2) }
    let series = Make.rate(k.map { $0 }, of: n, complete: (0..<40).map { $0 < 39 })
    let report = analyze([series], settings: TrendSettings())
    #expect(report.findings.map(\.type) == [.openBucket])
    #expect(report.verdicts[0].validBuckets == 39)
    let last = try #require(report.verdicts[0].expected[39])
    #expect(last.hi - last.lo < 0.15)
  }

  @Test func `missing days are said once, on the roll-up`() {
    var random = TestRandom(13)
    let series = [["DE", "spam"], [nil, nil], ["FR", "spam"]].map { key in
      Make.count(
        (0..<40).map { (20...22).contains($0) ? nil : random.poisson(100) }, key: key)
    }
    let found = findings(series)
    #expect(found.count == 1)
    #expect(found.first?.type == .dataMissing && found.first?.series == 1)
    #expect(found.first?.window == 20...22 && found.first?.level == .notice)
  }

  @Test func `means are compared on their own scale and constants are silent`() {
    var random = TestRandom(14)
    var v = (0..<60).map { _ in 40 + 0.5 * random.normal() }
    #expect(findings([Make.value(v, variance: 0.25)]).isEmpty)
    v[30] = 48
    let spike = findings([Make.value(v, variance: 0.25)])
    #expect(spike.map(\.type) == [.spike] && spike.first?.window == 30...30)
    // Nobody knows how long the tail of these records is.
    #expect(spike.first?.test.name == "log_normal")
    for i in 30..<60 { v[i] = 48 + 0.5 * random.normal() }
    #expect(findings([Make.value(v, variance: 0.25)]).first?.type == .shift)
    let constant = analyze(
      [Make.value([Double](repeating: -3, count: 30), variance: 0)], settings: TrendSettings())
    #expect(constant.verdicts[0].status == .constant && constant.verdicts[0].p == 1)
    #expect(constant.findings.isEmpty && isSound(constant))
  }

  @Test func `odd series break nothing`() {
    let huge = [Double](repeating: 1e7, count: 40)
    var zeros = [Double](repeating: 0, count: 40)
    let odd: [TrendSeries] = [
      Make.count([]), Make.count([nil, nil]), Make.count([5]), Make.count(huge.map { $0 }),
      Make.count(zeros.map { $0 }), Make.rate([0, 0], of: [0, 0]),
      Make.rate(huge.map { $0 / 2 }, of: huge),
      Make.rate((0..<40).map { Double($0 % 2) * 1e6 }, of: huge),
      Make.value([1, -1, 1e300, 0, 5, 2, 3, 4, 5, 6, 7], variance: 0),
      Make.count((0..<40).map { $0 < 20 ? 0 : 1e6 }),
      Make.count((0..<40).map { Double($0 * $0 * $0) }),
      Make.count((0..<30).map { Double($0 % 7 == 6 ? 0 : 200) }),
    ]
    for (i, series) in odd.enumerated() {
      #expect(isSound(analyze([series], settings: TrendSettings())), "series \(i)")
    }
    zeros[25] = 30
    let found = findings([Make.count(zeros.map { $0 })])
    #expect(found.map(\.type) == [.spike] && found.first?.anchor == 25)
  }

  @Test func `series analysed apart give the same report in any order of work`() {
    var random = TestRandom(15)
    let series = (0..<12).map { i in
      Make.count(
        (0..<60).map { day in random.poisson(i == 3 && day > 40 ? 300 : 100) }, key: ["M\(i)", "q"])
    }
    let settings = TrendSettings()
    let backwards = series.indices.reversed().map { analyzeSeries(series[$0], settings: settings) }
    let apart = assembleReport(series, backwards.reversed(), settings: settings)
    let whole = analyze(series, settings: settings)
    #expect("\(apart.findings)" == "\(whole.findings)")
    #expect("\(apart.verdicts)" == "\(whole.verdicts)")
    #expect(whole.findings.first?.series == 3)
  }
}
