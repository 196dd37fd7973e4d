import Testing
import WeirData
import WeirTesting

@testable import WeirEngine
@testable import WeirStages

private let fields = """
  {"market": "string?", "queue": "string?", "ts": "timestamp?", "decision": "string",
   "handle_ms": "int?", "score": "number?", "moderator": "string?", "flag": "bool?"}
  """

private func aggregate(
  _ metrics: String, by: String = "[]", time: String = "", zone: String? = nil
) throws -> PlannedPipeline {
  var problems = Problems()
  let planned = PlannedPipeline(
    fields: fields,
    transform: """
      {"type": "aggregate", "inputs": ["in"], "by": \(by), \(time) "metrics": {\(metrics)}}
      """, zone: zone, &problems)
  return try #require(planned, "\(problems.sorted.map(\.text))")
}

private func line(
  market: String? = "DE", ts: String? = "2026-10-04T07:05:09Z", decision: String = "allow",
  handleMs: Int64? = nil, score: Double? = nil, moderator: String? = nil
) -> String {
  func text(_ value: String?) -> JSONValue { value.map { .text($0) } ?? .null }
  return JSONValue.object([
    JSONMember("market", text(market)), JSONMember("ts", text(ts)),
    JSONMember("decision", .text(decision)),
    JSONMember("handle_ms", handleMs.map { .int($0) } ?? .null),
    JSONMember("score", score.map { .number($0) } ?? .null),
    JSONMember("moderator", text(moderator)),
  ]).text
}

private func texts(_ table: RowTable) -> [String] {
  table.rows.map { row in row.map(\.text).joined(separator: " ") }
}

@Suite struct TransformAggregateTests {
  @Test func `the manual of the stage has no fault`() {
    #expect(StageRegistry([JSONLSource.self, Aggregate.self, CSVSink.self]).faults() == [])
  }

