import Glibc
import Testing
import WeirData
import WeirTesting

/// What asks for the secret of a stage, and what does without it.
@Suite(
  .enabled(if: RunningBinary.weir != nil, "the binary is not beside the tests"),
  .timeLimit(.minutes(2)))
struct `Commands over a stage with a secret` {
  private static let spec = #"""
    { "name": "p",
      "sources": { "s": { "type": "jsonl", "paths": ["data/*"], "fields": { "id": "int", "who": "string" } } },
      "transforms": { "hidden": { "type": "redact", "inputs": ["s"], "fields": { "who": { "hash": { "secret": "pseudo-nyms" } } } } },
      "sinks": { "out": { "type": "jsonl", "inputs": ["hidden"], "path": "out.jsonl" } } }
    """#
  private static let secret = ["WEIR_SECRET_PSEUDO_NYMS": "0123456789abcdef-a-real-one"]

  private func with(
    _ body: (
      _ run: ([String], [String: String]) throws -> RunningBinary.Outcome, _ folder: TemporaryFolder
    ) throws -> Void
  ) throws {
    try withTemporaryFolder { folder in
      try folder.write(Self.spec, at: "p.json")
      try folder.write(
        SampleShard.text([#"{"id":1,"who":"Ada"}"#, #"{"id":2,"who":"Bob"}"#]), at: "data/a.jsonl")
      try body(
        { words, environment in
          try RunningBinary.run(weir, words, in: folder.path, environment: environment)
        }, folder)
    }
  }

  @Test func `a run needs it`() throws {
    try with { run, _ in
      let outcome = try run(["run", "p.json", "--progress", "none"], [:])
      #expect(outcome.exit == 78)
      #expect(outcome.errors.contains("error: there is no secret 'pseudo-nyms' [missing_secret]"))
      #expect(try run(["run", "p.json", "--progress", "none"], Self.secret).exit == 0)
    }
  }

  @Test(arguments: [
    ["preview", "p.json", "--stage", "hidden"], ["explain", "p.json"], ["validate", "p.json"],
  ])
  func `what only looks says that it does without`(words: [String]) throws {
    try with { run, _ in
      let without = try run(words, [:])
      #expect(without.exit == 0, "\(without.errors)")
      let said = without.errors + without.output
      #expect(
        said.contains("warning: there is no secret 'pseudo-nyms', which a run needs"), "\(said)")
      let with = try run(words, Self.secret)
      #expect(with.exit == 0 && !(with.errors + with.output).contains("missing_secret"))
    }
  }

  @Test func `a preview shows what a run makes, where the secret is there`() throws {
    try with { run, folder in
      #expect(try run(["run", "p.json", "--progress", "none"], Self.secret).exit == 0)
      let made = String(
        decoding: try readFile(folder.file("out/p/all/out.jsonl")), as: UTF8.self)
      let pseudonym = try #require(
        made.utf8.split(separator: UInt8(ascii: "\"")).dropFirst(5).first)
      let word = String(decoding: Array(pseudonym), as: UTF8.self)
      let preview = ["preview", "p.json", "--stage", "hidden", "--json"]
      #expect(try run(preview, Self.secret).output.contains(word), "\(made)")
      #expect(try !run(preview, [:]).output.contains(word))
    }
  }

  @Test func `a test expects the same with it and without, and holds nothing made with it`() throws
  {
    try with { run, folder in
      #expect(try run(["test", "p.json", "--create"], Self.secret).exit == 0)
      let first = try readFile(folder.file("p.test.json"))
      for environment in [[:], Self.secret] {
        let outcome = try run(["test", "p.json"], environment)
        #expect(outcome.exit == 0 && outcome.output.contains("all pass"), "\(outcome.output)")
        #expect(outcome.output.contains("a fixed key stands in their place"))
        let json = try run(["test", "p.json", "--json"], environment)
        #expect(json.output.contains(#""stand_in_keys":true"#), "\(json.output)")
      }
      unlink(folder.file("p.test.json"))
      #expect(try run(["test", "p.json", "--create"], [:]).exit == 0)
      #expect(try readFile(folder.file("p.test.json")) == first)
    }
  }
}
