import Testing
import WeirData
import WeirEngine
import WeirTesting

@testable import WeirStages

@Suite struct `Stage correlate` {
  private static let stage = """
    { "type": "correlate", "inputs": ["in"], "time": "ts", "by": ["market"],
      "metrics": { "volume": { "count": true } } }
    """

  /// DE has surprises that FR has two days later; JP has its own.
  private static func shards(days: Int = 90, seed: UInt64 = 4) -> [(
    path: String, records: [String]
  )] {
    var random = SeededRandom(seed: 77)
    let news = (0..<(days + 2)).map { _ in random.below(60) }
    return RelationSamples.shards(days: days, markets: ["DE", "FR", "JP"], seed: seed) {
      market, t, random in
      let extra = market == "DE" ? news[t + 2] : market == "FR" ? news[t] : random.below(60)
      let weekend = (t % 7 >= 5) ? 25 : 0
      return RelationSamples.Day(
        count: 45 + weekend + extra, rates: [("V1", 1_000, 100)])
    }
  }

  private func run(
    _ shards: [(path: String, records: [String])], stage: String = stage
  ) async throws -> PipelineOutcome {
    try await RelationSamples.run(stage, tables: ["pairs", "status"], shards)
  }

  @Test func `finds who comes first, and says it plainly`() async throws {
    let outcome = try await run(Self.shards())
    #expect(outcome.problems.sorted.map(\.text) == [])
    #expect(outcome.error == nil)
    let findings = try outcome.lines("findings.jsonl")
    let first = try #require(findings.first)
    #expect(findings.count == 1, "\(findings.map { $0["text"]!["headline"]!.plain })")
    #expect(first["type"] == "lead" && first["direction"] == "up" && first["level"] == "notice")
    #expect(first["series"]!["market"] == "DE")
    #expect(first["series"]!["with"]!["market"] == "FR")
    #expect(first["lag"]!["buckets"] == .int(2))
    #expect(
      first["text"]!["headline"]!.plain.hasPrefix(
        "DE: volume runs 2 days ahead of that of FR (r 0."))
    #expect(first["text"]!["detail"]!.plain.contains("That one causes the other is not said"))
    let pairs = try outcome.text("pairs.csv").split(separator: "\n")
    #expect(pairs.count == 1 + 3)
    #expect(
      pairs[0]
        == "market,metric,with_market,with_metric,lag,lag_lo,lag_hi,r,r_lo,r_hi,r_at_zero,n,n_eff,p,q,finding"
    )
    let status = try outcome.text("status.csv").split(separator: "\n")
    #expect(status.count == 1 + 4 && status.allSatisfy { !$0.contains("insufficient") })
    let page = try outcome.text("report.html")
    #expect(
      page.contains("What moves together") && page.contains("runs 2 days ahead of that of FR"))
  }

  @Test func `makes the same bytes however it is worked`() async throws {
    try await RelationSamples.expectSameBytes(
      Self.stage, tables: ["pairs", "status"], Self.shards())
  }

  /// Fixed seeds; the larger simulation is in Benchmarks/ACCURACY.md.
  @Test func `finds nothing where nothing hangs together`() async throws {
    var found = 0
    for seed in 1...6 {
      let shards = RelationSamples.shards(
        days: 60, markets: ["A", "B", "C", "D", "E", "F"], seed: UInt64(seed)
      ) { _, t, random in
        RelationSamples.Day(
          count: 20 + (t % 7 >= 5 ? 15 : 0) + random.below(15), rates: [("V1", 1_000, 300)])
      }
      let outcome = try await run(
        shards,
        stage: """
          { "type": "correlate", "inputs": ["in"], "time": "ts", "by": ["market"],
            "across": ["market", "metric"],
            "metrics": { "volume": { "count": true },
                         "rate": { "rate": "decision == 'violation'" } } }
          """)
      found += try outcome.lines("findings.jsonl").count
    }
    #expect(found <= 1, "\(found) findings in 6 reports")
  }

  @Test func `says why a series is left out`() async throws {
    let short = try await run(Self.shards(days: 20))
    #expect(try short.lines("findings.jsonl").isEmpty)
    let status = try short.text("status.csv")
    #expect(status.contains("insufficient_history"))
    #expect(try short.text("report.html").contains("Not tested"))
  }

  @Test(
    arguments: [
      (#""across": ["queue"]"#, "unknown_field"), (#""across": []"#, "no_pairs"),
      (#""across": ["metric"]"#, "no_pairs"), (#""bucket": "1h""#, "bad_bucket"),
      (#""by": []"#, "bad_group"), (#""by": ["market", "market"]"#, "duplicate_field"),
      (#""max_lag": 31"#, "out_of_range"),
    ])
  func `refuses options that make no sense`(option: String, code: String) async throws {
    let by = option.hasPrefix(#""by""#) ? "" : #""by": ["market"], "#
    let stage = """
      { "type": "correlate", "inputs": ["in"], "time": "ts", \(by)\(option),
        "metrics": { "volume": { "count": true } } }
      """
    let outcome = try await run(Self.shards(days: 1), stage: stage)
    let codes = outcome.problems.sorted.filter { $0.severity == .error }.map(\.code)
    #expect(codes.contains(code), "\(codes)")
  }

  @Test func `each market has the days of its own zone`() async throws {
    let stage = """
      { "type": "correlate", "inputs": ["in"], "time": "ts", "by": ["market"],
        "zones": { "by": "market", "names": { "DE": "Europe/Berlin", "FR": "Europe/London" } },
        "metrics": { "volume": { "count": true } } }
      """
    let outcome = try await run(Self.shards(), stage: stage)
    #expect(outcome.problems.sorted.map(\.text) == [] && outcome.error == nil)
    let first = try #require(outcome.lines("findings.jsonl").first)
    #expect(first["series"]!["market"] == "DE" && first["series"]!["zone"] == "Europe/Berlin")
    #expect(first["series"]!["with"]!["zone"] == "Europe/London")
    // Berlin begins a day in front of UTC.
    #expect(first["window"]!["from"] == "2026-09-07" && first["lag"]!["buckets"] == .int(2))
    let same = stage.split(separator: "\n").filter { !$0.contains("zones") }.joined()
    let plain = try await run(Self.shards(), stage: same)
    #expect(try plain.text("pairs.csv") != outcome.text("pairs.csv"))
  }

  @Test func `refuses more pairs than it may have`() async throws {
    let stage = """
      { "type": "correlate", "inputs": ["in"], "time": "ts", "by": ["market"], "max_pairs": 2,
        "metrics": { "volume": { "count": true } } }
      """
    let outcome = try await run(Self.shards(days: 40), stage: stage)
    #expect((outcome.error as? RunError)?.code == "too_many_pairs")
  }
}

extension PipelineOutcome {
  struct NoFile: Error {}

  func text(_ path: String) throws -> String {
    guard let bytes = outputs.first(where: { $0.key.hasSuffix(path) })?.value else {
      throw NoFile()
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  func lines(_ path: String) throws -> [JSONValue] {
    try text(path).split(separator: "\n").compactMap { JSONValue(parsing: String($0)) }
  }
}
