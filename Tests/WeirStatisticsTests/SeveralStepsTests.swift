import Testing

@testable import WeirStatistics

@Suite struct `Levels that move more than once` {
  let week = [1, 1.05, 1, 0.95, 1.1, 0.8, 0.75]

  /// Daily counts about `mean`, times the level of the stretch that a day is in.
  private func series(_ days: Int, _ levels: [(from: Int, times: Double)], seed: Int) -> TrendSeries
  {
    var random = TestRandom(UInt64(seed))
    let plain = random.daily(days, mean: 1, week: week, sd: 0)
    var noise = 0.0
    let k = plain.indices.map { day -> Double in
      noise = 0.3 * noise + 0.04 * random.normal()
      let level = levels.last { $0.from <= day }?.times ?? 1
      return random.poisson(300 * week[day % 7] * level * random.exponential(noise))
    }
    return Make.count(k.map { $0 })
  }

  private func shifts(_ days: Int, _ levels: [(from: Int, times: Double)]) -> [[TrendFinding]] {
    (0..<20).map { seed in
      findings([series(days, levels, seed: 900 + seed)]).filter {
        $0.type == .shift || $0.type == .trend
      }
    }
  }

  @Test func `up and back again is found, and said as it was`() throws {
    var found = 0
    for said in shifts(100, [(20, 1.4), (60, 1.0)]) {
      guard let last = said.first else { continue }
      #expect(said.count == 1 && last.type == .shift && last.direction == .down)
      #expect(abs(last.anchor - 60) <= 2 && last.anchorLo <= 60 && last.anchorHi >= 60)
      #expect(last.window == last.anchor...99)
      // Against the level in front of it and not against all days before.
      #expect(abs(last.relative + 0.286) < 0.06, "\(last.relative)")
      let first = try #require(last.earlier.first)
      #expect(last.earlier.count == 1 && abs(first.anchor - 20) <= 2)
      #expect(abs(first.to / first.from - 1.4) < 0.1)
      found += 1
    }
    #expect(found >= 17, "\(found) of 20")
  }

  @Test func `two steps up are two, and the last one has its own size`() throws {
    var twice = 0
    for said in shifts(100, [(20, 1.35), (60, 1.8)]) {
      let last = try #require(said.first)
      guard last.type == .shift, let first = last.earlier.first else { continue }
      twice += 1
      #expect(last.direction == .up && abs(last.anchor - 60) <= 2 && abs(first.anchor - 20) <= 2)
      #expect(abs(last.relative - 0.333) < 0.08 && first.to > first.from)
    }
    #expect(twice >= 15, "\(twice) of 20")
  }

  @Test func `one step is one, and a line is a line`() throws {
    for said in shifts(100, [(50, 1.4)]) {
      let only = try #require(said.first)
      #expect(only.type == .shift && only.earlier.isEmpty)
    }
    var random = TestRandom(950)
    for _ in 0..<20 {
      let plain = random.daily(100, mean: 1, week: week, sd: 0)
      let k = plain.indices.map { day in
        random.poisson(300 * week[day % 7] * random.exponential(0.006 * Double(day)))
      }
      let only = try #require(findings([Make.count(k.map { $0 })]).first)
      #expect(only.type == .trend && only.earlier.isEmpty)
    }
  }

  @Test func `the band follows the levels up to the last change, and goes on from there`() throws {
    let series = series(100, [(20, 1.5), (60, 1.0)], seed: 960)
    let report = analyze([series], settings: TrendSettings())
    let shift = try #require(report.findings.first { $0.type == .shift })
    #expect(shift.earlier.count == 1)
    let expected = report.verdicts[0].expected
    func level(_ range: Range<Int>) -> Double {
      range.reduce(0) { $0 + (expected[$1]?.value ?? 0) } / Double(range.count)
    }
    #expect(abs(level(25..<53) / level(0..<14) - 1.5) < 0.1)
    #expect(abs(level(70..<98) / level(25..<53) - 1) < 0.02)
    #expect(isSound(report))
  }

  /// Fixed seeds; the larger simulation is in Benchmarks/ACCURACY.md.
  @Test func `the test of two steps keeps its level where nothing happens`() {
    var below = 0
    var settings = TrendSettings()
    // So that nothing is dropped.
    settings.falseDiscoveryRate = 0.5
    for seed in 0..<400 {
      var random = TestRandom(UInt64(2_000 + seed))
      let days = [60, 120][seed % 2]
      let k = random.daily(days, mean: 300, week: week, phi: 0.4)
      let analysis = analyzeSeries(
        Make.count(k.map { $0 }), settings: settings)
      if let structure = analysis.structure, structure.pTwice <= 0.05 { below += 1 }
    }
    #expect(below <= 24, "\(below) of 400")
  }

  @Test func `the likelihood of levels is that of the filter with one step`() {
    var random = TestRandom(970)
    let y = (0..<60).map { t in random.normal() + (t >= 30 ? 1 : 0) }
    let s2 = [Double](repeating: 0.3, count: 60)
    let noise = NoiseModel(y, at: Array(0..<60), sampling: s2, split: 30, variance: 1)
    for (node, fit) in zip(noise.nodes, noise.fits(stepsAt: [30])) {
      #expect(abs(node.stepFit - fit) < 1e-9 * abs(fit))
    }
    #expect(abs(noise.evidence(of: noise.fits(stepsAt: [30])) - noise.evidence(\.stepFit)) < 1e-9)
  }
}

@Suite struct `Since when weekdays differ` {
  let week = [1, 1.05, 1, 0.95, 1.1, 0.45, 0.4]
  let other = [0.45, 1, 1.05, 1.1, 1, 0.95, 0.4]

  @Test func `a change of long ago has its own date`() throws {
    for seed in 1...10 {
      var random = TestRandom(UInt64(840 + seed))
      var k = random.daily(140, mean: 300, week: week)
      let late = random.daily(140, mean: 300, week: other)
      for day in 70..<140 { k[day] = late[day] }
      let said = findings([Make.count(k.map { $0 })])
      let season = try #require(said.first { $0.type == .seasonBreak }, "seed \(seed)")
      #expect(abs(season.anchor - 70) <= 2, "\(season.anchor)")
      #expect(season.anchorLo <= season.anchor && season.anchor <= season.anchorHi)
      #expect(season.window == season.anchor...139)
      #expect(said.count { $0.type == .spike || $0.type == .dip } == 0)
    }
  }

  @Test func `two storms on the same weekday are days, and no other weekdays`() {
    for seed in 1...10 {
      var random = TestRandom(UInt64(860 + seed))
      var k = random.daily(140, mean: 300, week: week)
      for day in [113, 120] { k[day] = (k[day] * 1.6).rounded() }
      let said = findings([Make.count(k.map { $0 })])
      #expect(!said.contains { $0.type == .seasonBreak }, "seed \(seed)")
      let spikes = said.filter { $0.type == .spike }.map(\.anchor)
      #expect(!spikes.isEmpty && spikes.allSatisfy { $0 == 113 || $0 == 120 }, "\(spikes)")
    }
  }
}
