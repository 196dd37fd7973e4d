import Testing
import WeirData
import WeirEngine
import WeirTesting

@testable import WeirStages

@Suite struct `Union stage` {
  private func outcome(
    _ a: String, _ b: String, _ options: String = "", batchBytes: Int = 1 << 18, workers: Int = 2
  ) async throws -> PipelineOutcome {
    let spec = """
      {"name": "test",
       "sources": {
         "a": {"type": "jsonl", "paths": ["data/a*.jsonl"], "fields": \(a)},
         "b": {"type": "jsonl", "paths": ["data/b*.jsonl"], "fields": \(b)}},
       "transforms": {
         "it": {"type": "union", "inputs": ["b", "a"]\(options)},
         "sum": {"type": "aggregate", "inputs": ["it"], "by": ["m"], "metrics": {"n": {"sum": "n"}}}},
       "sinks": {\(jsonlSink("out", "it")), "t": {"type": "csv", "inputs": ["sum"], "path": "t.csv"}}}
      """
    return try await run(
      spec,
      [
        ("a.jsonl", [#"{"m":"x","n":9007199254740993,"o":1}"#, #"{"m":"x","n":2}"#]),
        ("b.jsonl", [#"{"m":"x","n":0.5}"#, #"{"m":"y","n":1}"#]),
      ], workers: workers, batchBytes: batchBytes)
  }

  @Test func `an int and a number become a number, and records keep what they have`() async throws {
    let made = try await outcome(
      #"{"m": "string", "n": "int"}"#, #"{"m": "string", "n": "number"}"#)
    #expect(made.problems.text == "" && made.error == nil, "\(made.error as Any)")
    #expect(
      try made.records("out.jsonl") == [
        #"{"m":"x","n":9007199254740993,"o":1}"#, #"{"m":"x","n":2}"#, #"{"m":"x","n":0.5}"#,
        #"{"m":"y","n":1}"#,
      ])
    #expect(try made.records("t.csv").count == 3)
  }

  @Test func `a field that one input lacks is null where that is said`() async throws {
    let fields = (
      #"{"m": "string", "n": "int", "o": "int?"}"#, #"{"m": "string", "n": "number"}"#
    )
    let refused = try await outcome(fields.0, fields.1)
    #expect(refused.code == "missing_field" && refused.problems.text.contains("`o`"))
    let made = try await outcome(fields.0, fields.1, #", "missing": "null", "tag": "from""#)
    #expect(made.error == nil && made.code == nil, "\(made.problems.text)")
    #expect(
      try made.records("out.jsonl") == [
        #"{"m":"x","n":9007199254740993,"o":1,"from":"a"}"#, #"{"m":"x","n":2,"from":"a"}"#,
        #"{"m":"x","n":0.5,"from":"b"}"#, #"{"m":"y","n":1,"from":"b"}"#,
      ])
    for (workers, bytes) in [(1, 20), (3, 60), (8, 1 << 20)] {
      let other = try await outcome(
        fields.0, fields.1, #", "missing": "null", "tag": "from""#, batchBytes: bytes,
        workers: workers)
      #expect(other.everything == made.everything)
    }
  }

  @Test func `types that do not go together are named with both inputs`() async throws {
    let made = try await outcome(
      #"{"m": "string", "n": "int"}"#, #"{"m": "string", "n": "string"}"#)
    #expect(made.code == "types_differ")
    #expect(made.problems.text.contains("from `a`") && made.problems.text.contains("from `b`"))
  }
}
