import Testing
import WeirData
import WeirEngine
import WeirTesting

@testable import WeirStages

@Suite struct `Stage compare` {
  /// DE and FR with two vendors; from day 28 on V2 of DE calls twice as much a violation.
  private static func shards(days: Int = 56, seed: UInt64 = 5) -> [(
    path: String, records: [String]
  )] {
    RelationSamples.shards(days: days, markets: ["DE", "FR"], seed: seed) { market, t, random in
      let isNew = market == "DE" && t >= 28
      return RelationSamples.Day(
        count: 90 + random.below(30),
        rates: [("V1", 600, 100), ("V2", 400, isNew ? 300 : 100)])
    }
  }

  private static let periods = """
    { "type": "compare", "inputs": ["in"], "time": "ts", "by": ["market"], "segments": ["vendor"],
      "periods": [ { "name": "before", "from": "2026-09-07", "to": "2026-10-04" },
                   { "name": "after", "from": "2026-10-05", "to": "latest" } ],
      "metrics": { "violation_rate": { "rate": "decision == 'violation'" }, "volume": { "count": true } } }
    """

  private func run(
    _ shards: [(path: String, records: [String])], _ stage: String = periods
  ) async throws -> PipelineOutcome {
    try await RelationSamples.run(stage, tables: ["comparisons"], shards)
  }

  @Test func `finds what differs between two periods, and who carries it`() async throws {
    let outcome = try await run(Self.shards())
    #expect(outcome.problems.sorted.map(\.text) == [] && outcome.error == nil)
    let findings = try outcome.lines("findings.jsonl")
    let headlines = findings.map { $0["text"]!["headline"]!.plain }
    // DE, and the total of both.
    #expect(findings.count == 2, "\(headlines)")
    let first = try #require(findings.first { $0["series"]!["market"] == "DE" })
    #expect(first["type"] == "difference" && first["direction"] == "up")
    #expect(first["series"]!["between"]!.text == #"{"field":null,"a":"before","b":"after"}"#)
    #expect(first["text"]!["headline"]!.plain.hasPrefix("DE: violation rate rose from "))
    let detail = first["text"]!["detail"]!.plain
    #expect(detail.contains("vendor V2 carries"), "\(detail)")
    #expect(detail.contains("before is 7 Sep 2026 to 4 Oct 2026"), "\(detail)")
    let explain = first["explain"]!
    #expect(explain["dimension"] == "vendor" && explain["simpson"] == false)
    let (effect, parts) = (first["effect"]!["abs"]!, explain["dimensions"]!)
    #expect(effect != .null && parts.text.contains("rate_effect"))
    let rows = try outcome.text("comparisons.csv").split(separator: "\n")
    // Two markets and both together, two metrics.
    #expect(rows.count == 1 + 6)
    #expect(rows[0].hasPrefix("market,metric,kind,a,b,status,a_value,a_lo,a_hi,a_k,a_n,a_buckets,"))
    let page = try outcome.text("report.html")
    #expect(page.contains("What differs") && page.contains("rose from"))
  }

