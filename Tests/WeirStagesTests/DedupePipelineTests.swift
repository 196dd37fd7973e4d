import Testing
import WeirData
import WeirEngine
import WeirTesting

@Suite struct `Dedupe in a pipeline` {
  private func dedupe(_ name: String, _ input: String, _ options: String) -> String {
    #""\#(name)": { "type": "dedupe", "inputs": [\#(input)], \#(options) }"#
  }

  @Test func `keeps the highest revision, wherever it stands`() async throws {
    let spec = pipeline(
      fields: #"{"id": "string", "rev": "int"}"#,
      transforms: dedupe("d", #""s""#, #""key": ["id"], "order_by": ["rev"]"#),
      sinks: jsonlSink("out", "d"))
    let outcome = try await run(
      spec,
      [
        ("a.jsonl", [#"{"id":"x","rev":3}"#, #"{"id":"y","rev":1}"#]),
        ("b.jsonl", [#"{"id":"x","rev":2}"#, #"{"id":"y","rev":2}"#, #"{"id":"z","rev":-1}"#]),
      ])
    #expect(
      try outcome.records("out.jsonl") == [
        #"{"id":"x","rev":3}"#, #"{"id":"y","rev":2}"#, #"{"id":"z","rev":-1}"#,
      ])
    let records = try #require(outcome.result).ledger.records
    #expect(records.read == 5 && records.written == 3 && records.deduplicated == 2)
  }

  @Test(arguments: [("first", ["1", "3"]), ("last", ["4", "5"])])
  func `without an order goes by the place in the input`(
    keep: String, expected: [String]
  ) async throws {
    let spec = pipeline(
      fields: #"{"id": "string"}"#,
      transforms: dedupe("d", #""s""#, #""key": ["id"], "keep": "\#(keep)""#),
      sinks: jsonlSink("out", "d"))
    let outcome = try await run(
      spec,
      [
        ("a.jsonl", [#"{"id":"x","n":1}"#, #"{"id":"x","n":2}"#, #"{"id":"y","n":3}"#]),
        ("b.jsonl", [#"{"id":"y","n":4}"#, #"{"id":"x","n":5}"#]),
      ])
    let kept = try outcome.records("out.jsonl").map { JSONValue(parsing: $0)?["n"]?.text }
    #expect(kept == expected)
  }

  @Test func `takes null for the lowest order`() async throws {
    let spec = pipeline(
      fields: #"{"id": "string", "rev": "number?"}"#,
      transforms: dedupe("d", #""s""#, #""key": ["id"], "order_by": ["rev"]"#),
      sinks: jsonlSink("out", "d"))
    let outcome = try await run(
      spec,
      [
        (
          "a.jsonl",
          [
            #"{"id":"x","rev":-1e300}"#, #"{"id":"x"}"#, #"{"id":"y","rev":null}"#, #"{"id":"y"}"#,
            #"{"id":"z","rev":-0.0,"n":1}"#, #"{"id":"z","rev":0,"n":2}"#,
            #"{"id":"z","rev":-5e-324,"n":3}"#,
          ]
        )
      ])
    #expect(
      try outcome.records("out.jsonl") == [
        #"{"id":"x","rev":-1e300}"#, #"{"id":"y"}"#, #"{"id":"z","rev":0,"n":2}"#,
      ])
  }

  @Test func `orders by several fields, strings by their bytes`() async throws {
    let spec = pipeline(
      fields: #"{"id": "string", "day": "string?", "rev": "int"}"#,
      transforms: dedupe("d", #""s""#, #""key": ["id"], "order_by": ["day", "rev"]"#),
      sinks: jsonlSink("out", "d"))
    let outcome = try await run(
      spec,
      [
        ("a.jsonl", [#"{"id":"x","day":"b","rev":1}"#, #"{"id":"y","day":"\u0000","rev":1}"#]),
        ("b.jsonl", [#"{"id":"x","day":"ab","rev":9}"#, #"{"id":"y","day":"","rev":9}"#]),
        ("c.jsonl", [#"{"id":"x","day":"b","rev":0}"#, #"{"id":"y","rev":99}"#]),
      ])
    #expect(
      try outcome.records("out.jsonl") == [
        #"{"id":"x","day":"b","rev":1}"#, #"{"id":"y","day":"\u0000","rev":1}"#,
      ])
  }

  @Test func `tells keys of another type apart, and quarantines records without one`() async throws
  {
    let spec = pipeline(
      fields: #"{"id": "any?"}"#, transforms: dedupe("d", #""s""#, #""key": ["id"]"#),
      sinks: jsonlSink("out", "d"))
    let lines = [
      #"{"id":1}"#, #"{"id":"1"}"#, #"{"id":true}"#, #"{"id":"true"}"#, #"{"id":null}"#, #"{}"#,
      #"{"id":[1]}"#, #"{"id":"\u0031"}"#,
    ]
    let outcome = try await run(spec, [("a.jsonl", lines)])
    #expect(
      try outcome.records("out.jsonl") == [
        #"{"id":1}"#, #"{"id":true}"#, #"{"id":"true"}"#, #"{"id":"\u0031"}"#,
      ])
    #expect(outcome.quarantine.map { $0["line"]?.integer } == [5, 6, 7])
    #expect(outcome.quarantine.allSatisfy { $0["code"] == "missing_key" && $0["stage"] == "d" })
    #expect(
      outcome.quarantine.map { $0["raw"]?.string } == [#"{"id":null}"#, "{}", #"{"id":[1]}"#])
  }

  @Test func `says what was removed, and what stands in its place`() async throws {
    let spec = pipeline(
      fields: #"{"id": "string", "rev": "int"}"#,
      transforms: dedupe("d", #""s""#, #""key": ["id"], "order_by": ["rev"]"#),
      sinks: jsonlSink("out", "d") + "," + jsonlSink("gone", "d.removed"))
    let outcome = try await run(
      spec,
      [
        ("a.jsonl", [#"{"id":"x","rev":1}"#, #"{"id":"x","rev":3}"#]),
        ("b.jsonl", ["", #"{"id":"x","rev":2}"#]),
      ])
    #expect(
      try outcome.records("gone.jsonl") == [
        #"{"id":"x","source":"s","shard":"a.jsonl","line":1,"kept_source":"s","kept_shard":"a.jsonl","kept_line":2}"#,
        #"{"id":"x","source":"s","shard":"b.jsonl","line":2,"kept_source":"s","kept_shard":"a.jsonl","kept_line":2}"#,
      ])
  }

  @Test func `one behind another sees only what the first one left`() async throws {
    let spec = pipeline(
      fields: #"{"id": "string", "item": "string", "rev": "int"}"#,
      transforms: dedupe("d1", #""s""#, #""key": ["id"], "order_by": ["rev"]"#) + ","
        + #""f": { "type": "filter", "inputs": ["d1"], "where": "rev != 7" },"#
        + dedupe("d2", #""f""#, #""key": ["item"], "keep": "first""#),
      sinks: jsonlSink("out", "d2"))
    let outcome = try await run(
      spec,
      [
        (
          "a.jsonl",
          [
            #"{"id":"1","item":"p","rev":1}"#, #"{"id":"2","item":"p","rev":1}"#,
            #"{"id":"3","item":"q","rev":7}"#,
          ]
        ),
        (
          "b.jsonl",
          [#"{"id":"1","item":"q","rev":2}"#, #"{"id":"4","item":"q","rev":0}"#]
        ),
      ])
    // 1 moved to q; 3 was filtered; of p stays 2, of q the revision of 1.
    #expect(
      try outcome.records("out.jsonl") == [
        #"{"id":"2","item":"p","rev":1}"#, #"{"id":"1","item":"q","rev":2}"#,
      ])
    let records = try #require(outcome.result).ledger.records
    #expect(records.written == 2 && records.deduplicated == 2 && records.filtered == 1)
  }

  /// The dedupe at the end is reached with and without another one in front.
  @Test func `reached over ways of different length lets one record of a key pass`() async throws {
    let spec = """
      { "name": "test",
        "sources": {
          "a": { "type": "jsonl", "paths": ["data/a*.jsonl"], "fields": {"id": "string", "n": "int"} },
          "b": { "type": "jsonl", "paths": ["data/b*.jsonl"], "fields": {"id": "string", "n": "int"} } },
        "transforms": {
          "first": { "type": "dedupe", "inputs": ["a"], "key": ["id"] },
          "all": { "type": "dedupe", "inputs": ["first", "b"], "key": ["id"] } },
        "sinks": { \(jsonlSink("out", "all")) } }
      """
    let outcome = try await run(
      spec,
      [
        ("a.jsonl", [#"{"id":"x","n":1}"#, #"{"id":"x","n":2}"#, #"{"id":"y","n":3}"#]),
        ("b.jsonl", [#"{"id":"x","n":4}"#, #"{"id":"z","n":5}"#, #"{"id":"z","n":6}"#]),
      ])
    #expect(outcome.error == nil)
    #expect(
      try outcome.records("out.jsonl") == [
        #"{"id":"y","n":3}"#, #"{"id":"x","n":4}"#, #"{"id":"z","n":6}"#,
      ])
  }

  /// Between the first dedupe and the join a pass goes over the other source alone.
  @Test func `beside a longer chain of them adds up`() async throws {
    let spec = """
      { "name": "test",
        "sources": {
          "a": { "type": "jsonl", "paths": ["data/a*.jsonl"], "fields": {"id": "string", "n": "int"} },
          "b": { "type": "jsonl", "paths": ["data/b*.jsonl"], "fields": {"id": "string", "n": "int"} } },
        "transforms": {
          "short": { "type": "dedupe", "inputs": ["a"], "key": ["id"] },
          "long": { "type": "dedupe", "inputs": ["b"], "key": ["id"] },
          "longer": { "type": "dedupe", "inputs": ["long"], "key": ["n"] } },
        "sinks": { \(jsonlSink("out", "short", "longer")) } }
      """
    let outcome = try await run(
      spec,
      [
        ("a.jsonl", [#"{"id":"x","n":1}"#, #"{"id":"x","n":2}"#]),
        ("b.jsonl", [#"{"id":"x","n":4}"#, #"{"id":"z","n":4}"#, #"{"id":"z","n":6}"#]),
      ])
    #expect(outcome.error == nil, "\(outcome.error.map { "\($0)" } ?? "")")
    #expect(
      try outcome.records("out.jsonl") == [
        #"{"id":"x","n":2}"#, #"{"id":"x","n":4}"#, #"{"id":"z","n":6}"#,
      ])
  }

  @Test func `refuses to compare an order of two types`() async throws {
    let spec = """
      { "name": "test",
        "sources": {
          "a": { "type": "jsonl", "paths": ["data/a*.jsonl"], "fields": {"id": "string", "n": "int"} },
          "b": { "type": "jsonl", "paths": ["data/b*.jsonl"], "fields": {"id": "string", "n": "string"} } },
        "transforms": {
          "d": { "type": "dedupe", "inputs": ["a", "b"], "key": ["id"], "order_by": ["n"] } },
        "sinks": { \(jsonlSink("out", "d")) } }
      """
    let outcome = try await run(
      spec, [("a.jsonl", [#"{"id":"x","n":1}"#]), ("b.jsonl", [#"{"id":"x","n":"2"}"#])])
    #expect(outcome.code == "order_types_differ")
  }

  @Test func `refuses more ways to it than a tuple can tell apart`() async throws {
    let filters = (0..<257).map {
      #""f\#($0)": { "type": "filter", "inputs": ["s"], "where": "n % 257 == \#($0)" }"#
    }
    let inputs = (0..<257).map { "\"f\($0)\"" }.joined(separator: ", ")
    let spec = pipeline(
      fields: #"{"n": "int"}"#,
      transforms: filters.joined(separator: ", ") + "," + dedupe("d", inputs, #""key": ["n"]"#),
      sinks: jsonlSink("out", "d"))
    let outcome = try await run(
      spec, [("a.jsonl", [#"{"n":0}"#, #"{"n":256}"#, #"{"n":0}"#, #"{"n":256}"#])])
    #expect(outcome.code == "too_many_ways")
  }
}
