import Testing
import WeirData
import WeirEngine
import WeirTesting

@Suite struct `Forks and joins` {
  private static let fields = #"{"id": "string", "n": "int"}"#
  private static func filter(_ name: String, _ input: String, _ condition: String) -> String {
    #""\#(name)": { "type": "filter", "inputs": ["\#(input)"], "where": "\#(condition)" }"#
  }
  private static let diamond =
    filter("low", "s", "n < 5") + "," + filter("odd", "s", "n % 2 == 1")

  private func numbers(_ range: Range<Int>) -> [String] {
    range.map { #"{"id":"\#($0)","n":\#($0)}"# }
  }

  @Test func `a fork writes a record to every branch and counts it once`() async throws {
    let spec = pipeline(
      fields: Self.fields, transforms: Self.diamond,
      sinks: [jsonlSink("low_out", "low"), jsonlSink("odd_out", "odd")].joined(separator: ","))
    let outcome = try await run(spec, [("a.jsonl", numbers(0..<10))])
    #expect(try outcome.records("low_out.jsonl") == numbers(0..<5))
    #expect(try outcome.records("odd_out.jsonl").count == 5)
    let records = try #require(outcome.result).ledger.records
    #expect(records.read == 10 && records.written == 8 - 0 - 0 && records.filtered == 2)
  }

  @Test func `a join of branches writes in the order of the input`() async throws {
    let spec = pipeline(
      fields: Self.fields, transforms: Self.diamond, sinks: jsonlSink("out", "low", "odd"))
    let outcome = try await run(
      spec, [("a.jsonl", numbers(0..<6)), ("b.jsonl", numbers(6..<10))])
    let written = try outcome.records("out.jsonl").compactMap {
      JSONValue(parsing: $0)?["n"]?.integer
    }
    // 1 and 3 come over both branches, and are there twice, beside each other.
    #expect(written == [0, 1, 1, 2, 3, 3, 4, 5, 7, 9])
  }

  @Test(arguments: [4_096, 65_536, 4 << 20])
  func `a join of long branches does not depend on the batches`(batchBytes: Int) async throws {
    let padding = String(repeating: "x", count: 400)
    let records = (0..<12_000).map { #"{"id":"\#(padding)","n":\#($0)}"# }
    let spec = pipeline(
      fields: Self.fields,
      transforms: Self.filter("even", "s", "n % 2 == 0") + ","
        + Self.filter("odd", "s", "n % 2 == 1"),
      sinks: jsonlSink("out", "even", "odd"))
    let outcome = try await run(spec, [("a.jsonl", records)], batchBytes: batchBytes)
    let written = try outcome.records("out.jsonl")
    #expect(written == records)
  }

  @Test func `a join behind a dedupe and beside it writes in the order of the input`() async throws
  {
    let spec = pipeline(
      fields: Self.fields,
      transforms: #""d": { "type": "dedupe", "inputs": ["s"], "key": ["id"] },"#
        + Self.filter("big", "s", "n >= 100"),
      sinks: jsonlSink("out", "d", "big"))
    let outcome = try await run(
      spec,
      [
        ("a.jsonl", [#"{"id":"x","n":100}"#, #"{"id":"y","n":1}"#]),
        ("b.jsonl", [#"{"id":"x","n":2}"#, #"{"id":"z","n":101}"#]),
      ])
    #expect(outcome.error == nil)
    #expect(
      try outcome.records("out.jsonl") == [
        #"{"id":"x","n":100}"#, #"{"id":"y","n":1}"#, #"{"id":"x","n":2}"#, #"{"id":"z","n":101}"#,
        #"{"id":"z","n":101}"#,
      ])
  }

  @Test func `records of two sources are joined source by source`() async throws {
    let spec = """
      { "name": "test",
        "sources": {
          "b": { "type": "jsonl", "paths": ["data/b*.jsonl"], "fields": \(Self.fields) },
          "a": { "type": "jsonl", "paths": ["data/a*.jsonl"], "fields": \(Self.fields) } },
        "transforms": {},
        "sinks": { \(jsonlSink("out", "a", "b")) } }
      """
    let outcome = try await run(
      spec, [("a.jsonl", numbers(0..<2)), ("b.jsonl", numbers(5..<7))])
    #expect(try outcome.records("out.jsonl") == numbers(5..<7) + numbers(0..<2))
  }

  @Test func `a record refused on one branch and written on another counts as written`()
    async throws
  {
    let spec = pipeline(
      fields: #"{"id": "string", "n": "int?"}"#,
      transforms: Self.filter("f", "s", "n > 1"),
      sinks: jsonlSink("all", "s") + "," + jsonlSink("some", "f"))
    let outcome = try await run(
      spec, [("a.jsonl", [#"{"id":"a"}"#, #"{"id":"b","n":2}"#])])
    let result = try #require(outcome.result)
    #expect(result.ledger.records.written == 2 && result.ledger.records.quarantined == 0)
    #expect(outcome.quarantine.map { $0["code"]?.string } == ["expression_error"])
    #expect(outcome.quarantine.map { $0["stage"]?.string } == ["f"])
  }
}

@Suite struct `The quarantine of a pipeline` {
  @Test func `is sorted by place even where stages behind a dedupe refuse`() async throws {
    let spec = pipeline(
      fields: #"{"id": "string", "n": "int?"}"#,
      transforms: #"""
        "d": { "type": "dedupe", "inputs": ["s"], "key": ["id"] },
        "f": { "type": "filter", "inputs": ["d"], "where": "n > 0" }
        """#,
      sinks: jsonlSink("out", "f"))
    let outcome = try await run(
      spec,
      [
        ("a.jsonl", [#"{"id":"a"}"#, "no", #"{"id":"b","n":1}"#]),
        ("b.jsonl", ["", #"{"id":"c","n":null}"#, "[]"]),
      ])
    let places = outcome.quarantine.map { "\($0["shard"]!.string!):\($0["line"]!.text)" }
    #expect(places == ["a.jsonl:1", "a.jsonl:2", "b.jsonl:2", "b.jsonl:3"])
    #expect(outcome.quarantine.map { $0["byte_offset"]?.integer } == [0, 11, 1, 21])
    #expect(
      outcome.quarantine.map { $0["raw"]?.string }
        == [#"{"id":"a"}"#, "no", #"{"id":"c","n":null}"#, "[]"])
  }

  /// Behind the first dedupe no text is needed, so the records come from what was kept of them.
  @Test func `has the raw bytes of records that were not read again`() async throws {
    let spec = pipeline(
      fields: #"{"id": "string", "n": "int?", "k": "string?"}"#,
      transforms: #"""
        "d": { "type": "dedupe", "inputs": ["s"], "key": ["id"] },
        "f": { "type": "filter", "inputs": ["d"], "where": "n > 0" },
        "e": { "type": "dedupe", "inputs": ["f"], "key": ["k"] }
        """#,
      sinks: jsonlSink("gone", "e.removed"))
    let outcome = try await run(
      spec,
      [
        (
          "a.jsonl",
          [
            #"{"id":"a","n":1,"k":"x"}"#, #"{"id":"b"}"#, #"{"id":"c","n":1,"k":"x"}"#,
            #"{"id":"d","n":1}"#,
          ]
        )
      ])
    #expect(outcome.error == nil)
    #expect(
      outcome.quarantine.map { "\($0["line"]!.text) \($0["code"]!.string!) \($0["raw"]!.string!)" }
        == [#"2 expression_error {"id":"b"}"#, #"4 missing_key {"id":"d","n":1}"#])
    #expect(outcome.quarantine.map { $0["byte_offset"]?.integer } == [25, 61])
  }

  @Test func `counts blank lines apart, wherever they stand`() async throws {
    let spec = pipeline(fields: #"{"id": "string"}"#, sinks: jsonlSink("out", "s"))
    for batchBytes in [16, 4_096] {
      let outcome = try await run(
        spec, [("a.jsonl", ["", #"{"id":"a"}"#, " ", "", #"{"id":"b"}"#, "", ""])],
        batchBytes: batchBytes)
      let records = try #require(outcome.result).ledger.records
      #expect(records.blank == 5 && records.read == 2 && records.written == 2)
    }
  }
}
