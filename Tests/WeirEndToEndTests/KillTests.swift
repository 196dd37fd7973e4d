import Glibc
import Testing
import WeirData
import WeirTesting

@Suite(.enabled(if: RunningBinary.weir != nil, "the binary is not beside the tests"))
struct `A run that is killed` {
  private func arguments(_ folder: TemporaryFolder, version: Int) -> [String] {
    [
      "run", "p\(version).json", "--progress", "none", "--quiet", "--workspace", folder.path,
      "--workers", "2", "--keep", "2",
    ]
  }

  /// Two specs of one pipeline whose outputs have other files, so that a mixture would show.
  private func prepare(_ folder: TemporaryFolder) throws {
    let corpus = Corpus(seed: 99, shardCount: 8, lines: 3_000)
    for shard in corpus.shards { try folder.write(shard.bytes, at: shard.path) }
    try folder.write(Corpus.spec, at: "p0.json")
    let parts = Corpus.spec.split(separator: "all.jsonl.zst")
    try folder.write(parts.joined(separator: "every.jsonl.zst"), at: "p1.json")
  }

  /// The moments are drawn from a seed over the time that a whole run takes here.
  @Test(.timeLimit(.minutes(3)))
  func `at any moment leaves the old outputs or the new ones, and nothing behind`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let out = folder.file("out/corpus/all")
      var expected: [[String: [UInt8]]] = []
      var longest = Duration.zero
      for version in [0, 1, 0, 1] {
        let started = ContinuousClock.now
        let outcome = try RunningBinary.run(
          weir, arguments(folder, version: version), in: folder.path)
        longest = max(longest, ContinuousClock.now - started)
        #expect(outcome.exit == 0, "\(outcome.errors)")
        expected.append(try filesBelow(out))
      }
      #expect(expected[0] == expected[2] && expected[0] != expected[1])
      var random = SeededRandom(seed: 4)
      var killed = 0
      for round in 0..<20 {
        let child = try RunningBinary(
          weir, arguments(folder, version: round % 2), in: folder.path)
        let moment = ContinuousClock.now + longest * Double(random.below(1_000)) / 1_000
        while ContinuousClock.now < moment { sched_yield() }
        child.send(SIGKILL)
        if child.wait().signal == SIGKILL { killed += 1 }
        try checkPublished(out)
        let found = try filesBelow(out)
        #expect(found == expected[0] || found == expected[1], "round \(round)")
        if round % 5 == 4 {
          let version = round / 5 % 2
          let next = try RunningBinary.run(
            weir, arguments(folder, version: version), in: folder.path)
          #expect(next.exit == 0, "\(next.errors)")
          #expect(try filesBelow(out) == expected[version])
          #expect(leftovers(folder) == [])
          let kept = listFolder(folder.file("out/corpus")).filter { $0.hasPrefix(".all@") }
          #expect(kept.count <= 2)
        }
      }
      #expect(killed >= 5, "hardly a run was killed while it ran")
      // A run that was killed does not say for ever that it runs: the next one of its output notes it.
      let runs = try filesBelow(folder.file(".weir/runs")).filter { $0.key.hasSuffix("/run.json") }
      let states = runs.values.compactMap { JSONValue(parsing: $0)?["status"]?.string }
      #expect(states.contains("abandoned"))
    }
  }
}
