import Testing
import WeirData
import WeirEngine
import WeirTesting

@testable import WeirStages

@Suite struct `Lookup stage` {
  private static let fields = #"{"id": "string", "who": "string?", "n": "int?"}"#
  private static let records = [
    #"{"id":"a","who":"m1","n":1}"#, #"{"id":"b","who":"m2","n":2}"#, #"{"id":"c","who":"m9"}"#,
    #"{"id":"d"}"#, #"{"who":"m1","id":"e","team":"old"}"#,
  ]
  private static let teams = """
    id,team,seats,since\r
    m1,north,12,2026-01-01T00:00:00Z\r
    m2,"south ""late"", B",,\r

    """

  private func outcome(
    _ stage: String, _ name: String = "t.csv", _ table: String = teams,
    records: [String] = records, workers: Int = 2, batchBytes: Int = 1 << 18
  ) async throws -> PipelineOutcome {
    let spec = pipeline(
      fields: Self.fields,
      transforms: #""it": {"type": "lookup", "inputs": ["s"], "table": "\#(name)", \#(stage)}"#,
      sinks: jsonlSink("out", "it"))
    var runner = PipelineRunner(spec, shards: [("data/a.jsonl", records)])
    if !table.isEmpty { runner.files.append((name, Array(table.utf8))) }
    runner.workers = workers
    runner.batchBytes = batchBytes
    return try await runner.run()
  }

  // MARK: Policies

