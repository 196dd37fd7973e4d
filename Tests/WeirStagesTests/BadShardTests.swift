import Glibc
import Testing
import WeirData
import WeirEngine
import WeirTesting

@Suite struct `A bad shard` {
  private static let fields = #"{"id": "string", "market": "string?", "n": "int?"}"#

  /// Every kind of stage, two passes over the text and columns that are kept.
  private static func spec(_ onBadShard: String, budget: String = "") -> String {
    pipeline(
      fields: fields,
      transforms: #"""
        "d": { "type": "dedupe", "inputs": ["s"], "key": ["id"] },
        "f": { "type": "filter", "inputs": ["d"], "where": "n >= 0" },
        "sums": { "type": "aggregate", "inputs": ["f"], "by": ["market"], "metrics": { "n": { "count": true }, "sum": { "sum": "n" } } }
        """#,
      sinks: jsonlSink("out", "f")
        + #","m": { "type": "csv", "inputs": ["sums"], "path": "m.csv" }"#,
      source: onBadShard.isEmpty ? "" : #", "on_bad_shard": "\#(onBadShard)""#,
      more: #" "ledger_by": ["market"],"# + (budget.isEmpty ? "" : #" "error_budget": \#(budget),"#)
    )
  }

  private static func lines(_ name: String, _ count: Int) -> [UInt8] {
    SampleShard.text(
      (0..<count).map { i in
        i % 50 == 49
          ? "bad line"
          : #"{"id":"\#(i % 7 == 0 ? "shared" : name)-\#(i)","market":"\#(["DE", "FR", "IT"][i % 3])","n":\#(i % 11 == 10 ? "null" : "\(i)")}"#
      })
  }

  private static let good = ["a", "c"].map { (path: "data/\($0).jsonl", bytes: lines($0, 400)) }

  private static func damaged(_ how: String) -> [UInt8] {
    let text = lines("b", 3_000)
    let frames = SampleShard.zstd(text, frames: 3)
    return switch how {
    case "truncated": Array(frames.dropLast(5))
    case "cut in its middle": Array(frames.prefix(frames.count / 2))
    case "damaged in its last frame": SampleShard.flippingBit(frames.count * 8 - 200, of: frames)
    case "damaged in two frames":
      SampleShard.flippingBit(
        frames.count * 8 - 200, of: SampleShard.flippingBit(frames.count * 4, of: frames))
    case "followed by something else": frames + Array("not a frame at all".utf8)
    case "asking for too long a window":
      SampleShard.zstd(text) + SampleShard.rawFrame(Array("x\n".utf8), windowLog: 31)
    case "asking for a dictionary":
      SampleShard.zstd(text) + SampleShard.rawFrame(Array("x\n".utf8), dictionary: 7)
    case "gzip and truncated": Array(SampleShard.gzip(text).dropLast(9))
    default: preconditionFailure(how)
    }
  }

  static let damages = [
    "truncated", "cut in its middle", "damaged in its last frame", "damaged in two frames",
    "followed by something else", "asking for too long a window", "asking for a dictionary",
    "gzip and truncated",
  ]

  private func runner(
    _ spec: String, _ files: [(path: String, bytes: [UInt8])], workers: Int = 2,
    batchBytes: Int = 256 * 1024, wide: Int = 1 << 20
  ) -> PipelineRunner {
    var runner = PipelineRunner(spec, files: files)
    runner.workers = workers
    runner.batchBytes = batchBytes
    runner.wideShardBytes = wide
    return runner
  }

  /// All but what names the shards.
  private func data(_ outcome: PipelineOutcome) -> [String: [UInt8]] {
    var data = outcome.outputs
    data["manifest.json"] = nil
    data["quarantine"] = outcome.quarantineText
    return data
  }

  @Test(arguments: damages)
  func `fails the run, or is as if it were not there`(how: String) async throws {
    let bad = (path: "data/b.jsonl", bytes: Self.damaged(how))
    let failed = try await runner(Self.spec(""), Self.good + [bad]).run()
    let code = try #require(failed.code)
    #expect(code.hasPrefix("shard_") && failed.outputs.isEmpty)
    #expect((failed.error as? RunError)?.isTransient == false)

    let without = try await runner(Self.spec("quarantine"), Self.good).run()
    #expect(without.error == nil && without.result?.ledger.shardsSetAside == [])
    var seen: [String: [UInt8]]?
    for (workers, batchBytes, wide) in [(1, 1 << 18, 1 << 20), (4, 3_000, 1), (3, 1 << 18, 1)] {
      let outcome = try await runner(
        Self.spec("quarantine"), Self.good + [bad], workers: workers, batchBytes: batchBytes,
        wide: wide
      ).run()
      let result = try #require(outcome.result, "\(String(describing: outcome.error))")
      #expect(data(outcome) == data(without))
      #expect(result.ledger.imbalances() == [])
      #expect(result.ledger.records == without.result?.ledger.records)
      let fault = try #require(result.ledger.shardsSetAside.first)
      #expect(fault.code == code && fault.shard == "b.jsonl" && fault.bytes == bad.bytes.count)
      #expect(result.runKey != without.result?.runKey)
      if let seen { #expect(seen == outcome.everything, "\(workers) workers") }
      seen = outcome.everything
      let manifest = try #require(JSONValue(parsing: outcome.outputs["manifest.json"] ?? []))
      let input = manifest["inputs"]?.elements.first { $0["shard"] == "b.jsonl" }
      #expect(manifest["shards_set_aside"]?.elements.map { $0["code"]?.string } == [code])
      #expect(input?["content"]?.string?.isEmpty == false)
    }
  }

  @Test func `that is mended is another input`() async throws {
    let bad = Self.damaged("truncated")
    let mended = SampleShard.zstd(Self.lines("b", 3_000), frames: 3)
    var keys: [String] = []
    for bytes in [bad, mended, Self.damaged("cut in its middle"), bad] {
      let outcome = try await runner(
        Self.spec("quarantine"), Self.good + [("data/b.jsonl", bytes)]
      ).run()
      keys.append(try #require(outcome.result).runKey)
    }
    #expect(Set(keys).count == 3 && keys[0] == keys[3])
  }

  @Test func `is named again by a run that finds its outputs in place`() async throws {
    try await withTemporaryFolder { folder in
      for (path, bytes) in Self.good { try folder.write(bytes, at: path) }
      try folder.write(Self.damaged("truncated"), at: "data/b.jsonl")
      let spec = Self.spec("quarantine", budget: #"{"shards": 0, "on_exceeded": "warn"}"#)
      var runner = PipelineRunner(spec, files: [])
      let first = try #require(try await runner.run(in: folder).result)
      #expect(first.overBudget.count == 1)
      let second = try #require(try await runner.run(in: folder).result)
      #expect(second.isUnchanged && second.ledger.shardsSetAside == first.ledger.shardsSetAside)
      #expect(second.notes.contains { $0.contains("over budget: 1 shard was set aside") })
      runner.isForced = true
      let third = try await runner.run(in: folder)
      let result = try #require(third.result)
      #expect(result.runKey == first.runKey && result.ledger.records == first.ledger.records)
      #expect(result.ledger.shardsSetAside == first.ledger.shardsSetAside)
      // Mended: the others are not read again.
      try folder.write(SampleShard.zstd(Self.lines("b", 3_000)), at: "data/b.jsonl")
      runner.isForced = false
      let mended = try #require(try await runner.run(in: folder).result)
      #expect(!mended.isUnchanged && mended.ledger.shardsSetAside == [])
      #expect(mended.tasks.filter { $0.pass == 0 && !$0.isReused }.map(\.shard) == ["b.jsonl"])
    }
  }

  @Test(arguments: ["empty", "a folder"])
  func `may be no shard at all`(how: String) async throws {
    let spec = Self.spec("quarantine").split(separator: "data/*.jsonl").joined(
      separator: "data/*.z*")
    let outcome = try await withTemporaryFolder { folder in
      for (path, bytes) in Self.good { try folder.write(bytes, at: path + ".z") }
      if how == "empty" { try folder.write([UInt8](), at: "data/b.zst") }
      if how == "a folder" { symlink("/dev/null", folder.file("data/b.zst")) }
      return try await PipelineRunner(spec, files: []).run(in: folder)
    }
    // Whatever the glob makes of it: it does not fail the run.
    #expect(outcome.error == nil)
  }

  @Test func `is an error where no good one is left`() async throws {
    let outcome = try await runner(
      Self.spec("quarantine"), [("data/b.jsonl", Self.damaged("truncated"))]
    ).run()
    #expect(outcome.code == "no_good_shard" && outcome.outputs.isEmpty)
  }

  @Test func `is what a budget can limit, for the run and for a source`() async throws {
    let files = ["a", "b", "c", "d", "e"].map {
      (
        path: "data/\($0).jsonl",
        bytes: ["b", "d"].contains($0) ? Self.damaged("truncated") : Self.lines($0, 100)
      )
    }
    for (budget, isOver) in [
      (#"{"shards": 2}"#, false), (#"{"shards": 1}"#, true), (#"{"shards": 0}"#, true),
      (#"{"shards": 1, "on_exceeded": "warn"}"#, false),
    ] {
      var seen: [String: [UInt8]]?
      for workers in [1, 4] {
        let outcome = try await runner(
          Self.spec("quarantine", budget: budget), files, workers: workers
        ).run()
        #expect(
          (outcome.overBudget != nil) == isOver, "\(budget): \(String(describing: outcome.error))")
        if let over = outcome.overBudget {
          #expect(over.message.contains("set aside, the error budget allows"))
          #expect(over.ledger.imbalances() == [] && over.excesses[0].refused == 0)
        } else {
          #expect(outcome.result?.overBudget.count == (budget.contains("warn") ? 1 : 0))
        }
        if let seen { #expect(seen == outcome.everything) }
        seen = outcome.everything
      }
    }
    let bySource = Self.spec("quarantine").split(separator: #""on_bad_shard": "quarantine""#)
      .joined(separator: #""on_bad_shard": "quarantine", "error_budget": {"shards": 1}"#)
    let outcome = try await runner(bySource, files).run()
    #expect(outcome.overBudget?.excesses.first?.stage == "s")
  }

  @Test(arguments: [
    (#"{"shards": 1, "by": "shard"}"#, "bad_by"), (#"{"shards": -1}"#, "out_of_range"),
  ])
  func `cannot be limited by groups`(budget: String, code: String) async throws {
    let outcome = try await runner(Self.spec("quarantine", budget: budget), Self.good).run()
    #expect(outcome.problems.sorted.map(\.code) == [code])
  }

  @Test func `stands loudly in the report`() async throws {
    let spec = """
      { "name": "test",
        "sources": { "s": { "type": "jsonl", "paths": ["data/*.jsonl"], "on_bad_shard": "quarantine", "fields": { "ts": "timestamp", "market": "string" } } },
        "transforms": { "t": { "type": "trend", "inputs": ["s"], "time": "ts", "by": ["market"], "metrics": { "n": { "count": true } } } },
        "sinks": { "r": { "type": "report", "inputs": ["t"], "path": "r.html" } } }
      """
    let days = (1...20).map {
      #"{"ts":"2026-10-\#($0 < 10 ? "0" : "")\#($0)T00:00:00Z","market":"DE"}"#
    }
    let outcome = try await runner(
      spec,
      [("data/a.jsonl", SampleShard.text(days)), ("data/b.jsonl", Self.damaged("truncated"))]
    ).run()
    #expect(outcome.error == nil, "\(outcome.problems.text)")
    let page = String(decoding: outcome.outputs["r.html"] ?? [], as: UTF8.self)
    #expect(page.contains("Set aside") && page.contains("shard_truncated"))
  }
}

@Suite struct `A read that fails for the moment` {
  /// Reading the memory of a process from its first byte on says EIO.
  private static let failing = "/proc/self/mem"
  private static let spec = pipeline(
    fields: #"{"id": "string"}"#,
    transforms: #""d": { "type": "dedupe", "inputs": ["s"], "key": ["id"] }"#,
    sinks: jsonlSink("out", "d"))

  private static func shard(_ name: String) -> [UInt8] {
    SampleShard.text((0..<50).map { #"{"id":"\#($0 % 5 == 0 ? "x" : name)\#($0)"}"# } + ["bad"])
  }

  /// Runs over three shards, of which the second fails until it was tried `attempts` times.
  private func run(
    _ spec: String = spec, failures: Int, limit: Int, workers: Int = 1, wide: Int = 1 << 20
  ) async throws -> (outcome: PipelineOutcome, waits: [Duration]) {
    try await withTemporaryFolder { folder in
      for name in ["a", "b", "c"] { try folder.write(Self.shard(name), at: "data/\(name).jsonl") }
      let path = folder.file("data/b.jsonl")
      if failures > 0 {
        unlink(path)
        symlink(Self.failing, path)
      }
      let waits = Waits()
      var runner = PipelineRunner(spec, files: [])
      runner.workers = workers
      runner.wideShardBytes = wide
      runner.retries = RetryPolicy()
      runner.retries.limit = limit
      runner.retries.pause = { wait in
        if waits.add(wait) == failures {
          unlink(path)
          try writeFile(Self.shard("b"), to: path)
        }
      }
      let outcome = try await runner.run(in: folder)
      return (outcome, waits.all)
    }
  }

  @Test(arguments: [(1, 1 << 20), (3, 1 << 20), (4, 1)])
  func `is tried again, and nobody can tell from the outputs`(workers: Int, wide: Int) async throws
  {
    let clean = try await run(failures: 0, limit: 2, workers: workers, wide: wide)
    #expect(clean.waits.isEmpty && clean.outcome.result?.notes == [])
    let troubled = try await run(failures: 2, limit: 2, workers: workers, wide: wide)
    #expect(troubled.waits == [.seconds(1), .seconds(4)])
    let result = try #require(
      troubled.outcome.result, "\(String(describing: troubled.outcome.error))")
    // The sizes of shards are looked at before they are read.
    #expect(troubled.outcome.outputs["out.jsonl"] == clean.outcome.outputs["out.jsonl"])
    #expect(troubled.outcome.quarantineText == clean.outcome.quarantineText)
    #expect(result.ledger.records == clean.outcome.result?.ledger.records)
    #expect(result.runKey == clean.outcome.result?.runKey)
    #expect(result.notes.count == 2 && result.notes[0].contains("Input/output error"))
  }

  @Test(arguments: [0, 1, 3])
  func `fails the run after so many times, which may be run again`(limit: Int) async throws {
    let (outcome, waits) = try await run(failures: 100, limit: limit)
    #expect(waits.count == limit)
    let error = try #require(outcome.error as? RunError)
    #expect(error.code == "shard_unreadable" && error.isTransient)
    #expect(outcome.outputs.isEmpty)
  }

  @Test func `does not set a shard aside`() async throws {
    let spec = Self.spec.split(separator: #""fields":"#)
      .joined(separator: #""on_bad_shard": "quarantine", "fields":"#)
    let (outcome, waits) = try await run(spec, failures: 100, limit: 1)
    #expect(waits.count == 1)
    #expect((outcome.error as? RunError)?.isTransient == true)
  }

  @Test func `is told from one that will fail again`() async throws {
    let waits = Waits()
    var runner = PipelineRunner(
      Self.spec, files: [("data/a.jsonl", Array(SampleShard.zstd(Self.shard("a")).dropLast(3)))])
    runner.retries = RetryPolicy()
    runner.retries.pause = { _ = waits.add($0) }
    let outcome = try await runner.run()
    #expect(waits.all.isEmpty && outcome.code == "shard_truncated")
    #expect((outcome.error as? RunError)?.isTransient == false)
    for (code, isTransient) in [
      (EIO, true), (EAGAIN, true), (EINTR, true), (ESTALE, true), (ETIMEDOUT, true),
      (EACCES, false), (ENOENT, false), (EISDIR, false),
    ] {
      let error = ShardError(
        code: .unreadable, path: "", byte: nil, message: "", fix: "", systemCode: code)
      #expect(error.canPass == isTransient)
    }
    let error = ShardError(code: .changed, path: "", byte: nil, message: "", fix: "")
    #expect(!error.canPass)
  }
}

/// How long was waited, by nobody.
private final class Waits: @unchecked Sendable {
  private var mutex = pthread_mutex_t()
  private var waits: [Duration] = []

  init() { pthread_mutex_init(&mutex, nil) }

  /// - Returns: how many there were.
  func add(_ wait: Duration) -> Int {
    pthread_mutex_lock(&mutex)
    defer { pthread_mutex_unlock(&mutex) }
    waits.append(wait)
    return waits.count
  }

  var all: [Duration] {
    pthread_mutex_lock(&mutex)
    defer { pthread_mutex_unlock(&mutex) }
    return waits
  }
}
