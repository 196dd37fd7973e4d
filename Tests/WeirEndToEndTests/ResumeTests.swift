import Glibc
import Testing
import WeirData
import WeirTesting

@Suite(
  .enabled(if: RunningBinary.weir != nil, "the binary is not beside the tests"),
  .timeLimit(.minutes(3)))
struct `Going on with a run` {
  private func prepare(_ folder: TemporaryFolder) throws {
    let corpus = Corpus(seed: 21, shardCount: 12, lines: 4_000)
    for shard in corpus.shards { try folder.write(shard.bytes, at: shard.path) }
    try folder.write(Corpus.spec, at: "p.json")
  }

  private func weir(_ folder: TemporaryFolder, _ arguments: [String]) throws
    -> RunningBinary.Outcome
  {
    try RunningBinary.run(
      WeirEndToEndTests.weir, arguments + ["--workspace", folder.path], in: folder.path)
  }

  private func json(_ outcome: RunningBinary.Outcome) throws -> JSONValue {
    try #require(JSONValue(parsing: outcome.lastLine), "not JSON: \(outcome)")
  }

  /// Starts a run and stops it when the results of some tasks are kept.
  private func stop(_ folder: TemporaryFolder, with signal: Int32) throws -> Int32? {
    let child = try RunningBinary(
      WeirEndToEndTests.weir,
      ["run", "p.json", "--quiet", "--workers", "1", "--workspace", folder.path], in: folder.path)
    let log = folder.file(".weir/digests/tasks.log")
    let limit = ContinuousClock.now + .seconds(60)
    // A record has 48 bytes.
    while ContinuousClock.now < limit {
      var status = Glibc.stat()
      if stat(log, &status) == 0, status.st_size >= 3 * 48 { break }
      sched_yield()
    }
    child.send(signal)
    let outcome = child.wait()
    return outcome.signal ?? outcome.exit
  }

  @Test(arguments: [SIGKILL, SIGTERM, SIGINT])
  func `repeats no task that was finished, and ends with the same bytes`(signal: Int32) throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let expected = try withTemporaryFolder { other in
        try prepare(other)
        #expect(try weir(other, ["run", "p.json", "--quiet", "--digests", "0"]).exit == 0)
        return try filesBelow(other.file("out/corpus/all"))
      }
      let ended = try stop(folder, with: signal)
      // A run that was quicker than the signal has nothing to go on with.
      guard [SIGKILL, 143, 130].contains(ended ?? 0) else { return }
      #expect(!listFolder(folder.file("out/corpus")).contains("all"))
      let outcome = try weir(folder, ["resume", "--json"])
      #expect(outcome.exit == 0, "\(outcome)")
      #expect(outcome.errors.contains("going on with run "))
      let result = try json(outcome)
      #expect((result["reused"]?.integer ?? 0) >= 3, "\(result.text)")
      #expect(try filesBelow(folder.file("out/corpus/all")) == expected)
      #expect(leftovers(folder) == [])
      let again = try weir(folder, ["resume"])
      #expect(again.exit == 1 && again.errors.contains("was stopped before its end"))
    }
  }

  @Test func `says what there is not to go on with`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      #expect(try weir(folder, ["resume"]).errors.contains("has no runs"))
      let run = try json(weir(folder, ["run", "p.json", "--json"]))
      let id = try #require(run["run"]?.string)
      let done = try weir(folder, ["resume", id])
      #expect(done.exit == 0 && done.errors.contains("there is nothing to go on with"))
      #expect(try weir(folder, ["resume", "1999"]).exit == 1)
    }
  }

  @Test func `a request with a key is done once`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let command = ["run", "p.json", "--json", "--idempotency-key", "dag/2026-11-27/é"]
      let first = try weir(folder, command)
      #expect(first.exit == 0)
      // Also where the input changed meanwhile: it is the same request.
      try folder.write(
        Corpus(seed: 22, shardCount: 1).shards[0].bytes, at: "data/day=99/part.jsonl")
      let second = try weir(folder, command)
      #expect(second.exit == 0 && second.lastLine == first.lastLine)
      let other = try weir(folder, Array(command.dropLast()) + ["another"])
      #expect(try json(other)["run"] != json(first)["run"])

      try folder.write(
        Corpus.spec.split(separator: "all.jsonl.zst").joined(separator: "every.jsonl.zst"),
        at: "p.json")
      let reused = try weir(folder, command)
      #expect(reused.exit == 1)
      #expect(try json(reused)["error"]?["code"]?.string == "idempotency_key_reused")
    }
  }

  @Test func `a request that failed may be sent again`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let bad = "data/day=98/part.jsonl.zst"
      try folder.write([1, 2, 3], at: bad)
      let command = ["run", "p.json", "--json", "--idempotency-key", "k"]
      #expect(try weir(folder, command).exit == 1)
      unlink(folder.file(bad))
      let again = try weir(folder, command)
      #expect(again.exit == 0)
      #expect(try json(again)["status"] == "done")
    }
  }
}
