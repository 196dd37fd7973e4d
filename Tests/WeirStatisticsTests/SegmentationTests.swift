import Glibc
import Testing

@testable import WeirStatistics

/// The best cuts by trying every place, from the definition of each cost.
private func best(
  _ n: Int, penalty: Double, minSize m: Int, cost: (Range<Int>) -> Double
) -> (ends: [Int], objective: Double) {
  var value = [Double](repeating: .infinity, count: n + 1)
  var from = [Int](repeating: 0, count: n + 1)
  value[0] = -penalty
  for end in m...n {
    for start in 0...(end - m) where value[start] < .infinity {
      let v = value[start] + cost(start..<end) + penalty
      if v < value[end] - 1e-9 { (value[end], from[end]) = (v, start) }
    }
  }
  var ends: [Int] = []
  var end = n
  while end > 0 {
    ends.append(end)
    end = from[end]
  }
  return (ends.reversed(), value[n])
}

private func logOf(_ x: Double) -> Double { x > 0 ? log(x) : 0 }

@Suite struct `Cuts of a series` {
  private func series(_ n: Int, _ random: inout TestRandom) -> [Double] {
    var level = 0.0
    var slope = 0.0
    return (0..<n).map { _ in
      if random.uniform() < 0.05 { level += 3 * random.normal() }
      if random.uniform() < 0.05 { slope = 0.3 * random.normal() }
      level += slope
      return level + 0.5 * random.normal()
    }
  }

  private func squares(_ y: ArraySlice<Double>) -> Double {
    let mean = y.reduce(0, +) / Double(y.count)
    return y.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  }

  private func lineSquares(_ y: [Double], _ r: Range<Int>, _ w: [Double]) -> Double {
    let line = WeightedLine(t: r.map(Double.init), y: r.map { y[$0] }, w: r.map { w[$0] })
    return r.reduce(0) {
      let d = y[$1] - line.at(Double($1))
      return $0 + w[$1] * d * d
    }
  }

  @Test(arguments: [1, 2, 3, 7, 11])
  func `pruned search equals the full one for every cost and minimal length`(m: Int) {
    var random = TestRandom(UInt64(40 + m))
    for n in [14, 15, 40, 77] {
      let y = series(n, &random)
      let w = (0..<n).map { _ in 0.2 + random.uniform() }
      let k = y.map { (abs($0) * 3).rounded() }
      let size = k.map { $0 + (random.uniform() * 20).rounded() + 1 }
      func sum(_ v: [Double], _ r: Range<Int>) -> Double { v[r].reduce(0, +) }
      let costs: [(String, SegmentCost, (Range<Int>) -> Double)] = [
        ("mean", .mean(y), { squares(y[$0]) }),
        (
          "weighted", .mean(y, weights: w),
          { r in
            let mean = r.reduce(0) { $0 + w[$1] * y[$1] } / sum(w, r)
            return r.reduce(0) { $0 + w[$1] * (y[$1] - mean) * (y[$1] - mean) }
          }
        ),
        (
          "normal", .normal(y, floor: 1e-3),
          { Double($0.count) * logOf(squares(y[$0]) / Double($0.count) + 1e-3) }
        ),
        (
          "absolute", .absolute(y),
          { r in
            let middle = Robust.median(Array(y[r])) ?? 0
            return r.reduce(0) { $0 + abs(y[$1] - middle) }
          }
        ),
        ("line", .line(y, weights: w), { lineSquares(y, $0, w) }),
        (
          "profiled", .profiledLine(y, weights: w, floor: 1e-2),
          { Double($0.count) * logOf(lineSquares(y, $0, w) / Double($0.count) + 1e-2) }
        ),
        (
          "poisson", .poisson(events: k, exposure: w),
          { -2 * sum(k, $0) * logOf(sum(k, $0) / sum(w, $0)) }
        ),
        (
          "binomial", .binomial(k: k, n: size),
          { r in
            let (a, b) = (sum(k, r), sum(size, r) - sum(k, r))
            return -2 * (a * logOf(a / (a + b)) + b * logOf(b / (a + b)))
          }
        ),
      ]
      for (name, cost, definition) in costs {
        for penalty in [0.1, 2, 10] where m > 2 || name != "profiled" {
          let want = best(n, penalty: penalty, minSize: m, cost: definition)
          let got = Segmentation.penalized(cost, penalty: penalty, minSize: m)
          let slack = 1e-9 * (1 + abs(want.objective))
          #expect(
            abs(got.objective - want.objective) < slack, "\(name) n \(n) penalty \(penalty)")
          #expect(got.ends.last == n && got.ends == got.ends.sorted())
          #expect(zip([0] + got.ends, got.ends).allSatisfy { $1 - $0 >= m } || n < 2 * m)
        }
      }
    }
  }

  @Test func `exact cuts equal the penalised ones with as many changes`() throws {
    var random = TestRandom(51)
    for n in [30, 90] {
      let y = series(n, &random)
      let all = Segmentation.exact(.mean(y), upTo: 6, minSize: 4)
      #expect(all.map(\.changes.count) == Array(0..<all.count))
      for penalty in [0.5, 3, 20] {
        let cut = Segmentation.penalized(.mean(y), penalty: penalty, minSize: 4)
        guard cut.changes.count < all.count else { continue }
        let same = all[cut.changes.count]
        #expect(same.ends == cut.ends)
        let paid = same.objective + penalty * Double(cut.changes.count)
        #expect(abs(paid - cut.objective) < 1e-9 * (1 + paid))
      }
      for (a, b) in zip(all, all.dropFirst()) { #expect(b.objective <= a.objective + 1e-12) }
      for k in 0..<all.count {
        let rough = Segmentation.binary(.mean(y), changes: k, minSize: 4)
        #expect(rough.objective >= all[k].objective - 1e-9)
      }
    }
  }

  @Test func `series without room for a cut are one stretch`() {
    #expect(Segmentation.penalized(.mean([]), penalty: 1).ends.isEmpty)
    #expect(Segmentation.exact(.mean([]), upTo: 2)[0].ends.isEmpty)
    for n in 1...7 {
      let y = (0..<n).map { Double($0 % 2) * 50 }
      #expect(Segmentation.penalized(.mean(y), penalty: 0.1, minSize: 4).ends == [n])
      #expect(Segmentation.exact(.mean(y), upTo: 3, minSize: 4).map(\.ends) == [[n]])
      #expect(Segmentation.binary(.mean(y), changes: 3, minSize: 4).ends == [n])
    }
  }

  @Test func `a level of a billion costs no digits`() {
    var random = TestRandom(52)
    let y = (0..<60).map { Double($0 / 30) * 3 + random.normal() }
    // Whole multiples of a power of two: the sum is exact.
    let rounded = y.map { ($0 * 65536).rounded() / 65536 }
    let low = Segmentation.penalized(.mean(rounded), penalty: 12, minSize: 2)
    let high = Segmentation.penalized(.mean(rounded.map { $0 + 1e9 }), penalty: 12, minSize: 2)
    #expect(low.ends == high.ends)
    #expect(abs(low.objective - high.objective) < 1e-9)
  }

  @Test func `a stretch's deviation from its median is that of the definition`() {
    var random = TestRandom(53)
    for n in [1, 2, 3, 17, 64, 65] {
      let y = (0..<n).map { _ in (random.normal() * 3).rounded() }
      let ranges = RangeMedian(y)
      for start in 0..<n {
        for end in (start + 1)...n {
          let middle = Robust.median(Array(y[start..<end])) ?? 0
          let want = y[start..<end].reduce(0) { $0 + abs($1 - middle) }
          #expect(abs(ranges.absoluteDeviation(start, end) - want) < 1e-9)
        }
      }
    }
  }
}