  @Test func `compares the values of a field, each with the rest and with the first`() async throws
  {
    func stage(_ options: String) -> String {
      """
      { "type": "compare", "inputs": ["in"], "time": "ts", "field": "vendor", \(options)
        "metrics": { "rate": { "rate": "decision == 'violation'" } } }
      """
    }
    let shards = RelationSamples.shards(days: 30, markets: ["DE"], seed: 3) { _, _, random in
      RelationSamples.Day(
        count: 150 + random.below(30),
        rates: [("V1", 400, 100), ("V2", 300, 100), ("V3", 300, 180)])
    }
    let pairs = try await run(shards, stage(""))
    #expect(pairs.error == nil && pairs.problems.sorted.isEmpty)
    let headlines = try pairs.lines("findings.jsonl").map { $0["text"]!["headline"]!.plain }
    #expect(headlines.count == 2, "\(headlines)")
    #expect(headlines.allSatisfy { $0.contains("at vendor V3") })
    #expect(try pairs.text("comparisons.csv").split(separator: "\n").count == 1 + 3)
    let rest = try await run(shards, stage(#""against": "rest","#))
    let loud = try #require(try rest.lines("findings.jsonl").first)
    #expect(loud["text"]!["headline"]!.plain.contains("at all other vendors"))
    #expect(loud["series"]!["between"]!.text == #"{"field":"vendor","a":"*","b":"V3"}"#)
    let only = try await run(shards, stage(#""against": "first", "values": ["V2", "V1"],"#))
    #expect(try only.lines("findings.jsonl").isEmpty)
    #expect(try only.text("comparisons.csv").split(separator: "\n").count == 1 + 1)
    #expect(try only.text("report.html").contains("Nothing that is more than chance"))
  }

  @Test func `tells a change of mix from a change of rates, and says Simpson's reversal`()
    async throws
  {
    // Both vendors fall by a fifth, but the strict one gets most of the work.
    let shards = RelationSamples.shards(days: 56, markets: ["DE"], seed: 8) { _, t, random in
      RelationSamples.Day(
        count: 200 + random.below(20),
        rates: t < 28
          ? [("strict", 200, 400), ("mild", 800, 100)] : [("strict", 800, 320), ("mild", 200, 80)])
    }
    let outcome = try await run(shards)
    let finding = try #require(
      try outcome.lines("findings.jsonl").first { $0["series"]!["metric"] == "violation_rate" })
    #expect(finding["direction"] == "up")
    let field = finding["explain"]!["dimensions"]!.text
    #expect(field.contains(#""simpson":true"#), "\(field)")
    #expect(
      finding["text"]!["detail"]!.plain.contains(
        "Within every vendor the rate differs the other way"))
  }

  @Test func `makes the same bytes however it is worked`() async throws {
    try await RelationSamples.expectSameBytes(
      Self.periods, tables: ["comparisons"], Self.shards())
  }

  /// Fixed seeds; the larger simulation is in Benchmarks/ACCURACY.md.
  @Test func `finds nothing where nothing differs`() async throws {
    var found = 0
    for seed in 1...6 {
      let shards = RelationSamples.shards(
        days: 28, markets: ["A", "B", "C", "D", "E", "F"], seed: UInt64(40 + seed)
      ) { _, t, random in
        RelationSamples.Day(
          count: 20 + (t % 7 >= 5 ? 15 : 0) + random.below(15),
          rates: [("V1", 1_000, 150 + random.below(100))])
      }
      let outcome = try await run(
        shards,
        """
        { "type": "compare", "inputs": ["in"], "time": "ts", "field": "market",
          "metrics": { "volume": { "count": true }, "rate": { "rate": "decision == 'violation'" } } }
        """)
      found += try outcome.lines("findings.jsonl").count
    }
    #expect(found <= 1, "\(found) findings in 6 reports of 30 comparisons")
  }

  @Test(
    arguments: [
      ("", "what_to_compare"),
      (#""field": "market", "periods": [],"#, "what_to_compare"),
      (#""periods": [{"name": "a", "from": "2026-09-01", "to": "2026-09-07"}],"#, "bad_periods"),
      (
        #""periods": [{"name": "a", "from": "2026-09-01", "to": "2026-09-07"}, {"name": "b", "from": "2026-09-07", "to": "latest"}],"#,
        "periods_overlap"
      ),
      (
        #""periods": [{"name": "a", "from": "2026-09-01", "to": "latest"}, {"name": "b", "from": "2026-09-07", "to": "latest"}],"#,
        "periods_overlap"
      ),
      (
        #""periods": [{"name": "a", "from": "2026-09-05", "to": "2026-09-01"}, {"name": "b", "from": "2026-09-07", "to": "latest"}],"#,
        "bad_period"
      ),
      (
        #""periods": [{"name": "a", "from": "2026-09-01", "to": "2026-09-02"}, {"name": "a", "from": "2026-09-07", "to": "latest"}],"#,
        "duplicate_name"
      ),
      (#""field": "market", "against": "first","#, "too_few_values"),
      (#""field": "market", "values": ["DE"],"#, "too_few_values"),
      (#""field": "market", "values": ["DE", "DE"],"#, "duplicate_value"),
      (#""field": "market", "by": ["market"],"#, "duplicate_field"),
      (#""field": "market", "by": ["queue", "vendor", "decision"],"#, "bad_group"),
    ])
  func `refuses options that make no sense`(options: String, code: String) async throws {
    let stage = """
      { "type": "compare", "inputs": ["in"], "time": "ts", \(options)
        "metrics": { "volume": { "count": true } } }
      """
    let outcome = try await run(Self.shards(days: 1), stage)
    let codes = outcome.problems.sorted.filter { $0.severity == .error }.map(\.code)
    #expect(codes.contains(code), "\(codes)")
  }

  @Test(arguments: [false, true])
  func `names the records behind a difference`(byField: Bool) async throws {
    let shards = Self.shards()
    let stage = """
      { "type": "compare", "inputs": ["in"], "time": "ts", "field": "market", "segments": ["vendor"],
        "metrics": { "violation_rate": { "rate": "decision == 'violation'" } } }
      """
    let outcome = try await run(shards, byField ? stage : Self.periods)
    let found = try outcome.lines("findings.jsonl")
    let first = try #require(
      found.first {
        byField || $0["series"]!["market"] == "DE" && $0["series"]!["metric"] == "violation_rate"
      })
    let isUp = first["direction"] == "up"
    guard case .array(let evidence)? = first["evidence"] else {
      Issue.record("no evidence")
      return
    }
    #expect(evidence.count { $0["role"] == "exemplar" } == 10 && evidence.count == 15)
    for entry in evidence {
      let (day, line) = (Int(entry["shard"]!.plain.prefix(3))!, Int(entry["line"]!.plain)!)
      let (record, isExemplar) = (shards[day].records[line - 1], entry["role"] == "exemplar")
      #expect(record.contains("violation") == isUp)
      #expect(record.contains("\"V2\""), "\(entry.text) \(record)")
      let before = shards[day].records.prefix(line - 1).reduce(0) { $0 + $1.utf8.count + 1 }
      #expect(entry["byte_offset"] == .int(before))
      if byField {
        let market = first["series"]!["between"]![isExemplar ? "b" : "a"]!.plain
        #expect(record.contains("\"\(market)\"") && entry["why"]!.plain.hasSuffix("of \(market)"))
      } else {
        #expect(record.contains("\"DE\"") && (day >= 28) == isExemplar)
        #expect(entry["why"]!.plain.hasSuffix(isExemplar ? "of after" : "of before"))
      }
    }
    let page = try outcome.text("report.html")
    #expect(page.contains("Evidence: 10 records of what is compared and 5 controls"))
    #expect(page.contains("weir evidence \(first["finding_id"]!.plain)"))
  }

  @Test(arguments: [false, true])
  func `each market has the days of its own zone`(byField: Bool) async throws {
    let zones = #""zones": { "by": "market", "names": { "DE": "Europe/Berlin" } },"#
    let sides =
      byField
      ? #""field": "market","#
      : #""by": ["market"], "periods": [{"name": "before", "from": "2026-09-08", "to": "2026-10-04"}, {"name": "after", "from": "2026-10-05", "to": "latest"}],"#
    let stage = """
      { "type": "compare", "inputs": ["in"], "time": "ts", \(sides) \(zones)
        "metrics": { "violation_rate": { "rate": "decision == 'violation'" } } }
      """
    let outcome = try await run(Self.shards(), stage)
    #expect(outcome.problems.sorted.map(\.text) == [] && outcome.error == nil)
    let found = try outcome.lines("findings.jsonl")
    let zone = found.first.map { $0["series"]!["zone"]!.plain }
    #expect(zone == (byField ? "local" : "Europe/Berlin"), "\(found)")
  }

  @Test func `says why a comparison was not made`() async throws {
    let outcome = try await run(Self.shards(days: 30))
    // The second period has two days.
    let table = try outcome.text("comparisons.csv")
    #expect(table.contains("insufficient_history"))
    #expect(try outcome.lines("findings.jsonl").isEmpty)
    #expect(try outcome.text("report.html").contains("too few complete buckets on a side"))
  }
}
