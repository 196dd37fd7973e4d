import Glibc
import Testing
import WeirData
import WeirEngine
import WeirTesting

@testable import WeirStages

@Suite struct `The jsonl source` {
  private static let spec = pipeline(
    fields: #"{"id": "string", "n": "int?"}"#, sinks: jsonlSink("out", "s"))

  private func run(_ files: [(path: String, bytes: [UInt8])], _ spec: String = spec) async throws
    -> PipelineOutcome
  {
    try await PipelineRunner(spec, files: files).run()
  }

  @Test func `puts every line it cannot use in the quarantine, with its place and its bytes`()
    async throws
  {
    let long = #"{"id":""# + String(repeating: "x", count: 3_000) + #""}"#
    let bad: [(code: String, line: [UInt8])] = [
      ("invalid_json", Array(#"{"id":"a""#.utf8)), ("not_an_object", Array("[1]".utf8)),
      ("invalid_utf8", Array(#"{"id":""#.utf8) + [0xFF, 0xFE] + Array(#""}"#.utf8)),
      ("missing_field", Array(#"{"n":1}"#.utf8)), ("wrong_type", Array(#"{"id":7}"#.utf8)),
      ("record_too_long", Array(long.utf8)), ("wrong_type", Array(#"{"id":"b","n":1.5}"#.utf8)),
      ("missing_field", Array(#"{"id":null}"#.utf8)),
    ]
    var text: [UInt8] = []
    var offsets: [Int] = []
    for (i, one) in bad.enumerated() {
      text += Array(#"{"id":"good\#(i)"}"#.utf8) + [0x0A]
      offsets.append(text.count)
      text += one.line + [0x0A]
    }
    let spec = pipeline(
      fields: #"{"id": "string", "n": "int?"}"#, sinks: jsonlSink("out", "s"),
      source: #", "record_bytes_max": "2KiB""#)
    let outcome = try await run([("data/a.jsonl", SampleShard.zstd(text, frames: 3))], spec)
    let lines = outcome.quarantine
    #expect(lines.map { $0["line"]?.integer } == bad.indices.map { $0 * 2 + 2 })
    #expect(lines.map { $0["byte_offset"]?.integer } == offsets)
    #expect(
      lines.allSatisfy { $0["shard"] == "a.jsonl" && $0["stage"] == "s" && $0["source"] == "s" })
    #expect(lines.allSatisfy { !($0["message"]?.string ?? "").isEmpty })
    #expect(lines.map { $0["code"]?.string } == bad.map { $0.code })
    for (line, one) in zip(lines, bad) {
      if let raw = line["raw"] {
        #expect(raw == .string(one.line))
      } else {
        // Bytes that are not UTF-8 cannot stand in a JSON string.
        #expect(line["raw_base64"]?.string == "eyJpZCI6Iv/+In0=")
      }
    }
    #expect(try outcome.records("out.jsonl").count == bad.count)
    #expect(outcome.result?.ledger.records.quarantined == bad.count)
  }

  @Test(arguments: ["dangling", "not UTF-8"])
  func `finds no fewer shards because a folder cannot be seen`(name: String) throws {
    try withTemporaryFolder { folder in
      try folder.write(Array(#"{"id":"a"}"#.utf8), at: "g/a/1.jsonl")
      let path = Array(folder.file("g").utf8) + [0x2F]
      if name == "dangling" {
        symlink("nowhere", folder.file("g/dangling"))
      } else {
        // A name that is not UTF-8.
        let bytes = (path + [0x78, 0xFF, 0]).map { CChar(bitPattern: $0) }
        mkdir(bytes, 0o755)
      }
      let glob = try #require(Glob(folder.file("g/*/*.jsonl")))
      #expect(throws: FileError.self) { try glob.matches() }
    }
  }

  @Test func `keeps the beginning and the hash of a record that is far too long`() async throws {
    let long =
      Array(#"{"id":""#.utf8) + [UInt8](repeating: 0x78, count: 200_000) + Array(#""}"#.utf8)
    let spec = pipeline(
      fields: #"{"id": "string"}"#, sinks: jsonlSink("out", "s"),
      source: #", "record_bytes_max": 1000"#)
    let outcome = try await run([("data/a.jsonl", long)], spec)
    let line = try #require(outcome.quarantine.first)
    #expect(line["raw_bytes"]?.integer == long.count)
    #expect(line["raw_sha256"]?.string == hexText(sha256(long)))
    #expect(line["raw"] == .string(Array(long.prefix(64 * 1024))))
  }

  @Test func `reads shards in the order of their names as bytes, whatever their format`()
    async throws
  {
    func one(_ id: String) -> [UInt8] { SampleShard.text([#"{"id":"\#(id)"}"#]) }
    let spec = pipeline(
      fields: #"{"id": "string"}"#, sinks: jsonlSink("out", "s"), source: "",
      more: ""
    ).replacingPaths(with: #""data/**/*.x""#)
    let outcome = try await run(
      [
        ("data/z/1.x", SampleShard.gzip(one("z1"))), ("data/b.x", one("b")),
        ("data/a/2.x", SampleShard.zstd(one("a2"))), ("data/a/10.x", one("a10")),
        ("data/é.x", one("composed")), ("data/e\u{301}.x", one("decomposed")),
        ("data/.hidden.x", one("hidden")), ("data/B.x", one("B")),
      ], spec)
    let ids = try outcome.records("out.jsonl").map { JSONValue(parsing: $0)!["id"]!.string! }
    #expect(ids == ["B", "a10", "a2", "b", "decomposed", "z1", "composed"])
  }

  @Test func `reads a shard that two globs match once`() async throws {
    let spec = Self.spec.replacingPaths(with: #""data/*.jsonl", "data/a.*""#)
    let outcome = try await run([("data/a.jsonl", SampleShard.text([#"{"id":"1"}"#]))], spec)
    #expect(try outcome.records("out.jsonl").count == 1)
  }

  @Test func `gives records the fields of their path`() async throws {
    let spec = #"""
      { "name": "test",
        "sources": { "s": { "type": "jsonl", "paths": ["data/date=*/n=*/*.jsonl"],
          "fields": {"id": "string", "n": "int"} } },
        "transforms": { "f": { "type": "filter", "inputs": ["s"],
          "where": "n > 5 && date != '2026-01-02'" } },
        "sinks": { "out": { "type": "jsonl", "inputs": ["f"], "path": "{date}/{n}.jsonl" } } }
      """#
    let outcome = try await run(
      [
        ("data/date=2026-01-01/n=7/a.jsonl", SampleShard.text([#"{"id":"1","n":"hidden"}"#])),
        ("data/date=2026-01-01/n=3/a.jsonl", SampleShard.text([#"{"id":"2"}"#])),
        ("data/date=2026-01-02/n=7/a.jsonl", SampleShard.text([#"{"id":"3"}"#])),
        ("data/date=a%2Fb/n=-0/a.jsonl", SampleShard.text([#"{"id":"4"}"#])),
        ("data/date=a%2Fb/n=8/a.jsonl", SampleShard.text([#"{"id":"5"}"#])),
      ], spec)
    #expect(outcome.error == nil)
    #expect(
      outcome.outputs.keys.sorted() == ["2026-01-01/7.jsonl", "a%2Fb/8.jsonl", "manifest.json"])
    #expect(try outcome.records("2026-01-01/7.jsonl") == [#"{"id":"1","n":"hidden"}"#])
  }

  @Test func `says which folder has a value of the wrong type`() async throws {
    let spec = Self.spec.replacingPaths(with: #""data/n=*/*.jsonl""#)
    let outcome = try await run([("data/n=x/a.jsonl", SampleShard.text([#"{"id":"1"}"#]))], spec)
    #expect(outcome.code == "bad_path_value")
    #expect("\(outcome.error!)".contains("n=x/a.jsonl"))
  }

  @Test func `says which glob found nothing`() async throws {
    let outcome = try await run([])
    #expect(outcome.code == "no_files")
    #expect("\(outcome.error!)".contains("data/*.jsonl"))
    #expect(outcome.outputs.isEmpty)
    let allowed = pipeline(
      fields: #"{"id": "string"}"#, sinks: jsonlSink("out", "s"),
      source: #", "allow_empty": true"#)
    let empty = try await run([], allowed)
    #expect(empty.error == nil && empty.outputs["out.jsonl"] == [])
  }

  @Test(arguments: [
    ("shard_truncated", "data/b.jsonl"), ("shard_corrupt", "data/b.jsonl"),
    ("shard_empty_file", "data/b.jsonl.zst"), ("shard_format", "data/b.jsonl.zst"),
    ("shard_not_a_file", "data/b.jsonl"),
  ])
  func `fails the run where a shard is damaged, and names it`(
    code: String, path: String
  ) async throws {
    let whole = SampleShard.zstd(SampleShard.text((0..<500).map { #"{"id":"\#($0 * 7919)"}"# }))
    let bytes: [UInt8] =
      switch code {
      case "shard_truncated": Array(whole.dropLast(5))
      case "shard_corrupt":
        Array(whole[..<20]) + whole[20..<60].map { $0 ^ 0x5A } + Array(whole[60...])
      case "shard_empty_file": []
      default: Array("\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}\u{8}\u{9}".utf8)
      }
    try await withTemporaryFolder { folder in
      let spec = Self.spec.replacingPaths(with: #""data/*""#)
      try folder.write(SampleShard.text([#"{"id":"1"}"#]), at: "data/a.jsonl")
      let first = try await PipelineRunner(spec, files: []).run(in: folder)
      #expect(first.error == nil)
      if code == "shard_not_a_file" {
        #expect(mkfifo(folder.file(path), 0o600) == 0)
      } else {
        try folder.write(bytes, at: path)
      }
      let second = try await PipelineRunner(spec, files: []).run(in: folder)
      let error = try #require(second.error as? RunError)
      #expect(
        error.code == code || (code == "shard_corrupt" && error.code == "shard_checksum"),
        "\(error.code)")
      #expect(error.message.contains(folder.file(path)))
      if code != "shard_not_a_file" { #expect(error.message.contains("at byte ")) }
      #expect(!error.fix.isEmpty)
      // What the run before made stands as it did.
      #expect(second.outputs == first.outputs)
    }
  }

  @Test(.enabled(if: geteuid() != 0, "root may read everything"))
  func `fails the run where a shard may not be read`() async throws {
    try await withTemporaryFolder { folder in
      try folder.write(SampleShard.text([#"{"id":"1"}"#]), at: "data/a.jsonl")
      chmod(folder.file("data/a.jsonl"), 0)
      let outcome = try await PipelineRunner(Self.spec, files: []).run(in: folder)
      #expect(outcome.code == "shard_unreadable")
    }
  }
}

extension String {
  /// The same pipeline over other globs.
  fileprivate func replacingPaths(with paths: String) -> String {
    let parts = split(separator: #""data/*.jsonl""#, maxSplits: 1)
    return parts[0] + paths + parts[1]
  }
}

@Suite struct `A glob` {
  @Test(arguments: [
    ("a*c", "abc", true), ("a*c", "ac", true), ("a*c", "acd", false), ("a?c", "abc", true),
    ("a?c", "ac", false), ("[a-c]x", "bx", true), ("[a-c]x", "dx", false), ("[!a-c]x", "dx", true),
    ("[!a-c]x", "ax", false), ("*", ".x", false), (".*", ".x", true), ("?x", ".x", false),
    ("*.jsonl", "a.jsonl", true), ("*a*b*c*", "xxaxxbxxcxx", true),
    ("*a*b*c*", "xxaxxcxxbxx", false),
    ("**", "anything", true), ("[]", "]", false), ("a[-]b", "a-b", true), ("é", "é", true),
    ("?", "é", false), ("??", "é", true), ("", "", true), ("*", "", true),
  ])
  func `matches a name or does not`(pattern: String, name: String, expected: Bool) {
    #expect(Glob.isMatch(Array(name.utf8), Array(pattern.utf8)) == expected)
  }

  @Test func `with many stars is quick on a name that does not match`() {
    let pattern = [UInt8](repeating: UInt8(ascii: "*"), count: 1)
    let stars = (0..<60).flatMap { _ in pattern + [UInt8(ascii: "a")] } + [UInt8(ascii: "b")]
    let name = [UInt8](repeating: UInt8(ascii: "a"), count: 4_000)
    #expect(!Glob.isMatch(name, stars))
  }

  @Test(arguments: ["", "[a", "a/[b", "a\u{0}b", "/"])
  func `that means nothing is refused`(pattern: String) {
    #expect(Glob(pattern) == nil)
  }

  @Test func `goes through folders, and follows no link in a circle`() throws {
    try withTemporaryFolder { folder in
      for path in ["a/b/c/x.j", "a/x.j", "a/b/y.k", ".h/x.j", "a/.h/x.j", "x.j"] {
        try folder.write("", at: path)
      }
      symlink("..", folder.file("a/b/loop"))
      func names(_ pattern: String) throws -> [String] {
        try Glob(pattern)!.below(folder.path).matches()
          .map { String(decoding: $0.name, as: UTF8.self) }.sorted()
      }
      #expect(try names("**/*.j") == ["a/b/c/x.j", "a/x.j", "x.j"])
      #expect(try names("a/**/*.j") == ["b/c/x.j", "x.j"])
      #expect(try names("a/*/*.k") == ["y.k"] || names("a/*/*.k") == ["b/y.k"])
      #expect(try names("nowhere/*.j") == [])
      #expect(try names("a/x.j") == ["x.j"])
      #expect(try names("x.j/*") == [])
    }
  }

  @Test func `does not pass over a file whose name is not UTF-8`() async throws {
    try await withTemporaryFolder { folder in
      try folder.write(#"{"id":"1"}"#, at: "data/a.jsonl")
      let name: [UInt8] =
        Array(folder.path.utf8) + Array("/data/a".utf8) + [0xFF] + Array(".jsonl".utf8)
      let descriptor = (name + [0]).withUnsafeBytes {
        open($0.baseAddress!.assumingMemoryBound(to: CChar.self), O_CREAT | O_WRONLY, 0o600)
      }
      try #require(descriptor >= 0)
      close(descriptor)
      let spec = pipeline(fields: #"{"id": "string"}"#, sinks: jsonlSink("out", "s"))
      let outcome = try await PipelineRunner(spec, files: []).run(in: folder)
      #expect(outcome.code == "file_error")
    }
  }
}
