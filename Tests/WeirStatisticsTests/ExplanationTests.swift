import Testing

@testable import WeirStatistics

@Suite struct `What carried a change` {
  typealias Segment = SegmentExplanation.Segment

  @Test func `one vendor whose rate rose carries the change`() throws {
    let found = try #require(
      SegmentExplanation(
        [
          Segment(n0: 1000, k0: 100, n1: 1000, k1: 102),
          Segment(n0: 1000, k0: 95, n1: 1000, k1: 300),
          Segment(n0: 1000, k0: 110, n1: 1000, k1: 108),
          Segment(n0: 1000, k0: 99, n1: 1000, k1: 97),
        ], kind: .rate, size0: 28, size1: 28))
    #expect(found.parts[0].segment == 1 && found.carriers == 1 && found.p < 1e-6)
    #expect(abs(found.rateEffect - found.change) < 1e-12 && abs(found.mixEffect) < 1e-12)
    #expect(try #require(found.parts[0].q) < 1e-6)
    #expect(found.parts.dropFirst().allSatisfy { ($0.q ?? 1) > 0.1 })
    #expect(!found.isReversed)
  }

  @Test func `a mix that moves is no rate that moves`() throws {
    let found = try #require(
      SegmentExplanation(
        [Segment(n0: 800, k0: 40, n1: 300, k1: 15), Segment(n0: 200, k0: 80, n1: 700, k1: 280)],
        kind: .rate, size0: 28, size1: 28))
    #expect(found.change > 0.1 && abs(found.rateEffect) < 1e-12)
    #expect(abs(found.mixEffect - found.change) < 1e-12)
    // Every vendor fell, the whole rose.
    let reversed = try #require(
      SegmentExplanation(
        [Segment(n0: 800, k0: 40, n1: 300, k1: 12), Segment(n0: 200, k0: 80, n1: 700, k1: 250)],
        kind: .rate, size0: 28, size1: 28))
    #expect(reversed.isReversed && reversed.change > 0 && reversed.rateEffect < 0)
  }

  @Test func `effects add up to the change and do not depend on the order`() throws {
    var random = TestRandom(91)
    for _ in 0..<100 {
      let segments = (0..<6).map { _ in
        let (n0, n1) = (random.poisson(200), random.poisson(200))
        return Segment(
          n0: n0, k0: random.binomial(n0, 0.2), n1: n1, k1: random.binomial(n1, 0.25))
      }
      for kind in [MetricKind.rate, .count, .mean] {
        guard let a = SegmentExplanation(segments, kind: kind, size0: 28, size1: 7) else {
          continue
        }
        let sum = a.parts.reduce(0) { $0 + $1.rateEffect + $1.mixEffect }
        #expect(abs(sum - a.change) < 1e-9 * max(1, abs(a.change)))
        #expect(abs(a.parts.reduce(0) { $0 + $1.power } - 1) < 1e-9)
        let b = try #require(
          SegmentExplanation(segments.reversed(), kind: kind, size0: 28, size1: 7))
        #expect(abs(a.p - b.p) < 1e-12 && a.carriers == b.carriers)
        #expect(zip(a.parts, b.parts).allSatisfy { abs($0.power - $1.power) < 1e-9 })
      }
    }
  }

  @Test func `segments that move alike seldom stand out`() {
    var random = TestRandom(92)
    var small = 0
    for _ in 0..<400 {
      let segments = (0..<5).map { _ in
        let (n0, n1) = (random.poisson(400), random.poisson(400))
        return Segment(
          n0: n0, k0: random.binomial(n0, 0.2), n1: n1, k1: random.binomial(n1, 0.3))
      }
      let found = SegmentExplanation(segments, kind: .rate, size0: 28, size1: 28)
      if (found?.p ?? 1) <= 0.01 { small += 1 }
    }
    #expect(small <= 10, "\(small) of 400")
  }

  @Test func `nothing to compare is nothing to explain`() {
    let one = [Segment(n0: 10, k0: 1, n1: 10, k1: 5)]
    #expect(SegmentExplanation(one, kind: .rate, size0: 1, size1: 1) == nil)
    let same = [Segment(n0: 10, k0: 1, n1: 10, k1: 1), Segment(n0: 10, k0: 2, n1: 10, k1: 2)]
    #expect(SegmentExplanation(same, kind: .rate, size0: 1, size1: 1) == nil)
    #expect(SegmentExplanation(same, kind: .distinct, size0: 1, size1: 1) == nil)
    let empty = [Segment(n0: 0, k0: 0, n1: 10, k1: 1), Segment(n0: 0, k0: 0, n1: 10, k1: 2)]
    #expect(SegmentExplanation(empty, kind: .rate, size0: 1, size1: 1) == nil)
  }
}

