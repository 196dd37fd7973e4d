import Testing
import WeirData
import WeirTesting

@Suite(
  .enabled(if: RunningBinary.weir != nil, "the binary is not beside the tests"),
  .timeLimit(.minutes(2)))
struct `The command weir test` {
  private static let spec = #"""
    { "name": "p",
      "params": { "min": { "type": "int", "default": 0 } },
      "sources": { "s": { "type": "jsonl", "paths": ["data/day=*/*"],
        "fields": { "id": "string", "market": "string", "n": "int", "at": "any" } } },
      "transforms": {
        "clean": { "type": "normalize", "inputs": ["s"],
          "fields": { "market": { "trim": true, "case": "upper" }, "at": { "timestamp": ["rfc3339", "epoch_ms"] } } },
        "unique": { "type": "dedupe", "inputs": ["clean"], "key": ["id"] },
        "large": { "type": "filter", "inputs": ["unique"], "where": "n >= params.min" },
        "counts": { "type": "aggregate", "inputs": ["large"], "by": ["market"], "metrics": { "n": { "count": true } } } },
      "sinks": {
        "out": { "type": "jsonl", "inputs": ["large"], "path": "m={market}/part.jsonl.zst" },
        "csv": { "type": "csv", "inputs": ["counts"], "path": "counts.csv" } } }
    """#

  private static let good = #"""
    {
      "tests": [
        {
          "name": "spellings",
          "end": "clean",
          "inputs": { "s": [
            {"id": "1", "market": " de", "n": 1, "at": 1790467480020},
            "no json",
            {"id": "2", "market": "FR", "n": 2, "at": "2026-09-27T00:00:46Z", "more": 9007199254740993}
          ] },
          "expect": {
            "records": [
              {"id": "1", "market": "DE", "n": 1, "at": "2026-09-27T00:04:40.020Z"},
              {"id": "2", "market": "FR", "n": 2, "at": "2026-09-27T00:00:46Z", "more": 9007199254740993}
            ],
            "codes": { "invalid_json": 1 },
            "quarantine": [ { "line": 2, "stage": "s" } ],
            "ledger": { "read": 3, "quarantined": 1, "stages": { "clean": { "in": 2, "out": 2 } } }
          }
        },
        {
          "name": "from unique to counts",
          "params": { "min": 2 },
          "start": "unique", "end": "counts",
          "inputs": { "unique": [
            {"id": "1", "market": "DE", "n": 1, "at": "2026-09-27T00:04:40.020Z"},
            {"id": "2", "market": "DE", "n": 2, "at": "2026-09-27T00:04:40.020Z"},
            {"id": "2", "market": "DE", "n": 3, "at": "2026-09-27T00:04:40.020Z"}
          ] },
          "expect": { "rows": [ { "market": "DE", "n": 1 } ], "ledger": { "filtered": 1, "deduplicated": 1 } }
        },
        {
          "name": "files",
          "inputs": { "s": { "shards": { "day=1/a": [ {"id": "1", "market": "DE", "n": 1, "at": 0} ],
                                         "day=2/b": { "file": "two.jsonl.zst" } } } },
          "expect": { "files": {
            "m=DE/part.jsonl.zst": [ { "id": "1", "market": "DE", "n": 1, "at": "1970-01-01T00:00:00Z" } ],
            "m=FR/part.jsonl.zst": true, "m=US/part.jsonl.zst": false,
            "counts.csv": [ "market,n", "DE,1", "FR,1" ] } }
        }
      ]
    }
    """#

  private func prepare(_ folder: TemporaryFolder, _ test: String? = good) throws {
    try folder.write(Self.spec, at: "p.json")
    if let test { try folder.write(test, at: "p.test.json") }
    let lines = (0..<40).map {
      #"{"id":"\#($0 / 2)","market":["de","fr"][0],"n":\#($0),"at":0,"who":"m-\#($0 % 3)"}"#
    }.map { line in
      String(decoding: line.utf8, as: UTF8.self).replacingWord("[\"de\",\"fr\"][0]", "\"de\"")
    }
    try folder.write(
      SampleShard.zstd(SampleShard.text(lines + ["{"])), at: "data/day=1/part.jsonl.zst")
    try folder.write(
      SampleShard.zstd(SampleShard.text([#"{"id":"9","market":"fr","n":1,"at":0}"#])),
      at: "two.jsonl.zst")
  }

  private func test(
    _ folder: TemporaryFolder, _ arguments: String...
  ) throws -> RunningBinary.Outcome {
    try RunningBinary.run(weir, ["test", "p.json"] + arguments, in: folder.path)
  }

  @Test func `passes where records, rows, ledger, quarantine and files are as expected`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let outcome = try test(folder)
      #expect(outcome.exit == 0, "\(outcome.output)\(outcome.errors)")
      #expect(outcome.lastLine == "3 tests of 1 spec, all pass")
    }
  }

  @Test func `a folder stands for the specs in it that have a test`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      try folder.write("{}", at: "other.json")
      func run(_ path: String) throws -> RunningBinary.Outcome {
        try RunningBinary.run(weir, ["test", path], in: folder.path)
      }
      for path in [".", "./"] {
        let outcome = try run(path)
        #expect(outcome.exit == 0, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.lastLine == "3 tests of 1 spec, all pass")
      }
      let none = try run("data")
      #expect(none.exit == 78 && none.errors.contains("data has no spec with a test beside it"))
    }
  }

  @Test func `shows field by field what differs`() throws {
    try withTemporaryFolder { folder in
      try prepare(
        folder,
        Self.good.replacingWord(
          #""market": "DE", "n": 1, "at": "2026"#, #""market": "XX", "n": 1, "at": "2026"#))
      let outcome = try test(folder)
      #expect(outcome.exit == 1)
      #expect(outcome.output.contains("FAIL p.test.json:3: spellings"), "\(outcome.output)")
      #expect(outcome.output.contains("record 1, line 13"), "\(outcome.output)")
      #expect(outcome.output.contains(#"market  "XX"      "DE""#), "\(outcome.output)")
      #expect(!outcome.output.contains("record 2"))
    }
  }

  @Test func `tells a missing and an unexpected record from a changed one`() throws {
    try withTemporaryFolder { folder in
      let less = Self.good.replacingWord(
        #"{"id": "1", "market": "DE", "n": 1, "at": "2026-09-27T00:04:40.020Z"},"# + "\n          ",
        "")
      try prepare(folder, less)
      let outcome = try test(folder)
      #expect(outcome.output.contains("unexpected record 1:"), "\(outcome.output)")
    }
  }

  @Test func `writes expectations anew and leaves everything else as it stands`() throws {
    try withTemporaryFolder { folder in
      let wrong = Self.good.replacingWord(
        #"{"id": "1", "market": "DE", "n": 1, "at": "2026-09-27T00:04:40.020Z"},"#,
        #"{"at": 1, "id": "1", "market": "XX", "n": 1},"#
      )
      .replacingWord(#""read": 3"#, #""read": 4"#).replacingWord(
        #""invalid_json": 1"#, #""other": 7"#)
      try prepare(folder, wrong)
      let outcome = try test(folder, "--update")
      #expect(outcome.exit == 0, "\(outcome.output)\(outcome.errors)")
      let text = String(decoding: try readFile(folder.file("p.test.json")), as: UTF8.self)
      // The order of the members is that of the file.
      let expected = Self.good.replacingWord(
        #"{"id": "1", "market": "DE", "n": 1, "at": "2026-09-27T00:04:40.020Z"},"#,
        #"{"at": "2026-09-27T00:04:40.020Z", "id": "1", "market": "DE", "n": 1},"#)
      #expect(text == expected, "\(text)")
    }
  }

  @Test func `makes a first test of sampled records that passes, with fields redacted`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder, nil)
      let made = try test(
        folder, "--create", "--records", "3", "--redact", "who", "--redact", "nobody")
      #expect(made.exit == 0, "\(made.errors)")
      #expect(made.errors.contains("no record has the field `nobody`"))
      let text = String(decoding: try readFile(folder.file("p.test.json")), as: UTF8.self)
      #expect(!text.contains("m-1") && text.contains("redacted-1"), "\(text)")
      #expect(text.contains("deduplicated"))
      let outcome = try test(folder)
      #expect(outcome.exit == 0, "\(outcome.output)")
      let again = try test(folder, "--create")
      #expect(again.exit == 1 && again.errors.contains("is there already"))
    }
  }

  @Test func `writes JUnit XML and JSON`() throws {
    try withTemporaryFolder { folder in
      try prepare(
        folder,
        Self.good.replacingWord("\"spellings\"", "\"a < b & c\"").replacingWord(
          #""read": 3"#, #""read": 4"#))
      let outcome = try test(folder, "--junit", "out/junit.xml", "--json")
      #expect(outcome.exit == 1)
      let xml = String(decoding: try readFile(folder.file("out/junit.xml")), as: UTF8.self)
      #expect(
        xml.contains(#"<testsuites name="weir" tests="3" failures="1" errors="0">"#), "\(xml)")
      #expect(xml.contains(#"name="a &lt; b &amp; c""#))
      #expect(xml.contains("ledger, read: expected 4, actual 3"))
      let json = try #require(JSONValue(parsing: outcome.lastLine))
      #expect(json["failed"] == 1 && json["passed"] == 2)
    }
  }

  @Test(
    arguments: [
      (
        #"{"tests": [{"name": "x", "inputs": {"t": []}, "expect": {"ledger": {}}}]}"#,
        "no input of this test is called 't'"
      ),
      (
        #"{"tests": [{"name": "x", "end": "claen", "inputs": {}, "expect": {"ledger": {}}}]}"#,
        "try: clean"
      ),
      (#"{"tests": [{"name": "x", "inputs": {}, "expcet": {}}]}"#, "has no key 'expcet'"),
      (
        #"{"tests": [{"name": "x", "inputs": {}, "expect": {"records": []}}]}"#,
        "there are no records to look at"
      ),
      (
        #"{"tests": [{"name": "x", "inputs": {}, "params": {"mim": 1}, "expect": {"ledger": {}}}]}"#,
        "mim"
      ),
      (
        #"{"tests": [{"name": "x", "inputs": {"s": 1}, "expect": {"ledger": {}}}]}"#,
        "an input is an integer"
      ),
      (
        #"{"tests": [{"name": "x", "start": "large", "end": "clean", "inputs": {}, "expect": {"records": []}}]}"#,
        "no way leads from"
      ),
      (#"{"tests": [,]}"#, "p.test.json:1:"),
    ])
  func `says what is wrong with a test file, with its place`(test text: String, words: String)
    throws
  {
    try withTemporaryFolder { folder in
      try prepare(folder, text)
      let outcome = try test(folder)
      #expect(outcome.exit == 78, "\(outcome.output)")
      #expect(
        outcome.output.contains(words) && outcome.output.contains("p.test.json:1:"),
        "\(outcome.output)")
    }
  }

  @Test func `refuses a file of 100 MB and one of 10,000 levels in a second`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder, String(repeating: "[", count: 10_000))
      let started = ContinuousClock().now
      let deep = try test(folder)
      #expect(deep.exit == 78 && deep.output.contains("too_deep"), "\(deep.output)")
      try folder.write([UInt8](repeating: 0x20, count: 100 << 20), as: "p.test.json")
      let large = try test(folder)
      #expect(large.exit == 78 && large.output.contains("larger than 16 MiB"), "\(large.output)")
      #expect(ContinuousClock().now - started < .seconds(10))
    }
  }

  @Test func `says that there is no test file, and how one is made`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder, nil)
      let outcome = try test(folder)
      #expect(outcome.exit == 78 && outcome.output.contains("--create"), "\(outcome.output)")
    }
  }

  @Test func `passes for every pipeline of the repository`() throws {
    let specs = listFolder(repository + "/pipelines").filter { name in
      name.utf8.suffix(5).elementsEqual(".json".utf8)
        && !name.utf8.suffix(10).elementsEqual(".test.json".utf8)
    }
    #expect(specs.count >= 3)
    let outcome = try RunningBinary.run(
      weir, ["test"] + specs.map { "pipelines/\($0)" }, in: repository)
    #expect(outcome.exit == 0, "\(outcome.output)\(outcome.errors)")
  }
}

@Suite(
  .enabled(if: RunningBinary.weir != nil, "the binary is not beside the tests"),
  .timeLimit(.minutes(2)))
struct `The command weir explain` {
  private func explain(_ spec: String, _ arguments: String...) throws -> RunningBinary.Outcome {
    try RunningBinary.run(weir, ["explain", spec] + arguments, in: repository)
  }

  @Test func `says why shards are read again, and where they are not`() throws {
    let nightly = try explain("pipelines/nightly-trends.json")
    #expect(nightly.exit == 0, "\(nightly.errors)")
    #expect(
      nightly.output.contains("pass 2  reads each shard of `decisions` again"), "\(nightly.output)")
    #expect(nightly.output.contains("because `records` (jsonl) writes the records"))
    #expect(nightly.output.contains("56 shards"))
    let flights = try explain("pipelines/flights.json")
    #expect(flights.output.contains("goes over the columns that were kept"), "\(flights.output)")
    #expect(flights.output.contains("keeps for later passes:"))
    for line in lines(of: nightly.stdout + flights.stdout) {
      #expect(line.unicodeScalars.count <= 100, "\(line)")
    }
  }

  @Test func `names a filter that stands in front of a dedupe`() throws {
    try withTemporaryFolder { folder in
      try folder.write(
        #"""
        { "name": "p",
          "sources": { "s": { "type": "jsonl", "paths": ["d/*"], "fields": { "id": "string", "rev": "int" } } },
          "transforms": { "early": { "type": "filter", "inputs": ["s"], "where": "rev > 1" },
                          "unique": { "type": "dedupe", "inputs": ["early"], "key": ["id"], "order_by": ["rev"] } },
          "sinks": { "out": { "type": "jsonl", "inputs": ["unique"], "path": "o.jsonl" } } }
        """#, at: "p.json")
      let outcome = try explain(folder.file("p.json"))
      #expect(outcome.exit == 0)
      #expect(
        outcome.output.contains("danger: `early` filters in front of it"), "\(outcome.output)")
      #expect(outcome.output.contains("0 files match"), "\(outcome.output)")
      #expect(outcome.errors.contains("filter_before_dedupe"))
    }
  }

  @Test func `draws graphs and gives JSON`() throws {
    let json = try #require(
      JSONValue(parsing: try explain("pipelines/flights.json", "--format", "json").lastLine))
    #expect(json["passes"]?.elements.count == 2)
    #expect(json["passes"]?.elements[1]["readings"]?.elements[0]["reads_shards"] == false)
    let dot = try explain("pipelines/flights.json", "--format", "dot").output
    #expect(dot.utf8.starts(with: #"digraph "flights" {"#.utf8) && dot.contains("shape=hexagon"))
    let mermaid = try explain("pipelines/flights.json", "--format", "mermaid").output
    #expect(mermaid.utf8.starts(with: "flowchart LR".utf8) && mermaid.contains("unique<br>dedupe"))
    #expect(try explain("pipelines/flights.json", "--format", "png").exit == 64)
    #expect(try explain("pipelines/market-report.json").exit == 78)
  }
}

extension String {
  fileprivate func replacingWord(_ word: String, _ other: String) -> String {
    let (text, word) = (Array(utf8), Array(word.utf8))
    guard let at = text.indices.first(where: { text[$0...].starts(with: word) }) else {
      return self
    }
    return String(
      decoding: text[..<at] + Array(other.utf8) + text[(at + word.count)...], as: UTF8.self)
  }
}
