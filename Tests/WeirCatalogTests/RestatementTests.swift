import Glibc
import Testing
import WeirData
import WeirEngine
import WeirTesting

@testable import WeirCatalog

@Suite struct `A restatement` {
  @Test func `of new data alone moves no published number`() async throws {
    try await withNights { nights in
      try nights.shard("a", day: 1)
      try await nights.night()
      try nights.shard("b", day: 2)
      let (result, changes) = try await nights.night()
      let summary = try #require(changes)
      #expect(summary.numbersMoved == 0 && summary.rowsAppeared == 4)
      #expect(summary.shards == (1, 0, 0))
      #expect(summary.sentence == "no published number moved; 4 rows appeared")
      let table = try #require(nights.changes(result.runID)["tables"]?.elements.first)
      #expect(table["path"]?.string == "sums.csv" && table["rows_before"] == 2)
      #expect(
        table["appeared"]?.text
          == #"[{"market":"DE","ts":"2026-09-02"},{"market":"FR","ts":"2026-09-02"}]"#)
    }
  }

  @Test func `says which numbers moved, from what to what, and because of which shards`()
    async throws
  {
    try await withNights { nights in
      for day in 1...3 { try nights.shard("d\(day)", day: day) }
      let first = try await nights.night().result
      try nights.shard("d2", day: 2, n: 5)
      let (result, changes) = try await nights.night()
      let summary = try #require(changes)
      #expect(
        summary.sentence
          == "4 published numbers moved in 2 files, because of 1 changed shard")
      #expect(summary.runBefore == first.runID)
      let json = try nights.changes(result.runID)
      #expect(json["before"]?["run"]?.string == first.runID)
      #expect(json["reasons"]?.text == #"["shards"]"#)
      #expect(
        json["shards"]?["list"]?.elements.map { $0["shard"]?.string ?? "" } == ["d2"])
      for table in try #require(json["tables"]).elements {
        #expect(table["rows_moved"] == 2 && table["columns"]?.text == #"{"total":2}"#)
        #expect(
          table["moved"]?.text
            == #"[{"key":{"market":"DE","ts":"2026-09-02"},"column":"total","from":3,"to":15},"#
            + #"{"key":{"market":"FR","ts":"2026-09-02"},"column":"total","from":3,"to":15}]"#)
      }
      #expect(json["files"]?["changed"] == 3)
    }
  }

  @Test func `of late, replaced and deleted shards at once names them all`() async throws {
    try await withNights { nights in
      for day in 1...4 { try nights.shard("d\(day)", day: day) }
      try await nights.night()
      try nights.shard("d1-late", day: 1, markets: ["DE"])
      try nights.shard("d2", day: 2, n: 2)
      unlink(nights.folder.file("data/d4"))
      let (result, changes) = try await nights.night()
      let summary = try #require(changes)
      #expect(summary.shards == (1, 1, 1))
      #expect(summary.because == "1 changed shard and 1 new shard and 1 shard that is gone")
      #expect(summary.rowsDisappeared == 4 && summary.rowsAppeared == 0)
      // DE on day 1: records and total; both markets on day 2: total. In two files.
      #expect(summary.numbersMoved == 8)
      let table = try #require(nights.changes(result.runID)["tables"]?.elements.first)
      #expect(table["disappeared"]?.elements.count == 2)
    }
  }

  @Test func `of the same inputs is nothing`() async throws {
    try await withNights { nights in
      try nights.shard("a", day: 1)
      try await nights.night()
      let (_, changes) = try await nights.night()
      #expect(changes?.isSame == true && changes?.numbersMoved == 0)
      #expect(changes?.sentence?.hasPrefix("nothing") == true)
    }
  }

  @Test func `of another spec says so`() async throws {
    try await withNights { nights in
      try nights.shard("a", day: 1)
      try await nights.night()
      let spec = Nights.spec.replacingOccurrence(of: #""sum": "n""#, with: #""sum": "n * 2""#)
      let (result, changes) = try await nights.night(spec: spec)
      #expect(
        changes?.sentence == "4 published numbers moved in 2 files, because of another spec")
      #expect(try nights.changes(result.runID)["reasons"]?.text == #"["spec"]"#)
    }
  }

  @Test func `of columns that came and went compares the others`() async throws {
    try await withNights { nights in
      try nights.shard("a", day: 1)
      try await nights.night()
      let spec = Nights.spec.replacingOccurrence(of: #""total":"#, with: #""sum_of_n":"#)
      let (result, changes) = try await nights.night(spec: spec)
      #expect(changes?.numbersMoved == 0)
      let table = try #require(nights.changes(result.runID)["tables"]?.elements.first)
      #expect(
        table["columns_new"]?.text == #"["sum_of_n"]"#
          && table["columns_gone"]?.text == #"["total"]"#)
    }
  }

  @Test func `is made also where only one run is kept`() async throws {
    try await withNights { nights in
      try nights.shard("a", day: 1)
      try await nights.night(keep: 1)
      try nights.shard("a", day: 1, n: 3)
      let (_, changes) = try await nights.night(keep: 1)
      #expect(changes?.numbersMoved == 4)
    }
  }

  @Test func `compares with what another workspace put there`() async throws {
    try await withNights { nights in
      try nights.shard("a", day: 1)
      try await nights.night()
      rename(nights.folder.file(".weir"), nights.folder.file("other"))
      try nights.shard("a", day: 1, n: 3)
      let (_, changes) = try await nights.night()
      #expect(changes?.numbersMoved == 4 && changes?.runBefore == nil)
    }
  }

  @Test func `that cannot be made is a note`() async throws {
    try await withNights { nights in
      try nights.shard("a", day: 1)
      try await nights.night()
      try nights.folder.write("{", at: "out/manifest.json")
      try nights.shard("b", day: 2)
      let (result, changes) = try await nights.night()
      #expect(changes?.hasBefore == false)
      #expect(result.notes.contains { $0.contains("what changed is not known") })
      let record = try JSONValue(reading: readFile("\(result.runDirectory)/run.json"))
      #expect(record["status"] == "done")
      #expect(record["notes"]?.elements.count == result.notes.count)
    }
  }

  @Test func `of a run that fails is not left behind`() async throws {
    try await withNights { nights in
      try nights.shard("a", day: 1)
      try await nights.night()
      try nights.shard("b", day: 2)
      // The link cannot be replaced by a rename: something busy stands in its place.
      unlink(nights.out)
      try makeFolder(nights.out)
      guard mount("tmpfs", nights.out, "tmpfs", 0, nil) == 0 else { return }
      defer { umount(nights.out) }
      await #expect(throws: RunError.self) { try await nights.night() }
      let catalogue = try Catalogue.open(nights.workspace)
      let run = try catalogue.run("last")
      #expect(run.status == .failed)
      #expect(!listFolder("\(nights.runs)/\(run.id)").contains("changes.json"))
    }
  }
}