@Suite struct `Findings that are one event` {
  private func report(_ steps: [(market: String?, queue: String?, day: Int?)]) -> TrendReport {
    var random = TestRandom(93)
    let series = steps.map { step in
      Make.count(
        (0..<60).map { day in
          random.poisson(step.day.map { day >= $0 ? 200 : 400 } ?? 400)
        }, key: [step.market, step.queue])
    }
    return analyze(series, settings: TrendSettings())
  }

  @Test func `all queues of a market are one incident, with its total beside it`() throws {
    let found = report([
      ("DE", "hate", 40), ("DE", "scam", 41), ("DE", "spam", 40), ("DE", "ads", 40),
      ("FR", "hate", nil), ("FR", "scam", nil), ("FR", "spam", nil), ("FR", "ads", nil),
      ("FR", "bots", 20), ("DE", nil, 40), ("JP", "hate", nil), ("JP", "scam", nil),
    ])
    let related = found.related()
    let incident = try #require(related.incidents.first)
    #expect(related.incidents.count == 1 && incident.scope == ["DE", nil])
    #expect(incident.findings.count == 4 && incident.groups == 4)
    for (i, finding) in found.findings.enumerated() {
      let key = found.series[finding.series].key
      let relations = related.related[i].map(\.relation)
      if key == ["DE", nil] {
        #expect(relations == [.part, .part, .part, .part] && related.incident[i] == nil)
      } else if key[0] == "DE" {
        #expect(related.incident[i] == 0)
        #expect(relations.count { $0 == .sibling } == 3 && relations.count { $0 == .total } == 1)
      } else {
        #expect(relations.isEmpty && related.incident[i] == nil)
      }
    }
  }

  @Test func `a change everywhere is one incident of everything`() {
    let found = report([
      ("DE", "hate", 40), ("DE", "scam", 40), ("FR", "hate", 40), ("FR", "scam", 41),
      ("JP", "hate", nil), (nil, nil, 40),
    ])
    let related = found.related()
    #expect(related.incidents.map(\.scope) == [[nil, nil]])
    #expect(related.incidents.first?.groups == 5)
  }

  @Test func `changes far apart in time are no incident`() {
    let found = report([
      ("DE", "hate", 20), ("DE", "scam", 30), ("DE", "spam", 40), ("DE", "ads", 50),
    ])
    #expect(found.related().incidents.isEmpty)
  }

  @Test func `a day on which thousands fall relates each to twenty of them`() {
    let count = 3_000
    let series = (0..<count).map { i -> TrendSeries in
      let k = (0..<40).map { (day: Int) -> Double? in
        day == 30 ? 20 : Double(400 + (day * 7 + i) % 11)
      }
      return Make.count(k, key: ["m\(i % 50)", "q\(i / 50)"])
    }
    let found = analyze(series, settings: TrendSettings())
    #expect(found.findings.count == count)
    let related = found.related()
    #expect(related.incidents.map(\.groups) == [count])
    for (i, beside) in related.related.enumerated() {
      let others = (0...RelatedFindings.most).filter { $0 != i }.prefix(RelatedFindings.most)
      #expect(beside.map(\.finding) == Array(others))
    }
  }
}
