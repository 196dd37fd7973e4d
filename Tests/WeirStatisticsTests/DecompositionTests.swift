import Testing

@testable import WeirStatistics

@Suite struct `Seasons, trend and rest` {
  private func weekly(_ n: Int, _ random: inout TestRandom, noise: Double = 0.1) -> [Double] {
    let week = [0.3, 0.1, 0, 0.1, 0.2, -0.4, -0.3]
    return (0..<n).map { t -> Double in
      let level = 5 + 0.01 * Double(t)
      return level + week[t % 7] + noise * random.normal()
    }
  }

  @Test func `parts add to the series`() throws {
    var random = TestRandom(61)
    for n in [14, 15, 100] {
      let y = weekly(n, &random)
      for robust in [false, true] {
        for seasonal in [nil, 7, 35] {
          let d = try #require(STL(period: 7, seasonal: seasonal, robust: robust).fit(y))
          for i in y.indices {
            #expect(abs(d.seasonal[0][i] + d.trend[i] + d.rest[i] - y[i]) < 1e-12)
          }
        }
      }
    }
  }

  @Test func `periodic seasons are the limit of ever longer windows`() throws {
    var random = TestRandom(62)
    let y = weekly(91, &random)
    var wide = STL(period: 7, seasonal: 2_000_001)
    wide.seasonalDegree = 0
    let limit = STL(period: 7, seasonal: nil)
    #expect(limit.trend == 11 && wide.trend == 11)
    let (a, b) = (try #require(wide.fit(y)), try #require(limit.fit(y)))
    for i in y.indices {
      #expect(abs(a.trend[i] - b.trend[i]) < 1e-9)
      #expect(abs(a.seasonal[0][i] - b.seasonal[0][i]) < 1e-9)
    }
  }

  @Test func `a table of kernels changes nothing`() throws {
    // A window too long for the table, over the same place as one that has it.
    var random = TestRandom(63)
    let y = weekly(700, &random)
    var model = STL(period: 7, seasonal: nil, robust: true)
    model.trend = 601
    let d = try #require(model.fit(y))
    let loess = Loess(length: 601, degree: 1, jump: 1, longest: 700)
    let left = y.indices.map { y[$0] - d.seasonal[0][$0] }
    for x in [1, 300, 700] {
      let (lo, hi) = (max(1, min(x - 300, 100)), min(700, max(x + 300, 601)))
      let at = loess.at(x, left: lo, right: hi, left, count: 700, weights: d.weights)
      #expect(abs((at ?? 0) - d.trend[x - 1]) < 0.05)
    }
  }

  @Test func `an outlier has no weight and no say`() throws {
    var random = TestRandom(64)
    let y = weekly(84, &random)
    var wild = y
    wild[40] += 50
    let model = STL(period: 7, seasonal: nil, robust: true)
    let (a, b) = (try #require(model.fit(y)), try #require(model.fit(wild)))
    #expect(b.weights[40] == 0)
    for i in y.indices { #expect(abs(a.trend[i] - b.trend[i]) < 0.1) }
  }

  @Test func `strengths see what is there`() throws {
    var random = TestRandom(65)
    let model = STL(period: 7, seasonal: nil)
    let strong = try #require(model.fit(weekly(140, &random)))
    #expect(strong.seasonalStrength > 0.8 && strong.trendStrength > 0.8)
    let none = try #require(model.fit((0..<140).map { _ in random.normal() }))
    #expect(none.seasonalStrength < 0.4)
    let flat = try #require(STL(period: 7, robust: true).fit([Double](repeating: 5.1, count: 35)))
    #expect(flat.seasonalStrength == 0 && flat.trendStrength == 0)
    #expect(flat.trend.allSatisfy { abs($0 - 5.1) < 1e-12 })
  }

  @Test func `too short a series has no decomposition`() {
    #expect(STL(period: 7).fit([Double](repeating: 1, count: 13)) == nil)
    #expect(STL(period: 1).fit([1, 2, 3]) == nil)
    #expect(MSTL.fit([Double](repeating: 1, count: 14), periods: [7]) == nil)
    #expect(MSTL.fit([Double](repeating: 1, count: 15), periods: [7, 30]) != nil)
  }

  @Test func `settled passes end early and change little`() throws {
    var random = TestRandom(66)
    let y = weekly(120, &random)
    var model = STL(period: 7, seasonal: nil, robust: true)
    let all = try #require(model.fit(y))
    model.convergence = 0.01
    let few = try #require(model.fit(y))
    for i in y.indices { #expect(abs(all.trend[i] - few.trend[i]) < 0.02) }
  }
}
