import Glibc
import Testing
import WeirData
import WeirEngine
import WeirStages
import WeirTesting

@Suite struct `Equal inputs` {
  /// All ways to do the same work that the tests compare.
  private static let ways: [(workers: Int, batchBytes: Int)] = [1, 2, 4].flatMap { workers in
    [4 << 10, 64 << 10, 4 << 20].map { (workers, $0) }
  }

  @Test(arguments: 0..<3)
  func `give equal bytes, whatever the workers, the batches and the order on disk`(
    seed: Int
  ) async throws {
    let corpus = Corpus(seed: UInt64(seed))
    var random = SeededRandom(seed: UInt64(seed))
    var first: [String: [UInt8]]?
    for way in Self.ways {
      var runner = PipelineRunner(
        Corpus.spec, files: corpus.shards.shuffled(using: &random))
      runner.workers = way.workers
      runner.batchBytes = way.batchBytes
      let outcome = try await runner.run()
      compare(outcome, with: &first, "\(way.workers) workers, \(way.batchBytes) bytes")
      let result = try #require(outcome.result)
      #expect(result.ledger.records.read + result.ledger.records.blank == corpus.lines)
      #expect(outcome.outputs.count > 20 && !outcome.quarantine.isEmpty)
    }
  }

  @Test(arguments: [1, 7, 100], [1, 3])
  func `in one shard give equal bytes, however many workers share it`(
    frames: Int, seed: Int
  ) async throws {
    let corpus = Corpus(seed: UInt64(seed))
    let text = corpus.shards.map(\.bytes).flatMap { (try? decodedText($0)) ?? [] }
    let shard = SampleShard.skippableFrame() + SampleShard.zstd(text, frames: frames)
    var first: [String: [UInt8]]?
    for workers in [1, 2, 3, 8] {
      for (batchBytes, wideShardBytes) in [(4 << 10, 1), (256 << 10, 1_000)] {
        var runner = PipelineRunner(
          Corpus.spec, files: [(path: "data/day=0/part.jsonl.zst", bytes: shard)])
        runner.workers = workers
        runner.batchBytes = batchBytes
        runner.wideShardBytes = wideShardBytes
        let outcome = try await runner.run()
        compare(outcome, with: &first, "\(workers) workers, \(batchBytes) bytes")
        #expect(outcome.outputs.count > 5 && !outcome.quarantine.isEmpty)
      }
    }
  }

  @Test func `that have to come from the disk give equal bytes`() async throws {
    let corpus = Corpus(seed: 9, shardCount: 3, lines: 3_000)
    var first: [String: [UInt8]]?
    for (workers, wideShardBytes, isCold) in [
      (1, 1 << 20, false), (1, 1 << 20, true), (2, 1, true), (2, 1 << 20, true),
    ] {
      var runner = PipelineRunner(Corpus.spec, files: corpus.shards)
      runner.workers = workers
      runner.wideShardBytes = wideShardBytes
      runner.isCold = isCold
      let outcome = try await runner.run()
      compare(outcome, with: &first, "\(workers) workers, \(wideShardBytes), \(isCold)")
      #expect(outcome.outputs.count > 5)
    }
  }

  @Test(arguments: [2, 5])
  func `that are damaged are refused with the same words by any number of workers`(
    frames: Int
  ) async throws {
    let corpus = Corpus(seed: 5)
    let text = corpus.shards.map(\.bytes).flatMap { (try? decodedText($0)) ?? [] }
    let shard = SampleShard.zstd(text, frames: frames)
    let damaged = [
      Array(shard.dropLast(3)), shard + Array("tail".utf8), shard + [1],
      SampleShard.flippingBit(shard.count * 8 - 5, of: shard),
    ]
    for bytes in damaged {
      var messages: Set<String> = []
      for workers in [1, 2, 3] {
        var runner = PipelineRunner(
          Corpus.spec, files: [(path: "data/day=0/part.jsonl.zst", bytes: bytes)])
        runner.workers = workers
        runner.wideShardBytes = 1
        let outcome = try await runner.run()
        #expect(outcome.outputs.isEmpty)
        let error = try #require(outcome.error as? RunError)
        // The folder of the shard is another one each time.
        messages.insert("\(error.code) \(error.message.split(separator: ".jsonl.zst").last ?? "")")
      }
      #expect(messages.count == 1, "\(messages.sorted())")
    }
  }

  /// A run must go well and make what the first one made.
  private func compare(
    _ outcome: PipelineOutcome, with first: inout [String: [UInt8]]?, _ how: String
  ) {
    #expect(outcome.error == nil, "\(outcome.error.map { "\($0)" } ?? "")")
    if let first {
      differences(first, outcome.everything, how)
    } else {
      first = outcome.everything
    }
  }

  private func differences(
    _ a: [String: [UInt8]], _ b: [String: [UInt8]], _ how: String
  ) {
    for path in Set(a.keys).union(b.keys).sorted() where a[path] != b[path] {
      Issue.record("\(path) differs: \(how)")
    }
  }

  /// Every pipeline of `pipelines/` whose stages there are.
  private static var pipelines: [String] {
    listFolder(repository + "/pipelines").filter { name in
      guard name.hasSuffix(".json"), !name.hasSuffix(".test.json"),
        let bytes = try? readFile(repository + "/pipelines/" + name),
        let spec = JSONValue(parsing: bytes)
      else { return false }
      let types = ["sources", "transforms", "sinks"].flatMap { section -> [String] in
        guard case .object(let members)? = spec[section] else { return [] }
        return members.compactMap { $0.value["type"]?.string }
      }
      return types.allSatisfy { !StageRegistry.standard.types(named: $0).isEmpty }
    }
  }

  @Test(.enabled(if: RunningBinary.weir != nil, "the binary is not beside the tests"))
  func `of the pipelines that come with Weir give equal bytes on every machine`() throws {
    let machines: [(arguments: [String], environment: [String: String])] = [
      (["--workers", "1", "--batch-kib", "4096"], ["TZ": "UTC", "LC_ALL": "C"]),
      (["--workers", "4", "--batch-kib", "4"], ["TZ": "Asia/Kathmandu", "LC_ALL": "tr_TR.UTF-8"]),
      (["--workers", "2"], ["TZ": "America/St_Johns", "LC_ALL": "de_DE.UTF-8", "LANG": "de_DE"]),
    ]
    for name in Self.pipelines {
      try withTemporaryFolder { folder in
        var first: [String: [UInt8]]?
        for (i, machine) in machines.enumerated() {
          let params = name.hasPrefix("market-report") ? ["--param", "market=DE"] : []
          let outcome = try RunningBinary.run(
            weir,
            [
              "run", "\(repository)/pipelines/\(name)", "--out", folder.file("out\(i)/x"),
              "--workspace", folder.file("w\(i)"), "--progress", "none", "--json",
            ]
              + machine.arguments + params, environment: machine.environment)
          #expect(outcome.exit == 0, "\(name): \(outcome.errors)")
          var all = try filesBelow(folder.file("out\(i)/x"))
          let runs = folder.file("w\(i)/.weir/runs")
          let run = runs + "/" + (listFolder(runs).first ?? "")
          all["ledger.json"] = try readFile(run + "/ledger.json")
          all["quarantine"] = try decodedText(readFile(run + "/quarantine.jsonl.zst"))
          if let first { differences(first, all, "\(name) \(machine)") } else { first = all }
        }
      }
    }
  }
}
