import Testing
import WeirStatistics
import WeirTesting

@Suite struct `Means of records with a long tail` {
  @Test func `the tails of Pearson's type III agree with scipy`() {
    for (skewness, at, tail) in [
      (0.5, -1.0, 0.8444156524501832), (0.5, 0, 0.4667448913877211),
      (0.5, 1.5, 0.07689160005036123), (0.5, 4.5, 0.00021241428506430584),
      (-0.5, 1.5, 0.04874040330397868), (2, 1.5, 0.0820849986238988),
      (2, 4.5, 0.0040867714384640675), (0.05, 4.5, 6.8135872043423945e-06),
      (-1.3, 1.5, 0.00041366483804349436), (2, -1.5, 1), (-0.5, 4.5, 0),
    ] {
      let found = PearsonThree.sf(at, skewness: skewness)
      #expect(abs(found - tail) <= 1e-9 * max(tail, 1e-3), "\(skewness) \(at): \(found)")
    }
    #expect(PearsonThree.sf(2, skewness: 0) == Normal.sf(2))
  }

  @Test func `a deviate is nearer to 0 in the longer tail and as it was in the other`() {
    for skewness in [0.1, 0.7, 3] {
      for x in [0.5, 2, 4.5, 8.0] {
        let up = PearsonThree.deviate(x, skewness: skewness)
        #expect(up <= x && up >= 0)
        #expect(PearsonThree.deviate(-x, skewness: skewness) == -x)
        #expect(PearsonThree.deviate(-x, skewness: -skewness) == -up)
      }
    }
    #expect(PearsonThree.deviate(6, skewness: 0) == 6)
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
        cubes: telling ? cubes : nil)
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
}
