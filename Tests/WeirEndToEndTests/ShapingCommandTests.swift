import Testing
import WeirData
import WeirTesting

/// What a person and a scheduler see of stages that check, route, draw and look up.
@Suite(
  .enabled(if: RunningBinary.weir != nil, "the binary is not beside the tests"),
  .timeLimit(.minutes(2)))
struct `Commands over stages that shape and route` {
  private static let spec = #"""
    { "name": "p",
      "sources": { "s": { "type": "jsonl", "paths": ["data/*"], "fields": { "id": "int", "who": "string?", "day": "string" } } },
      "transforms": {
        "checked": { "type": "expect", "inputs": ["s"], "rules": {
          "named": { "that": "who != null" }, "small": { "that": "id < 90", "level": "fail" }, "any": { "that": "id >= 0" } } },
        "placed": { "type": "lookup", "inputs": ["checked"], "table": "teams.csv", "on": "who", "fields": ["team"], "unmatched": "null" },
        "routed": { "type": "split", "inputs": ["placed"], "outputs": { "low": "id < 50" } },
        "few": { "type": "sample", "inputs": ["routed.low"], "key": ["id"], "count": 5 },
        "bare": { "type": "drop", "inputs": ["few"], "fields": ["who"] },
        "dated": { "type": "normalize", "inputs": ["placed"], "fields": { "day": { "timestamp": ["date"] } } },
        "trends": { "type": "trend", "inputs": ["dated"], "time": "day", "bucket": "1d", "by": ["who"], "metrics": { "n": { "count": true } } } },
      "sinks": {
        "out": { "type": "jsonl", "inputs": ["bare"], "path": "out.jsonl" },
        "rest": { "type": "jsonl", "inputs": ["routed.rest"], "path": "rest.jsonl" },
        "page": { "type": "report", "inputs": ["trends"], "path": "page.html" } } }
    """#

  private func prepare(_ folder: TemporaryFolder) throws {
    try folder.write(Self.spec, at: "p.json")
    try folder.write("who,team\nm1,north\nm2,south\n", at: "teams.csv")
    let lines = (0..<100).map { i in
      let who = i % 10 == 0 ? "" : #","who":"m\#(i % 3)""#
      return #"{"id":\#(i)\#(who),"day":"2026-10-0\#(1 + i % 9)"}"#
    }
    try folder.write(SampleShard.text(lines), at: "data/a.jsonl")
  }

  private func weirRun(_ folder: TemporaryFolder, _ words: String...) throws
    -> RunningBinary.Outcome
  {
    let outcome = try RunningBinary.run(weir, words, in: folder.path)
    #expect(outcome.exit == 0, "\(outcome.errors)")
    return outcome
  }

  @Test func `a run says what was expected, to people, machines and on the page`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let text = try weirRun(folder, "run", "p.json", "--progress", "none").output
      #expect(
        text.contains(
          """
            expected    1 of 3 rules met by all records
                        checked.named (warn): 10 of 100 do not meet it (10 %)
                          first s a.jsonl:1
                        checked.small (fail): 10 of 100 do not meet it (10 %)
                          first s a.jsonl:91
          """), "\(text)")
      let again = try weirRun(folder, "run", "p.json", "--json", "--force", "--progress", "none")
      let json = try #require(JSONValue(parsing: again.lastLine))
      #expect(
        json["expectations"]?.elements.first?.text
          == #"{"stage":"checked","rule":"named","level":"warn","failed":10,"first":{"source":"s","shard":"a.jsonl","line":1},"checked":100,"rate":0.1}"#
      )
      #expect(json["expectations"]?.elements.count == 3)
      // Where nothing is new, what is said is what was.
      let same = try weirRun(folder, "run", "p.json", "--json", "--progress", "none")
      let unchanged = try #require(JSONValue(parsing: same.lastLine))
      #expect(unchanged["unchanged"] == true)
      #expect(unchanged["expectations"]?.text == json["expectations"]?.text)
      let shown = try weirRun(folder, "run", "p.json", "--progress", "none").output
      #expect(shown.contains("nothing new") && shown.contains("1 of 3 rules met"))
      let page = String(
        decoding: try readFile(folder.file("out/p/all/page.html")), as: UTF8.self)
      #expect(page.contains("Expectations: 1 of 3 rules met by all records"))
      #expect(page.contains("#expectations") && page.contains("failed_expectation"))
    }
  }

  @Test func `previews follow one output, draws and tables`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let low = try weirRun(
        folder, "preview", "p.json", "--stage", "routed.rest", "--records", "3", "--json")
      let found = try #require(JSONValue(parsing: low.lastLine))
      let lines = found["records"]?.elements.compactMap { $0["line"]?.integer }
      #expect(lines == [51, 52, 53], "\(found.text)")
      let drawn = try weirRun(folder, "preview", "p.json", "--stage", "few").output
      #expect(drawn.contains("few: 50 in, 5 out, 45 filtered"), "\(drawn)")
      #expect(drawn.contains("5 records pass as they are"))
      // The records of the other output are not filtered.
      #expect(drawn.contains("routed: 90 in, 90 out"), "\(drawn)")
      let placed = try weirRun(
        folder, "preview", "p.json", "--stage", "placed", "--records", "2"
      ).output
      #expect(placed.contains("+ team") && placed.contains("\"north\""), "\(placed)")
    }
  }

  @Test func `an explanation names outputs and what is drawn`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let text = try weirRun(folder, "explain", "p.json").output
      #expect(text.contains("-> low -> few (sample)  5 stay: those with the lowest hash of id"))
      #expect(text.contains("-> rest -> rest (jsonl)"), "\(text)")
      let graph = try weirRun(folder, "explain", "p.json", "--format", "mermaid").output
      #expect(graph.contains("-->|low|"))
    }
  }

  @Test func `a test may say what leaves by each output and fails each rule`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      func write(_ low: Int, _ rule: String) throws {
        try folder.write(
          #"""
          {"tests": [{"name": "t",
            "inputs": {"s": [{"id": 1, "day": "2026-10-01"}, {"id": 60, "who": "m1", "day": "2026-10-01"}, {"id": 95, "who": "m1", "day": "2026-10-01"}]},
            "expect": {"ledger": {"stages": {
              "routed": {"in": 2, "outputs": {"low": \#(low), "rest": 1}},
              "checked": {"failed": {"named": 1, "\#(rule)": 1}}}}}}]}
          """#, at: "p.test.json")
      }
      try write(1, "small")
      #expect(try weirRun(folder, "test", "p.json").output.contains("all pass"))
      try write(2, "tiny")
      let failed = try RunningBinary.run(weir, ["test", "p.json"], in: folder.path)
      #expect(failed.exit == 1)
      #expect(
        failed.output.contains("ledger, routed, outputs, low: expected 2, actual 1"),
        "\(failed.output)")
      #expect(
        failed.output.contains("ledger, checked, failed: there is no 'tiny', but named, small"),
        "\(failed.output)")
    }
  }

  @Test func `a first test of it passes`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      _ = try weirRun(folder, "test", "p.json", "--create")
      #expect(try weirRun(folder, "test", "p.json").output.contains("all pass"))
    }
  }
}
