import Testing
import WeirData
import WeirTesting

@Suite(
  .enabled(if: RunningBinary.weir != nil, "the binary is not beside the tests"),
  .timeLimit(.minutes(2)))
struct `The command weir preview` {
  private static let spec = #"""
    { "name": "p",
      "params": { "min": { "type": "int", "default": 0 } },
      "sources": { "s": { "type": "jsonl", "paths": ["data/day=*/*"],
        "fields": { "id": "string", "market": "string", "n": "int", "rev": "int" } } },
      "transforms": {
        "clean": { "type": "normalize", "inputs": ["s"],
          "fields": { "market": { "trim": true, "case": "upper", "map": "markets.json", "unmapped": "quarantine" } } },
        "unique": { "type": "dedupe", "inputs": ["clean"], "key": ["id"], "keep": "last", "order_by": ["rev"] },
        "large": { "type": "filter", "inputs": ["unique"], "where": "n >= params.min" },
        "counts": { "type": "aggregate", "inputs": ["large"], "by": ["market"], "metrics": { "n": { "count": true } } } },
      "sinks": {
        "out": { "type": "jsonl", "inputs": ["large"], "path": "m={market}/part.jsonl.zst" },
        "list": { "type": "csv", "inputs": ["large"], "path": "list.csv", "columns": ["id", "market"] },
        "csv": { "type": "csv", "inputs": ["counts"], "path": "counts.csv" } } }
    """#

  private func prepare(_ folder: TemporaryFolder) throws {
    try folder.write(Self.spec, at: "p.json")
    try folder.write(#"{"DE": "DE", "GERMANY": "DE", "FR": "FR"}"#, at: "markets.json")
    for day in 1...3 {
      var lines: [String] = []
      for i in 0..<1_000 {
        let market = [" de", "Germany", "fr", "FR"][i % 4]
        lines.append(
          #"{"id":"\#(day)-\#(i / 2 * 2)","market":"\#(market)","n":\#(i),"rev":\#(i % 2),"note":"x"}"#
        )
      }
      lines[1] = "no json"
      lines[2] = #"{"id":"z","market":"xx","n":1,"rev":1}"#
      try folder.write(
        SampleShard.zstd(SampleShard.text(lines)), at: "data/day=\(day)/part.jsonl.zst")
    }
  }

  private func preview(
    _ folder: TemporaryFolder, _ arguments: [String]
  ) throws -> RunningBinary.Outcome {
    try RunningBinary.run(weir, ["preview", "p.json"] + arguments, in: folder.path)
  }

  private func json(_ folder: TemporaryFolder, _ arguments: String...) throws -> JSONValue {
    let outcome = try preview(folder, arguments + ["--json"])
    #expect(outcome.exit == 0, "\(outcome.errors)")
    return try #require(JSONValue(parsing: outcome.lastLine), "\(outcome.output)")
  }

  @Test func `shows what a map makes of the first records, and reads no line more`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let before = try filesBelow(folder.path)
      let found = try json(folder, "--stage", "clean", "--records", "3")
      #expect(
        found["read"]?.elements.map { $0["lines"]?.integer ?? 0 } == [4], "\(found.text)")
      #expect(found["shards_in_all"]?.integer == 3)
      let records = found["records"]?.elements ?? []
      #expect(records.map { $0["outcome"]?.string } == ["changed", "refused", "unchanged"])
      #expect(records[0]["before"]?["market"]?.string == " de")
      #expect(records[0]["after"]?["market"]?.string == "DE")
      #expect(records[0]["changed"]?.text == #"["market"]"#)
      #expect(records[1]["refused"]?["code"]?.string == "unmapped_value", "\(records[1].text)")
      #expect(found["refused_before"]?.elements.first?["code"]?.string == "invalid_json")
      // Nothing was written.
      differences(before, try filesBelow(folder.path), "preview")
    }
  }

  @Test func `says of a filter which records pass`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let found = try json(
        folder, "--stage", "large", "--records", "4", "--param", "min=5")
      let outcomes = found["records"]?.elements.map { $0["outcome"]?.string ?? "" }
      #expect(outcomes == ["filtered", "filtered", "unchanged", "unchanged"], "\(found.text)")
    }
  }

  @Test func `shows which record a dedupe removes and which stays`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let found = try json(folder, "--stage", "unique", "--records", "50")
      let gone = (found["records"]?.elements ?? []).filter {
        $0["outcome"]?.string == "deduplicated"
      }
      #expect(gone.count == 24, "\(found["counts"]?.text ?? "")")
      #expect(gone.first?["line"]?.integer == 5 && gone.first?["stays"]?["line"]?.integer == 6)
      #expect(gone.first?["stays"]?["record"]?["rev"]?.integer == 1)
    }
  }

  @Test func `counts the records that were read for a table, and says so`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let text = try preview(folder, ["--stage", "counts", "--records", "100"])
      #expect(text.exit == 0, "\(text.errors)")
      #expect(text.output.contains("records that were read only"), "\(text.output)")
      let whole = try json(folder, "--stage", "counts")
      #expect(whole["complete"] == true)
      let run = try RunningBinary.run(
        weir, ["run", "p.json", "--quiet", "--progress", "none"], in: folder.path)
      #expect(run.exit == 0, "\(run.errors)")
      let csv = String(
        decoding: try filesBelow(folder.file("out/p/all"))["counts.csv"] ?? [], as: UTF8.self)
      let rows = (whole["rows"]?["counts"]?.elements ?? []).map {
        "\($0["market"]?.string ?? ""),\($0["n"]?.integer ?? 0)\r\n"
      }
      #expect(
        csv == "market,n\r\n" + rows.joined()
          || csv
            == ("market,n\n"
              + rows.map { String(decoding: $0.utf8.dropLast(2), as: UTF8.self) + "\n" }.joined()),
        "\(csv)")
    }
  }

  @Test func `shows what a sink would write, and where`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let found = try json(folder, "--stage", "out", "--records", "2")
      let records = found["records"]?.elements ?? []
      #expect(
        records.map { $0["to"]?.string } == ["m=DE/part.jsonl.zst", "m=FR/part.jsonl.zst"],
        "\(found.text)")
      #expect(records.first?["after"]?["market"]?.string == "DE")
      let list = try json(folder, "--stage", "list", "--records", "1")
      #expect(list["records"]?.elements.first?["after"]?.string == "1-0,DE", "\(list.text)")
      let csv = try json(folder, "--stage", "csv")
      #expect(csv["files"]?.elements.first?["path"]?.string == "counts.csv")
    }
  }

  @Test func `takes so many records of each value of a field`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let found = try json(folder, "--stage", "unique", "--by", "market", "--records", "2")
      #expect(found["groups"]?.elements.map { $0["market"]?.string } == ["DE", "FR"])
      let days = try json(folder, "--stage", "s", "--by", "day", "--records", "1")
      #expect(
        days["read"]?.elements.map { $0["shard"]?.string ?? "" }
          == (1...3).map { "day=\($0)/part.jsonl.zst" }, "\(days.text)")
    }
  }

  @Test func `fits into 100 columns and has no colours in a pipe`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      for stage in ["s", "clean", "unique", "large", "counts", "out", "list", "csv"] {
        let outcome = try preview(folder, ["--stage", stage, "--all"])
        #expect(outcome.exit == 0, "\(stage): \(outcome.errors)")
        #expect(!outcome.stdout.contains(0x1B))
        for line in lines(of: outcome.stdout) {
          #expect(line.unicodeScalars.count <= 100, "\(stage): \(line)")
        }
      }
    }
  }

  @Test(
    arguments: [
      (["--stage", "claen"], 64, "try: clean"),
      (["--stage", "unique.gone"], 64, "its outputs are removed"),
      (["--stage", "clean", "--by", "markt"], 64, "try: market"),
      (["--stage", "csv", "--by", "market"], 64, "rows reach `csv`"),
      (["--stage", "clean", "--records", "0"], 64, "--records wants 1"),
      (["--stage", "clean", "--records=-1"], 64, "--records wants 1"),
      (["--stage", "clean", "--param", "mim=1"], 78, "mim"),
      ([], 64, "--stage"),
    ] as [([String], Int32, String)])
  func `says what is wrong with the command line`(
    arguments: [String], exit: Int32, words: String
  ) throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let outcome = try preview(folder, arguments)
      #expect(outcome.exit == exit && outcome.errors.contains(words), "\(outcome.errors)")
    }
  }

  @Test func `says the same of a broken spec as weir validate`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      try folder.write(Self.spec.replacing("\"filter\"", with: "\"filtre\""), at: "p.json")
      let outcome = try preview(folder, ["--stage", "clean"])
      let validate = try RunningBinary.run(weir, ["validate", "p.json"], in: folder.path)
      #expect(outcome.exit == 78)
      #expect(outcome.errors.contains(lines(of: validate.stdout).first ?? "?"))
    }
  }

  @Test func `stops at the limit and says so; says it where no more records are there`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let outcome = try preview(
        folder, ["--stage", "out", "--param", "min=5000", "--limit", "500"])
      #expect(
        outcome.output.contains("stopped at --limit: 0 of 10 records reached out"),
        "\(outcome.output)")
      let all = try preview(folder, ["--stage", "out", "--param", "min=998"])
      #expect(all.output.contains("no more than 3 records reach out"), "\(all.output)")
    }
  }
}

extension String {
  fileprivate func replacing(_ word: String, with other: String) -> String {
    let (text, word) = (Array(utf8), Array(word.utf8))
    guard let at = text.indices.first(where: { text[$0...].starts(with: word) }) else {
      return self
    }
    return String(
      decoding: text[..<at] + Array(other.utf8) + text[(at + word.count)...], as: UTF8.self)
  }
}
