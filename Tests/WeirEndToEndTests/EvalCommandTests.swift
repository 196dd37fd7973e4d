import Testing
import WeirTesting

/// `weir eval` as a person calls it.
@Suite(
  .enabled(if: RunningBinary.weir != nil, "the binary is not beside the tests"),
  .timeLimit(.minutes(2)))
struct `The command weir eval` {
  private func eval(
    _ arguments: String..., bind: String? = nil
  ) throws -> RunningBinary.Outcome {
    try withTemporaryFolder { folder in
      var arguments = ["eval"] + arguments
      if let bind {
        try folder.write(bind, at: "bind.json")
        arguments += ["--bind", "bind.json"]
      }
      return try RunningBinary.run(RunningBinary.weir!, arguments, in: folder.path)
    }
  }

  @Test(arguments: [
    ("1 + 2 * 3", "7"), ("'a' + 'ä'", "\"aä\""),
    ("[1, 2u, 1.5, null, true]", "[1,2,1.5,null,true]"),
    ("{'a': [1], 1: b'x'}", #"{"a":[1],"1":"eA=="}"#), ("1.0", "1"), ("0.0 / 0.0", "\"NaN\""),
    ("timestamp('2026-10-04T07:05:09.5Z')", "\"2026-10-04T07:05:09.500Z\""),
    ("duration('90m')", "\"5400s\""), ("type(1)", "\"int\""), ("optional.none()", "null"),
    ("18446744073709551615u", "18446744073709551615"),
  ])
  func `prints the value as JSON`(source: String, json: String) throws {
    let outcome = try eval(source)
    #expect(outcome.exit == 0 && outcome.output == json + "\n" && outcome.errors.isEmpty)
  }

  @Test func `takes names from a file`() throws {
    let record =
      #"{"n": 3, "x": 2.5, "tags": ["a", "b"], "m": {"k": null}, "odd-name": true, "z": null}"#
    for (source, json) in [
      ("n + 1", "4"), ("tags.map(t, t + '!')", #"["a!","b!"]"#), ("m.k == null", "true"),
      ("`odd-name` && has(tags) && !has(z)", "true"), ("x * 2.0", "5"), ("m", #"{"k":null}"#),
    ] {
      let outcome = try eval(source, bind: record)
      #expect(outcome.exit == 0 && outcome.output == json + "\n", "\(source) \(outcome.errors)")
    }
  }

  @Test func `shows the place of a mistake with a caret, and the fix`() throws {
    let outcome = try eval("tags.exist(t, t == 'ä') && naem", bind: #"{"tags": [], "name": 1}"#)
    #expect(outcome.exit == 1 && outcome.output.isEmpty)
    #expect(
      outcome.errors == """
        column 6: there is no function `exist`
          tags.exist(t, t == 'ä') && naem
               ^^^^^
          try: `exists`

        """)
    let second = try eval("'ä' == 'ä' &&\n  naem == 1", bind: #"{"name": 1}"#)
    #expect(
      second.errors == """
        column 19: there is no field `naem`
            naem == 1
            ^^^^
          try: `name`; or 'naem' in quotes if it is text

        """)
    let failed = try eval("1 / n", bind: #"{"n": 0}"#)
    #expect(failed.exit == 1)
    #expect(
      failed.errors == "column 1: division by zero in `1 / n`\n  1 / n\n  ^^^^^\n")
  }

  @Test func `says what is wrong with a file of names`() throws {
    for (bind, says) in [
      ("[1]", "not a JSON object"), (#"{"a": 1,}"#, "byte 9"),
      (#"{"a": 18446744073709551616}"#, "64 bits"),
      (#"{"a": 1, "a": 2}"#, "a key twice"),
    ] {
      let outcome = try eval("1", bind: bind)
      #expect(outcome.exit == 1 && outcome.errors.contains(says), "\(outcome.errors)")
    }
    let missing = try eval("1", "--bind", "nothing.json")
    #expect(missing.exit == 1 && missing.errors.contains("nothing.json cannot be read"))
    #expect(try eval().exit == 64)
  }

  @Test func `refuses what is too large at once`() throws {
    let deep = String(repeating: "[", count: 100_000)
    let outcome = try eval(deep)
    #expect(outcome.exit == 1 && outcome.errors.contains("bytes, more than 8192"))
    #expect(outcome.errors.utf8.count < 1_000)
  }
}
