import Testing
import WeirData
import WeirEngine
import WeirTesting

/// Shapes of input on which other pipelines lose or invent records, each through a whole run. The list
/// of traps, and which test is for which, is in Tests/Torture/README.md.
@Suite struct `The input trap` {
  private static let spec = #"""
    { "name": "trap",
      "sources": { "s": { "type": "jsonl", "paths": ["data/*"], "fields": { "id": "string" } } },
      "sinks": { "o": { "type": "jsonl", "inputs": ["s"], "path": "o.jsonl" } } }
    """#

  private func run(_ files: (String, [UInt8])...) async throws -> PipelineOutcome {
    try await PipelineRunner(Self.spec, files: files.map { (path: "data/" + $0.0, bytes: $0.1) })
      .run()
  }

  /// What was written and what was quarantined, and that nothing else was read.
  private func check(
    _ outcome: PipelineOutcome, written: [String], quarantined: [String] = [],
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let result = try #require(
      outcome.result, "\(outcome.error.map { "\($0)" } ?? "")", sourceLocation: location)
    let found = try outcome.records("o.jsonl")
    // Not shown as a whole: lines may be long.
    let isEqual = found == written
    #expect(isEqual, "\(found.map(\.utf8.count)) bytes", sourceLocation: location)
    #expect(
      outcome.quarantine.compactMap { $0["code"]?.string } == quarantined, sourceLocation: location)
    let records = result.ledger.records
    #expect(
      records.read == written.count + quarantined.count && records.written == written.count
        && records.quarantined == quarantined.count, sourceLocation: location)
  }

  private func record(_ id: String, bytes: Int = 0) -> String {
    let head = #"{"id":"\#(id)","pad":""#
    return head + String(repeating: "x", count: max(0, bytes - head.utf8.count - 2)) + #""}"#
  }

  @Test(arguments: [(64 << 10) - 1, 64 << 10, (64 << 10) + 1, 100 << 10, (100 << 10) + 1, 1 << 20])
  func `a line of 64 KiB, 100 KiB and more`(bytes: Int) async throws {
    let records = [record("a"), record("b", bytes: bytes), record("c")]
    try check(
      await run(("x.jsonl.zst", SampleShard.zstd(SampleShard.text(records)))), written: records)
  }

  @Test func `a line at the limit of 8 MiB, one of a byte more, and one of 16 MiB`() async throws {
    let limit = 8 << 20
    let lines = [1, limit, limit + 1, (16 << 20) + 1, 1].enumerated()
      .map { record("\($0.offset)", bytes: $0.element) }
    try check(
      await run(("x.jsonl.zst", SampleShard.zstd(SampleShard.text(lines), level: 1))),
      written: [lines[0], lines[1], lines[4]],
      quarantined: ["record_too_long", "record_too_long"])
  }

  @Test func `CRLF`() async throws {
    let records = [record("a"), record("b")]
    try check(
      await run(("x.jsonl", SampleShard.text(records, lineEnd: "\r\n"))), written: records)
  }

  @Test func `a byte order mark`() async throws {
    let records = [record("a"), record("b")]
    try check(
      await run(("x.jsonl", SampleShard.text(records, byteOrderMark: true))), written: records)
  }

  @Test func `a last line without a line end, in front of another shard`() async throws {
    let (first, second) = ([record("a"), record("b")], [record("c")])
    try check(
      await run(
        ("x.jsonl.zst", SampleShard.zstd(SampleShard.text(first, endsLastLine: false))),
        ("y.jsonl", SampleShard.text(second))),
      written: first + second)
  }

  @Test func `NUL bytes`() async throws {
    let text =
      SampleShard.text([record("a")]) + [0x7B, 0x00, 0x7D, 0x0A, 0x00, 0x0A]
      + Array(#"{"id":"\u0000"}"#.utf8) + [0x0A]
    try check(
      await run(("x.jsonl", text)), written: [record("a"), #"{"id":"\u0000"}"#],
      quarantined: ["invalid_json", "invalid_json"])
  }

  @Test func `many frames, cut within lines, with frames that hold nothing between them`()
    async throws
  {
    let records = (0..<50).map { record("\($0)", bytes: 40) }
    let frames = (0..<7).flatMap { i -> [UInt8] in
      let text = SampleShard.text(records)
      let part = text[(i * text.count / 7)..<((i + 1) * text.count / 7)]
      return SampleShard.zstd(Array(part)) + SampleShard.zstd([]) + SampleShard.skippableFrame([1])
    }
    try check(await run(("x.jsonl.zst", frames)), written: records)
  }

  /// dolma notes it in its log, stops reading, puts the short output in place and reports success.
  @Test(arguments: [1, 4]) func `a .zst that is cut`(frames: Int) async throws {
    let records = (0..<500).map { record("\($0)", bytes: 60) }
    let whole = SampleShard.zstd(SampleShard.text(records), frames: frames)
    for lost in [1, 4, 5, whole.count / 3] {
      let outcome = try await run(
        ("a.jsonl", SampleShard.text([record("a")])), ("x.jsonl.zst", Array(whole.dropLast(lost))))
      #expect(
        outcome.code == "shard_truncated", "\(lost) bytes lost: \(outcome.code ?? "no error")")
      #expect(outcome.outputs.isEmpty)
    }
  }

  @Test func `an empty shard`() async throws {
    let one = SampleShard.text([record("a")])
    // An empty frame, an empty plain file, an empty member: shards without records.
    try check(
      await run(
        ("a.jsonl", one), ("b.jsonl.zst", SampleShard.zstd([])), ("c.jsonl", []),
        ("d.jsonl.gz", SampleShard.gzip([]))),
      written: [record("a")])
    // No bytes at all where the name says compressed: a writer that died.
    for name in ["b.jsonl.zst", "b.jsonl.gz"] {
      let outcome = try await run(("a.jsonl", one), (name, []))
      #expect(outcome.error != nil && outcome.outputs.isEmpty, "\(name)")
    }
  }

  @Test func `gzip named .zst, and zstd and plain text under other names`() async throws {
    let records = [record("a"), record("b"), record("c")]
    try check(
      await run(
        ("a.jsonl.zst", SampleShard.gzip(SampleShard.text([records[0]]))),
        ("b.jsonl.gz", SampleShard.zstd(SampleShard.text([records[1]]))),
        ("c.jsonl.zst", SampleShard.text([records[2]]))),
      written: records)
  }

  @Test func `no file that matches`() async throws {
    let outcome = try await PipelineRunner(Self.spec, files: []).run()
    #expect(outcome.code == "no_files" && outcome.outputs.isEmpty)
  }

  /// One record of a key stays, the same one, however many workers there are.
  @Test func `a duplicate in two shards, with one and with many workers`() async throws {
    let spec = #"""
      { "name": "trap",
        "sources": { "s": { "type": "jsonl", "paths": ["data/*"],
                            "fields": { "id": "string", "rev": "int" } } },
        "transforms": { "d": { "type": "dedupe", "inputs": ["s"], "key": ["id"],
                               "order_by": ["rev"] } },
        "sinks": { "o": { "type": "jsonl", "inputs": ["d"], "path": "o.jsonl" } } }
      """#
    // Each shard has every key; ties of the order fall to the later shard.
    let shards = (0..<6).map { shard in
      (
        path: "data/\(shard).jsonl",
        records: (0..<40).map { #"{"id":"\#($0)","rev":\#(($0 + shard) % 3),"from":\#(shard)}"# }
      )
    }
    let winners = (0..<40).map { id in (0..<6).last { (id + $0) % 3 == 2 }! }
    let expected = (0..<6).flatMap { shard in
      (0..<40).filter { winners[$0] == shard }.map { shards[shard].records[$0] }
    }
    for workers in [1, 2, 5] {
      var runner = PipelineRunner(spec, shards: shards)
      runner.workers = workers
      let outcome = try await runner.run()
      #expect(try outcome.records("o.jsonl") == expected, "\(workers) workers")
    }
  }
}
