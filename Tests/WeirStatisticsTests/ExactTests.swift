import Glibc
import Testing

@testable import WeirStatistics

/// Small cases by counting, and identities that hold for all.
@Suite struct `Exact tests and laws` {
  /// n choose k.
  private func ways(_ n: Int, _ k: Int) -> Double {
    guard k >= 0, k <= n else { return 0 }
    return (0..<k).reduce(1.0) { $0 * Double(n - $1) / Double($1 + 1) }
  }

  @Test func `Fisher's test counts the tables that are no likelier`() {
    for (n1, n2) in [(5, 5), (8, 3), (12, 20), (1, 9)] {
      for a in 0...n1 {
        for b in 0...n2 {
          func table(_ x: Int) -> Double { ways(n1, x) * ways(n2, a + b - x) }
          let own = table(a)
          var (rare, all) = (0.0, 0.0)
          for x in 0...n1 {
            all += table(x)
            if table(x) <= own * (1 + 1e-9) { rare += table(x) }
          }
          let got = TwoProportions.fisherExact(k1: a, n1: n1, k2: b, n2: n2)
          #expect(abs(got - rare / all) < 1e-12, "\(a)/\(n1) \(b)/\(n2)")
        }
      }
    }
  }

  @Test func `the two-sided binomial test counts the outcomes that are no likelier`() {
    for n in [1, 2, 7, 20] {
      for p in [0.1, 0.25, 0.5, 0.9] {
        let density = (0...n).map { k -> Double in
          (0..<k).reduce(1.0) { a, _ in a * p } * (0..<(n - k)).reduce(1.0) { a, _ in a * (1 - p) }
            * ways(n, k)
        }
        for k in 0...n {
          let want = density.filter { $0 <= density[k] * (1 + 1e-9) }.reduce(0, +)
          #expect(abs(Binomial.twoSided(k, of: n, p: p) - min(1, want)) < 1e-12, "\(k) \(n) \(p)")
          let below = density[0...k].reduce(0, +)
          #expect(abs(Binomial.cdf(k, of: n, p: p) - below) < 1e-12)
          #expect(abs(Binomial.sf(k, of: n, p: p) - (1 - below)) < 1e-12)
        }
      }
    }
  }

  @Test func `Kendall's law counts the orders`() {
    // Inversions of every order of five.
    var counts = [Int](repeating: 0, count: 11)
    func permute(_ left: [Int], _ order: [Int]) {
      if left.isEmpty {
        var values = order.map(Double.init)
        counts[inversions(&values)] += 1
      }
      for (i, v) in left.enumerated() {
        var rest = left
        rest.remove(at: i)
        permute(rest, order + [v])
      }
    }
    permute(Array(0..<5), [])
    for d in 0...10 {
      let c = min(d, 10 - d)
      let want = c == 5 ? 1 : 2 * Double(counts[0...c].reduce(0, +)) / 120
      #expect(abs(KendallLaw.twoSided(n: 5, pairs: d) - want) < 1e-14)
    }
    #expect(KendallLaw.twoSided(n: 2, pairs: 0) == 1)
  }

  @Test func `quantiles invert their tails`() {
    for p in [1e-12, 0.01, 0.5, 0.9] {
      for (a, b) in [(1.0, 1.0), (3.0, 80.0), (200.0, 2.5)] {
        let f = FisherF.upperQuantile(p, df1: a, df2: b)
        #expect(abs(FisherF.sf(f, df1: a, df2: b) / p - 1) < 1e-9)
        #expect(abs(FisherF.cdf(f, df1: a, df2: b) + p - 1) < 1e-12)
        let x = ChiSquare.upperQuantile(p, df: a)
        #expect(abs(ChiSquare.sf(x, df: a) / p - 1) < 1e-9)
        let t = BetaLaw.quantile(p, a: a, b: b)
        #expect(abs(BetaLaw.cdf(t, a: a, b: b) / p - 1) < 1e-9)
      }
    }
  }

