import Testing

@testable import WeirStatistics

/// What unrest is told from a change by.
@Suite struct `Noise that remembers` {
  /// Values of an AR(1) with variance 1 among days, and white noise of variance `sampling` on them.
  private func noise(
    _ n: Int, phi: Double, sampling: Double, _ random: inout TestRandom
  ) -> [Double] {
    var u = random.normal()
    return (0..<n).map { t in
      if t > 0 { u = phi * u + (1 - phi * phi).squareRoot() * random.normal() }
      return u + sampling.squareRoot() * random.normal()
    }
  }

  @Test func `variances of a contrast are those of the covariances`() throws {
    let days = [0, 1, 2, 5, 6, 9]
    let s2 = [0.5, 0.1, 0.2, 0.3, 0.7, 0.4]
    let model = NoiseModel(
      [1, 2, 0, -1, 3, 1], at: days, sampling: s2, split: 3, variance: 2)
    let c = [0.3, -0.2, 0.9, -1, 0.1, 0.4]
    for (node, variance) in zip(model.nodes, model.variances(c)) {
      var (whole, alone) = (0.0, 0.0)
      for i in days.indices {
        for j in days.indices {
          var power = 1.0
          for _ in 0..<abs(days[i] - days[j]) { power *= node.phi }
          let covariance = node.tau2 * power + (i == j ? s2[i] : 0)
          whole += c[i] * c[j] * covariance
          if i == j { alone += c[i] * c[j] * covariance }
        }
      }
      #expect(abs(variance.whole - whole) < 1e-12 * max(1, whole))
      #expect(abs(variance.alone - alone) < 1e-12 * max(1, alone))
    }
  }

  @Test func `memory is told from its absence, also below sampling noise`() {
    func meanPhi(phi: Double, sampling: Double) -> Double {
      var random = TestRandom(71)
      var sum = 0.0
      for _ in 0..<20 {
        let y = noise(200, phi: phi, sampling: sampling, &random)
        let model = NoiseModel(
          y, at: Array(0..<200), sampling: [Double](repeating: sampling, count: 200), split: 100,
          variance: 1 + sampling)
        for (node, weight) in zip(model.nodes, model.weights(\.line)) { sum += weight * node.phi }
      }
      return sum / 20
    }
    #expect(meanPhi(phi: 0, sampling: 0.2) < 0.15)
    #expect(abs(meanPhi(phi: 0.7, sampling: 0.01) - 0.7) < 0.1)
    // Lag-one autocorrelation would say 0.35 here.
    #expect(meanPhi(phi: 0.7, sampling: 1) > 0.5)
  }

  @Test func `strong memory is no trend, no shift and no other weekday`() {
    var random = TestRandom(72)
    let settings = TrendSettings()
    var (structures, seasons, tested) = (0, 0, 0)
    for _ in 0..<400 {
      let k = random.daily(80, mean: 600, week: [1, 1, 1, 1, 1, 1, 1], phi: 0.75, sd: 0.08)
      let analysis = analyzeSeries(Make.count(k.map { $0 }), settings: settings)
      tested += 1
      func isUnlikely(_ what: SeriesAnalysis.Hypothesis) -> Bool {
        analysis.hypotheses.contains { $0.what == what && $0.p <= 0.01 }
      }
      if isUnlikely(.structure) { structures += 1 }
      if isUnlikely(.season) { seasons += 1 }
    }
    // One in a hundred each; two more standard deviations and what the far tail costs.
    #expect(structures <= 14 && seasons <= 10, "\(structures) and \(seasons) of \(tested)")
  }

  @Test func `the tail of a scan is that of simulated series`() {
    var random = TestRandom(73)
    for n in [21, 60] {
      var beyond = 0
      for _ in 0..<4000 {
        let y = (0..<n).map { _ in random.normal() }
        let mean = y.reduce(0, +) / Double(n)
        var (sum, most) = (0.0, 0.0)
        for k in 1..<n {
          sum += y[k - 1] - mean
          let share = Double(k) / Double(n)
          if k >= 7, k <= n - 7 {
            most = max(most, abs(sum) / (Double(n) * share * (1 - share)).squareRoot())
          }
        }
        if most >= 2.5 { beyond += 1 }
      }
      let tail = ShiftScan.tail(2.5, trimmed: 7 / Double(n), count: Double(n))
      #expect(abs(Double(beyond) / 4000 / tail - 1) < 0.2, "\(beyond) and \(tail)")
      #expect(tail < ShiftScan.tail(2.5, trimmed: 7 / Double(n)))
    }
    #expect(ShiftScan.tail(0.5, trimmed: 0.1, count: 60) == 1)
    #expect(ShiftScan.tail(60, trimmed: 0.1, count: 60) == 0)
  }
}

