import Glibc
import Testing
import WeirData
import WeirTesting

@testable import WeirEngine

@Suite struct `Digests` {
  private static let specs = [
    Corpus.spec, `Limits of memory`.kept,
    // A branch without a barrier, one with, and a parameter behind it.
    #"""
    {
      "name": "branches", "ledger_by": ["market", "day"],
      "params": { "market": { "type": "string", "default": "*" } },
      "sources": { "s": { "type": "jsonl", "paths": ["data/day=*/*"],
        "fields": { "id": "string", "market": "string", "rev": "int", "score": "int?", "day": "int" } } },
      "transforms": {
        "clean": { "type": "normalize", "inputs": ["s"],
                   "fields": { "market": { "case": "lower", "map": "map.json" } } },
        "direct": { "type": "aggregate", "inputs": ["clean"], "by": ["market"], "metrics": { "n": { "count": true } } },
        "unique": { "type": "dedupe", "inputs": ["clean"], "key": ["id"], "order_by": ["rev"] },
        "scoped": { "type": "filter", "inputs": ["unique"], "where": "params.market == '*' || market == params.market" },
        "sums": { "type": "aggregate", "inputs": ["scoped"], "by": ["market", "rev"],
                  "metrics": { "n": { "count": true }, "sum": { "sum": "score" } } }
      },
      "sinks": {
        "direct_csv": { "type": "csv", "inputs": ["direct"], "path": "direct.csv" },
        "sums_csv": { "type": "csv", "inputs": ["sums"], "path": "sums.csv" },
        "raw": { "type": "jsonl", "inputs": ["clean"], "path": "m={market}.jsonl" }
      }
    }
    """#,
  ]

  private func run(
    _ spec: String, _ shards: [String: [UInt8]], in folder: TemporaryFolder,
    market: String? = nil, change: (inout PipelineRunner) -> Void = { _ in }
  ) async throws -> PipelineOutcome {
    let data = folder.file("data")
    for path in try filesBelow(data).keys where shards["data/" + path] == nil {
      unlink(data + "/" + path)
    }
    for (path, bytes) in shards {
      if (try? readFile(folder.file(path))) != bytes { try folder.write(bytes, at: path) }
    }
    try folder.write(#"{"de": "de", "fr": "fr", "a/b": "b"}"#, at: "map.json")
    var runner = PipelineRunner(spec, files: [])
    if let market { runner.params = [("market", market)] }
    change(&runner)
    let outcome = try await runner.run(in: folder)
    #expect(outcome.error == nil && !outcome.problems.hasErrors, "\(outcome)")
    return outcome
  }

  /// The same in a folder that knows nothing.
  private func runFromNothing(
    _ spec: String, _ shards: [String: [UInt8]], market: String? = nil
  ) async throws -> PipelineOutcome {
    try await withTemporaryFolder {
      try await run(spec, shards, in: $0, market: market) { $0.digestBytes = 0 }
    }
  }

  private func expectSame(_ a: PipelineOutcome, _ b: PipelineOutcome, _ how: String) {
    for path in Set(a.outputs.keys).union(b.outputs.keys).sorted()
    where a.outputs[path] != b.outputs[path] {
      Issue.record("\(path) differs: \(how)")
    }
    guard a.result?.isUnchanged == false else { return }
    #expect(a.quarantineText == b.quarantineText && a.ledgerText == b.ledgerText, "\(how)")
  }

  private func reused(_ outcome: PipelineOutcome, pass: Int? = nil) -> Int {
    outcome.result?.tasks.count { $0.isReused && (pass == nil || $0.pass == pass) } ?? -1
  }

  /// A night: shards come late, are replaced, are deleted, or nothing happens to them.
  private func change(
    _ shards: inout [String: [UInt8]], from all: [String: [UInt8]], _ random: inout SeededRandom
  ) {
    for path in all.keys.sorted() {
      switch random.below(8) {
      case 0...2: if shards[path] == nil { shards[path] = all[path] }
      case 3: if random.oneIn(3) { shards[path] = nil }
      case 4:
        if shards[path] != nil {
          let lines = Corpus(seed: random.next(), shardCount: 1, lines: 60).shards[0]
          shards[path] = lines.bytes
        }
      default: break
      }
    }
    if shards.isEmpty { shards = all }
  }

  @Test(arguments: specs.indices)
  func `give every night the bytes of a run from nothing`(which: Int) async throws {
    let spec = Self.specs[which]
    let all = Dictionary(
      uniqueKeysWithValues: Corpus(seed: 5, shardCount: 9, lines: 250).shards.map {
        ($0.path, $0.bytes)
      })
    try await withTemporaryFolder { folder in
      var random = SeededRandom(seed: UInt64(which) + 1)
      var shards: [String: [UInt8]] = [:]
      var reusedInAll = 0
      for night in 0..<8 {
        change(&shards, from: all, &random)
        let market = which == 2 ? random.pick(["*", "de", "fr"]) : nil
        // One night memory is short, another the digests of the nights before are short of room.
        let outcome = try await run(spec, shards, in: folder, market: market) {
          $0.workers = 1 + night % 3
          var memory = MemoryShares(workers: 2)
          if night % 3 == 1 { (memory.kept, memory.deciding) = (2_000, 20_000) }
          if night % 4 < 2 { memory.earlyBytes = 1 }
          $0.memory = memory
          if night == 6 { $0.digestBytes = 30_000 }
        }
        expectSame(
          outcome, try await runFromNothing(spec, shards, market: market), "night \(night)")
        reusedInAll += reused(outcome)
      }
      #expect(reusedInAll > 10)
    }
  }

  @Test(arguments: specs.indices, [1, 64 * 1024])
  func `save a run over the same shards all of its tasks`(
    which: Int, earlyBytes: Int
  ) async throws {
    let spec = Self.specs[which]
    var memory = MemoryShares(workers: 2)
    memory.earlyBytes = earlyBytes
    let shards = Dictionary(
      uniqueKeysWithValues: Corpus(seed: 6, shardCount: 4).shards.map { ($0.path, $0.bytes) })
    try await withTemporaryFolder { folder in
      let first = try await run(spec, shards, in: folder) { [memory] in $0.memory = memory }
      #expect(reused(first) == 0)
      let second = try await run(spec, shards, in: folder)
      #expect(second.result?.isUnchanged == true)
      #expect(second.outputs == first.outputs)
      #expect(second.result?.ledger.records == first.result?.ledger.records)
      let third = try await run(spec, shards, in: folder) { $0.isForced = true }
      #expect(third.result?.isUnchanged == false)
      #expect(reused(third) == third.result?.tasks.count)
      expectSame(third, first, "forced")
    }
  }

  @Test func `are shared by runs for other parameters, as far as these do not matter`() async throws
  {
    let spec = Self.specs[2]
    let shards = Dictionary(
      uniqueKeysWithValues: Corpus(seed: 7, shardCount: 4).shards.map { ($0.path, $0.bytes) })
    try await withTemporaryFolder { folder in
      _ = try await run(spec, shards, in: folder)
      let german = try await run(spec, shards, in: folder, market: "de")
      #expect(reused(german, pass: 0) == 4 && reused(german, pass: 1) == 0)
      expectSame(german, try await runFromNothing(spec, shards, market: "de"), "de")
      // A new map is another plan: nothing of the old one is good.
      try folder.write(#"{"de": "x"}"#, at: "map2.json")
      let other = spec.replacing("map.json", with: "map2.json")
      #expect(reused(try await run(other, shards, in: folder)) == 0)
    }
  }

  /// Fields and stages behind a barrier move the columns in front of it about.
  @Test func `are not mixed up by stages that are added`() async throws {
    let spec = Self.specs[2]
    let shards = Dictionary(
      uniqueKeysWithValues: Corpus(seed: 8, shardCount: 3).shards.map { ($0.path, $0.bytes) })
    let added = spec.replacing(
      #""direct": {"#,
      with: #"""
        "early": { "type": "dedupe", "inputs": ["s"], "key": ["id"] },
        "edit": { "type": "normalize", "inputs": ["early"], "fields": { "id": { "case": "upper" }, "market": { "case": "upper" } } },
        "counted": { "type": "aggregate", "inputs": ["edit"], "by": ["id", "market"], "metrics": { "n": { "count": true } } },
        "direct": {
        """#
    ).replacing(
      #""direct_csv": {"#,
      with:
        #""counted_csv": { "type": "csv", "inputs": ["counted"], "path": "counted.csv" }, "direct_csv": {"#
    )
    try await withTemporaryFolder { folder in
      for round in [spec, added, spec, added] {
        let outcome = try await run(round, shards, in: folder) { $0.isForced = true }
        expectSame(outcome, try await runFromNothing(round, shards), "")
      }
    }
  }

  @Test func `that are damaged, cut off or gone are made again`() async throws {
    let spec = Self.specs[0]
    let shards = Dictionary(
      uniqueKeysWithValues: Corpus(seed: 9, shardCount: 6).shards.map { ($0.path, $0.bytes) })
    let expected = try await runFromNothing(spec, shards)
    try await withTemporaryFolder { folder in
      _ = try await run(spec, shards, in: folder)
      var random = SeededRandom(seed: 3)
      for round in 0..<12 {
        let digests = folder.file(".weir/digests")
        for name in listFolder(digests) where random.oneIn(2) {
          var bytes = try readFile(digests + "/" + name)
          guard !bytes.isEmpty else { continue }
          switch random.below(4) {
          case 0: bytes[random.below(bytes.count)] ^= UInt8(1 << random.below(8))
          case 1: bytes.removeLast(random.below(bytes.count))
          case 2:
            let from = random.below(bytes.count)
            for at in from..<min(bytes.count, from + 4_096) { bytes[at] = 0 }
          default: bytes = []
          }
          // Another file in its place, as a restored backup would be.
          unlink(digests + "/" + name)
          if !bytes.isEmpty { try folder.write(bytes, at: ".weir/digests/" + name) }
        }
        let outcome = try await run(spec, shards, in: folder) { $0.isForced = true }
        expectSame(outcome, expected, "round \(round)")
      }
    }
  }

  @Test func `keep to their limit, and lose what was not used for the longest time`() async throws {
    let spec = Self.specs[0]
    let corpus = Corpus(seed: 10, shardCount: 8, lines: 800).shards
    try await withTemporaryFolder { folder in
      var shards: [String: [UInt8]] = [:]
      for (path, bytes) in corpus {
        shards[path] = bytes
        let outcome = try await run(spec, shards, in: folder) { $0.digestBytes = 400_000 }
        expectSame(outcome, try await runFromNothing(spec, shards), path)
        let digests = try filesBelow(folder.file(".weir/digests"))
        let bytes = digests.filter { $0.key.hasSuffix(".pack") }.reduce(0) { $0 + $1.value.count }
        #expect(bytes <= 400_000)
      }
    }
  }

  @Test func `of a shard are named by its content, its name and its path values`() async throws {
    let spec = Self.specs[2]
    let corpus = Corpus(seed: 11, shardCount: 2, lines: 50).shards
    try await withTemporaryFolder { folder in
      let first = [corpus[0].path: corpus[0].bytes]
      _ = try await run(spec, first, in: folder)
      // The same bytes under the name of another day.
      let moved = ["data/day=7/part.jsonl": corpus[0].bytes]
      let outcome = try await run(spec, moved, in: folder)
      #expect(reused(outcome) == 0)
      expectSame(outcome, try await runFromNothing(spec, moved), "moved")
    }
  }
}

@Suite struct `What is remembered of files` {
  private func look(changed: Int64, seen: Int64, size: UInt64 = 10) -> ShardContents.Look {
    ShardContents.Look(
      size: size, modified: 5, changed: UInt64(changed), inode: 1, device: 2, seen: UInt64(seen))
  }

  @Test func `is believed only of a file that had been at rest`() throws {
    try withTemporaryFolder { folder in
      let contents = try ShardContents(folder: folder.path)
      let content = Hash128(high: 1, low: 2)
      let second: Int64 = 1_000_000_000
      contents.remember("a", look(changed: 10 * second, seen: 20 * second), content, unchecked: 3)
      contents.remember("b", look(changed: 10 * second, seen: 11 * second), content, unchecked: 0)
      try contents.save()
      for memory in [contents, try ShardContents(folder: folder.path)] {
        let now = look(changed: 10 * second, seen: 90 * second)
        guard case .known(let known, unchecked: 3) = memory.recall("a", now) else {
          Issue.record("a file at rest is known")
          continue
        }
        #expect(known == content)
        guard case .perhaps = memory.recall("b", now),
          case .perhaps = memory.recall("a", look(changed: 11 * second, seen: 90 * second)),
          case .new = memory.recall("a", look(changed: 10 * second, seen: 90 * second, size: 11))
        else {
          Issue.record("a file that may be another is not known")
          continue
        }
      }
    }
  }

  @Test func `outlives records that were cut off or damaged`() throws {
    try withTemporaryFolder { folder in
      let log = RecordLog(path: folder.file("log"), recordBytes: 16)
      var random = SeededRandom(seed: 1)
      var expected: [UInt64] = []
      for round in 0..<50 {
        try log.append([RawRecord(UInt64(round), 7)])
        expected.append(UInt64(round))
        guard random.oneIn(3) else { continue }
        var bytes = try readFile(folder.file("log"))
        bytes.removeLast(1 + random.below(20))
        expected.removeLast()
        if bytes.count < expected.count * 24 { expected.removeLast() }
        unlink(folder.file("log"))
        try folder.write(bytes, at: "log")
      }
      var found: [UInt64] = []
      try log.read { found.append($0.word(0)) }
      #expect(found == expected)
    }
  }
}

extension String {
  fileprivate func replacing(_ text: String, with other: String) -> String {
    split(separator: text, omittingEmptySubsequences: false).joined(separator: other)
  }
}
