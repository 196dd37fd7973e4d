import Glibc
import Testing
import WeirData
import WeirTesting

/// What people and programs are told about past runs, by the binary.
@Suite(
  .enabled(if: RunningBinary.weir != nil, "the binary is not beside the tests"),
  .timeLimit(.minutes(3)))
struct `The command weir runs` {
  private static let spec = #"""
    { "name": "test", "ledger_by": ["market"],
      "sources": { "s": { "type": "jsonl", "paths": ["data/*"],
        "fields": { "id": "string", "market": "string", "n": "int" } } },
      "transforms": { "d": { "type": "dedupe", "inputs": ["s"], "key": ["id"] },
        "sums": { "type": "aggregate", "inputs": ["d"], "by": ["market"],
          "metrics": { "records": { "count": true }, "total": { "sum": "n" } } } },
      "sinks": { "out": { "type": "jsonl", "inputs": ["d"], "path": "m={market}.jsonl" },
        "rows": { "type": "csv", "inputs": ["sums"], "path": "sums.csv" } } }
    """#

  private func prepare(_ folder: TemporaryFolder, n: Int = 1, records: Int = 10) throws {
    try folder.write(Self.spec, at: "p.json")
    let lines = (0..<records).map {
      #"{"id":"\#($0)","market":"\#($0 % 2 == 0 ? "DE" : "FR")","n":\#(n)}"#
    }
    try folder.write(SampleShard.zstd(SampleShard.text(lines)), at: "data/a.jsonl.zst")
  }

  @discardableResult
  private func run(_ folder: TemporaryFolder, _ more: String...) throws -> JSONValue {
    let outcome = try RunningBinary.run(
      weir, ["run", "p.json", "--json", "--progress", "none", "--workspace", folder.path] + more,
      in: folder.path)
    return try #require(JSONValue(parsing: outcome.lastLine), "\(outcome.errors)")
  }

  private func runs(
    _ folder: TemporaryFolder, _ words: String..., prefix: [String] = []
  ) throws -> RunningBinary.Outcome {
    try RunningBinary.run(weir, ["runs"] + words, in: folder.path, prefix: prefix)
  }

  private func json(_ outcome: RunningBinary.Outcome) throws -> JSONValue {
    try #require(JSONValue(parsing: outcome.lastLine), "not JSON: \(outcome)")
  }

  private func id(_ result: JSONValue) throws -> String { try #require(result["run"]?.string) }

  private func record(_ folder: TemporaryFolder, _ run: String) throws -> JSONValue {
    try #require(JSONValue(parsing: readFile(folder.file(".weir/runs/\(run)/run.json"))))
  }

  private func statuses(_ folder: TemporaryFolder) throws -> [String] {
    try #require(json(runs(folder, "--json"))["runs"]).elements.map { $0["status"]?.string ?? "" }
  }

  /// A record with other members.
  private func changed(_ record: JSONValue, _ members: [String: JSONValue]) -> JSONValue {
    guard case .object(let old) = record else { return record }
    return .object(old.map { JSONMember($0.key, members[$0.key] ?? $0.value) })
  }

  // MARK: Lists

  @Test func `lists runs on 80 columns, the newest first`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let first = try id(run(folder))
      try prepare(folder, n: 2)
      let second = try id(run(folder))
      let outcome = try runs(folder)
      #expect(outcome.exit == 0 && outcome.errors.isEmpty)
      let lines = outcome.output.split(separator: "\n")
      #expect(lines.count == 3 && lines[0].hasPrefix("RUN"))
      #expect(lines[1].hasPrefix(second) && lines[2].hasPrefix(first))
      #expect(lines.allSatisfy { $0.count <= 80 })
      let list = try json(runs(folder, "--json", "--limit", "1"))
      #expect(list["more"] == true && list["runs"]?.elements.count == 1)
      let shown = try #require(list["runs"]?.elements.first)
      #expect(
        shown.keys == [
          "run", "pipeline", "status", "started", "seconds", "exit", "out", "read", "quarantined",
          "unchanged", "pruned",
        ])
      #expect(shown["exit"] == 0 && shown["read"] == 10)
      #expect(try runs(folder, "--pipeline", "test", "--since", "1h", "--status", "done").exit == 0)
      #expect(try runs(folder, "--since", "2999-01-01").output == "no such runs\n")
    }
  }

  @Test(arguments: [
    ["--pipeline", "nothing"], ["show", "1999"], ["verify", "x"], ["show", "20"],
  ])
  func `says what to do where there is no such run`(words: [String]) throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      try run(folder)
      try run(folder)
      let outcome = try RunningBinary.run(weir, ["runs"] + words, in: folder.path)
      #expect(outcome.exit == 1 && outcome.output.isEmpty)
      #expect(outcome.errors.contains("  try: "), "\(outcome.errors)")
    }
  }

  @Test(arguments: [
    ["--since", "yesterday"], ["--status", "odd"], ["--limit", "-1"], ["show"], ["prune"],
    ["prune", "--keep", "x"],
  ])
  func `refuses a wrong command line`(words: [String]) throws {
    try withTemporaryFolder { folder in
      let outcome = try RunningBinary.run(weir, ["runs"] + words, in: folder.path)
      #expect(outcome.exit == 64)
      #expect(listFolder(folder.path) == [])
    }
  }

  @Test func `notices when its answer cannot be written`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      try run(folder)
      for words in [["runs"], ["runs", "show", "last"], ["runs", "verify", "last"]] {
        let outcome = try RunningBinary.run(
          "sh", ["-c", "exec \(weir) \(words.joined(separator: " ")) > /dev/full"], in: folder.path)
        #expect(outcome.exit == 1, "\(words)")
      }
    }
  }

  // MARK: One run

  @Test func `shows ledger, timings, outputs and what changed`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let first = try id(run(folder))
      try prepare(folder, n: 3)
      let result = try run(folder)
      #expect(
        result["changes"]?.text
          == #"{"numbers_moved":2,"files":1,"rows_appeared":0,"rows_disappeared":0,"#
          + #""shards":{"new":0,"changed":1,"gone":0},"because":"1 changed shard"}"#)
      let second = try id(result)
      let outcome = try runs(folder, "show", String(second.dropLast(2)))
      #expect(outcome.exit == 0)
      for text in [
        "run \(second) of test: done", "prepare", "scan", "commit", "10 read = 10 written",
        "ledger by stage", "ledger by market", "ledger by shard", "a.jsonl.zst", "(in place)",
        "m=DE.jsonl", "changed since run \(first)",
        "2 published numbers moved in 1 file, because of 1 changed shard",
        "DE total: 5 -> 15", "FR total: 5 -> 15",
      ] {
        #expect(outcome.output.contains(text), "\(text) is not in \(outcome.output)")
      }
      let wide = outcome.output.split(separator: "\n").filter {
        $0.count > 80 && !$0.contains(folder.path)
      }
      #expect(wide.isEmpty, "\(wide)")
      let shown = try json(runs(folder, "show", "last", "--json"))
      #expect(shown["run"]?.string == second && shown["outputs_state"] == "in_place")
      #expect(shown["changes"]?["tables"]?.elements.first?["moved"]?.elements.count == 2)
      #expect(shown["ledger"]?["shards"]?.elements.count == 1)
    }
  }

  @Test func `shows nothing that would steer a terminal`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      try folder.write(
        #"{"id":"x","market":"\u001b[31mred\u202e","n":1}"# + "\n", at: "data/\u{1B}]0;x\u{7}.jsonl"
      )
      try run(folder)
      let outcome = try runs(folder, "show", "last", "--all")
      #expect(outcome.exit == 0)
      #expect(!outcome.stdout.contains(0x1B) && !outcome.stdout.contains(7))
      #expect(outcome.output.contains("\u{FFFD}") && !outcome.output.contains("\u{202E}"))
    }
  }

  @Test func `has the exit status and the fix of a run that failed`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      try folder.write([0x28, 0xB5, 0x2F, 0xFD, 1], at: "data/b.jsonl.zst")
      let result = try run(folder)
      let shown = try json(runs(folder, "show", "last", "--json"))
      #expect(shown["status"] == "failed" && shown["exit"] == 1 && shown["retry"] == false)
      #expect(shown["error"]?["code"] == result["error"]?["code"])
      #expect(shown["outputs_state"] == "none")
      let text = try runs(folder, "show", "last").output
      #expect(text.contains("  error ") && text.contains("  try "))
    }
  }

  // MARK: Verifying

  @Test func `verifies outputs byte by byte`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      try run(folder)
      let good = try runs(folder, "verify", "last")
      #expect(good.exit == 0 && good.output.contains("3 files"), "\(good)")
      let path = "out/test/all/sums.csv"
      let before = try readFile(folder.file(path))
      let damage: [(code: String, how: () throws -> Void)] = [
        (
          "content",
          { try writeFile(SampleShard.flippingBit(9, of: before), to: folder.file(path)) }
        ),
        ("size", { try writeFile(before + [10], to: folder.file(path)) }),
        ("missing", { unlink(folder.file(path)) }),
      ]
      for (code, how) in damage {
        try how()
        let bad = try runs(folder, "verify", "last", "--json")
        #expect(bad.exit == 1)
        let difference = try #require(json(bad)["differences"]?.elements.first)
        #expect(difference["code"]?.string == code && difference["path"] == "sums.csv")
      }
      try writeFile(before, to: folder.file(path))
      try folder.write("mine", at: "out/test/all/extra/x.txt")
      let extra = try runs(folder, "verify", "last")
      #expect(extra.exit == 1 && extra.output.contains("extra/x.txt: no file of the run"))
    }
  }

  @Test func `says of outputs that are no longer kept that it checked nothing`() throws {
    try withTemporaryFolder { folder in
      var ids: [String] = []
      for n in 1...3 {
        try prepare(folder, n: n)
        ids.append(try id(run(folder, "--keep", "2")))
      }
      let pruned = try runs(folder, "verify", ids[0])
      #expect(pruned.exit == 0 && pruned.output.contains("no longer kept"), "\(pruned)")
      #expect(try json(runs(folder, "verify", ids[0], "--json"))["verified"] == false)
      #expect(try runs(folder, "verify", ids[1]).output.contains("a later run's are in place"))
      // Somebody removed what is in place: that is no pruning.
      _ = try RunningBinary.run("rm", ["-rf", folder.file("out")])
      let gone = try runs(folder, "verify", ids[2])
      #expect(gone.exit == 1 && gone.output.contains("gone"), "\(gone)")
    }
  }

  @Test func `prunes directories of runs and keeps their history`() throws {
    try withTemporaryFolder { folder in
      var ids: [String] = []
      for n in 1...4 {
        try prepare(folder, n: n)
        ids.append(try id(run(folder)))
      }
      let outcome = try runs(folder, "prune", "--keep", "2")
      #expect(outcome.exit == 0 && outcome.output.contains("removed 2 runs"), "\(outcome)")
      #expect(listFolder(folder.file(".weir/runs")) == ids[2...].sorted())
      #expect(try runs(folder).output.contains("done*"))
      #expect(try runs(folder, "show", ids[0]).output.contains("(pruned)"))
      #expect(try runs(folder, "verify", ids[0]).exit == 0)
      #expect(try run(folder)["status"] == "done")
    }
  }

  @Test func `tells a run that found nothing new from the one that made the outputs`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let made = try id(run(folder))
      let result = try run(folder)
      #expect(result["unchanged"] == true && result["changes"] == nil)
      let list = try runs(folder).output.split(separator: "\n")
      #expect(list[1].contains(" unchanged ") && list[2].contains(" done "))
      #expect(try runs(folder, "show", "last").output.contains("(in place)"))
      #expect(try runs(folder, "verify", "last").exit == 0)
      // Ledger and quarantine of what is in place are in the directory of the first.
      #expect(try runs(folder, "prune", "--keep", "0").output.contains("kept \(made)"))
      #expect(listFolder(folder.file(".weir/runs")) == [made])
    }
  }

  // MARK: Runs that died

  @Test func `shows a run whose process is gone as abandoned`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let done = try id(run(folder))
      // As it is where a run is killed before it has its lock.
      let early = "20260101T000000Z-00000001"
      let died = changed(
        try record(folder, done),
        ["run": .text(early), "status": "running", "started": "2026-01-01T00:00:00Z"])
      try folder.write(died.bytes(indented: true), at: ".weir/runs/\(early)/run.json")
      // And one of another machine, of which nobody here can tell.
      let other = "20260101T000000Z-00000002"
      let elsewhere = changed(
        died, ["run": .text(other), "host": "elsewhere", "process_space": "another/pid:[1]"])
      try folder.write(elsewhere.bytes(indented: true), at: ".weir/runs/\(other)/run.json")
      #expect(try statuses(folder) == ["done", "running", "abandoned"])
      #expect(try runs(folder, "show", other).output.contains("cannot be told"))
      // The next run of that output notes it for good.
      try run(folder)
      #expect(try record(folder, early)["status"] == "abandoned")
      #expect(try record(folder, other)["status"] == "running")
    }
  }

  @Test func `takes a run that died behind the swap for done`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let first = try id(run(folder))
      let path = folder.file(".weir/runs/\(first)/run.json")
      try writeFile(
        changed(try record(folder, first), ["status": "placing"])
          .bytes(indented: true), to: path)
      #expect(try statuses(folder) == ["done"])
      #expect(try runs(folder, "verify", first).exit == 0)
      try prepare(folder, n: 2)
      #expect(try run(folder)["changes"]?["numbers_moved"] == 2)
      let closed = try record(folder, first)
      #expect(closed["status"] == "done")
      #expect(closed["notes"]?.elements.last?.string?.contains("in place") == true)
    }
  }

  @Test func `says whom a run took the output over from`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      try run(folder)
      let lines = SampleShard.text((0..<30_000).map { #"{"id":"\#($0)","market":"DE","n":1}"# })
      let shard = SampleShard.zstd(lines)
      for i in 0..<40 { try folder.write(shard, at: "data/\(i).jsonl.zst") }
      let child = try RunningBinary(
        weir, ["run", "p.json", "--progress", "none", "--workspace", folder.path], in: folder.path)
      waitUntil { names(itsHolder: folder.file("out/test/.all.lock")) }
      let holder = String(
        decoding: try readFile(folder.file("out/test/.all.lock")), as: UTF8.self)
      child.send(SIGKILL)
      #expect(child.wait().signal == SIGKILL)
      #expect(holder.contains("process \(child.pid) on ") && holder.contains(folder.path))
      #expect(try statuses(folder) == ["abandoned", "done"])
      for i in 0..<40 { unlink(folder.file("data/\(i).jsonl.zst")) }
      let next = try RunningBinary.run(
        weir, ["run", "p.json", "--json", "--progress", "none", "--workspace", folder.path],
        in: folder.path)
      #expect(next.exit == 0)
      #expect(next.errors.contains("took the output over from a run that died: \(holder)"))
      let run = try id(json(next))
      #expect(try record(folder, run)["took_over"]?.string == holder)
      #expect(leftovers(folder) == [])
    }
  }

  // MARK: Many at once

  @Test func `of two workspaces with one output names the holder of the other`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      for name in ["a", "b"] { try makeFolder(folder.file(name)) }
      let lines = SampleShard.text((0..<30_000).map { #"{"id":"\#($0)","market":"DE","n":1}"# })
      for i in 0..<40 { try folder.write(SampleShard.zstd(lines), at: "data/\(i).jsonl.zst") }
      func words(_ workspace: String) -> [String] {
        ["run", "p.json", "--json", "--progress", "none", "--out", "o", "--workspace", workspace]
      }
      let first = try RunningBinary(weir, words("a"), in: folder.path)
      waitUntil { names(itsHolder: folder.file(".o.lock")) }
      let second = try RunningBinary.run(weir, words("b"), in: folder.path)
      #expect(second.exit == 75, "\(second)")
      #expect(second.errors.contains("process \(first.pid) on "))
      #expect(second.errors.contains(", started 2") && second.errors.contains("\(folder.path)/a"))
      first.send(SIGTERM)
      #expect(first.wait().exit == 143)
      let shown = try RunningBinary.run(
        weir, ["runs", "show", "last", "--json", "--workspace", "b"], in: folder.path)
      let record = try json(shown)
      #expect(record["status"] == "locked_out" && record["exit"] == 75 && record["retry"] == true)
      let stopped = try json(
        RunningBinary.run(
          weir, ["runs", "show", "last", "--json", "--workspace", "a"], in: folder.path))
      #expect(stopped["status"] == "interrupted" && stopped["exit"] == 143)
    }
  }

  @Test func `knows every run of many that went on at once, while others ask`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder, records: 2_000)
      let children = try (0..<10).map { i in
        try RunningBinary(
          weir,
          [
            "run", "p.json", "--json", "--progress", "none", "--workspace", folder.path,
            "--out", "o\(i)",
          ], in: folder.path)
      }
      let askers = try (0..<4).map { _ in
        try RunningBinary(weir, ["runs", "--json", "--workspace", folder.path], in: folder.path)
      }
      var ids: Set<String> = []
      for child in children {
        let outcome = child.wait()
        #expect(outcome.exit == 0 && !outcome.errors.contains("catalogue"), "\(outcome.errors)")
        ids.insert(try id(json(outcome)))
      }
      for asker in askers {
        let outcome = asker.wait()
        #expect(outcome.exit == 0 && outcome.errors.isEmpty, "\(outcome)")
      }
      let list = try #require(json(runs(folder, "--json", "--limit", "0"))["runs"]).elements
      #expect(Set(list.compactMap { $0["run"]?.string }) == ids && ids.count == 10)
      #expect(list.allSatisfy { $0["status"] == "done" })
      // What no process but this one holds any more.
      #expect(!listFolder(folder.file(".weir")).contains("catalog.db-journal"))
    }
  }
}
