import Testing
import WeirData
import WeirStatistics
import WeirTesting

@testable import WeirEngine
@testable import WeirStages

@Suite struct `Records behind findings` {
  static let spec = spec(dedupes: false)

  /// - Parameter dedupes: with a barrier in front, so that the records are counted from kept columns.
  static func spec(dedupes: Bool) -> String {
    """
    {"name": "evidence",
     "sources": {"a": {"type": "jsonl", "paths": ["in/*.jsonl"], "fields":
       {"ts": "timestamp", "market": "string", "queue": "string", "decision": "string",
        "handle_ms": "number?", "moderator_id": "string"}}},
     "transforms": {
       \(dedupes ? #""u": {"type": "dedupe", "inputs": ["a"], "key": ["ts", "market", "moderator_id", "decision"]},"# : "")
       "t": {"type": "trend", "inputs": ["\(dedupes ? "u" : "a")"], "time": "ts", "by": ["market", "queue"],
       "segments": ["moderator_id"],
       "metrics": {"violation_rate": {"rate": "decision == 'violation'"}}}},
     "sinks": {"f": {"type": "jsonl", "inputs": ["t"], "path": "findings.jsonl"},
               "r": {"type": "report", "inputs": ["t"], "path": "report.html"}}}
    """
  }

  static func runner(workers: Int = 2, batchBytes: Int = 256 * 1024) -> PipelineRunner {
    let shards = `Trends and what carried them`.shards().enumerated().map { day, lines in
      (path: "in/\(100 + day).jsonl", records: lines)
    }
    var runner = PipelineRunner(spec, shards: shards)
    runner.workers = workers
    runner.batchBytes = batchBytes
    return runner
  }

  /// The shift of DE / hate in the findings.
  private func shift(_ outcome: PipelineOutcome) throws -> JSONValue {
    let found = try outcome.records("findings.jsonl").compactMap {
      JSONValue(parsing: Array($0.utf8))
    }
    return try #require(
      found.first {
        $0["series"]?["market"]?.plain == "DE" && $0["series"]?["queue"]?.plain == "hate"
          && $0["type"]?.plain == "shift"
      })
  }

  @Test func `are ten of the window that carry the change, and five from before`() async throws {
    let outcome = try await Self.runner().run()
    #expect(outcome.error == nil)
    let shift = try shift(outcome)
    guard case .array(let evidence)? = shift["evidence"] else {
      Issue.record("no evidence")
      return
    }
    let roles = evidence.map { $0["role"]!.plain }
    #expect(
      roles == [String](repeating: "exemplar", count: 10) + Array(repeating: "control", count: 5))
    let lines = `Trends and what carried them`.shards()
    for entry in evidence {
      let day = try #require(Int(entry["shard"]!.plain.prefix(3))) - 100
      let line = try #require(Int(entry["line"]!.plain))
      #expect((day >= 35) == (entry["role"]!.plain == "exemplar"), "\(entry.text)")
      let record = lines[day][line - 1]
      #expect(record.contains("violation") && record.contains("\"DE\"") && record.contains("v2"))
      #expect(entry["why"]!.plain.contains("moderator_id v2"))
    }
    let page = String(decoding: outcome.outputs["report.html"]!, as: UTF8.self)
    #expect(page.contains("Evidence: 10 records of the window and 5 controls"))
    #expect(page.contains("weir evidence \(shift["finding_id"]!.plain)"))
  }

  /// The evidence of all findings, each held against the text of its shard.
  private func places(_ outcome: PipelineOutcome) throws -> [String] {
    let lines = `Trends and what carried them`.shards()
    var found: [String] = []
    for text in try outcome.records("findings.jsonl") {
      let finding = try #require(JSONValue(parsing: Array(text.utf8)))
      guard case .array(let evidence)? = finding["evidence"] else { continue }
      for entry in evidence {
        let day = try #require(Int(entry["shard"]!.plain.prefix(3))) - 100
        let line = try #require(Int(entry["line"]!.plain))
        let before = lines[day].prefix(line - 1).reduce(0) { $0 + $1.utf8.count + 1 }
        #expect(entry["byte_offset"]!.plain == "\(before)", "\(entry.text)")
        found.append(entry.text)
      }
    }
    return found
  }

  @Test(arguments: [false, true])
  func `begin at the byte that is named`(dedupes: Bool) async throws {
    var runner = Self.runner()
    runner.spec = Self.spec(dedupes: dedupes)
    let one = try await runner.run()
    #expect(one.error == nil)
    let places = try places(one)
    #expect(places.count > 25)
    var other = Self.runner(workers: 1, batchBytes: 900)
    other.spec = runner.spec
    other.memory = MemoryShares(workers: 1, kept: 0)
    let two = try await other.run()
    #expect(one.everything == two.everything)
    // The shards of the first 40 days are known when the rest comes.
    try await withTemporaryFolder { folder in
      for file in runner.files.prefix(40) { try folder.write(file.bytes, at: file.path) }
      _ = try await runner.run(in: folder)
      for file in runner.files.dropFirst(40) { try folder.write(file.bytes, at: file.path) }
      let three = try await runner.run(in: folder)
      #expect(try self.places(three) == places)
    }
  }

  @Test func `are the same for any workers, batches and memory`() async throws {
    let one = try await Self.runner().run()
    var other = Self.runner(workers: 1, batchBytes: 900)
    other.memory = MemoryShares(workers: 1, kept: 0)
    let two = try await other.run()
    #expect(two.error == nil)
    #expect(one.everything == two.everything)
  }

  @Test func `are read back from the shards, or it is said why not`() async throws {
    try await withTemporaryFolder { folder in
      let runner = Self.runner()
      for file in runner.files { try folder.write(file.bytes, at: file.path) }
      let outcome = try await runner.run(in: folder)
      let id = try shift(outcome)["finding_id"]!.plain
      let file = EvidenceFile(directory: try #require(outcome.result).runDirectory)
      #expect(try file.find("ffffffffffffff") == nil)
      let entry = try #require(try file.find(String(id.prefix(10))))
      #expect(entry.findingID.utf8.elementsEqual(id.utf8))
      #expect(entry.records.count == 15)
      for shard in entry.shards {
        let mine = entry.records.filter { $0.origin == shard.origin }
        for text in shard.read(mine) {
          guard case .record(let bytes, _) = text else {
            Issue.record("\(text)")
            continue
          }
          #expect(String(decoding: bytes, as: UTF8.self).contains("violation"))
        }
      }
      let first = try #require(entry.shards.first)
      let mine = entry.records.filter { $0.origin == first.origin }
      let moved = mine.map { record in
        var record = record
        record.byteOffset += 1
        return record
      }
      #expect(codes(first.read(moved)) == mine.map { _ in "place_differs" })
      try folder.write("{}\n", at: "in/\(String(decoding: first.origin.shard, as: UTF8.self))")
      #expect(codes(first.read(mine)) == mine.map { _ in "shard_changed" })
      try removeTree(first.path)
      #expect(codes(first.read(mine)) == mine.map { _ in "shard_gone" })
    }
  }

  private func codes(_ texts: [EvidenceText]) -> [String] {
    texts.map { if case .unavailable(let code, _) = $0 { code } else { "record" } }
  }

  @Test func `a damaged list of candidates is refused`() throws {
    let bytes: [UInt8] = [2, 1, 0, 9, 1, 200]
    #expect(throws: RunError.self) {
      try EvidenceSample.read(bytes, classes: 1) { _ in
        true
      } entry: { _, _, _, _ in
      }
    }
  }
}
