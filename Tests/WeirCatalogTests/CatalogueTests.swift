import GRDB
import Glibc
import Testing
import WeirData
import WeirEngine
import WeirTesting

@testable import WeirCatalog

@Suite struct `The catalogue` {
  @Test func `has what the directory of a run says`() async throws {
    try await withNights { nights in
      try nights.shard("a", day: 1)
      try nights.folder.write("bad\n\n", at: "data/b")
      let (result, changes) = try await nights.night()
      #expect(result.notes.isEmpty && changes?.hasBefore == false)
      let catalogue = try Catalogue.open(nights.workspace)
      #expect(catalogue.isOnDisk && catalogue.notes.isEmpty)
      let run = try #require(try catalogue.runs().first)
      #expect(try catalogue.runs().count == 1)
      #expect(run.id == result.runID && run.status == .done && run.pipeline == "nightly")
      #expect(run.exit == 0 && run.read == 7 && run.quarantined == 1 && run.isPresent)
      let details = try catalogue.details(run)
      #expect(details.shards.map(\.shard) == ["a", "b"])
      #expect(details.shards.map(\.records.read) == [6, 1])
      #expect(details.shards[1].records.blank == 1)
      #expect(details.outputs.map(\.path) == result.outputs.map(\.path))
      #expect(details.outputs.map(\.sha256) == result.outputs.map { hexText($0.sha256) })
      #expect(details.ledger?["by"]?.elements.count == 3)
      #expect(details.place == .inPlace)
      let phases = try #require(details.record["phases"])
      #expect(phases.keys == ["prepare", "scan", "barrier", "later_passes", "finish", "commit"])
      let record = try JSONValue(reading: readFile("\(result.runDirectory)/run.json"))
      #expect(record["phases"] == phases && record["retry"] == false)
    }
  }

  @Test func `is made again where it was deleted, with the same answers`() async throws {
    try await withNights { nights in
      try nights.shard("a", day: 1)
      try await nights.night()
      try nights.shard("b", day: 2)
      try await nights.night()
      func answers() throws -> [String] {
        let catalogue = try Catalogue.open(nights.workspace)
        #expect(catalogue.notes.isEmpty)
        return try catalogue.runs().map { try catalogue.details($0).json.text }
      }
      let before = try answers()
      unlink(nights.folder.file(".weir/catalog.db"))
      #expect(try answers() == before && before.count == 2)
    }
  }

  @Test(arguments: ["text", "zeros", "cut", "another program's"])
  func `is made again where it is garbage, and says so`(how: String) async throws {
    try await withNights { nights in
      try nights.shard("a", day: 1)
      let first = try await nights.night().result
      let path = nights.folder.file(".weir/catalog.db")
      switch how {
      case "text": try nights.folder.write("this is no database\n", at: ".weir/catalog.db")
      case "zeros": try writeFile([UInt8](repeating: 0, count: 40_000), to: path)
      case "cut": try writeFile(Array(readFile(path).prefix(5_000)), to: path)
      default:
        unlink(path)
        try execute("CREATE TABLE runs (x)", in: path)
      }
      try nights.shard("b", day: 2)
      let (second, changes) = try await nights.night()
      #expect(second.notes.contains { $0.contains("catalogue was damaged") }, "\(second.notes)")
      #expect(changes?.runBefore == first.runID)
      let catalogue = try Catalogue.open(nights.workspace)
      #expect(catalogue.notes.isEmpty)
      #expect(try catalogue.runs().map(\.id) == [second.runID, first.runID])
      #expect(access(path + ".damaged", F_OK) == 0)
    }
  }

  @Test func `is mended where a page turns out to be damaged later`() async throws {
    try await withNights { nights in
      try nights.shard("a", day: 1)
      try await nights.night()
      let path = nights.folder.file(".weir/catalog.db")
      var bytes = try readFile(path)
      // The pages behind the first hold the tables; the schema stays readable.
      for i in 4_096 * 2..<bytes.count { bytes[i] = 0xA5 }
      try writeFile(bytes, to: path)
      let catalogue = try Catalogue.open(nights.workspace)
      #expect(try catalogue.runs().count == 1)
      #expect(try catalogue.details(try catalogue.run("last")).shards.count == 1)
      #expect(catalogue.notes.contains { $0.contains("damaged") }, "\(catalogue.notes)")
    }
  }

