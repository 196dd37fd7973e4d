import Testing
import WeirStatistics
import WeirTesting

@Suite struct `Means of records with a long tail` {
  @Test func `the tails of the shifted log-normal law agree with scipy`() {
    for (skewness, at, tail) in [
      (0.05, 1.5, 0.06811300184712836),
      (0.05, 4.5, 6.87276577941954e-06),
      (0.05, 9.0, 2.3357740121750388e-17),
      (0.5, 1.5, 0.07618512969892864),
      (0.5, 4.5, 0.00026062288166291706),
      (0.5, 9.0, 8.790818566096592e-09),
      (2.0, 1.5, 0.07576657187235464),
      (2.0, 4.5, 0.004147456165955897),
      (2.0, 9.0, 0.00014047315019097146),
      (6.0, 4.5, 0.007501760425436766),
      (6.0, 9.0, 0.001121686149170862),
    ] {
      let found = Normal.sf(ShiftedLogNormal.deviate(at, skewness: skewness))
      #expect(abs(found - tail) <= 1e-8 * tail, "\(skewness) \(at): \(found)")
    }
    #expect(ShiftedLogNormal.deviate(2, skewness: 0) == 2)
  }

  @Test func `a deviate is nearer to 0 in the longer tail and as it was in the other`() {
    for skewness in [0.1, 0.7, 3] {
      for x in [0.5, 2, 4.5, 8.0] {
        let up = ShiftedLogNormal.deviate(x, skewness: skewness)
        #expect(up <= x && up >= 0)
        #expect(ShiftedLogNormal.deviate(-x, skewness: skewness) == -x)
        #expect(ShiftedLogNormal.deviate(-x, skewness: -skewness) == -up)
      }
    }
  }

  /// Means of 30 records a day, of a log-normal law with a deviation of 0.8: skewness 3.7 a record.
  private func series(
    _ random: inout TestRandom, days: Int = 84, telling: Bool, spike: Int? = nil
  ) -> TrendSeries {
    let buckets = (0..<days).map { day -> TrendBucket in
      let records = (0..<30).map { _ in
        random.exponential(0.8 * random.normal()) * (day == spike ? 4 : 1)
      }
      let mean = records.reduce(0, +) / 30
      let squares = records.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      let cubes = records.reduce(0) { $0 + ($1 - mean) * ($1 - mean) * ($1 - mean) }
      return TrendBucket(
        state: .closed, n: 30, value: mean, variance: squares / 29 / 30,
        cubes: telling ? cubes : .nan)
    }
    return TrendSeries(
      key: ["DE", "spam"], metric: "handle_ms", kind: .mean, buckets: buckets, firstWeekday: 0)
  }

  @Test(arguments: [true, false])
  func `are not taken for spikes, whether or not the records are known`(_ telling: Bool) {
    var random = TestRandom(4)
    var speaking = 0
    for _ in 0..<12 {
      let report = (0..<40).map { _ in series(&random, telling: telling) }
      if analyze(report, settings: TrendSettings()).findings.contains(where: \.type.isTested) {
        speaking += 1
      }
    }
    #expect(speaking <= 2, "\(speaking) of 12 reports of 40 series in which nothing happened")
  }

  @Test(arguments: [true, false])
  func `do not hide a day on which all records were longer`(_ telling: Bool) {
    var random = TestRandom(5)
    for _ in 0..<5 {
      let report = analyze(
        [series(&random, telling: telling, spike: 40)], settings: TrendSettings())
      #expect(report.findings.contains { $0.type == .spike && $0.anchor == 40 })
    }
  }

  @Test func `a score near its upper end makes no dips`() {
    var random = TestRandom(6)
    let report = (0..<60).map { _ -> TrendSeries in
      let buckets = (0..<84).map { _ -> TrendBucket in
        let records = (0..<40).map { _ in random.uniform() < 0.05 ? 0.0 : 1 }
        let mean = records.reduce(0, +) / 40
        let squares = records.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let cubes = records.reduce(0) { $0 + ($1 - mean) * ($1 - mean) * ($1 - mean) }
        return TrendBucket(
          state: .closed, n: 40, value: mean, variance: squares / 39 / 40, cubes: cubes)
      }
      return TrendSeries(
        key: ["DE", "spam"], metric: "score", kind: .mean, buckets: buckets, firstWeekday: 0)
    }
    let found = analyze(report, settings: TrendSettings()).findings.filter(\.type.isTested)
    #expect(found.isEmpty, "\(found.map { "\($0.type) \($0.anchor) \($0.test.p)" })")
  }

  /// The 95th percentile of `count` log-normal records a day.
  private func percentile(
    _ random: inout TestRandom, of count: Int, spike: Int? = nil
  ) -> TrendSeries {
    let buckets = (0..<84).map { day -> TrendBucket in
      let records = (0..<count).map { _ in
        random.exponential(0.5 * random.normal()) * (day == spike ? 3 : 1)
      }.sorted()
      let value = records[min(count - 1, Int(0.95 * Double(count)))]
      // p (1 - p) / (n f^2) of the logarithm, f the density at 1.645 of its standard deviations (0.5).
      return TrendBucket(
        state: .closed, n: Double(count), value: value,
        variance: 1.12 / Double(count) * value * value)
    }
    var series = TrendSeries(
      key: ["DE", "spam"], metric: "p95", kind: .quantile, buckets: buckets, firstWeekday: 0)
    series.quantile = 0.95
    return series
  }

  @Test func `a percentile of few records makes no spikes, of many it still does`() {
    var random = TestRandom(8)
    var speaking = 0
    for _ in 0..<10 {
      let report = (0..<30).map { percentile(&random, of: 10 + $0) }
      if analyze(report, settings: TrendSettings()).findings.contains(where: \.type.isTested) {
        speaking += 1
      }
    }
    #expect(speaking <= 2, "\(speaking) of 10 reports in which nothing happened")
    let report = analyze([percentile(&random, of: 300, spike: 40)], settings: TrendSettings())
    #expect(report.findings.contains { $0.type == .spike && $0.anchor == 40 })
  }
}