@Suite struct `Levels and lines` {
  private func noisy(_ truth: [Double], phi: Double, _ random: inout TestRandom) -> [Double] {
    var e = random.normal()
    return truth.map {
      e = phi * e + (1 - phi * phi).squareRoot() * random.normal()
      return $0 + e
    }
  }

  @Test func `a table of costs changes nothing`() throws {
    var random = TestRandom(91)
    let y = noisy((0..<90).map { $0 < 40 ? 0 : Double($0 - 40) * 0.3 }, phi: -0.5, &random)
    var prices = LevelsAndLines.Prices()
    prices.slope = 1
    let got = try #require(LevelsAndLines.fit(y, prices: prices))
    let steps = (1..<90).map { y[$0] - y[$0 - 1] }
    let scale = (Robust.median(steps.map { abs($0) }) ?? 0) / Robust.madOfNormal
    let weights = [Double](repeating: 2 / (scale * scale), count: 90)
    let unit = log(90.0)
    let plain = Segmentation.penalized(
      .profiledLevelOrLine(y, weights: weights, floor: prices.floor, slope: prices.slope * unit),
      penalty: prices.change * unit, minSize: 7)
    #expect(got.inflation == 1)
    #expect(got.changes == plain.changes && abs(got.objective - plain.objective) < 1e-9)
  }

  @Test func `steps, bends and lines are told apart`() throws {
    var random = TestRandom(92)
    let step = try #require(
      LevelsAndLines.fit(noisy((0..<100).map { $0 < 60 ? 10 : 14 }, phi: 0.2, &random)))
    #expect(step.parts.count == 2 && step.parts.allSatisfy { !$0.isLine })
    #expect(abs(step.changes[0] - 60) <= 2)
    let line = try #require(
      LevelsAndLines.fit(noisy((0..<100).map { 0.2 * Double($0) }, phi: 0.2, &random)))
    #expect(line.parts.count == 1 && abs(line.parts[0].slope - 0.2) < 0.03)
    let bend = try #require(
      LevelsAndLines.fit(
        noisy((0..<120).map { abs(Double($0) - 60) * 0.4 }, phi: 0.2, &random)))
    #expect(bend.parts.count == 2 && abs(bend.changes[0] - 60) <= 5)
    #expect(bend.parts[0].slope < -0.3 && bend.parts[1].slope > 0.3)
  }

  @Test func `red noise is one level nearly always`() throws {
    var random = TestRandom(93)
    var cut = 0
    for _ in 0..<200 {
      let y = noisy([Double](repeating: 5, count: 90), phi: 0.5, &random)
      cut += try #require(LevelsAndLines.fit(y)).parts.count > 1 ? 1 : 0
    }
    #expect(cut <= 12)
  }

  @Test func `odd series break nothing`() throws {
    #expect(LevelsAndLines.fit([]) == nil)
    let flat = try #require(LevelsAndLines.fit([Double](repeating: 0.1, count: 50)))
    #expect(
      flat.parts.count == 1 && !flat.parts[0].isLine
        && flat.residuals.allSatisfy { abs($0) < 1e-12 })
    for n in 1...16 {
      let one = try #require(LevelsAndLines.fit((0..<n).map { Double($0 * $0 % 5) }))
      #expect(one.parts.first?.range.lowerBound == 0 && one.parts.last?.range.upperBound == n)
    }
    // Most neighbours equal, one step: the noise comes from all steps.
    let stairs = try #require(LevelsAndLines.fit((0..<40).map { $0 < 20 ? 0 : 1 }))
    #expect(stairs.changes == [20])
  }
}
