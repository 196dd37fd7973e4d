import Glibc
import Testing
import WeirData
import WeirTesting

@Suite(
  .enabled(if: RunningBinary.weir != nil, "the binary is not beside the tests"),
  .timeLimit(.minutes(3)))
struct `Looking ahead and back` {
  private static let spec = #"""
    { "name": "daily", "partition": ["day"],
      "params": { "day": { "type": "date", "required": true } },
      "sources": { "s": { "type": "jsonl", "paths": ["data/date=${param.day}/*.jsonl"],
                          "fields": { "id": "string", "market": "string" } } },
      "transforms": { "u": { "type": "dedupe", "inputs": ["s"], "key": ["id"] },
                      "n": { "type": "aggregate", "inputs": ["u"], "by": ["market"],
                             "metrics": { "n": { "count": true } } } },
      "sinks": { "o": { "type": "csv", "inputs": ["n"], "path": "n.csv" },
                 "r": { "type": "jsonl", "inputs": ["u"], "path": "r.jsonl.zst" } } }
    """#
  private static let all = #"""
    { "name": "all",
      "sources": { "s": { "type": "jsonl", "paths": ["data/date=*/*.jsonl"],
                          "fields": { "id": "string", "market": "string" } } },
      "transforms": { "u": { "type": "dedupe", "inputs": ["s"], "key": ["id"] } },
      "sinks": { "r": { "type": "jsonl", "inputs": ["u"], "path": "r.jsonl" } } }
    """#

  private func write(_ folder: TemporaryFolder, day: Int, records: Int = 20) throws {
    let lines = (0..<records).map { #"{"id":"\#(day)-\#($0)","market":"M\#($0 % 3)"}"# }
    try folder.write(SampleShard.text(lines), at: "data/date=2026-09-0\(day)/a.jsonl")
  }

  private func prepare(_ folder: TemporaryFolder, days: ClosedRange<Int>) throws {
    try folder.write(Self.spec, at: "daily.json")
    try folder.write(Self.all, at: "all.json")
    for day in days { try write(folder, day: day) }
  }

  private func weir(_ folder: TemporaryFolder, _ arguments: String...) throws
    -> RunningBinary.Outcome
  {
    try RunningBinary.run(
      WeirEndToEndTests.weir, arguments + ["--workspace", folder.path], in: folder.path)
  }

  private func json(_ outcome: RunningBinary.Outcome) throws -> JSONValue {
    try #require(JSONValue(parsing: outcome.lastLine), "not JSON: \(outcome)")
  }

  @Test func `a plan says what is new, changed and gone, and touches nothing`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder, days: 1...3)
      let before = try weir(folder, "plan", "all.json", "--json")
      #expect(before.exit == 0)
      let fresh = try json(before)
      #expect(fresh["has_outputs"] == false && fresh["unchanged"] == false)
      #expect(fresh["shards"]?.elements.allSatisfy { $0["change"] == "new" } == true)
      #expect(fresh["seconds"] == .null, "nothing ran here yet")
      #expect(listFolder(folder.path).sorted() == ["all.json", "daily.json", "data"])

      #expect(try weir(folder, "run", "all.json", "--quiet").exit == 0)
      let after = try json(weir(folder, "plan", "all.json", "--json"))
      #expect(after["unchanged"] == true && after["bytes_to_read"] == 0)

      try write(folder, day: 2, records: 30)
      try write(folder, day: 4)
      unlink(folder.file("data/date=2026-09-01/a.jsonl"))
      let state = try filesBelow(folder.path)
      let outcome = try weir(folder, "plan", "all.json", "--json")
      let plan = try json(outcome)
      let changes = plan["shards"]?.elements.map { $0["change"]?.string }
      #expect(changes == ["changed", "same", "new"])
      #expect(plan["shards"]?.elements.map { $0["known"] } == [false, true, false])
      #expect(plan["gone"]?.elements.map { $0["shard"]?.string } == ["date=2026-09-01/a.jsonl"])
      #expect(
        plan["bytes_to_read"]?.integer
          == plan["shards"]?.elements.reduce(0) {
            $0 + ($1["known"] == true ? 0 : $1["bytes"]?.integer ?? 0)
          })
      #expect(plan["seconds"] != .null, "a run is there to go by")
      // The catalogue may be looked at; nothing else is.
      let now = try filesBelow(folder.path)
      #expect(
        now.filter { !$0.key.hasPrefix(".weir/catalog") }
          == state.filter { !$0.key.hasPrefix(".weir/catalog") })
      let text = try weir(folder, "plan", "all.json").output
      for part in ["new      1 shard", "changed  1 shard", "same     1 shard", "gone     1 shard"] {
        #expect(text.contains(part), "\(part) in \(text)")
      }
    }
  }

  @Test func `a backfill makes each date once, and says which failed`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder, days: 1...4)
      let first = try weir(
        folder, "backfill", "daily.json", "--from", "2026-09-01", "--to", "2026-09-05", "--json")
      #expect(first.exit == 1)
      let result = try json(first)
      #expect(result["done"] == 4 && result["failed"] == 1 && result["dates"] == 5)
      #expect(result["runs"]?.elements.last?["message"]?.string?.contains("0 files match") == true)
      #expect(first.errors.contains("2026-09-05  failed: "))

      try write(folder, day: 5)
      try write(folder, day: 2, records: 25)
      let second = try weir(
        folder, "backfill", "daily.json", "--from", "2026-09-01", "--to", "2026-09-05", "--json",
        "--jobs", "3")
      #expect(second.exit == 0)
      let again = try json(second)
      #expect(again["done"] == 2 && again["unchanged"] == 3 && again["failed"] == 0)
      // What it made is what runs one by one make.
      for day in 1...5 {
        let out = folder.file("single-\(day)")
        let single = try weir(
          folder, "run", "daily.json", "--param", "day=2026-09-0\(day)", "--out", out, "--digests",
          "0", "--quiet")
        #expect(single.exit == 0, "\(single.errors)")
        #expect(
          try filesBelow(out) == filesBelow(folder.file("out/daily/day=2026-09-0\(day)")))
      }
    }
  }

  @Test(
    arguments: [
      (
        ["all.json", "--from", "2026-09-01", "--to", "2026-09-02"],
        "names no parameter of type date"
      ),
      (["daily.json", "--from", "2026-09-03", "--to", "2026-09-02"], "--from is after --to"),
      (["daily.json", "--from", "1.9.2026", "--to", "2026-09-02"], "wants a date such as"),
      (["daily.json", "--from", "2026-09-01", "--to", "2026-09-02", "--by", "week"], "--by week"),
      (
        ["daily.json", "--from", "2026-09-01", "--to", "2026-09-02", "--out", "x"],
        "--out names one"
      ),
    ])
  func `a backfill that makes no sense is refused`(arguments: [String], reason: String) throws {
    try withTemporaryFolder { folder in
      try prepare(folder, days: 1...2)
      let outcome = try RunningBinary.run(
        WeirEndToEndTests.weir, ["backfill"] + arguments, in: folder.path)
      #expect(outcome.exit == 64 && outcome.errors.contains(reason), "\(outcome)")
      #expect(!listFolder(folder.path).contains("out"))
    }
  }
}
