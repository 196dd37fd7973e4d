import Testing

@testable import WeirStatistics

@Suite struct `Association of two series` {
  @Test func `Kendall's pairs are those of the definition`() throws {
    var random = TestRandom(81)
    for n in [2, 3, 10, 50] {
      let x = (0..<n).map { _ in (random.normal() * 2).rounded() }
      let y = (0..<n).map { _ in (random.normal() * 2).rounded() }
      var (sum, tiedX, tiedY) = (0.0, 0.0, 0.0)
      for i in 0..<n {
        for j in 0..<i {
          let product = (x[i] - x[j]) * (y[i] - y[j])
          sum += product > 0 ? 1 : (product < 0 ? -1 : 0)
          tiedX += x[i] == x[j] ? 1 : 0
          tiedY += y[i] == y[j] ? 1 : 0
        }
      }
      let all = Double(n * (n - 1)) / 2
      let got = Correlation.kendall(x, y)
      if tiedX == all || tiedY == all {
        #expect(got == nil)
      } else {
        let want = sum / ((all - tiedX) * (all - tiedY)).squareRoot()
        let tau = try #require(got).r
        #expect(abs(tau - want) < 1e-12)
      }
    }
  }

  @Test func `nothing comes of nothing`() {
    #expect(Correlation.pearson([], []) == nil)
    #expect(Correlation.pearson([1], [2]) == nil)
    #expect(Correlation.spearman([1, 1, 1], [1, 2, 3]) == nil)
    #expect(Correlation.kendall([2.5, 2.5], [1, 2]) == nil)
    #expect(Correlation.pearson([0.1, 0.1, 0.1, 0.1], [1, 2, 3, 5]) == nil)
    #expect(CrossCorrelation.overlapping([1, 2], [1, 2], most: 5).count == 11)
    #expect(CrossCorrelation.prewhitened([1], [1], most: 1).allSatisfy { $0.test == nil })
  }

  @Test func `perfect association has no doubt`() throws {
    let x = (0..<12).map(Double.init)
    for test in [Correlation.pearson(x, x), Correlation.spearman(x, x)] {
      #expect(test?.r == 1 && test?.p == 0)
    }
    let tau = try #require(Correlation.kendall(x, x.map { -$0 }))
    // Two of twelve factorial orders.
    #expect(abs(tau.r + 1) < 1e-12 && abs((tau.p ?? 0) - 2 / 479_001_600) < 1e-20)
  }

  @Test func `the side that leads is the one that the lag says`() throws {
    var random = TestRandom(82)
    let base = (0..<203).map { _ in random.normal() }
    // x at t is y at t - 3.
    let y = Array(base[3...])
    let x = (0..<200).map { base[$0] + 0.3 * random.normal() }
    let lags = CrossCorrelation.prewhitened(x, y, most: 7)
    let best = try #require(lags.max { abs($0.test?.r ?? 0) < abs($1.test?.r ?? 0) })
    #expect(best.lag == 3 && (best.test?.r ?? 0) > 0.8)
  }

  @Test func `a gap leaves out only its own pairs`() throws {
    var random = TestRandom(83)
    var x = (0..<60).map { _ in random.normal() }
    let y = x.map { $0 + random.normal() }
    let whole = try #require(Correlation.pearson(Array(x[..<50]), Array(y[..<50])))
    for i in 50..<60 { x[i] = .nan }
    let gaps = try #require(Correlation.pearson(x, y))
    #expect(gaps.n == 50 && abs(gaps.r - whole.r) < 1e-15)
    #expect(CrossCorrelation.lagOne(x).isFinite)
  }

  @Test func `controls that say the same twice count once`() throws {
    var random = TestRandom(84)
    let z = (0..<80).map { _ in random.normal() }
    let x = z.map { $0 + random.normal() }
    let y = z.map { $0 + random.normal() }
    let one = try #require(PartialCorrelation.pearson(x, y, given: [z]))
    let two = try #require(
      PartialCorrelation.pearson(x, y, given: [z, z.map { 3 - 2 * $0 }, z.map { _ in 7 }]))
    #expect(abs(one.r - two.r) < 1e-10 && abs((one.p ?? 0) - (two.p ?? 1)) < 1e-10)
    let none = try #require(PartialCorrelation.pearson(x, y, given: []))
    #expect(abs(none.r - (Correlation.pearson(x, y)?.r ?? 0)) < 1e-12)
    #expect(PartialCorrelation.pearson(x, z, given: [z]) == nil)
  }

  @Test func `rate and mix add to the change`() {
    var random = TestRandom(85)
    for segments in [1, 2, 9] {
      func counts(_ least: Double) -> [Double] {
        (0..<segments).map { _ in (least + random.uniform() * 900).rounded() }
      }
      let (n0, n1) = (counts(0), counts(1))
      let k0 = n0.map { ($0 * random.uniform()).rounded() }
      let k1 = n1.map { ($0 * random.uniform()).rounded() }
      let m = RateMix(n0: n0, k0: k0, n1: n1, k1: k1)
      #expect(abs(m.totalRate + m.totalMix - m.change) < 1e-12)
      #expect(abs(m.contribution.reduce(0, +) - m.change) < 1e-12)
      let three = m.threeFold.rate + m.threeFold.mix + m.threeFold.interaction
      #expect(abs(three.reduce(0, +) - m.change) < 1e-12)
    }
    let empty = RateMix(n0: [0], k0: [0], n1: [0], k1: [0])
    #expect(empty.change == 0 && empty.contribution == [0] && !empty.isReversed)
  }

  @Test func `the smallest surprising set explains`() throws {
    let calm = (forecast: [100.0, 100, 100], actual: [120.0, 119, 121])
    let loud = (forecast: [100.0, 100, 100], actual: [100.0, 160, 100])
    let got = Adtributor.explain([calm, loud])
    let first = try #require(got.first)
    #expect(first.dimension == 1 && first.elements == [1] && first.power == 1)
    #expect(got.count == 2 && got[1].elements.count == 3)
    let same = Adtributor.dimension(forecast: [5, 5], actual: [4, 6])
    #expect(same.power == [nil, nil] && same.totalSurprise > 0)
    let empty = Adtributor.dimension(forecast: [0, 10], actual: [10, 0])
    #expect(empty.surprise.allSatisfy { $0.isFinite })
  }
}