@Suite struct `Weekdays that change, and short histories` {
  let week = [1, 1.05, 1, 0.95, 1.1, 0.45, 0.4]
  let other = [0.45, 1, 1.05, 1.1, 1, 0.95, 0.4]

  @Test func `a changed weekday profile is one finding, and no spikes`() throws {
    var found = 0
    for seed in 1...20 {
      var random = TestRandom(UInt64(800 + seed))
      var k = random.daily(112, mean: 300, week: week)
      let late = random.daily(112, mean: 300, week: other)
      for day in 84..<112 { k[day] = late[day] }
      let said = findings([Make.count(k.map { $0 })])
      #expect(said.count { $0.type != .seasonBreak } <= 1, "seed \(seed)")
      guard let season = said.first(where: { $0.type == .seasonBreak }) else { continue }
      found += 1
      // Sundays are alike before and after.
      #expect((82...85).contains(season.anchor) && season.window == season.anchor...111)
      // Mondays fell from 1.0 to 0.45 of the level, Saturdays rose by as much.
      #expect(season.weekday == 0 || season.weekday == 5)
      #expect((season.direction == .down) == (season.weekday == 0))
      #expect(abs(season.relative) > 0.4 && season.isMaterial && season.impact.lo > 0)
    }
    #expect(found == 20)
  }

  @Test func `after a changed profile the band goes on as before`() throws {
    var random = TestRandom(821)
    var k = random.daily(112, mean: 300, week: week)
    let late = random.daily(112, mean: 300, week: other)
    for day in 84..<112 { k[day] = late[day] }
    let report = analyze([Make.count(k.map { $0 })], settings: TrendSettings())
    let monday = try #require(report.verdicts[0].expected[105])
    #expect(monday.lo > k[105])
  }

  @Test func `a steep trend is no other weekday`() {
    var random = TestRandom(822)
    var said = 0
    for _ in 0..<100 {
      let level = random.daily(70, mean: 1, week: [1, 1, 1, 1, 1, 1, 1], sd: 0)
      let k = level.indices.map { day in
        random.poisson(200 * week[day % 7] * random.exponential(0.03 * Double(day)))
      }
      said += findings([Make.count(k.map { $0 })]).count { $0.type == .seasonBreak }
    }
    // The series is believed to have changed, so that its weekdays are tested at 5 % alone.
    #expect(said <= 10)
  }

  @Test func `halves of a short history are compared, and rarely differ by chance`() throws {
    let tripled: [Double] = [40, 44, 38, 41, 45, 39, 120, 131, 118, 125, 122, 128]
    let change = try #require(findings([Make.count(tripled.map { $0 })]).first)
    #expect(change.type == .windowChange && change.direction == .up && change.anchor == 6)
    #expect(change.window == 6...11 && change.test.name == "halves" && change.isMaterial)
    #expect(abs(change.relative - 2) < 0.1)
    var random = TestRandom(823)
    var said = 0
    for _ in 0..<300 {
      let k = random.daily(12, mean: 300, week: [1, 1, 1, 1, 1, 1, 1], phi: 0.4)
      if findings([Make.count(k.map { $0 })]).contains(where: { $0.type == .windowChange }) {
        said += 1
      }
    }
    #expect(said <= 15, "\(said) of 300")
  }

  @Test func `an open bucket is said once, on the roll-up`() {
    var random = TestRandom(824)
    let series = [["DE", "spam"], [nil, nil], ["FR", "spam"]].map { key in
      Make.count(
        (0..<30).map { _ in random.poisson(100) }, key: key, complete: (0..<30).map { $0 < 29 })
    }
    let said = findings(series)
    #expect(said.map(\.type) == [.openBucket] && said[0].series == 1 && said[0].window == 29...29)
    #expect(!said[0].isMaterial && said[0].level == .notice)
  }
}
