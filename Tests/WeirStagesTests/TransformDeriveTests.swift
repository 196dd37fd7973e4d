import Testing
import WeirData
import WeirEngine
import WeirTesting

@testable import WeirStages

@Suite struct `The stage derive` {
  private func runner(
    _ derived: String, behind: String = "", from: String = "derived", columns: String? = nil,
    records: [String]
  ) -> PipelineRunner {
    let csv = columns.map {
      #", "table": {"type": "csv", "inputs": ["\#(from)"], "path": "t.csv", "columns": \#($0)}"#
    }
    return PipelineRunner(
      """
      {"name": "test",
       "sources": {"in": {"type": "jsonl", "paths": ["data/*"], "fields":
         {"id": "string", "market": "string", "n": "int?", "tags": "any?", "ts": "timestamp?"}}},
       "transforms": {
         "derived": {"type": "derive", "inputs": ["in"], "fields": \(derived)}\(behind)},
       "sinks": {"out": {"type": "jsonl", "inputs": ["\(from)"], "path": "out.jsonl"}\(csv ?? "")}}
      """, shards: [("data/a.jsonl", records)])
  }

  @Test func `adds fields at the end of each record, and leaves all else byte for byte`()
    async throws
  {
    let outcome = try await runner(
      #"""
      {"twice": "has(n) ? n * 2 : null", "label": "market + '/' + id", "list": "[id, market]",
       "day": "has(ts) ? ts.getDate('Asia/Tokyo') : 0", "wait": "duration('90s')"}
      """#,
      records: [
        #"{"id": "a", "market":"DE", "n": 4, "x": 1.50}"#,
        #"{ "market":"\u0046R","id":"b","ts":"2026-10-04T20:00:00Z" }"#,
      ]
    ).run()
    #expect(outcome.error == nil && outcome.code == nil, "\(outcome.problems.text)")
    #expect(
      try outcome.records("out.jsonl") == [
        #"{"id": "a", "market":"DE", "n": 4, "x": 1.50,"twice":8,"label":"DE/a","list":["a","DE"],"day":0,"wait":"90s"}"#,
        #"{ "market":"\u0046R","id":"b","ts":"2026-10-04T20:00:00Z" ,"twice":null,"label":"FR/b","list":["b","FR"],"day":5,"wait":"90s"}"#,
      ])
  }

  @Test func `replaces the value of a key that a record has already`() async throws {
    let outcome = try await runner(
      #"{"label": "market", "n2": "1"}"#,
      records: [
        #"{"id":"a","label":{"old":[1]},"market":"DE"}"#, #"{"id":"label","market":"label"}"#,
        #"{"id":"c","l\u0061bel":"x","market":"AT","in":{"label":1}}"#,
        #"{"id":"d","market":"CH","n2":null,"label":7.5}"#,
      ]
    ).run()
    #expect(
      try outcome.records("out.jsonl") == [
        #"{"id":"a","label":"DE","market":"DE","n2":1}"#,
        #"{"id":"label","market":"label","label":"label","n2":1}"#,
        #"{"id":"c","l\u0061bel":"AT","market":"AT","in":{"label":1},"n2":1}"#,
        #"{"id":"d","market":"CH","n2":1,"label":"CH"}"#,
      ])
  }

  @Test func `a record without a value is quarantined, once`() async throws {
    let outcome = try await runner(
      #"{"next": "n + 1", "half": "1.0 / double(n)", "first": "tags[0]"}"#,
      records: [
        #"{"id":"a","market":"DE","n":1,"tags":["x"]}"#, #"{"id":"b","market":"DE","tags":["x"]}"#,
        #"{"id":"c","market":"DE","n":0,"tags":["x"]}"#,
        #"{"id":"d","market":"DE","n":1,"tags":[]}"#,
        #"{"id":"e","market":"DE","n":9223372036854775807,"tags":[]}"#,
      ]
    ).run()
    #expect(try outcome.records("out.jsonl").count == 1)
    #expect(outcome.quarantine.map { $0["line"]?.text } == ["2", "3", "4", "5"])
    #expect(outcome.quarantine.allSatisfy { $0["code"]?.string == "expression_error" })
    #expect(
      outcome.quarantine.map { $0["message"]?.string ?? "" } == [
        "`next` has no value: `n` is null in `n + 1` (column 1)",
        "`half` has no value: it is not a finite number",
        "`first` has no value: the index is outside the list in `tags[0]` (column 1)",
        "`next` has no value: the result does not fit 64 bits in `n + 1` (column 1)",
      ])
  }

  @Test func `its fields can be used by the stages behind, also behind a barrier`() async throws {
    let behind = #"""
      , "unique": {"type": "dedupe", "inputs": ["derived"], "key": ["key"], "keep": "last"},
        "some": {"type": "filter", "inputs": ["unique"], "where": "all.exists(t, t == 'spam') && size(tags) > 1"},
        "more": {"type": "derive", "inputs": ["some"], "fields": {"count": "size(all) + size(tags)"}}
      """#
    let records = (0..<500).map {
      #"{"id":"\#($0 % 100)","market":"DE","n":\#($0),"tags":["spam","b\#($0)"]}"#
    }
    let runner = runner(
      #"{"key": "market + id", "all": "tags + [market]"}"#, behind: behind, from: "more",
      columns: #"["key", "n", "count"]"#, records: records)
    let outcome = try await runner.run()
    #expect(outcome.error == nil && outcome.code == nil, "\(outcome.problems.text)")
    let written = try outcome.records("out.jsonl")
    #expect(
      written.count == 100
        && written.first
          == #"{"id":"0","market":"DE","n":400,"tags":["spam","b400"],"key":"DE0","all":["spam","b400","DE"],"count":5}"#
    )
    #expect(try outcome.records("t.csv")[1] == "DE0,400,5")
    var small = runner
    small.batchBytes = 300
    small.workers = 1
    #expect(try await small.run().everything == outcome.everything)
  }

  @Test(arguments: [
    (#"{}"#, "nothing_to_do"), (#"{"market": "'x'"}"#, "field_exists"),
    (#"{"a.b": "1"}"#, "nested_field"), (#"{"x": "naem"}"#, "bad_expression"),
    (#"{"x": "tags.?y"}"#, "bad_expression"), (#"{"x": 5}"#, "wrong_type"),
    (#"{"x": "1", "y": "x + 1"}"#, "bad_expression"),
  ])
  func `refuses what it cannot do`(fields: String, code: String) async throws {
    let outcome = try await runner(fields, records: []).run()
    #expect(outcome.code == code, "\(outcome.problems.text)")
  }

  @Test func `a zone is part of what a run depends on`() async throws {
    func key(_ zone: String) async throws -> String? {
      let outcome = try await runner(
        #"{"h": "has(ts) ? ts.getHours(\#(zone)) : 0"}"#, records: [#"{"id":"a","market":"DE"}"#]
      ).run()
      return outcome.outputs["manifest.json"].map { String(decoding: $0, as: UTF8.self) }
    }
    let manifest = try #require(try await key("'Europe/Berlin'"))
    #expect(manifest.contains("zoneinfo/Europe/Berlin"))
    #expect(!(try #require(try await key("'UTC'"))).contains("zoneinfo"))
  }
}