  @Test func `a record without a row goes to the quarantine, unless it is said otherwise`()
    async throws
  {
    let made = try await outcome(#""on": {"who": "id"}, "fields": ["team"]"#)
    #expect(made.error == nil && made.problems.text == "", "\(made.problems.text)")
    #expect(
      try made.records("out.jsonl") == [
        #"{"id":"a","who":"m1","n":1,"team":"north"}"#,
        #"{"id":"b","who":"m2","n":2,"team":"south \"late\", B"}"#,
        #"{"who":"m1","id":"e","team":"north"}"#,
      ])
    #expect(made.quarantine.map { $0["code"]?.string } == ["unmatched_key", "unmatched_key"])
    #expect(
      made.quarantine.map { $0["message"]?.string } == [
        "no row of t.csv has `who` 'm9'", "no row of t.csv has `who` null",
      ])
    #expect(made.result?.ledger.imbalances() == [])
  }

  @Test func `null leaves the fields null`() async throws {
    let made = try await outcome(
      #""on": {"who": "id"}, "fields": {"t": "team", "k": {"column": "seats", "type": "int?"}}, "unmatched": "null""#
    )
    #expect(
      try made.records("out.jsonl").map { $0.split(separator: ",\"t\"").last } == [
        #":"north","k":12}"#, #":"south \"late\", B","k":null}"#, #":null,"k":null}"#,
        #":null,"k":null}"#, #":"north","k":12}"#,
      ], "\(made.problems.text)")
  }

  @Test func `default takes that of each field, also where a row has none of its own`()
    async throws
  {
    let made = try await outcome(
      #""on": {"who": "id"}, "unmatched": "default", "fields": {"t": {"column": "team", "default": "?"}, "k": {"column": "seats", "type": "number?", "default": 0.5}, "at": {"column": "since", "type": "timestamp?", "default": "2020-01-01T00:00:00+01:00"}}"#
    )
    #expect(
      try made.records("out.jsonl").map { $0.split(separator: ",\"t\"").last } == [
        #":"north","k":12,"at":"2026-01-01T00:00:00Z"}"#,
        // What the table leaves empty stays so.
        #":"south \"late\", B","k":null,"at":null}"#,
        #":"?","k":0.5,"at":"2019-12-31T23:00:00Z"}"#,
        #":"?","k":0.5,"at":"2019-12-31T23:00:00Z"}"#,
        #":"north","k":12,"at":"2026-01-01T00:00:00Z"}"#,
      ], "\(made.problems.text)")
  }

  @Test func `drop counts it as filtered`() async throws {
    let made = try await outcome(
      #""on": {"who": "id"}, "fields": ["team"], "unmatched": "drop""#)
    let ledger = try #require(made.result).ledger
    #expect(ledger.records.filtered == 2 && ledger.records.written == 3)
    #expect(made.quarantine.isEmpty)
  }

  // MARK: Keys

  @Test func `integers and several fields are keys too`() async throws {
    let byNumber = try await outcome(
      #""on": "n", "fields": ["word"], "unmatched": "drop""#, "t.jsonl",
      "{\"n\": 1, \"word\": \"one\"}\n\n{\"word\": \"two\", \"n\": 2, \"more\": []}\n")
    #expect(
      try byNumber.records("out.jsonl").map { $0.suffix(13) }
        == [
          #","word":"one"}"#, #","word":"two"}"#,
        ].map { $0.suffix(13) }, "\(byNumber.problems.text)")
    let byBoth = try await outcome(
      #""on": {"who": "a", "n": "b"}, "fields": {"x": "c"}, "unmatched": "drop""#, "t.json",
      #"[{"a": "m1", "b": 1, "c": true}, {"a": "m1", "b": 2, "c": false}, {"a": "m2", "b": 2}]"#)
    #expect(
      try byBoth.records("out.jsonl") == [
        #"{"id":"a","who":"m1","n":1,"x":true}"#, #"{"id":"b","who":"m2","n":2,"x":null}"#,
      ], "\(byBoth.problems.text)")
  }

  @Test func `any table and records: the same as a search from row to row`() async throws {
    var random = SeededRandom(seed: 9)
    let keys = ["m1", "m2", "é", "e\u{301}", "", "m 1", "M1", "m\\\"3", "DE"]
    for round in 0..<6 {
      let names = keys.filter { _ in !random.oneIn(3) }.filter { !$0.isEmpty }.shuffled(
        using: &random)
      guard !names.isEmpty else { continue }
      let rows = names.map { ($0, "t\(random.below(4))") }
      let table = rows.map {
        JSONValue.object([JSONMember("id", .text($0.0)), JSONMember("team", .text($0.1))]).text
          + "\n"
      }.joined()
      let records = (0..<500).map { i -> (String?, String) in
        let key = random.oneIn(9) ? nil : random.pick(keys)
        let members =
          [JSONMember("id", .text("\(i)"))] + (key.map { [JSONMember("who", .text($0))] } ?? [])
        return (key, JSONValue.object(members).text)
      }
      let expected = records.map { key, text -> String in
        let row = rows.first { row in key.map { row.0.utf8.elementsEqual($0.utf8) } ?? false }
        return text.dropLast() + #","team":"\#(row?.1 ?? "none")"}"#
      }
      var first: [String: [UInt8]]?
      for (workers, bytes) in [(1, 1 << 20), (2, 300), (3, 2_000)] {
        let made = try await outcome(
          #""on": {"who": "id"}, "unmatched": "default", "fields": {"team": {"column": "team", "default": "none"}}"#,
          "t.jsonl", table, records: records.map(\.1), workers: workers, batchBytes: bytes)
        #expect(try made.records("out.jsonl") == expected, "round \(round)")
        if let first { #expect(made.everything == first) } else { first = made.everything }
      }
    }
  }

  // MARK: The table is part of the run

  @Test func `another table makes another run, and the same one makes none`() async throws {
    let spec = pipeline(
      fields: Self.fields,
      transforms:
        #""it": {"type": "lookup", "inputs": ["s"], "table": "maps/t.csv", "on": {"who": "id"}, "fields": ["team"], "unmatched": "null"}"#,
      sinks: jsonlSink("out", "it"))
    try await withTemporaryFolder { folder in
      try folder.write(SampleShard.text(Self.records), at: "data/a.jsonl")
      try folder.write(Self.teams, at: "maps/t.csv")
      let runner = PipelineRunner(spec, files: [])
      let first = try #require(try await runner.run(in: folder).result)
      #expect(try await runner.run(in: folder).result?.isUnchanged == true)
      try folder.write(Self.teams.replacing("north", with: "east"), at: "maps/t.csv")
      let second = try await runner.run(in: folder)
      #expect(second.result?.isUnchanged == false && second.result?.runKey != first.runKey)
      #expect(try second.records("out.jsonl")[0].hasSuffix(#""team":"east"}"#))
      #expect(second.result?.tasks.contains { $0.isReused } == false)
    }
  }

  // MARK: Mistakes

  @Test(arguments: [
    ("id,team\nm1,a\nm1,b\n", "duplicate_row", "t.csv:3:1", "the first is here"),
    ("id,team\nm1,a\n,b\n", "empty_key", "t.csv:3:1", "which is its key"),
    ("id,team\nm1,a,b\n", "wrong_cell_count", "t.csv:2:1", "3 cells"),
    ("id,team\nm1,\"a\nm2,b\n", "bad_csv", "t.csv:2:4", "never closed"),
    ("id,team\nm1,\"a\" b\n", "bad_csv", "t.csv:2:7", "behind the quote"),
    ("id,team\né,a\"b\n", "bad_csv", "t.csv:2:4", "quote stands inside"),
    ("id;team\nm1;a\n", "wrong_delimiter", "t.csv:1:1", #""delimiter": ";""#),
    ("id,id\nm1,a\n", "duplicate_column", "t.csv:1:4", "two columns"),
    ("id,teams\nm1,a\n", "unknown_column", "pipeline.json", #""teams""#),
    ("id,team\n", "empty_table", "pipeline.json", "no rows"),
    ("\n\n", "empty", "t.csv:1:1", "nothing in this file"),
    ("", "unreadable_file", "pipeline.json", "t.csv"),
  ])
  func `what is wrong with CSV is said with its place`(
    table: String, code: String, place: String, words: String
  ) async throws {
    let made = try await outcome(#""on": {"who": "id"}, "fields": ["team"]"#, "t.csv", table)
    #expect(made.code == code)
    let text = made.problems.text
    #expect(text.contains(place) && text.contains(words), "\(text)")
  }

  @Test(arguments: [
    ("t.json", #"{"a": 1}"#, "wrong_type", "t.json:1:1"),
    (
      "t.json", "[{\"id\": \"m1\", \"team\": \"a\"},\n {\"id\": \"m1\", \"team\": \"b\"}]",
      "duplicate_row", "t.json:2:9"
    ),
    ("t.json", "[{\"id\": \"m1\", \"team\": \"a\"}\n {}]", "missing_comma", "t.json:1"),
    (
      "t.jsonl", "{\"id\": \"m1\", \"team\": \"a\"}\n{\"id\": 5, \"team\": \"b\"}\n", "wrong_type",
      "t.jsonl:2:8"
    ),
    (
      "t.jsonl", "{\"id\": \"m1\", \"team\": \"a\"}\n{\"id\": \"m2\", \"team\": 7}\n",
      "types_differ", "t.jsonl:2:22"
    ),
    ("t.jsonl", "{\"id\": \"m1\", \"team\": \"a\"}\n[]\n", "wrong_type", "t.jsonl:2:1"),
    ("t.jsonl", "{\"id\": \"m1\", \"team\": {}}\n", "wrong_type", "t.jsonl:1:22"),
    (
      "t.jsonl", "{\"id\": \"m1\", \"team\": \"a\"}\n{\"id\" \"m2\"}\n", "missing_colon",
      "t.jsonl:2:6"
    ),
  ])
  func `what is wrong with JSON is said with its place`(
    name: String, table: String, code: String, place: String
  ) async throws {
    let made = try await outcome(#""on": {"who": "id"}, "fields": ["team"]"#, name, table)
    #expect(made.code == code, "\(made.problems.text)")
    #expect(made.problems.text.contains(place), "\(made.problems.text)")
  }

  @Test(arguments: [
    (#""on": {"who": "id"}, "fields": {"k": {"column": "seats", "type": "int"}}"#, "missing_value"),
    (#""on": {"who": "id"}, "fields": {"k": {"column": "team", "type": "int?"}}"#, "wrong_type"),
    (
      #""on": {"who": "id"}, "fields": {"k": {"column": "team", "type": "any"}}"#,
      "wrong_field_type"
    ),
    (
      #""on": {"who": "id"}, "unmatched": "default", "fields": {"k": {"column": "seats", "type": "int?", "default": "x"}}"#,
      "wrong_type"
    ),
    (#""on": {"who": "id"}, "unmatched": "default", "fields": ["team"]"#, "missing_default"),
    (#""on": {"who": "id"}, "fields": {"k": {"column": "team", "default": "x"}}"#, "unused_option"),
    (#""on": {"who": "id"}, "fields": {"n": "team"}"#, "field_exists"),
    (#""on": {"who": "id"}, "fields": {"a.b": "team"}"#, "nested_field"),
    (#""on": {"whom": "id"}, "fields": ["team"]"#, "unknown_field"),
    (#""on": {}, "fields": ["team"]"#, "empty_key"),
    (#""on": "n", "fields": ["team"]"#, "unknown_column"),
    (#""on": {"n": "team"}, "fields": {"x": "id"}"#, "wrong_type"),
  ])
  func `what cannot be is refused`(stage: String, code: String) async throws {
    let made = try await outcome(stage)
    #expect(made.code == code, "\(made.problems.text)")
  }

  @Test func `a table lies in the folder of the spec`() async throws {
    let stage = #""on": {"who": "id"}, "fields": ["team"]"#
    for name in ["../t.csv", "/etc/hosts.csv", "data/../../t.csv"] {
      let made = try await outcome(stage, name, "")
      #expect(made.code == "path_escapes", "\(name): \(made.problems.text)")
    }
    #expect(try await outcome(stage, "data/../t.csv").code == nil)
    #expect(try await outcome(stage, "t.txt").code == "unknown_table_form")
  }

  @Test func `a table that is too large is refused`() async throws {
    let rows = String(repeating: "m1,a\n", count: (LookupFile.bytesMax / 5) + 1)
    let made = try await outcome(
      #""on": {"who": "id"}, "fields": ["team"]"#, "t.csv", "id,team\n" + rows)
    #expect(made.code == "too_large")
  }
}