  @Test func `that cannot be written is a note, never a failed run`() async throws {
    try await withNights { nights in
      try nights.shard("a", day: 1)
      let first = try await nights.night().result
      // A directory in its place: nothing can be opened or renamed there as a file.
      unlink(nights.folder.file(".weir/catalog.db"))
      try makeFolder(nights.folder.file(".weir/catalog.db"))
      try nights.folder.write("x", at: ".weir/catalog.db/x")
      try makeFolder(nights.folder.file(".weir/catalog.db.damaged/x"))
      try nights.shard("a", day: 1, n: 2)
      let (second, changes) = try await nights.night()
      #expect(second.notes.contains { $0.contains("catalogue cannot be used") }, "\(second.notes)")
      #expect(changes?.numbersMoved == 4 && changes?.runBefore == first.runID)
      let catalogue = try Catalogue.open(nights.workspace)
      #expect(!catalogue.isOnDisk)
      #expect(try catalogue.runs().map(\.id) == [second.runID, first.runID])
      #expect(throws: CatalogueError.self) { try catalogue.prune(keep: 0, pipeline: nil) }
    }
  }

  @Test func `of no runs has none to remove`() async throws {
    try await withNights { nights in
      let catalogue = try Catalogue.open(nights.workspace)
      #expect(!catalogue.isOnDisk)
      #expect(try catalogue.prune(keep: 0, pipeline: nil).removed == [])
    }
  }

  @Test func `of a later version is left alone`() async throws {
    try await withNights { nights in
      try nights.shard("a", day: 1)
      try await nights.night()
      let path = nights.folder.file(".weir/catalog.db")
      try execute("INSERT INTO grdb_migrations VALUES ('what comes later')", in: path)
      let before = try readFile(path)
      let result = try await nights.night().result
      #expect(result.notes.contains { $0.contains("later version") }, "\(result.notes)")
      #expect(try readFile(path) == before)
    }
  }

  @Test func `asked where nothing ran makes nothing`() throws {
    try withTemporaryFolder { folder in
      let catalogue = try Catalogue.open(Workspace(path: folder.file(".weir")))
      #expect(try catalogue.runs().isEmpty)
      let error = #expect(throws: CatalogueError.self) { try catalogue.run("last") }
      #expect(error?.code == "no_runs")
      #expect(listFolder(folder.path) == [])
    }
  }

