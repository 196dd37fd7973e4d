import Testing
import WeirStatistics
import WeirTesting

@Suite struct `Lead and lag` {
  @Test func `finds two series that share their unrest, on the same day`() throws {
    let days = 180
    var random = SeededRandom(seed: 4)
    let shared = Noise.autoregressive(days, phi: 0.4, &random)
    let a = Noise.counts(shared.map { 0.3 * $0 }, level: 200, &random)
    let b = Noise.counts(shared.map { 0.3 * $0 }, level: 80, &random)
    let found = try #require(relation(a, b))
    #expect(found.lag == 0 && found.lagLo == 0 && found.lagHi == 0 && !found.isLead)
    #expect(found.r.value > 0.5 && found.p < 1e-6)
    #expect(found.r.lo < found.r.value && found.r.value < found.r.hi)
    #expect(found.effective <= Double(found.pairs))
  }

  @Test func `tells who comes first, and by how many days`() throws {
    let days = 180
    var random = SeededRandom(seed: 5)
    let shared = Noise.autoregressive(days + 3, phi: 0.3, &random)
    let leader = Noise.counts(shared[3...].map { 0.3 * $0 }, level: 200, &random)
    let follower = Noise.counts(shared[..<days].map { -0.3 * $0 }, level: 200, &random)
    let found = try #require(relation(leader, follower))
    #expect(found.lag == 3 && found.isLead && found.r.value < -0.4)
    let other = try #require(relation(follower, leader))
    #expect(other.lag == -3)
    #expect(abs(other.r.value - found.r.value) < 1e-12 && abs(other.p - found.p) < 1e-12)
  }

  @Test func `takes weekdays, drifts and common steps for no relation`() throws {
    var fired = 0
    for seed in 0..<40 {
      var random = SeededRandom(seed: UInt64(100 + seed))
      func one() -> [Double] {
        (0..<120).map { t -> Double in
          let weekday: Double = t % 7 == 5 ? 0.4 : t % 7 == 6 ? 0.5 : 0
          let step: Double = t >= 70 ? 0.5 : 0
          return weekday + 0.006 * Double(t) + step
        }
      }
      let noise = (0..<2).map { _ in
        Noise.autoregressive(120, phi: 0.5, &random).map { 0.15 * $0 }
      }
      let series = noise.map { unrest in
        Noise.counts(zip(unrest, one()).map { $0 + $1 }, level: 60, &random)
      }
      if let found = relation(series[0], series[1]), found.p < 0.05 { fired += 1 }
    }
    #expect(fired <= 6, "\(fired) of 40")
  }

  /// From spring to autumn one has more on Saturdays, the other on Sundays: no Saturday announces a Sunday.
  @Test func `takes a timetable that both change for no lead`() {
    var leads = 0
    for seed in 0..<10 {
      var random = SeededRandom(seed: UInt64(300 + seed))
      func one(_ weekend: Int) -> TrendSeries {
        let noise = Noise.autoregressive(364, phi: 0.1, &random)
        return Noise.counts(
          noise.indices.map { t in
            let isSummer = t >= 90 && t < 240
            return 0.03 * noise[t] + (isSummer && t % 7 == weekend ? 0.4 : 0)
          }, level: 200, &random)
      }
      if let found = relation(one(5), one(6)), found.p < 0.001 { leads += 1 }
    }
    #expect(leads == 0)
  }

  /// A fixed seed; the larger simulation is in Benchmarks/ACCURACY.md.
  @Test func `keeps its level on series with nothing in common`() {
    var below = 0
    var tests = 0
    for seed in 0..<20 {
      var random = SeededRandom(seed: UInt64(1_000 + seed))
      let moves = (0..<8).map { i in
        let unrest = Noise.autoregressive(90, phi: Double(i) * 0.11, &random)
        return SeriesMovement(
          Noise.counts(unrest.map { 0.2 * $0 }, level: 30, &random), fewest: 28)
      }
      for i in moves.indices {
        for j in (i + 1)..<moves.count {
          guard let found = LeadLag(moves[i], moves[j], most: 7) else { continue }
          tests += 1
          if found.p <= 0.05 { below += 1 }
        }
      }
    }
    #expect(tests == 20 * 28)
    #expect(Double(below) / Double(tests) < 0.065, "\(below) of \(tests)")
  }

  @Test func `is not moved by one loud day that both had`() throws {
    var random = SeededRandom(seed: 9)
    func one(_ random: inout SeededRandom) -> TrendSeries {
      var unrest = Noise.autoregressive(120, phi: 0, &random).map { 0.1 * $0 }
      unrest[60] += 3
      return Noise.counts(unrest, level: 100, &random)
    }
    let found = try #require(relation(one(&random), one(&random)))
    #expect(abs(found.together ?? 1) < 0.3 && found.p > 0.01)
  }

  @Test func `says why a series cannot be correlated`() {
    var random = SeededRandom(seed: 2)
    func status(_ series: TrendSeries) -> SeriesStatus {
      SeriesMovement(series, fewest: 28).status
    }
    let flat = [Double](repeating: 0, count: 60)
    #expect(status(Noise.counts(flat, level: 50, &random)) == .ok)
    #expect(
      status(Noise.counts(Array(flat.prefix(20)), level: 50, &random)) == .insufficientHistory)
    #expect(status(Noise.counts(flat, level: 1, &random)) == .insufficientVolume)
    #expect(status(Noise.counts(flat, level: 0, &random)) == .noEvents)
    let same = TrendSeries(
      key: ["a"], metric: "n", kind: .count,
      buckets: flat.map { _ in TrendBucket(state: .closed, n: 9, k: 9) }, firstWeekday: 0)
    #expect(status(same) == .constant)
    #expect(
      LeadLag(SeriesMovement(same, fewest: 28), SeriesMovement(same, fewest: 28), most: 3) == nil)
  }

  @Test func `keeps distances over missing days`() throws {
    let days = 200
    var random = SeededRandom(seed: 6)
    let shared = Noise.autoregressive(days + 2, phi: 0, &random)
    var leader = Noise.counts(shared[2...].map { 0.4 * $0 }, level: 300, &random)
    var follower = Noise.counts(shared[..<days].map { 0.4 * $0 }, level: 300, &random)
    for t in [20, 21, 22, 90, 140, 141] {
      leader.buckets[t] = TrendBucket(state: .missing)
      follower.buckets[t] = TrendBucket(state: .missing)
    }
    let found = try #require(relation(leader, follower))
    #expect(found.lag == 2 && found.lagLo == 2 && found.lagHi == 2)
  }

  private func relation(_ a: TrendSeries, _ b: TrendSeries, most: Int = 7) -> LeadLag? {
    LeadLag(SeriesMovement(a, fewest: 28), SeriesMovement(b, fewest: 28), most: most)
  }
}