  @Test func `digamma and trigamma are derivatives`() {
    // Known: psi(1) = -Euler's constant, psi'(1) = pi^2 / 6.
    #expect(abs(digamma(1) + 0.57721566490153286) < 1e-14)
    #expect(abs(trigamma(1) - 1.6449340668482264) < 1e-14)
    for x in [0.01, 0.7, 3, 25, 1e6] {
      let h = 1e-5 * x
      let slope = (logGamma(x + h) - logGamma(x - h)) / (2 * h)
      #expect(abs(digamma(x) - slope) < 1e-6 * max(1, abs(slope)))
      let bend = (digamma(x + h) - digamma(x - h)) / (2 * h)
      #expect(abs(trigamma(x) - bend) < 1e-6 * max(1, abs(bend)))
    }
  }

  @Test func `slopes of many pairs are ranked as those of few`() throws {
    var random = TestRandom(71)
    let n = 1700
    let x = (0..<n).map { Double($0 / 2) }
    let y = (0..<n).map { (0.01 * Double($0) + 3 * random.normal()).rounded() }
    var slopes: [Double] = []
    for i in 0..<n {
      for j in 0..<i where x[i] != x[j] { slopes.append((y[i] - y[j]) / (x[i] - x[j])) }
    }
    slopes.sort()
    var pairs = PairSlopes(x: x, y: y)
    #expect(pairs.count == slopes.count)
    for rank in [0, 1, 5000, slopes.count / 3, slopes.count - 1] {
      #expect(pairs.slope(rank: rank) == slopes[rank])
    }
    #expect(pairs.median() == Robust.medianOfSorted(slopes))
    var values = y
    #expect(MannKendall.score(y) == MannKendall.sortedScore(y))
    _ = inversions(&values)
    #expect(values == y.sorted())
    let short = Array(y.prefix(300))
    #expect(MannKendall.score(short) == MannKendall.sortedScore(short))
  }

  @Test func `Hommel is between Simes and Holm`() {
    var random = TestRandom(72)
    for m in [1, 2, 9, 40] {
      let p = (0..<m).map { _ in random.uniform() * random.uniform() }
      let hommel = MultipleTesting.hommel(p)
      let holm = MultipleTesting.holm(p)
      for i in p.indices { #expect(hommel[i] <= holm[i] + 1e-15 && hommel[i] >= p[i]) }
      #expect((hommel.min() ?? 0) >= MultipleTesting.simes(p) - 1e-15)
    }
  }

  @Test func `score interval holds what the score test keeps`() {
    for (k1, n1, k2, n2) in [
      (0.0, 10.0, 0.0, 20.0), (3, 10, 0, 20), (10, 10, 0, 20), (7, 90, 9, 60),
    ] {
      let i = TwoProportions.scoreDifference(k1: k1, n1: n1, k2: k2, n2: n2)
      let seen = k1 / n1 - k2 / n2
      #expect(i.lo <= seen && seen <= i.hi && i.lo >= -1 && i.hi <= 1 && i.lo < i.hi)
      let mirrored = TwoProportions.scoreDifference(k1: k2, n1: n2, k2: k1, n2: n1)
      #expect(abs(mirrored.lo + i.hi) < 1e-9 && abs(mirrored.hi + i.lo) < 1e-9)
    }
  }

  @Test func `restricted shares are the likeliest with that difference`() {
    for (k1, n1, k2, n2) in [(3.0, 10.0, 0.0, 20.0), (10, 10, 1, 20), (7, 90, 9, 60)] {
      for d in [-0.8, -0.3, -0.01, 0.01, 0.2, 0.6] {
        func likelihood(_ p: Double) -> Double {
          func part(_ k: Double, _ q: Double) -> Double { k > 0 ? k * log(max(q, 1e-300)) : 0 }
          return part(k1, p + d) + part(n1 - k1, 1 - p - d) + part(k2, p) + part(n2 - k2, 1 - p)
        }
        let (p1, p2) = TwoProportions.restricted(k1, n1, k2, n2, difference: d)
        #expect(abs(p1 - p2 - d) < 1e-12)
        let own = likelihood(p2)
        for i in 0...400 {
          let lo = max(0, -d)
          let p = lo + (min(1, 1 - d) - lo) * Double(i) / 400
          #expect(likelihood(p) <= own + 1e-9)
        }
      }
    }
  }
}