  @Test(arguments: ["", "{", #"{"run":"x"}"#, #"{"run":"x","status":"dancing"}"#, "half"])
  func `shows a run whose record cannot be read as damaged`(record: String) async throws {
    try await withNights { nights in
      try nights.shard("a", day: 1)
      let result = try await nights.night().result
      let path = "\(result.runDirectory)/run.json"
      let whole = try readFile(path)
      try writeFile(
        record == "half" ? Array(whole.prefix(whole.count / 2)) : Array(record.utf8), to: path)
      let catalogue = try Catalogue.open(nights.workspace)
      let run = try catalogue.run("last")
      #expect(run.status == .damaged && run.id == result.runID)
      #expect(abs(run.started.microseconds - Timestamp.now.microseconds) < 600_000_000)
      let notes = try catalogue.details(run).json["notes"]?.elements ?? []
      #expect(notes.first?.string?.contains("cannot be read") == true)
      try writeFile(whole, to: path)
      try catalogue.reconcile()
      #expect(try catalogue.run("last").status == .done)
    }
  }

  @Test func `keeps the history of runs that are pruned`() async throws {
    try await withNights { nights in
      var ids: [String] = []
      for day in 1...4 {
        try nights.shard("d\(day)", day: day)
        ids.append(try await nights.night(keep: 2).result.runID)
      }
      let catalogue = try Catalogue.open(nights.workspace)
      let before = try catalogue.details(try catalogue.run(ids[1]))
      let pruned = try catalogue.prune(keep: 1, pipeline: nil)
      #expect(pruned.removed == Array(ids[..<3]) && pruned.bytes > 0)
      #expect(listFolder(nights.runs) == [ids[3]])
      let after = try Catalogue.open(nights.workspace)
      #expect(try after.runs().map(\.id) == ids.reversed())
      #expect(try after.runs().map(\.isPresent) == [true, false, false, false])
      let details = try after.details(try after.run(ids[1]))
      #expect(details.shards.map(\.shard) == before.shards.map(\.shard))
      #expect(details.ledger == before.ledger && details.record == before.record)
      #expect(details.changesSummary?.rowsAppeared == 4)
      #expect(details.place == .pruned)
    }
  }

  @Test func `prunes neither what runs nor what is in place`() async throws {
    try await withNights { nights in
      try nights.shard("a", day: 1)
      let placed = try await nights.night().result.runID
      // A later run of the same pipeline, which failed.
      try nights.folder.write(Array(SampleShard.zstd([65]).dropLast(3)), at: "data/b.zst")
      await #expect(throws: RunError.self) { try await nights.night() }
      let live = "20991231T000000Z-00000000"
      var record = try JSONValue(reading: readFile("\(nights.runs)/\(placed)/run.json"))
      record = replacing("status", "running", in: replacing("run", live, in: record))
      try nights.folder.write(record.bytes(), at: ".weir/runs/\(live)/run.json")
      let catalogue = try Catalogue.open(nights.workspace)
      let result = try catalogue.prune(keep: 0, pipeline: "nightly")
      #expect(result.removed.count == 1)
      #expect(result.spared.map(\.run) == [live, placed])
      #expect(listFolder(nights.runs) == [placed, live])
      #expect(try catalogue.prune(keep: 0, pipeline: "another").removed == [])
    }
  }

  @Test func `finds a run by the beginning of its id, if only one begins so`() async throws {
    try await withNights { nights in
      try nights.shard("a", day: 1)
      let first = try await nights.night().result.runID
      let second = try await nights.night().result.runID
      let catalogue = try Catalogue.open(nights.workspace)
      #expect(try catalogue.run("last").id == second)
      #expect(try catalogue.run(first).id == first)
      // Two of one second differ in their last eight digits.
      #expect(throws: CatalogueError.self) { try catalogue.run("20") }
      let error = #expect(throws: CatalogueError.self) { try catalogue.run("1999") }
      #expect(error?.code == "unknown_run")
      let shared = zip(first.utf8, second.utf8).prefix { $0 == $1 }.count
      #expect(try catalogue.run(String(second.prefix(shared + 1))).id == second)
      #expect(throws: CatalogueError.self) { try catalogue.run("%") }
      #expect(throws: CatalogueError.self) { try catalogue.run("") }
    }
  }

  @Test func `lists by pipeline, time and status`() async throws {
    try await withNights { nights in
      try nights.shard("a", day: 1)
      try await nights.night()
      try nights.folder.write(Array(SampleShard.zstd([65]).dropLast(3)), at: "data/b.zst")
      await #expect(throws: RunError.self) { try await nights.night() }
      let catalogue = try Catalogue.open(nights.workspace)
      func count(_ filter: RunFilter) throws -> Int { try catalogue.runs(filter).count }
      #expect(try count(RunFilter()) == 2 && count(RunFilter(limit: 1)) == 1)
      #expect(try count(RunFilter(pipeline: "nightly")) == 2)
      #expect(try count(RunFilter(pipeline: "night")) == 0)
      #expect(try count(RunFilter(status: .failed)) == 1)
      #expect(try count(RunFilter(status: .done)) == 1)
      #expect(try count(RunFilter(since: Timestamp(microseconds: 0))) == 2)
      #expect(try count(RunFilter(since: Timestamp.latest)) == 0)
      let failed = try catalogue.details(try catalogue.runs(RunFilter(status: .failed))[0])
      #expect(failed.record["error"]?["code"]?.string != nil && failed.summary.exit == 1)
      #expect(failed.record["error"]?["fix"]?.string?.isEmpty == false)
      #expect(failed.place == .none && failed.changes == nil)
    }
  }

  @Test func `grows from an empty file, and from any earlier schema`() throws {
    try withTemporaryFolder { folder in
      let migrator = CatalogueSchema.migrator
      try writeFile([], to: folder.file("empty.db"))
      let queue = try DatabaseQueue(path: folder.file("empty.db"))
      try migrator.migrate(queue)
      let schema = try queue.read {
        try String.fetchAll($0, sql: "SELECT coalesce(sql, '') FROM sqlite_master ORDER BY name")
      }
      for (i, step) in migrator.migrations.enumerated() {
        let other = try DatabaseQueue(path: folder.file("\(i).db"))
        try migrator.migrate(other, upTo: step)
        try migrator.migrate(other)
        #expect(
          try other.read {
            try String.fetchAll(
              $0, sql: "SELECT coalesce(sql, '') FROM sqlite_master ORDER BY name")
          } == schema)
      }
    }
  }

  @Test func `is in rollback mode with full flushes`() async throws {
    try await withNights { nights in
      try nights.shard("a", day: 1)
      try await nights.night()
      let path = nights.folder.file(".weir/catalog.db")
      // Somebody turned WAL on: it is turned off again.
      try execute("PRAGMA journal_mode = WAL", in: path)
      let (mode, flushes) = try settings(nights.workspace)
      #expect(mode == "delete" && flushes == 3)
      #expect(!listFolder(nights.folder.file(".weir")).contains { $0.hasSuffix("-wal") })
    }
  }
}

/// Runs one statement in a database, as another program would.
private func execute(_ sql: String, in path: String) throws {
  try DatabaseQueue(path: path).inDatabase { _ = try Row.fetchAll($0, sql: sql) }
}

private func settings(_ workspace: Workspace) throws -> (mode: String?, flushes: Int?) {
  try CatalogueFile(workspace).open().queue.read {
    (
      try String.fetchOne($0, sql: "PRAGMA journal_mode"),
      try Int.fetchOne($0, sql: "PRAGMA synchronous")
    )
  }
}

/// An object with another text at `key`.
func replacing(_ key: String, _ text: String, in value: JSONValue) -> JSONValue {
  guard case .object(let members) = value else { return value }
  return .object(members.map { $0.key == key ? JSONMember(key, .text(text)) : $0 })
}
