import Testing
import WeirData
import WeirStatistics
import WeirTesting

@testable import WeirEngine
@testable import WeirStages

/// Rows that are already aggregated as the input of `trend`.
@Suite struct TrendAggregatedTests {
  static let fields = [
    "day": "timestamp", "market": "string?", "queue": "any?", "decisions": "number?",
    "violations": "any?", "ms": "number?", "ms2": "number?", "timed": "int?", "vendor": "string?",
    "final": "bool?",
  ]

  static func spec(_ more: String = "") -> String {
    """
    { "type": "trend", "inputs": ["a"], "time": "day", "by": ["market", "queue"]\(more),
      "metrics": {
        "volume": { "counted": "decisions" },
        "violation_rate": { "numerator": "violations", "denominator": "decisions" },
        "handle_ms": { "sum": "ms", "sumsq": "ms2", "n": "timed" } } }
    """
  }

  private static let raw = """
    { "type": "trend", "inputs": ["a"], "time": "ts", "by": ["market", "queue"],
      "metrics": {
        "volume": { "count": true },
        "violation_rate": { "rate": "decision == 'violation'" },
        "handle_ms": { "mean": "handle_ms" } } }
    """

  /// What the records of a shard come to, a line for each group.
  private func aggregated(_ shard: [String]) throws -> [String] {
    struct Sum {
      var count = 0
      var violations = 0
      var ms = 0
      var squares = 0
    }
    var sums: [String: Sum] = [:]
    var day = ""
    for line in shard {
      let record = try #require(JSONValue(parsing: line))
      func text(_ key: String) -> String { record[key]?.plain ?? "" }
      day = String(text("ts").prefix(10))
      let ms = Int(text("handle_ms")) ?? 0
      var sum = sums[text("market") + "/" + text("queue"), default: Sum()]
      sum.count += 1
      sum.violations += text("decision") == "violation" ? 1 : 0
      sum.ms += ms
      sum.squares += ms * ms
      sums[text("market") + "/" + text("queue")] = sum
    }
    return sums.keys.sorted().map { key in
      let parts = key.split(separator: "/")
      let sum = sums[key] ?? Sum()
      return Self.row(
        day, String(parts[0]), String(parts[1]), sum.count, sum.violations,
        #","ms":\#(sum.ms),"ms2":\#(sum.squares),"timed":\#(sum.count)"#)
    }
  }

  private static func row(
    _ day: String, _ market: String, _ queue: String, _ count: Int, _ violations: Int,
    _ more: String = ""
  ) -> String {
    #"{"day":"\#(day)T00:00:00Z","market":"\#(market)","queue":"\#(queue)","decisions":\#(count),"violations":\#(violations)\#(more)}"#
  }

  @Test func `finds what it finds in the records themselves`() throws {
    let shards = TrendExample.shards()
    let whole = try TrendBench(Self.raw).run(shards)
    let rows = try shards.map(aggregated)
    let table = try TrendBench(Self.spec(), fields: Self.fields).run(rows)
    #expect(table.refused == [] && table.recordCount == rows.reduce(0) { $0 + $1.count })
    #expect(whole.findings.findings.count > 3)
    func said(_ outcome: TrendOutcome) -> [String] {
      outcome.findings.findings.map { finding in
        [
          "finding_id", "level", "type", "direction", "series", "anchor", "window", "baseline",
          "observed", "impact", "rank",
        ]
        .map { finding[$0]?.text ?? "-" }.joined(separator: " ")
      }
    }
    #expect(said(table) == said(whole))
    #expect(try table.detail.texts.map(\.headline) == whole.detail.texts.map(\.headline))
    // Of a mean a table does not say how skew the records are: its p may be larger.
    func known(_ outcome: TrendOutcome) -> [[JSONValue]] {
      outcome.status.rows.map { row in
        zip(outcome.status.columns, row).filter { column, _ in
          column != "q" && (column != "p" || !row.contains("mean"))
        }.map(\.1)
      }
    }
    #expect(known(table) == known(whole))
    #expect(Array(table.series.rows) == Array(whole.series.rows))
  }

  @Test func `rows of one group and day are added up, in any cut`() throws {
    let bench = try TrendBench(Self.spec(#", "segments": ["vendor"]"#), fields: Self.fields)
    var random = SeededRandom(seed: 5)
    let lines = (0..<30).flatMap { day in
      (0..<6).map { part in
        Self.row(
          TrendExample.date(day), "DE", "q", 100 + random.below(40), random.below(60),
          #","ms":\#(1000 + random.below(9)),"ms2":500000,"timed":4,"vendor":"V\#(part % 2)""#)
      }
    }
    let one = try bench.run([lines])
    #expect(one.refused == [] && one.recordCount == 180)
    let many = try bench.run(
      stride(from: 0, to: 180, by: 7).map { Array(lines[$0..<min(180, $0 + 7)]) })
    #expect(one.bytes == many.bytes)
    let sum = lines[..<6].reduce(0) { total, line in
      total + (Int(JSONValue(parsing: line)?["decisions"]?.plain ?? "") ?? 0)
    }
    #expect(one.column("n", ["DE", "q"], "volume")[0] == "\(sum)")
    #expect(one.column("n", ["DE", "q"], "handle_ms")[0] == "24")
  }

  @Test func `a flag opens its bucket, and nothing is guessed beside it`() throws {
    let bench = try TrendBench(Self.spec(#", "complete": "final""#), fields: Self.fields)
    let rows = (0..<20).map { day in
      Self.row(
        TrendExample.date(day), "DE", "q", 100, 20,
        day == 19 ? #","final":false"# : day == 7 ? #","final":false"# : #","final":true"#)
    }
    let states = try bench.run([rows]).column("state", ["DE", "q"], "volume")
    let open = states.indices.filter { states[$0] == "open" }
    #expect(open == [7, 19] && states.count { $0 == "closed" } == 18)
  }

  @Test func `a row of zeros is no missing day`() throws {
    let bench = try TrendBench(Self.spec(), fields: Self.fields)
    let rows = (0..<20).filter { $0 != 12 }.map {
      Self.row(TrendExample.date($0), "DE", "q", $0 == 9 ? 0 : 100, 0)
    }
    let outcome = try bench.run([rows])
    let states = outcome.column("state", ["DE", "q"], "volume")
    #expect(states[9] == "zero" && states[12] == "missing")
    #expect(outcome.column("value", ["DE", "q"], "volume")[9] == "0")
    #expect(outcome.recordCount == 19)
  }

  @Test(arguments: [
    (#""decisions":null,"violations":1"#, "missing_count decisions"),
    (#""decisions":1.5,"violations":1"#, "bad_count decisions"),
    (#""decisions":-1,"violations":0"#, "bad_count decisions"),
    (#""decisions":1e30,"violations":0"#, "bad_count decisions"),
    (#""decisions":5,"violations":6"#, "numerator_too_large violations"),
    (#""decisions":5,"violations":"5""#, "wrong_type violations"),
    (#""decisions":5,"violations":5,"timed":2,"ms":10"#, "missing_sum ms2"),
    (#""decisions":5,"violations":5,"timed":2,"ms":10,"ms2":10"#, "bad_squares ms2"),
    (#""decisions":5,"violations":5,"timed":-2,"ms":10,"ms2":100"#, "bad_count timed"),
    (#""decisions":5,"violations":5,"timed":2,"ms":10,"ms2":50"#, ""),
    (#""decisions":5,"violations":5,"timed":0"#, ""),
  ])
  func `refuses numbers that cannot be counts`(_ numbers: String, _ refusal: String) throws {
    let bench = try TrendBench(Self.spec(), fields: Self.fields)
    var refused: [String] = []
    _ = bench.partial(
      [#"{"day":"2026-09-07T00:00:00Z","market":"DE","queue":"q",\#(numbers)}"#], refused: &refused)
    #expect(refused == (refusal.isEmpty ? [] : [refusal]))
  }

  @Test func `a partial is read back, and damage is refused`() throws {
    let bench = try TrendBench(Self.spec(#", "complete": "final""#), fields: Self.fields)
    var refused: [String] = []
    let rows = (0..<9).map {
      Self.row(TrendExample.date($0 / 3), "DE", "q\($0 % 3)", $0, 0, #","final":false"#)
    }
    var blocks = ByteReader(bench.partial(rows, refused: &refused))
    let block = blocks.block()
    let bytes = try #require(block)
    func merge(_ bytes: [UInt8]) throws -> TrendState {
      let state = TrendState(bench.stage.rules.shape, bench.stage.rules.clock)
      try state.merge(encoded: bytes)
      return state
    }
    #expect(try merge(bytes).encode() == bytes && merge(bytes).recordCount == 9)
    for count in bytes.indices {
      #expect(throws: RunError.self) { try merge(Array(bytes.prefix(count))) }
    }
    var random = SeededRandom(seed: 2)
    for i in bytes.indices {
      var damaged = bytes
      damaged[i] = UInt8(random.below(256))
      _ = try? merge(damaged)
    }
  }

  @Test func `records and rows do not mix`() {
    let error = #expect(throws: TrendBench.Refused.self) {
      try TrendBench(
        Self.spec().replacing(
          #""volume": { "counted": "decisions" }"#, with: #""volume": { "count": true }"#),
        fields: Self.fields)
    }
    #expect(error?.codes == ["mixed_metrics"])
    let flag = #expect(throws: TrendBench.Refused.self) {
      try TrendBench(Self.spec(#", "complete": "decisions""#), fields: Self.fields)
    }
    #expect(flag?.codes == ["wrong_type"])
  }
}
