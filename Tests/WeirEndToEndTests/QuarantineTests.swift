import Glibc
import Testing
import WeirData
import WeirTesting

/// Over a budget, looked into, mended and replayed, as an ops engineer does it.
@Suite(
  .enabled(if: RunningBinary.weir != nil, "the binary is not beside the tests"),
  .timeLimit(.minutes(2)))
struct `The command weir quarantine` {
  private static let spec = #"""
    { "name": "test",
      "ledger_by": ["market"],
      "params": { "data": { "type": "path", "default": "data" } },
      "error_budget": { "count": 3 },
      "sources": { "s": { "type": "jsonl", "paths": ["${param.data}/*"], "fields": {"id": "string", "market": "string"} } },
      "transforms": { "clean": { "type": "normalize", "inputs": ["s"],
        "fields": { "market": { "map": "markets.json", "unmapped": "quarantine" } } },
                      "d": { "type": "dedupe", "inputs": ["clean"], "key": ["id"] } },
      "sinks": { "out": { "type": "jsonl", "inputs": ["d"], "path": "out.jsonl.zst" } } }
    """#

  private func prepare(_ folder: TemporaryFolder, spec: String = spec) throws {
    try folder.write(spec, at: "p.json")
    try folder.write(#"{"de": "DE", "fr": "FR"}"#, at: "markets.json")
    let markets = ["de", "fr", "it", "es"]
    for shard in 0..<3 {
      let lines = (0..<20).map { i in
        i == 13 ? "no json" : #"{"id":"\#(shard)-\#(i)","market":"\#(markets[i % 20 / 5])"}"#
      }
      try folder.write(SampleShard.zstd(SampleShard.text(lines)), at: "data/\(shard).jsonl.zst")
    }
  }

  private func weirRun(
    _ folder: TemporaryFolder, _ arguments: String...
  ) throws -> RunningBinary.Outcome {
    try RunningBinary.run(weir, arguments, in: folder.path)
  }

  private func json(_ outcome: RunningBinary.Outcome) throws -> JSONValue {
    try #require(JSONValue(parsing: outcome.lastLine), "not JSON: \(outcome)")
  }

  private func count(_ list: JSONValue?, _ key: String, _ name: String) -> Int? {
    list?.elements.first { $0[key]?.string == name }?["records"]?.integer
  }

  @Test func `follows a run that is over its budget, which says all that is needed`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let over = try weirRun(folder, "run", "p.json", "--json", "--progress", "none")
      #expect(over.exit == 2)
      let result = try json(over)
      #expect(
        result.keys == [
          "run", "pipeline", "status", "exit", "retry", "params", "complete", "records", "blank",
          "quarantine", "over_budget", "error",
        ])
      #expect(result["status"] == "over_budget" && result["exit"] == 2 && result["retry"] == false)
      let excess = try #require(result["over_budget"]?.elements.first)
      #expect(excess["refused"] == 10 && excess["count"] == 3 && excess["over_by"] == 7)
      #expect(excess["codes"]?.text == #"{"unmapped_value":9,"invalid_json":1}"#, "\(excess.text)")
      #expect(excess["first"]?["shard"] == "0.jsonl.zst" && excess["first"]?["line"] == 11)
      #expect(result["error"]?["code"] == "over_budget")
      #expect(access(folder.file("out/test/all"), F_OK) != 0)
      #expect(over.errors.contains("weir quarantine \(result["run"]?.string ?? "")"))
      #expect(over.errors.contains("The outputs of the last run are untouched."))

      let shown = try weirRun(folder, "quarantine", "last")
      #expect(shown.exit == 0 && shown.errors.isEmpty)
      for words in ["over_budget", "9  unmapped_value", "1  invalid_json", "9  market", "no json"] {
        #expect(shown.output.contains(words), "\(words) in \(shown.output)")
      }
      let id = result["run"]?.string ?? ""
      let survey = try json(weirRun(folder, "quarantine", String(id.dropLast(3)), "--json"))
      #expect(survey["run"]?.string == id && survey["refusals"] == 10)
      #expect(count(survey["stages"], "stage", "clean") == 9)
      #expect(count(survey["fields"], "field", "market") == 9)
      #expect(count(survey["shards"], "shard", "0.jsonl.zst") == 10)
      #expect(survey["samples"]?.elements.map { $0["line"]?.integer } == [11, 14])
      #expect(leftovers(folder) == [])
    }
  }

  @Test func `shows only what its filters let through`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder, spec: Self.spec.replacingCount(with: "100"))
      #expect(try weirRun(folder, "run", "p.json", "--quiet").exit == 0)
      for (filters, matching) in [
        (["--code", "invalid_json"], 3), (["--stage", "clean"], 27), (["--field", "market"], 27),
        (["--shard", "1.jsonl"], 10), (["--shard", "1.jsonl", "--stage", "s"], 1),
        (["--code", "invalid_json", "--code", "unmapped_value"], 30), (["--code", "none"], 0),
      ] as [([String], Int)] {
        let outcome = try RunningBinary.run(
          weir, ["quarantine", "--json"] + filters, in: folder.path)
        let survey = try json(outcome)
        #expect(survey["matching"]?.integer == matching, "\(filters)")
        #expect(survey["refusals"] == 30)
      }
    }
  }

  @Test func `exports what the quarantine has, plain or compressed, and overwrites nothing`() throws
  {
    try withTemporaryFolder { folder in
      try prepare(folder, spec: Self.spec.replacingCount(with: "100"))
      #expect(try weirRun(folder, "run", "p.json", "--quiet").exit == 0)
      let plain = try weirRun(folder, "quarantine", "--export", "q.jsonl", "--stage", "s")
      #expect(plain.exit == 0 && plain.output.contains("3 records"))
      let lines = lines(of: try readFile(folder.file("q.jsonl")))
      #expect(
        lines.map { JSONValue(parsing: $0)?["raw"]?.string } == ["no json", "no json", "no json"])
      #expect(try weirRun(folder, "quarantine", "--export", "q.jsonl.zst").exit == 0)
      let all = try decodedText(try readFile(folder.file("q.jsonl.zst")))
      let original = try filesBelow(folder.file(".weir/runs"))
        .first { $0.key.hasSuffix("quarantine.jsonl.zst") }
      #expect(try decodedText(#require(original).value) == all)
      var status = stat()
      #expect(stat(folder.file("q.jsonl"), &status) == 0 && status.st_mode & 0o077 == 0)
      let again = try weirRun(folder, "quarantine", "--export", "q.jsonl")
      #expect(again.exit == 1 && again.errors.contains("is there already"))
      let other = try weirRun(folder, "quarantine", "--export", "q.csv")
      #expect(other.exit == 1 && other.errors.contains(".jsonl.zst"))
      #expect(listFolder(folder.path).filter { $0.hasPrefix("q") } == ["q.jsonl", "q.jsonl.zst"])
    }
  }

  @Test func `lets no control character of a record or a name reach the terminal`() throws {
    try withTemporaryFolder { folder in
      let evil = "\u{1B}]0;x\u{07}\u{9B}31m\u{202E}\u{2066}\u{7F}"
      try folder.write(
        #"""
        { "name": "test", "ledger_by": ["market"], "error_budget": [{"count": 0, "by": "market"}, {"count": 0, "by": "shard"}],
          "sources": { "s": { "type": "jsonl", "paths": ["data/*"], "fields": {"market": "string"} } },
          "transforms": { "clean": { "type": "normalize", "inputs": ["s"],
            "fields": { "market": { "map": "markets.json", "unmapped": "quarantine" } } } },
          "sinks": { "out": { "type": "jsonl", "inputs": ["clean"], "path": "out.jsonl" } } }
        """#, at: "p.json")
      try folder.write(#"{"a": "A"}"#, at: "markets.json")
      let escaped = #"\u001b]0;x\u0007\u009b31m\u202e\u2066\u007f"#
      let records = [#"{"market":"\#(escaped)"}"#, evil, #"{"market":"\#(evil.dropFirst(5))"}"#]
      try folder.write(SampleShard.text(records), at: "data/\(evil.filter { $0 != "/" }).jsonl")
      let outcomes = try [
        weirRun(folder, "run", "p.json", "--progress", "none"),
        weirRun(folder, "quarantine"), weirRun(folder, "quarantine", "--json"),
        weirRun(folder, "quarantine", "--samples", "5", "--code", "unmapped_value"),
      ]
      #expect(outcomes.map(\.exit) == [2, 0, 0, 0], "\(outcomes[0].errors)")
      for outcome in outcomes {
        for text in [outcome.output, outcome.errors] {
          let bad = text.unicodeScalars.filter {
            ($0.value < 0x20 && $0 != "\n") || (0x7F..<0xA0).contains($0.value)
              || (0x202A...0x202E).contains($0.value) || (0x2066...0x2069).contains($0.value)
          }
          #expect(bad.isEmpty, "\(bad.map(\.value)) in \(text.debugDescription)")
        }
      }
      let survey = try json(outcomes[2])
      #expect(survey["refusals"] == 3 && survey["samples"]?.elements.isEmpty == false)
    }
  }

  @Test func `says what is wrong with the run that is asked for`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let none = try weirRun(folder, "quarantine")
      #expect(none.exit == 1 && none.errors.contains("has no runs"))
      #expect(try weirRun(folder, "run", "p.json", "--quiet").exit == 2)
      #expect(try weirRun(folder, "run", "p.json", "--quiet").exit == 2)
      let two = try weirRun(folder, "quarantine", "2", "--json")
      #expect(two.exit == 1 && two.errors.contains("2 runs begin with '2'"))
      #expect(try json(two)["error"]?["code"] == "ambiguous_run")
      let unknown = try weirRun(folder, "quarantine", "x")
      #expect(unknown.exit == 1 && unknown.errors.contains("no run 'x'"))
      let whole = SampleShard.zstd(SampleShard.text(["{}"]))
      try folder.write(Array(whole.dropLast(2)), at: "data/9.jsonl.zst")
      for name in ["0", "1", "2"] { unlink(folder.file("data/\(name).jsonl.zst")) }
      let failed = try weirRun(folder, "run", "p.json", "--json", "--progress", "none")
      #expect(failed.exit == 1)
      let id = try #require(json(failed)["run"]?.string)
      let outcome = try weirRun(folder, "quarantine", id)
      #expect(outcome.exit == 1 && outcome.errors.contains("ended as failed"))
      #expect(try weirRun(folder, "quarantine", "last").output.contains("over_budget"))
      #expect(try weirRun(folder, "quarantine", "--samples", "-1").exit == 64)
      #expect(try weirRun(folder, "quarantine", "--replay", "--code", "x").exit == 64)
    }
  }

  // MARK: Replay

  @Test func `replays a run after a map was mended as if it had been right at first`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let parameters = ["--param", "data=data", "--keep", "5"]
      let first = try RunningBinary.run(
        weir, ["run", "p.json", "--json", "--progress", "none", "--out", "o"] + parameters,
        in: folder.path)
      #expect(first.exit == 2)
      let id = try #require(json(first)["run"]?.string)
      // Mended, and a market that was right is forgotten.
      try folder.write(#"{"de": "DE", "it": "IT", "es": "ES"}"#, at: "markets.json")
      try folder.write(Self.spec.replacingCount(with: "100"), at: "p.json")
      // From elsewhere: the paths are those of the first run all the same.
      let replayed = try RunningBinary.run(
        weir, ["quarantine", id, "--replay", "--json", "--workspace", folder.path], in: "/")
      #expect(replayed.exit == 0, "\(replayed)")
      let result = try json(replayed)
      #expect(result["status"] == "done" && result["replay_of"]?.string == id)
      let replay = try #require(result["replay"])
      // The first run looked at one shard only.
      #expect(replay["refused_then"] == 10 && replay["accepted"] == 9)
      #expect(replay["still_refused"]?.text == #"{"records":1,"codes":{"invalid_json":1}}"#)
      #expect(replay["newly_refused"]?.text == #"{"records":5,"codes":{"unmapped_value":5}}"#)
      #expect(replay["in_other_shards"]?.text == #"{"refused_then":0,"refused_now":12}"#)

      let scratch = try RunningBinary.run(
        weir,
        ["run", "p.json", "--progress", "none", "--out", "from-nothing", "--workspace", "other"]
          + parameters, in: folder.path)
      #expect(scratch.exit == 0)
      #expect(
        try filesBelow(folder.file("o")) == filesBelow(folder.file("from-nothing")))
      let run = try #require(result["run"]?.string)
      let record = try #require(
        JSONValue(parsing: readFile(folder.file(".weir/runs/\(run)/run.json"))))
      #expect(record["keep"] == 5 && record["params_given"]?.text == #"["data"]"#)
      #expect(leftovers(folder) == [])
    }
  }

  @Test func `replays for people, and says so when nothing was mended`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder, spec: Self.spec.replacingCount(with: "100"))
      #expect(try weirRun(folder, "run", "p.json", "--quiet").exit == 0)
      let outcome = try weirRun(folder, "quarantine", "last", "--replay")
      #expect(outcome.exit == 0)
      #expect(outcome.output.contains("30 records refused then"), "\(outcome.output)")
      #expect(outcome.output.contains("accepted now   0"))
      #expect(outcome.output.contains("refused still  30: 27 unmapped_value, 3 invalid_json"))
    }
  }

  @Test func `replays a run that is over its budget again with the same exit status`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder, spec: Self.spec.replacing("\"count\": 3", "\"rate\": 0.1"))
      #expect(try weirRun(folder, "run", "p.json", "--quiet").exit == 2)
      try folder.write(#"{"de": "DE", "fr": "FR", "it": "IT"}"#, at: "markets.json")
      let outcome = try weirRun(folder, "quarantine", "last", "--replay", "--json")
      #expect(outcome.exit == 2)
      #expect(try json(outcome)["status"] == "over_budget")
    }
  }
}

extension String {
  fileprivate func replacingCount(with count: String) -> String {
    replacing("\"count\": 3", "\"count\": \(count)")
  }

  fileprivate func replacing(_ text: String, _ other: String) -> String {
    split(separator: text, omittingEmptySubsequences: false).joined(separator: other)
  }
}
