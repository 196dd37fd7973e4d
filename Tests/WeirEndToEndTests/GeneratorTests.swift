import Foundation
import Testing
import WeirData

@testable import weir_bench

@Suite struct `The generator of decisions` {
  /// What `data-samples/decisions` was made with.
  private static func sample(rows: Int = 40_000, days: Int = 56) throws -> weir_bench.Calendar {
    let start = try #require(CivilDate(iso: "2026-09-27"))
    return weir_bench.Calendar(start: start, days: days, rows: rows)
  }

  @Test func `draws what SplitMix64 draws`() {
    var stream = RandomStream(seed: 1_234_567)
    // The first values that the authors' reference code gives for this seed.
    let expected: [UInt64] = [
      6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
    ]
    #expect(expected.map { _ in stream.next() } == expected)
  }

  @Test(arguments: [1e-300, 1e-9, 0.1, 0.5, 0.999, 1, 1.001, 2, 9.6, 12_345.678, 1e300])
  func `has a logarithm close to that of the system`(x: Double) {
    #expect(abs(portableLog(x) - log(x)) <= 4 * max(log(x).magnitude.ulp, 1e-16))
  }

  @Test(arguments: [-600, -16, -1, -0.3, 0, 1e-9, 0.3, 1, 9.6, 600.0])
  func `has an exponential close to that of the system`(x: Double) {
    #expect(abs(portableExp(x) / exp(x) - 1) < 2e-15)
  }

  @Test(arguments: [0.2, 7, 40.5])
  func `draws counts with the mean and variance of a Poisson distribution`(mean: Double) {
    var stream = RandomStream(seed: 11)
    let draws = (0..<20_000).map { _ in Double(stream.poisson(mean)) }
    let seen = draws.reduce(0, +) / 20_000
    let variance = draws.reduce(0) { $0 + ($1 - seen) * ($1 - seen) } / 20_000
    // Five standard errors of each.
    #expect(abs(seen - mean) < 5 * (mean / 20_000).squareRoot())
    #expect(abs(variance - mean) < 5 * ((2 * mean * mean + mean) / 20_000).squareRoot())
  }

  @Test func `plants ten changes in ten markets that stand clear of the noise`() throws {
    let calendar = try Self.sample()
    let effects = try Effects.standard(calendar: calendar)
    #expect(effects.list.count == 10)
    #expect(Set(effects.list.map { $0.market }).count == 10)
    for effect in effects.list {
      let oracle = Oracle(effect, among: effects, calendar: calendar)
      #expect(oracle.z >= 8, "\(effect.name) has z = \(oracle.z)")
    }
  }

  @Test func `gives the z of a two-sample test for a small shift`() throws {
    let calendar = try Self.sample()
    let entry = EffectEntry(
      type: .shift, metric: .violationRate, market: "US", queue: "live_nudity", day: 28, size: 0.02)
    let effects = try Effects(entries: [entry], calendar: calendar)
    let oracle = Oracle(effects.list[0], among: effects, calendar: calendar)
    // Rate 0.18, then 0.20, as many records before as after.
    let n = oracle.recordsBefore
    #expect(abs(n / oracle.recordsDuring - 1) < 1e-9)
    #expect(abs(oracle.z - 0.02 / (0.19 * 0.81 * 2 / n).squareRoot()) < 0.01)
  }

  @Test func `writes the same bytes twice and says what it wrote`() throws {
    let calendar = try Self.sample(rows: 3_000, days: 14)
    let options = GeneratorOptions(
      calendar: calendar, shards: 7, seed: 3, duplicates: 0.1, malformed: 0.01, level: 1,
      noteWords: 5)
    let effects = try Effects.standard(calendar: calendar)
    var written: [[Data]] = []
    for _ in 0..<2 {
      let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: folder) }
      var generator = Generator(options: options, effects: effects, directory: folder.path)
      let truth = try generator.run()
      #expect(truth.lines == truth.unique + truth.duplicates + truth.malformedTotal)
      #expect(truth.series.reduce(0) { $0 + $1.records.reduce(0, +) } == truth.unique)
      #expect(abs(Double(truth.unique) - 3_000) < 300)
      #expect(truth.redelivered > 0 && truth.revisedOutOfOrder > 0 && truth.laterShard > 0)
      let shards = try (0..<7).map { index in
        let date = calendar.date(2 * index).iso
        return try Data(
          contentsOf: folder.appendingPathComponent("date=\(date)/part-00000.jsonl.zst"))
      }
      written.append(shards)
    }
    #expect(written[0] == written[1])
  }

  @Test func `cuts queues into numbered parts of about the same size`() {
    let whole = QueueParts(wanted: nil, seed: 7)
    #expect(whole.total == World.seriesCount)
    #expect(whole.suffix(0).isEmpty)
    #expect(whole.part(ofDecision: 12, series: 3) == 0)

    let cut = QueueParts(wanted: 2_000, seed: 7)
    #expect(abs(cut.total - 2_000) < 50)
    #expect(cut.suffix(0) == "_0001")
    let nudity = World.series(market: 0, queue: 3)
    let parts = cut.all(ofSeries: nudity).count
    #expect(abs(Double(parts) / 2_000 - 68 / World.totalPerDay) < 0.001)
    let drawn = Set((1...20_000).map { cut.part(ofDecision: $0, series: nudity) })
    #expect(drawn == Set(0..<parts))
  }

  @Test func `refuses an effect that cannot be`() throws {
    let calendar = try Self.sample()
    func entry(_ market: String, day: Int, size: Double) -> EffectEntry {
      EffectEntry(
        type: .spike, metric: .violationRate, market: market, queue: "live_scam", day: day,
        size: size)
    }
    for wrong in [
      entry("XX", day: 3, size: 0.1), entry("US", day: 56, size: 0.1),
      entry("US", day: 3, size: 0.9), entry("US", day: 3, size: -0.1),
    ] {
      #expect(throws: EffectError.self) { try Effects(entries: [wrong], calendar: calendar) }
    }
  }
}
