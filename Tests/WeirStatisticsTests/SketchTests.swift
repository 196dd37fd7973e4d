import Testing
import WeirStatistics

/// A small fixed generator (SplitMix64, Steele et al. 2014), so that every run sees the same values.
struct TestRandom {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  /// Uniform in 0 ..< 1.
  mutating func uniform() -> Double { Double(next() >> 11) / 9007199254740992.0 }
  mutating func normal() -> Double { Normal.quantile(uniform() + 1e-17) }
}

@Suite struct `Quantile sketch` {
  private func sketch(_ values: some Sequence<Double>) -> DDSketch {
    var s = DDSketch()
    for v in values { s.add(v) }
    return s
  }

  @Test func `quantiles are within one percent of the order statistic`() throws {
    var random = TestRandom(1)
    for scale in [1e-6, 1, 1e9] {
      let values = (0..<5000).map { _ in scale * (random.normal() * 3) }
      let s = sketch(values)
      let sorted = values.sorted()
      for q in [0, 0.01, 0.25, 0.5, 0.9, 0.999, 1] {
        let want = sorted[Int(q * 4999)]
        let got = try #require(s.quantile(q))
        #expect(abs(got - want) <= 0.0100001 * abs(want))
      }
      #expect(s.min == sorted.first && s.max == sorted.last && s.count == 5000)
    }
  }

  @Test func `merging in any order gives the same bytes`() {
    var random = TestRandom(2)
    let parts = (0..<7).map { part in
      sketch((0..<(part * 40)).map { _ in random.normal() * (part == 3 ? 1e5 : 1) })
    }
    var forward = DDSketch()
    for p in parts { forward.merge(p) }
    var backward = DDSketch()
    for p in parts.reversed() { backward.merge(p) }
    var pairs = parts[4]
    pairs.merge(parts[0])
    var others = parts[6]
    for i in [5, 2, 1, 3] { others.merge(parts[i]) }
    pairs.merge(others)
    #expect(forward.encode() == backward.encode())
    #expect(forward.encode() == pairs.encode())
    #expect(DDSketch(decoding: forward.encode())?.encode() == forward.encode())
    #expect(DDSketch(decoding: forward.encode()) == forward)
  }

  @Test func `empty, single, zero and negative values`() {
    #expect(DDSketch().quantile(0.5) == nil)
    #expect(DDSketch(decoding: DDSketch().encode()) == DDSketch())
    #expect(sketch([7.5]).quantile(0.3) == 7.5)
    #expect(sketch([0, 0, 0]).quantile(0.5) == 0)
    let s = sketch([-100, -1, 0, 1, 100])
    #expect(s.quantile(0) == -100 && s.quantile(1) == 100 && s.quantile(0.5) == 0)
    var refused = DDSketch()
    #expect(!refused.add(.nan) && !refused.add(.infinity) && refused.count == 0)
  }

  @Test func `the variance of a quantile is that of its order statistics`() throws {
    var random = TestRandom(3)
    let s = sketch((0..<20_000).map { _ in 100 + 10 * random.normal() })
    let variance = try #require(s.quantileVariance(0.5))
    // Normal median: pi/2 sigma^2 / n, that is 0.0079; rounding to bins of 2 adds a third of 1.
    #expect(variance >= 0.33 && variance < 1.4)
  }

  @Test func `broken bytes are refused`() {
    let bytes = sketch([1, 2, 3]).encode()
    for cut in 0..<bytes.count { #expect(DDSketch(decoding: Array(bytes[..<cut])) == nil) }
    #expect(DDSketch(decoding: bytes + [0]) == nil)
    #expect(DDSketch(decoding: [9] + bytes.dropFirst()) == nil)
  }
}

@Suite struct `Distinct sketch` {
  @Test func `estimates are within five standard errors from one to a million`() {
    for count in [1, 10, 100, 511, 513, 3000, 12_000, 100_000, 1_000_000] {
      var s = HyperLogLog()
      var random = TestRandom(UInt64(count))
      for _ in 0..<count { s.add(hash: random.next()) }
      #expect(abs(s.estimate / Double(count) - 1) < 5 * 0.0163, "\(count): \(s.estimate)")
    }
    #expect(HyperLogLog().estimate == 0)
  }

  @Test func `values seen again change nothing`() {
    var once = HyperLogLog()
    var twice = HyperLogLog()
    for seed in 0..<2 {
      var random = TestRandom(5)
      for _ in 0..<2000 {
        let hash = random.next()
        twice.add(hash: hash)
        if seed == 0 { once.add(hash: hash) }
      }
    }
    #expect(once.encode() == twice.encode())
  }

  @Test(arguments: [50, 900, 40_000])
  func `merging in any order gives the same bytes`(count: Int) {
    var random = TestRandom(UInt64(count))
    var whole = HyperLogLog()
    var parts = [HyperLogLog](repeating: HyperLogLog(), count: 5)
    for i in 0..<count {
      let hash = random.next()
      whole.add(hash: hash)
      parts[i % 5].add(hash: hash)
    }
    var merged = HyperLogLog()
    for i in [3, 0, 4, 2, 1] { merged.merge(parts[i]) }
    #expect(merged.encode() == whole.encode())
    #expect(HyperLogLog(decoding: whole.encode()) == whole)
  }

  @Test func `broken bytes are refused`() {
    var s = HyperLogLog()
    for i in 1...5 { s.add(hash: UInt64(i) &* 0x9E37_79B9_7F4A_7C15) }
    let bytes = s.encode()
    for cut in 0..<bytes.count { #expect(HyperLogLog(decoding: Array(bytes[..<cut])) == nil) }
    #expect(HyperLogLog(decoding: bytes + [0]) == nil)
  }
}
