import Testing
import WeirData
import WeirTesting

/// `weir init`, and what a person does next with the folder.
@Suite(
  .enabled(if: RunningBinary.weir != nil, "the binary is not beside the tests"),
  .timeLimit(.minutes(2)))
struct `The command weir init` {
  private func call(_ arguments: String..., in folder: TemporaryFolder) throws
    -> RunningBinary.Outcome
  {
    try RunningBinary.run(weir, arguments, in: folder.path)
  }

  @Test func `makes a pipeline that is valid, laid out, tested, and finds what was planted`() throws
  {
    try withTemporaryFolder { folder in
      let made = try call("init", "Our Decisions/", in: folder)
      #expect(made.exit == 0, "\(made.errors)")
      #expect(listFolder(folder.path) == ["Our Decisions"])
      let spec = "Our Decisions/pipeline.json"
      let valid = try call("validate", spec, in: folder)
      #expect(valid.exit == 0 && valid.output == "\(spec): valid: 8 stages\n", "\(valid.output)")
      #expect(try call("fmt", "--check", spec, in: folder).exit == 0)
      let tested = try call("test", spec, in: folder)
      #expect(tested.exit == 0, "\(tested.output)")

      let run = try call("run", spec, "--json", in: folder)
      #expect(run.exit == 0, "\(run.errors)")
      let result = try #require(JSONValue(parsing: run.lastLine))
      #expect(result["pipeline"]?.string == "our-decisions")
      #expect(result["quarantine"]?["invalid_json"]?.integer == 4)
      #expect((result["records"]?["deduplicated"]?.integer ?? 0) > 100)
      let out = try #require(result["out"]?.string)
      let findings = lines(of: try readFile(folder.file(out + "/findings.jsonl")))
      let first = try #require(findings.first.flatMap { JSONValue(parsing: $0) })
      #expect(first["type"]?.string == "shift", "\(findings)")
      #expect(
        first["series"]?["market"]?.string == "DE" && first["series"]?["queue"]?.string == "spam")
    }
  }

  @Test func `makes the same files every time`() throws {
    try withTemporaryFolder { folder in
      try makeFolder(folder.file("a"))
      try makeFolder(folder.file("b"))
      #expect(try call("init", "a/x", in: folder).exit == 0)
      #expect(try call("init", "b/x", in: folder).exit == 0)
      #expect(try filesBelow(folder.file("a/x")) == filesBelow(folder.file("b/x")))
    }
  }

  @Test func `leaves a folder alone that has something in it`() throws {
    try withTemporaryFolder { folder in
      try makeFolder(folder.file("there"))
      try folder.write("mine", at: "there/notes.txt")
      for name in ["there", "there/notes.txt"] {
        let refused = try call("init", name, in: folder)
        #expect(refused.exit == 1 && refused.output.isEmpty)
        #expect(
          refused.errors
            == "Error: \(name) is there already\n  try: the name of a folder that is not there\n")
      }
      #expect(listFolder(folder.path) == ["there"])
      #expect(listFolder(folder.file("there")) == ["notes.txt"])
      try makeFolder(folder.file("empty"))
      #expect(try call("init", "empty", in: folder).exit == 0)
      #expect(try call("init", ".", in: folder).exit == 64)
    }
  }
}
