import Testing
import WeirData
import WeirStatistics
import WeirTesting

@testable import WeirEngine
@testable import WeirStages

@Suite struct `Trends and what carried them` {
  static let spec = """
    { "type": "trend", "inputs": ["a"], "time": "ts", "by": ["market", "queue"],
      "segments": ["moderator_id"],
      "metrics": { "violation_rate": { "rate": "decision == 'violation'" },
                   "handle_ms_p95": { "quantile": 0.95, "of": "handle_ms" },
                   "handle_ms_mean": { "mean": "handle_ms" } } }
    """

  /// In DE / hate the violations of vendor v2 double on day 35.
  static func shards(days: Int = 56) -> [[String]] {
    var random = SeededRandom(seed: 5)
    return (0..<days).map { day in
      var lines: [String] = []
      for market in ["DE", "FR"] {
        for i in 0..<240 {
          let vendor = "v\(random.below(4))"
          let rate = market == "DE" && vendor == "v2" && day >= 35 ? 60 : 20
          let hour = i == 0 ? 0 : i == 239 ? 23 : random.below(24)
          lines.append(
            TrendExample.line(
              day, "\(hour < 10 ? "0" : "")\(hour):10:00", market: market, queue: "hate",
              decision: random.below(100) < rate ? "violation" : "approve",
              handle: 500 + random.below(4_000), moderator: vendor))
        }
      }
      return lines
    }
  }

  @Test func `names the vendor that carries a shift`() throws {
    let outcome = try TrendBench(Self.spec).run(Self.shards())
    let found = outcome.findings.findings.filter {
      $0["series"]!["market"]!.plain == "DE" && $0["series"]!["metric"]!.plain == "violation_rate"
        && $0["type"]!.plain == "shift"
    }
    let shift = try #require(found.first)
    let explain = try #require(shift["explain"])
    #expect(explain["dimension"]?.plain == "moderator_id")
    #expect(explain["simpson"] == .bool(false))
    guard case .array(let contributors)? = explain["contributors"] else {
      Issue.record("no contributors")
      return
    }
    #expect(contributors.first?["value"]?.plain == "v2")
    #expect(contributors.count == 4)
    let detail = shift["text"]!["detail"]!.plain
    #expect(detail.contains("moderator id v2 carries"), "\(detail)")
  }

  @Test func `has the same bytes however the records are dealt to shards`() throws {
    let bench = try TrendBench(Self.spec)
    let shards = Self.shards()
    let whole = try bench.run(shards)
    #expect(try bench.run([shards.flatMap { $0 }]).bytes == whole.bytes)
    #expect(try bench.run(shards.reversed()).findings.findings == whole.findings.findings)
  }

  @Test func `refuses records whose segment is no value`() throws {
    let bench = try TrendBench(Self.spec)
    var refused: [String] = []
    let line =
      #"{"ts":"2026-09-07T23:30:00Z","market":"DE","queue":"a","day":"d","moderator_id":[1]}"#
    _ = bench.partial([line], refused: &refused)
    #expect(refused == ["wrong_type moderator_id"])
  }

  @Test func `refuses a segment that is named twice or groups already`() {
    for fields in [#"["market"]"#, #"["moderator_id", "moderator_id"]"#] {
      let spec = Self.spec.replacing(#"["moderator_id"]"#, with: fields)
      let error = #expect(throws: TrendBench.Refused.self) { _ = try TrendBench(spec) }
      #expect(error?.codes == ["duplicate_field"], "\(fields)")
    }
  }

  @Test func `a damaged block of segments is refused`() throws {
    let bench = try TrendBench(Self.spec)
    var refused: [String] = []
    let good = bench.partial(Self.shards(days: 2).flatMap { $0 }, refused: &refused)
    #expect(throws: RunError.self) { _ = try bench.finish([Array(good.dropLast(3))]) }
  }

  @Test func `a first day that begins late is not compared`() throws {
    var shards = Self.shards()
    shards[0] = shards[0].filter { line in
      (14...23).contains { line.contains("T\($0):") }
    }
    let outcome = try TrendBench(Self.spec).run(shards)
    #expect(outcome.column("state", ["DE", "hate"], "violation_rate").first == "partial")
    #expect(try outcome.detail.hasPartialStart)
    let whole = try TrendBench(Self.spec).run(Self.shards())
    #expect(whole.column("state", ["DE", "hate"], "violation_rate").first == "closed")
    #expect(try !whole.detail.hasPartialStart)
  }
}
