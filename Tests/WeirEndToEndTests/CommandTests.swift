import Glibc
import Testing
import WeirData
import WeirTesting

/// The binary as a scheduler sees it: exit status, the last line on stdout, what stands on disk.
@Suite(
  .enabled(if: RunningBinary.weir != nil, "the binary is not beside the tests"),
  .timeLimit(.minutes(2)))
struct `The command weir run` {
  private static let spec = #"""
    { "name": "test",
      "params": { "min": { "type": "int", "default": 0 } },
      "sources": { "s": { "type": "jsonl", "paths": ["data/*"], "fields": {"id": "string", "n": "int"} } },
      "transforms": { "d": { "type": "dedupe", "inputs": ["s"], "key": ["id"] },
                      "f": { "type": "filter", "inputs": ["d"], "where": "n >= params.min" } },
      "sinks": { "out": { "type": "jsonl", "inputs": ["f"], "path": "out.jsonl" } } }
    """#

  private func prepare(
    _ folder: TemporaryFolder, spec: String = spec, records: Int = 10
  ) throws {
    try folder.write(spec, at: "p.json")
    let lines = (0..<records).map { #"{"id":"\#($0)","n":\#($0)}"# }
    try folder.write(SampleShard.zstd(SampleShard.text(lines)), at: "data/a.jsonl.zst")
  }

  private func run(
    _ folder: TemporaryFolder, _ more: String..., prefix: [String] = []
  ) throws -> RunningBinary.Outcome {
    try RunningBinary.run(
      weir, ["run", "p.json", "--json", "--progress", "none", "--workspace", folder.path] + more,
      in: folder.path, prefix: prefix)
  }

  private func json(_ outcome: RunningBinary.Outcome) throws -> JSONValue {
    try #require(JSONValue(parsing: outcome.lastLine), "not JSON: \(outcome.lastLine)")
  }

  private func outputs(_ folder: TemporaryFolder) throws -> [String: [UInt8]] {
    try filesBelow(folder.file("out/test/all"))
  }

  @Test func `says in one line of JSON what it did`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      try folder.write("bad\n\n", at: "data/b.jsonl")
      let outcome = try run(folder, "--param", "min=3")
      #expect(outcome.exit == 0)
      let result = try json(outcome)
      #expect(
        result.keys == [
          "run", "pipeline", "status", "exit", "retry", "params", "records", "blank", "quarantine",
          "out", "outputs", "unchanged", "reused", "tasks", "run_key", "seconds",
        ])
      #expect(result["status"] == "done" && result["exit"] == 0 && result["retry"] == false)
      #expect(result["params"]?["min"]?.string == "3")
      #expect(
        result["records"]?.text
          == #"{"read":11,"written":7,"filtered":3,"deduplicated":0,"quarantined":1}"#)
      #expect(result["blank"] == 1 && result["quarantine"]?.text == #"{"invalid_json":1}"#)
      let output = try #require(result["outputs"]?.elements.first)
      #expect(output.keys == ["sink", "path", "rows", "bytes", "sha256"])
      #expect(output["rows"] == 7)
      #expect(outcome.output.split(separator: "\n").count == 1)
    }
  }

  @Test func `without --json speaks to people, with --quiet not at all`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let words = ["run", "p.json", "--progress", "none"]
      let loud = try RunningBinary.run(weir, words, in: folder.path)
      #expect(loud.exit == 0 && loud.output.contains("10 read") && loud.errors.isEmpty)
      let quiet = try RunningBinary.run(weir, words + ["--quiet"], in: folder.path)
      #expect(quiet.exit == 0 && quiet.output.isEmpty && quiet.errors.isEmpty)
    }
  }

  @Test func `again gives the same outputs and says so with the same key`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let first = try json(run(folder))
      let before = try outputs(folder)
      let second = try json(run(folder))
      #expect(first["run_key"] == second["run_key"] && first["run"] != second["run"])
      #expect(try outputs(folder) == before)
    }
  }

  // MARK: Failures

  @Test(arguments: ["truncated", "corrupt"])
  func `fails on a damaged shard and leaves the outputs`(how: String) throws {
    try withTemporaryFolder { folder in
      try prepare(folder, records: 2_000)
      #expect(try run(folder).exit == 0)
      let before = try outputs(folder)
      let path = folder.file("data/a.jsonl.zst")
      let whole = try readFile(path)
      try writeFile(
        how == "truncated"
          ? Array(whole.dropLast(9))
          : SampleShard.flippingBit(whole.count * 4, of: whole), to: path)
      let outcome = try run(folder)
      #expect(outcome.exit == 1)
      let result = try json(outcome)
      #expect(result.keys == ["run", "pipeline", "status", "exit", "retry", "params", "error"])
      #expect(result["status"] == "failed" && result["exit"] == 1 && result["retry"] == false)
      #expect(result["error"]?.keys == ["code", "message", "fix"])
      let message = try #require(result["error"]?["message"]?.string)
      #expect(message.contains("data/a.jsonl.zst at byte "), "\(message)")
      #expect(outcome.errors.contains(message))
      #expect(try outputs(folder) == before)
    }
  }

  @Test func `sets a damaged shard aside where the spec says so, and says it loudly`() throws {
    try withTemporaryFolder { folder in
      let spec = Self.spec.split(separator: #""paths":"#)
        .joined(separator: #""on_bad_shard": "quarantine", "paths":"#)
      try prepare(folder, spec: spec)
      try folder.write(
        Array(SampleShard.zstd(SampleShard.text([#"{"id":"z","n":99}"#])).dropLast(2)),
        at: "data/b.jsonl.zst")
      let outcome = try run(folder)
      #expect(outcome.exit == 0)
      let result = try json(outcome)
      #expect(result["records"]?["read"] == 10)
      let fault = try #require(result["shards_set_aside"]?.elements.first)
      #expect(fault["shard"] == "b.jsonl.zst" && fault["code"] == "shard_truncated")
      #expect(outcome.errors.contains("warning: shard set aside: b.jsonl.zst (shard_truncated"))
      let text = try RunningBinary.run(
        weir, ["run", "p.json", "--progress", "none", "--force", "--workspace", folder.path],
        in: folder.path)
      #expect(text.exit == 0 && text.output.contains("set aside   1 shard: no record of it"))
      let over = try folder.write(
        spec.split(separator: #""params":"#).joined(
          separator: #""error_budget": {"shards": 0}, "params":"#),
        at: "p.json")
      #expect(!over.isEmpty)
      let withheld = try run(folder)
      #expect(withheld.exit == 2)
      #expect(try json(withheld)["over_budget"]?.elements.first?["shards_set_aside"] == 1)
      #expect(withheld.errors.contains("1 shard was set aside, the error budget allows 0"))
    }
  }

  @Test
  func `tries a shard again that cannot be read for the moment, and says that it may be run again`()
    throws
  {
    try withTemporaryFolder { folder in
      try prepare(folder)
      // Reading the memory of a process from its first byte on says EIO.
      symlink("/proc/self/mem", folder.file("data/b.jsonl"))
      let outcome = try run(folder, "--retries", "0")
      #expect(outcome.exit == 1)
      let result = try json(outcome)
      #expect(result["retry"] == true && result["error"]?["code"] == "shard_unreadable")
      unlink(folder.file("data/b.jsonl"))
      #expect(try run(folder).exit == 0)
    }
  }

  @Test func `fails where no file matches, and names the glob`() throws {
    try withTemporaryFolder { folder in
      try folder.write(Self.spec, at: "p.json")
      let outcome = try run(folder)
      #expect(outcome.exit == 1)
      #expect(outcome.errors.contains("data/*"))
      #expect(try json(outcome)["error"]?["code"] == "no_files")
    }
  }

  @Test(arguments: ["--fsize=20000", "--nofile=12"])
  func `fails where the system gives no more, and leaves the outputs`(limit: String) throws {
    try withTemporaryFolder { folder in
      try prepare(folder, records: 50)
      #expect(try run(folder).exit == 0)
      let before = try outputs(folder)
      try prepare(folder, records: 50_000)
      let outcome = try run(folder, prefix: ["prlimit", limit])
      #expect(outcome.exit == 1, "\(outcome)")
      let error = try #require(json(outcome)["error"])
      #expect(!(error["message"]?.string ?? "").isEmpty && !(error["fix"]?.string ?? "").isEmpty)
      #expect(try outputs(folder) == before)
      #expect(try run(folder).exit == 0)
      #expect(try outputs(folder) != before)
      #expect(leftovers(folder) == [])
    }
  }

  @Test(
    .enabled(if: geteuid() == 0, "only root may mount a small disk"), arguments: ["out", ".weir"])
  func `fails on a full disk and leaves the outputs`(what: String) throws {
    try withTemporaryFolder { folder in
      try makeFolder(folder.file(what))
      guard mount("tmpfs", folder.file(what), "tmpfs", 0, "size=512k") == 0 else { return }
      defer { umount(folder.file(what)) }
      try prepare(folder, records: 50)
      #expect(try run(folder).exit == 0)
      let before = try outputs(folder)
      try prepare(folder, records: 60_000)
      let outcome = try run(folder)
      #expect(outcome.exit == 1)
      let result = try json(outcome)
      #expect(result["retry"] == true, "a full disk may be empty tomorrow")
      #expect(result["error"]?["message"]?.string?.contains("No space left") == true)
      #expect(try outputs(folder) == before)
      try prepare(folder, records: 50)
      #expect(try run(folder).exit == 0)
      #expect(leftovers(folder) == [])
    }
  }

  @Test(arguments: ["out/test", "out/test/all"])
  func `fails where a file stands in the way of the outputs`(path: String) throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      try folder.write("mine", at: path)
      let outcome = try run(folder)
      #expect(outcome.exit == 1 && !outcome.errors.isEmpty)
      #expect(try readFile(folder.file(path)) == Array("mine".utf8))
    }
  }

  // MARK: Specs and command lines

  @Test func `refuses an invalid spec with the place of every problem`() throws {
    try withTemporaryFolder { folder in
      try folder.write(
        """
        { "name": "test",
          "sources": { "s": { "type": "jsonl", "paths": ["data/*"], "fields": {"id": "strng"} } },
          "transforms": { "f": { "type": "filter", "inputs": ["s"], "were": "true" } },
          "sinks": { "o": { "type": "jsonl", "inputs": ["g"], "path": "../o.jsonl" } } }
        """, at: "p.json")
      let outcome = try run(folder)
      #expect(outcome.exit == 78)
      for place in ["p.json:2:", "p.json:3:", "p.json:4:"] {
        #expect(outcome.errors.contains(place), "\(place) is not in \(outcome.errors)")
      }
      let result = try json(outcome)
      #expect(result["status"] == "invalid" && result["exit"] == 78 && result["retry"] == false)
      #expect(result.keys == ["spec", "status", "exit", "retry", "problems", "errors", "more"])
      #expect(try #require(result["problems"]).elements.count >= 3)
    }
  }

  @Test(arguments: [
    #""../o.jsonl""#, #""/tmp/o.jsonl""#, #""a/../../o.jsonl""#, #""manifest.json""#,
  ])
  func `refuses a path outside the output directory`(path: String) throws {
    try withTemporaryFolder { folder in
      try prepare(
        folder,
        spec: #"""
          { "name": "test",
            "sources": { "s": { "type": "jsonl", "paths": ["data/*"], "fields": {"id": "string"} } },
            "sinks": { "o": { "type": "jsonl", "inputs": ["s"], "path": \#(path) } } }
          """#)
      let outcome = try run(folder)
      #expect(outcome.exit == 78, "\(outcome.errors)")
      #expect(outcome.errors.contains("p.json:3:"), "\(outcome.errors)")
    }
  }

  @Test(arguments: ["nothing.json", ".", "/dev/null", "binary"])
  func `refuses what is no spec`(path: String) throws {
    try withTemporaryFolder { folder in
      try folder.write([0xFF, 0, 1, 0xFE], at: "binary")
      let outcome = try RunningBinary.run(weir, ["run", path, "--json"], in: folder.path)
      #expect(outcome.exit == 78)
      #expect(try json(outcome)["status"] == "invalid")
      #expect(listFolder(folder.path) == ["binary"])
    }
  }

  @Test(arguments: [
    ["run"], ["rnu"], ["run", "p.json", "--workers", "0"], ["run", "p.json", "--workers", "x"],
    ["run", "p.json", "--param", "x"], ["run", "p.json", "--keep", "0"],
    ["run", "p.json", "--bogus"], ["run", "p.json", "q.json"], ["run", "p.json", "--out", ""],
    ["run", "p.json", "--alert", "loud"], ["stages", "nothing"],
  ])
  func `refuses a wrong command line`(arguments: [String]) throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let outcome = try RunningBinary.run(weir, arguments, in: folder.path)
      #expect(outcome.exit == 64, "\(outcome)")
      #expect(!outcome.errors.isEmpty)
      #expect(listFolder(folder.path) == ["data", "p.json"])
    }
  }

  @Test(arguments: ["min=x", "mn=1"])
  func `refuses a wrong parameter`(param: String) throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      let outcome = try run(folder, "--param", param)
      #expect(outcome.exit == 78 && !outcome.errors.isEmpty)
    }
  }

  // MARK: Two at once

  @Test func `gives way to a run that holds the output, and names it`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      #expect(try run(folder).exit == 0)
      let before = try outputs(folder)
      let lock = open(folder.file("out/test/.all.lock"), O_RDWR | O_CLOEXEC)
      try #require(flock(lock, LOCK_EX | LOCK_NB) == 0)
      let holder = Array("run R1, process 7 on host h".utf8)
      #expect(ftruncate(lock, 0) == 0 && write(lock, holder, holder.count) == holder.count)
      let outcome = try run(folder)
      close(lock)
      #expect(outcome.exit == 75)
      #expect(outcome.errors.contains("run R1, process 7 on host h"))
      let result = try json(outcome)
      #expect(result["status"] == "locked" && result["exit"] == 75 && result["retry"] == true)
      #expect(result["error"]?["message"]?.string?.contains("run R1") == true)
      #expect(try outputs(folder) == before)
      #expect(try run(folder).exit == 0)
      #expect(leftovers(folder) == [])
    }
  }

  @Test func `beside many others on one output leaves one whole result`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder, records: 20_000)
      let children = try (0..<6).map { i in
        try RunningBinary(
          weir,
          [
            "run", "p.json", "--json", "--progress", "none", "--workspace", folder.path,
            "--param", "min=\(i)",
          ], in: folder.path)
      }
      let exits = children.map { $0.wait().exit }
      #expect(exits.allSatisfy { $0 == 0 || $0 == 75 }, "\(exits)")
      #expect(exits.contains(0))
      try checkPublished(folder.file("out/test/all"))
      #expect(leftovers(folder) == [])
    }
  }

  @Test func `beside many others in one workspace goes well for each`() throws {
    try withTemporaryFolder { folder in
      try prepare(folder, records: 3_000)
      let children = try (0..<12).map { i in
        try RunningBinary(
          weir,
          [
            "run", "p.json", "--json", "--progress", "none", "--workspace", folder.path,
            "--out", "o\(i)",
          ], in: folder.path)
      }
      for (i, child) in children.enumerated() {
        let outcome = child.wait()
        #expect(outcome.exit == 0, "\(outcome.errors)")
        try checkPublished(folder.file("o\(i)"))
      }
      #expect(leftovers(folder) == [])
    }
  }

  // MARK: Signals

  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func `stops when it is told to, and leaves the outputs`(signal: Int32, exit: Int32) throws {
    try withTemporaryFolder { folder in
      try prepare(folder)
      #expect(try run(folder).exit == 0)
      let before = try outputs(folder)
      // Enough work that it cannot be done before the signal comes.
      let lines = SampleShard.text((0..<30_000).map { #"{"id":"\#($0)","n":1}"# })
      let shard = SampleShard.zstd(lines)
      for i in 0..<60 { try folder.write(shard, at: "data/\(i).jsonl.zst") }
      let child = try RunningBinary(
        weir,
        ["run", "p.json", "--json", "--progress", "none", "--workspace", folder.path],
        in: folder.path)
      waitUntil { names(itsHolder: folder.file("out/test/.all.lock")) }
      child.send(signal)
      let outcome = child.wait()
      #expect(outcome.exit == exit, "\(outcome)")
      let result = try json(outcome)
      #expect(result["status"] == "interrupted" && result["retry"] == true)
      #expect(result["exit"]?.integer == Int(exit))
      let id = try #require(result["run"]?.string)
      #expect(outcome.errors.contains("weir resume \(id)"), "\(outcome.errors)")
      #expect(try outputs(folder) == before)
      #expect(leftovers(folder) == [])
      let runs = try filesBelow(folder.file(".weir/runs")).filter { $0.key.hasSuffix("/run.json") }
      let states = runs.values.compactMap { JSONValue(parsing: $0)?["status"]?.string }
      #expect(states.sorted() == ["done", "interrupted"])
    }
  }

  // MARK: A sink that fails

  /// Two sinks, one of which cannot take its records: its values make names the system refuses.
  @Test(arguments: ["1", "4"])
  func `ends when one of several sinks fails`(workers: String) throws {
    try withTemporaryFolder { folder in
      try prepare(
        folder,
        spec: #"""
          { "name": "test",
            "sources": { "s": { "type": "jsonl", "paths": ["data/*"],
              "fields": {"id": "string", "n": "int"} } },
            "sinks": {
              "a": { "type": "jsonl", "inputs": ["s"], "path": "a.jsonl.zst" },
              "b": { "type": "jsonl", "inputs": ["s"], "path": "b-{id}-{id}-{id}.jsonl", "max_files": 1000000 },
              "c": { "type": "jsonl", "inputs": ["s"], "path": "c/{n}.jsonl", "max_files": 100 } } }
          """#)
      let long = String(repeating: "x", count: 120)
      let lines = (0..<5_000).map { #"{"id":"\#(long)","n":\#($0)}"# }
      for i in 0..<4 { try folder.write(SampleShard.text(lines), at: "data/\(i).jsonl") }
      let outcome = try run(folder, "--workers", workers)
      #expect(outcome.exit == 1)
      #expect(access(folder.file("out/test/all"), F_OK) != 0)
      #expect(leftovers(folder) == [])
    }
  }
}

/// Whether somebody holds a lock on a file.
func isLocked(_ path: String) -> Bool {
  let descriptor = open(path, O_RDWR | O_CLOEXEC)
  guard descriptor >= 0 else { return false }
  defer { close(descriptor) }
  return flock(descriptor, LOCK_EX | LOCK_NB) != 0
}

/// Whether a lock file says who holds it. Unlike trying the lock it takes nothing from the holder.
func names(itsHolder path: String) -> Bool {
  guard let text = try? readFile(path) else { return false }
  // What stands there of one that has ended says so.
  return !text.isEmpty && text.suffix(6) != Array("\nended".utf8)[...]
}

/// Looks again and again until something is so, for ten seconds at most.
func waitUntil(_ isSo: () -> Bool) {
  let end = ContinuousClock.now + .seconds(10)
  while !isSo(), ContinuousClock.now < end { sched_yield() }
}

/// What a dead run might leave: half-written directories, spools, locks that are held.
func leftovers(_ folder: TemporaryFolder) -> [String] {
  var found: [String] = []
  func walk(_ path: String) {
    for name in listFolder(path) {
      let full = path + "/" + name
      var status = stat()
      guard lstat(full, &status) == 0 else { continue }
      if name.contains("@staging") || name == "spool" { found.append(full) }
      if name.hasSuffix(".lock"), isLocked(full) || names(itsHolder: full) { found.append(full) }
      if status.st_mode & S_IFMT == S_IFDIR { walk(full) }
    }
  }
  walk(folder.path)
  return found
}

/// Holds a published directory against its manifest: these files, with these hashes, and no others.
func checkPublished(_ path: String) throws {
  let files = try filesBelow(path)
  let manifest = try #require(files["manifest.json"].flatMap { JSONValue(parsing: $0) })
  var named = ["manifest.json"]
  for entry in try #require(manifest["files"]).elements {
    let name = try #require(entry["path"]?.string)
    named.append(name)
    #expect(files[name].map { hexText(sha256($0)) } == entry["sha256"]?.string, "\(name)")
  }
  #expect(files.keys.sorted() == named.sorted())
}