@Suite struct `Comparing two files of rows` {
  private func compare(
    _ before: [UInt8], _ now: [UInt8], keys: [String] = ["k"], estimates: [String] = [],
    provisional: (column: String, text: String)? = nil, waiting: Int = 64 << 20
  ) throws -> TableComparison {
    try withTemporaryFolder { folder in
      let (old, new) = (try folder.write(before, at: "old"), try folder.write(now, at: "new"))
      var comparison = TableComparison(
        identity: RowIdentity(keys: keys, estimates: estimates, provisional: provisional))
      comparison.waitingBytesMax = waiting
      try comparison.compare(before: old, now: new)
      return comparison
    }
  }

  private func compare(
    _ before: String, _ now: String, keys: [String] = ["k"], estimates: [String] = [],
    provisional: (column: String, text: String)? = nil
  ) throws -> TableComparison {
    try compare(
      Array(before.utf8), Array(now.utf8), keys: keys, estimates: estimates,
      provisional: provisional)
  }

  @Test func `tells numbers from estimates and from what was provisional`() throws {
    let result = try compare(
      "k,n,guess,state\na,1,10,closed\nb,2,20,open\n",
      "k,n,guess,state\na,1,11,closed\nb,3,21,closed\n", estimates: ["guess", "state"],
      provisional: ("state", "open"))
    #expect(result.numbers == 0 && result.provisional == 1 && result.estimates == 3)
    #expect(result.columns.map(\.name) == ["n", "guess", "state"])
    #expect(result.moves.isEmpty && result.movedRows == 0)
  }

