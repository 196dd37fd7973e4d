import Testing
import WeirData
import WeirEngine
import WeirTesting

@testable import WeirStages

@Suite struct `Split stage` {
  private static let fields = #"{"id": "string", "n": "int?"}"#
  private static let stage =
    #""it": {"type": "split", "inputs": ["s"], "outputs": {"high": "n > 10", "even": "n % 2 == 0"}}"#
  private static let records = [
    #"{"id":"a","n":12}"#, #"{"id":"b","n":2}"#, #"{"id":"c","n":3}"#, #"{"id":"d"}"#,
    #"{"id":"e","n":11}"#,
  ]

  @Test func `each record goes to the first output that takes it, or to the rest`() async throws {
    let sinks = [
      jsonlSink("high", "it.high"), jsonlSink("even", "it.even"), jsonlSink("rest", "it.rest"),
      jsonlSink("both", "it.high", "it.rest"),
    ].joined(separator: ", ")
    let made = try await run(
      pipeline(fields: Self.fields, transforms: Self.stage, sinks: sinks),
      [("a.jsonl", Self.records)])
    #expect(made.problems.text == "" && made.error == nil)
    func ids(_ path: String) throws -> [String] {
      try made.records(path).compactMap { JSONValue(parsing: $0)?["id"]?.string }
    }
    #expect(try ids("high.jsonl") == ["a", "e"])
    #expect(try ids("even.jsonl") == ["b"])
    #expect(try ids("rest.jsonl") == ["c"])
    #expect(try ids("both.jsonl") == ["a", "c", "e"])
    #expect(made.quarantine.map { $0["code"]?.string } == ["expression_error"])
    let ledger = try #require(made.result).ledger
    let stage = try #require(ledger.stages.first { $0.name == "it" })
    #expect(stage.ports.map(\.name) == ["high", "even", "rest"])
    #expect(stage.ports.map(\.records) == [2, 1, 1])
    #expect(ledger.edges.first { $0.port == "even" }?.records == 1)
    #expect(ledger.records.written == 4 && ledger.records.quarantined == 1)
  }

  @Test func `what leaves by an output that nobody reads is filtered, and said`() async throws {
    let made = try await run(
      pipeline(fields: Self.fields, transforms: Self.stage, sinks: jsonlSink("out", "it.high")),
      [("a.jsonl", Self.records)])
    #expect(
      made.problems.sorted.map(\.code) == ["unused_output", "unused_output"]
        && made.problems.sorted.allSatisfy { $0.severity == .warning })
    #expect(try #require(made.result).ledger.records.filtered == 2)
    #expect(try made.records("out.jsonl").count == 2)
  }

  @Test func `branches behind it have barriers and reduces of their own`() async throws {
    let stages =
      Self.stage + #"""
        , "one": {"type": "dedupe", "inputs": ["it.high"], "key": ["n"]},
        "sum": {"type": "aggregate", "inputs": ["one", "it.rest"], "by": ["n"], "metrics": {"count": {"count": true}}}
        """#
    let sinks =
      jsonlSink("out", "one", "it.even")
      + #", "t": {"type": "csv", "inputs": ["sum"], "path": "t.csv"}"#
    var random = SeededRandom(seed: 3)
    let shards = (0..<3).map { shard in
      (
        path: "\(shard).jsonl",
        records: (0..<300).map { #"{"id":"\#($0)","n":\#(random.below(30))}"# }
      )
    }
    try await expectSameBytes([(1, 1 << 20), (2, 200), (3, 4_000), (8, 1_000)]) { workers, bytes in
      let made = try await run(
        pipeline(fields: Self.fields, transforms: stages, sinks: sinks), shards, workers: workers,
        batchBytes: bytes)
      #expect(made.error == nil && made.code == nil, "\(made.problems.text) \(made.error as Any)")
      return made
    }
  }

  @Test func `another output is another task`() async throws {
    try await withTemporaryFolder { folder in
      try folder.write(SampleShard.text(Self.records), at: "data/a.jsonl")
      for (output, ids) in [("high", ["a", "e"]), ("even", ["b"]), ("high", ["a", "e"])] {
        let spec = pipeline(
          fields: Self.fields, transforms: Self.stage, sinks: jsonlSink("out", "it.\(output)"))
        let made = try await PipelineRunner(spec, files: []).run(in: folder)
        let found = try made.records("out.jsonl")
        #expect(found.compactMap { JSONValue(parsing: $0)?["id"]?.string } == ids)
      }
    }
  }

  @Test(arguments: [
    (#"{}"#, "", "nothing_to_do"), (#"{"a b": "n > 1"}"#, "", "bad_output_name"),
    (#"{"rest": "n > 1"}"#, "", "duplicate_output"), (#"{"a": "m > 1"}"#, "", "bad_expression"),
    (#"{"a": "n"}"#, "", "not_a_condition"),
  ])
  func `what cannot be is refused`(outputs: String, more: String, code: String) async throws {
    let stage = #""it": {"type": "split", "inputs": ["s"], "outputs": \#(outputs)\#(more)}"#
    let made = try await run(
      pipeline(fields: Self.fields, transforms: stage, sinks: jsonlSink("out", "it.rest")), [])
    #expect(made.code == code, "\(made.problems.text)")
  }

  @Test func `an output that is not there is named with those that are`() async throws {
    let made = try await run(
      pipeline(fields: Self.fields, transforms: Self.stage, sinks: jsonlSink("out", "it.hgh")), [])
    #expect(made.code == "unknown_output" && made.problems.text.contains("it.high"))
  }
}