  @Test func `computes every metric over the values that are not null`() throws {
    let planned = try aggregate(
      """
      "n": {"count": true}, "violations": {"count": "decision == 'violation'"},
      "rate": {"rate": "decision == 'violation'"}, "sum": {"sum": "handle_ms"},
      "mean": {"mean": "handle_ms"}, "double": {"sum": "handle_ms + 1"}, "score": {"mean": "score"},
      "p50": {"quantile": 0.5, "of": "handle_ms"}, "moderators": {"distinct": "moderator"},
      "first": {"min": "ts"}, "last": {"max": "moderator"}, "low": {"min": "score"},
      "high": {"max": "handle_ms"}
      """)
    let table = try planned.rows([
      [
        line(decision: "violation", handleMs: 100, score: 0.5, moderator: "b"),
        line(ts: "2026-10-03T00:00:00.5Z", handleMs: 300, score: -0.25, moderator: "a"),
      ]
    ])
    #expect(
      table.columns == [
        "n", "violations", "rate", "sum", "mean", "double", "score", "p50", "moderators", "first",
        "last", "low", "high",
      ])
    #expect(
      texts(table) == [
        #"2 1 0.5 400 200 402 0.125 100 2 "2026-10-03T00:00:00.500Z" "b" -0.25 300"#
      ])
  }

  @Test func `a group without values has null metrics`() throws {
    let planned = try aggregate(
      """
      "n": {"count": true}, "sum": {"sum": "handle_ms"}, "mean": {"mean": "score"},
      "q": {"quantile": 0.5, "of": "score"}, "min": {"min": "moderator"}, "max": {"max": "ts"},
      "d": {"distinct": "moderator"}, "rate": {"rate": "decision == 'x'"}
      """)
    #expect(texts(try planned.rows([[line(ts: nil)]])) == ["1 null null null null null 0 0"])
    // All records are one group, also where there is none.
    #expect(texts(try planned.rows([[]])) == ["0 null null null null null 0 null"])
  }

  @Test func `sorts rows by value with null first and strings by bytes`() throws {
    let planned = try aggregate(#""n": {"count": true}"#, by: #"["market", "handle_ms"]"#)
    let shard = [
      line(market: "b", handleMs: 1), line(market: "aa", handleMs: 10),
      line(market: "aa", handleMs: -2), line(market: "a\u{0}b", handleMs: 2),
      line(market: "a", handleMs: nil), line(market: nil, handleMs: 3),
      line(market: "", handleMs: 1),
      line(market: "é", handleMs: 1), line(market: "e\u{301}", handleMs: 1),
    ]
    let expected = [
      "null 3 1", #""" 1 1"#, #""a" null 1"#, #""a\u0000b" 2 1"#, #""aa" -2 1"#, #""aa" 10 1"#,
      #""b" 1 1"#, "\"e\u{301}\" 1 1", "\"é\" 1 1",
    ]
    let rows = texts(try planned.rows([shard]))
    #expect(rows.map { Array($0.utf8) } == expected.map { Array($0.utf8) })
    #expect(texts(try planned.rows([shard.reversed()])) == rows)
  }

  @Test(arguments: [
    ("1d", "2026-10-04"), ("1w", "2026-09-28"), ("1h", "2026-10-04T07:00:00Z"),
    ("15m", "2026-10-04T07:15:00Z"), ("24h", "2026-10-04"), ("7d", "2026-09-28"),
  ])
  func `a bucket is known by its start`(_ bucket: String, _ start: String) throws {
    let planned = try aggregate(
      #""n": {"count": true}"#, time: #""time": "ts", "bucket": "\#(bucket)","#)
    let table = try planned.rows([[line(ts: "2026-10-04T15:29:59.999999+08:00")]])
    #expect(table.columns == ["ts", "n"])
    #expect(texts(table) == ["\"\(start)\" 1"])
  }

  @Test(arguments: [
    ("1969-12-29T00:00:00Z", "1969-12-29"), ("1969-12-28T23:59:59.999999Z", "1969-12-22"),
    ("1970-01-04T23:59:59Z", "1969-12-29"), ("0001-01-01T00:00:00Z", "0001-01-01"),
    ("9999-12-31T23:59:59Z", "9999-12-27"),
  ])
  func `weeks start on Monday at any time`(_ time: String, _ start: String) throws {
    let planned = try aggregate(#""n": {"count": true}"#, time: #""time": "ts", "bucket": "1w","#)
    #expect(texts(try planned.rows([[line(ts: time)]])) == ["\"\(start)\" 1"])
  }

  @Test(arguments: [
    ("1d", "2026-10-25"), ("1w", "2026-10-19"), ("1h", "2026-10-25T22:00:00Z"),
  ])
  func `days and weeks are those of the zone of the spec`(_ bucket: String, _ start: String) throws
  {
    let planned = try aggregate(
      #""n": {"count": true}"#, time: #""time": "ts", "bucket": "\#(bucket)","#,
      zone: "America/New_York")
    // 25 October in New York is not over, in UTC it is at 22:30 as well; an hour later only there.
    let table = try planned.rows([[line(ts: "2026-10-25T22:30:00Z")]])
    #expect(texts(table) == ["\"\(start)\" 1"])
    guard bucket == "1d" else { return }
    #expect(texts(try planned.rows([[line(ts: "2026-10-26T03:59:59Z")]])) == ["\"2026-10-25\" 1"])
    #expect(texts(try planned.rows([[line(ts: "2026-10-26T04:00:00Z")]])) == ["\"2026-10-26\" 1"])
  }

  private static let zones =
    #""zones": {"by": "market", "names": {"DE": "Europe/Berlin", "US": "America/New_York"}},"#

  @Test func `each market has the days of its own zone`() throws {
    let planned = try aggregate(
      #""n": {"count": true}"#, by: #"["queue", "market"]"#,
      time: #""time": "ts", "bucket": "1d", \#(Self.zones)"#, zone: "Asia/Tokyo")
    let markets = ["DE", "US", "JP", nil]
    let shard = markets.map { line(market: $0, ts: "2026-10-25T23:30:00Z") }
    // Half past midnight in Berlin, half past seven the evening before in New York; what has no zone of
    // its own has that of the spec.
    let wanted = [
      "null null \"2026-10-26\" 1", "null \"DE\" \"2026-10-26\" 1", "null \"JP\" \"2026-10-26\" 1",
      "null \"US\" \"2026-10-25\" 1",
    ]
    for batchBytes in [1, 1 << 20] {
      #expect(texts(try planned.rows([shard], batchBytes: batchBytes)) == wanted)
    }
  }

  @Test(arguments: [
    (
      #""time": "ts", "bucket": "1h", \#(TransformAggregateTests.zones)"#, #"["market"]"#,
      "unused_option"
    ),
    (TransformAggregateTests.zones, #"["market"]"#, "unused_option"),
    (
      #""time": "ts", "bucket": "1d", \#(TransformAggregateTests.zones)"#, #"["queue"]"#,
      "bad_zone_field"
    ),
  ])
  func `refuses zones that say nothing`(time: String, by: String, code: String) {
    var problems = Problems()
    _ = PlannedPipeline(
      fields: fields,
      transform: """
        {"type": "aggregate", "inputs": ["in"], "by": \(by), \(time) "metrics": {"n": {"count": true}}}
        """, zone: nil, &problems)
    #expect(problems.sorted.map(\.code) == [code])
  }

  @Test func `results of another zone are not taken for those of this one`() throws {
    let identities = try [nil, "UTC", "+05:30", "-03:00"].map { zone in
      let spec = try aggregate(#""n": {"count": true}"#, zone: zone).plan.spec
      let stage = try #require(spec.stages.firstIndex { $0.kind == .reduce })
      return spec.canonical + spec.identity(ofStage: stage, files: [])
    }
    #expect(Set(identities).count == identities.count)
  }

  @Test func `takes a record by all metrics or by none`() throws {
    let planned = try aggregate(
      #""n": {"count": true}, "bad": {"sum": "handle_ms * 2"}, "inf": {"max": "1.0 / score"}"#,
      time: #""time": "ts", "bucket": "1d","#)
    let shard = [
      line(handleMs: 1, score: 2), line(handleMs: .max, score: 1), line(ts: nil, handleMs: .max),
      line(handleMs: 2, score: 0), line(handleMs: 3, score: 4),
    ]
    for batchBytes in [1, 200, 1 << 20] {
      let (bytes, refusals) = try planned.partial(shard, batchBytes: batchBytes)
      #expect(refusals.map(\.line) == [2, 3, 4])
      #expect(refusals.map(\.code) == ["expression_error", "missing_time", "expression_error"])
      let merger = planned.makeMerger()
      try merger.merge(bytes)
      #expect(merger.recordCount == 2)
      #expect(texts(try merger.rows()) == [#""2026-10-04" 2 8 0.5"#])
    }
  }

  @Test func `integer sums are exact and refuse what cannot be written`() throws {
    let planned = try aggregate(#""sum": {"sum": "handle_ms"}, "mean": {"mean": "handle_ms"}"#)
    let big = [line(handleMs: .max), line(handleMs: .max), line(handleMs: -.max)]
    #expect(texts(try planned.rows([big])).first?.hasPrefix("9223372036854775807 ") == true)
    let merger = planned.makeMerger()
    try merger.merge(try planned.partial(big.prefix(2)).bytes)
    let error = #expect(throws: RunError.self) { try merger.finish() }
    #expect(error?.code == "sum_overflow")
    let mean = try aggregate(#""mean": {"mean": "handle_ms"}"#)
    #expect(texts(try mean.rows([Array(big.prefix(2))])) == ["9.223372036854776e+18"])
  }

  @Test func `numbers are added in the order of lines, then of shards`() throws {
    let planned = try aggregate(#""sum": {"sum": "score"}"#)
    let values: [Double] = [0.1, 0.2, 0.3, 1e16, 1, -1e16, 0.7]
    let lines = values.map { line(score: $0) }
    for batchBytes in [1, 1 << 20] {
      let table = try planned.rows(
        [Array(lines[..<4]), Array(lines[4...])], batchBytes: batchBytes)
      let first = values[..<4].reduce(0, +)
      #expect(Array(table.rows) == [[.number(first + values[4...].reduce(0, +))]])
    }
    let infinite = try planned.partial([line(score: 1e308), line(score: 1e308)])
    let merger = planned.makeMerger()
    try merger.merge(infinite.bytes)
    #expect(throws: RunError.self) { try merger.finish() }
  }

  @Test(arguments: [
    (#""by": ["nothing"], "metrics": {"n": {"count": true}}"#, "unknown_field"),
    (#""time": "ts", "metrics": {"n": {"count": true}}"#, "incomplete_bucket"),
    (#""bucket": "1d", "metrics": {"n": {"count": true}}"#, "incomplete_bucket"),
    (#""time": "ts", "bucket": "7h", "metrics": {"n": {"count": true}}"#, "bad_bucket"),
    (#""time": "ts", "bucket": "2d", "metrics": {"n": {"count": true}}"#, "bad_bucket"),
    (#""time": "market", "bucket": "1d", "metrics": {"n": {"count": true}}"#, "not_a_timestamp"),
    (#""metrics": {}"#, "no_metrics"),
    (#""metrics": {"n": {"count": false}}"#, "bad_count"),
    (#""metrics": {"n": {"sum": "market"}}"#, "wrong_metric_type"),
    (#""metrics": {"n": {"max": "flag"}}"#, "wrong_metric_type"),
    (#""metrics": {"n": {"distinct": "anything"}}"#, "wrong_metric_type"),
    (#""by": ["anything"], "metrics": {"n": {"count": true}}"#, "untyped_group"),
    (#""metrics": {"n": {"rate": "handle_ms"}}"#, "not_a_condition"),
    (#""metrics": {"n": {"sum": "handle_sm"}}"#, "bad_expression"),
    (#""by": ["market"], "metrics": {"market": {"count": true}}"#, "duplicate_column"),
    (#""by": ["market", "market"], "metrics": {"n": {"count": true}}"#, "duplicate_column"),
  ])
  func `a mistake is said before the run`(_ options: String, _ code: String) {
    var problems = Problems()
    let planned = PlannedPipeline(
      fields: fields.replacing("}", with: #", "anything": "any"}"#),
      transform: #"{"type": "aggregate", "inputs": ["in"], \#(options)}"#, &problems)
    #expect(planned == nil)
    #expect(problems.sorted.map(\.code) == [code])
  }
}