  @Test func `tells null, text and number apart`() throws {
    let result = try compare(
      "k,v\na,\nb,1\nc,1\n", "k,v\na,\"\"\nb,1.0\nc,\"1\"\n")
    #expect(
      result.moves.map { "\($0.from.text)>\($0.to.text)" } == [
        #"null>"""#, #"1>1"#, #"1>"1""#,
      ])
  }

  @Test func `reads quotes, line ends in them and the marks of Excel`() throws {
    let result = try compare(
      "\u{FEFF}k,v\r\n\"a\nb\",\"say \"\"x\"\"\"\r\n\"c,d\",1\r\n",
      "\u{FEFF}k,v\r\n\"a\nb\",\"say \"\"y\"\"\"\r\n\"c,d\",1\r\n")
    let move = try #require(result.moves.first)
    #expect(result.numbers == 1 && move.key == ["a\nb"])
    #expect(move.from == #"say "x""# && move.to == #"say "y""#)
  }

  @Test func `takes files without rows`() throws {
    #expect(try compare("k,v\n", "k,v\na,1\n").appearedCount == 1)
    #expect(try compare("k,v\na,1\n", "k,v\n").disappearedCount == 1)
    #expect(try compare("", "").numbers == 0)
    #expect(try compare("", #"{"k":1,"v":2}"# + "\n").appearedCount == 1)
  }

  @Test func `reads objects in any order of their keys, escaped or not`() throws {
    let result = try compare(
      #"{"k":"a","v":[1,{"k":2}],"t":"x"}"# + "\n" + #"{"k":"b","v":null,"t":"y"}"# + "\n",
      #"{"k":"a","v":[1,{"k":3}],"t":"x"}"# + "\n" + #"{"t":"y\u0041","\u006b":"b","v":1e0}"# + "\n"
    )
    #expect(
      result.moves.map { "\($0.key[0].text) \($0.column) \($0.from.text) \($0.to.text)" } == [
        #""a" v [1,{"k":2}] [1,{"k":3}]"#, #""b" v null 1"#, #""b" t "y" "yA""#,
      ])
  }

  @Test func `compares a CSV with a JSONL of the same name`() throws {
    let result = try compare(
      "k,v\na,1\nb,2\n", #"{"k":"a","v":1}"# + "\n" + #"{"k":"b","v":3}"# + "\n")
    #expect(result.numbers == 1 && result.moves[0].to == 3)
  }

  @Test func `takes one row without a key`() throws {
    let result = try compare("n\n1\n", "n\n2\n", keys: [])
    #expect(result.numbers == 1 && result.moves[0].key.isEmpty)
  }

  @Test func `takes two spellings of one letter for two keys`() throws {
    let result = try compare("k,v\n\u{E9},1\n", "k,v\ne\u{301},1\n")
    #expect(result.appearedCount == 1 && result.disappearedCount == 1)
  }

  @Test func `keeps a limited number of rows and counts all`() throws {
    let many = (0..<3_000).map { "\($0)" }
    let result = try compare(
      "k,v\n" + many.map { "\($0),1\n" }.joined(), "k,v\n" + many.map { "\($0),2\n" }.joined())
    #expect(result.numbers == 3_000 && result.moves.count == 1_000)
  }

  /// Held against a plain comparison of two dictionaries, in any order of the rows and with so little
  /// room that several rounds are needed.
  @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6])
  func `finds what a dictionary would`(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    var old: [String: Int] = [:]
    var new: [String: Int] = [:]
    for i in 0..<4_000 {
      let key = "key-\(i)"
      if !random.oneIn(10) { old[key] = random.below(3) }
      if !random.oneIn(10) { new[key] = random.oneIn(4) ? random.below(3) : old[key] ?? 7 }
    }
    func text(_ rows: [String: Int], shuffled: Bool) -> [UInt8] {
      var keys = rows.keys.sorted()
      if shuffled { keys.shuffle(using: &random) }
      return Array(keys.map { #"{"k":"\#($0)","v":\#(rows[$0]!)}"# + "\n" }.joined().utf8)
    }
    let shuffled = seed % 2 == 0
    let result = try compare(
      text(old, shuffled: shuffled),
      ZstdEncoder(level: 3).frame(text(new, shuffled: shuffled)),
      waiting: shuffled ? 60_000 : 1 << 20)
    #expect(result.rowsBefore == old.count && result.rowsNow == new.count)
    #expect(result.appearedCount == new.keys.count { old[$0] == nil })
    #expect(result.disappearedCount == old.keys.count { new[$0] == nil })
    #expect(result.numbers == new.count { key, value in old[key].map { $0 != value } ?? false })
  }
}

extension String {
  /// With the only occurrence of a text replaced.
  func replacingOccurrence(of old: String, with new: String) -> String {
    split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
  }
}
