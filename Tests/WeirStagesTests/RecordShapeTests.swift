import Testing
import WeirData
import WeirEngine
import WeirTesting

@testable import WeirStages

/// What `select`, `rename` and `drop` leave of a record.
@Suite struct `Shapes of records` {
  private static let fields =
    #"{"id": "string", "queue": "string?", "n": "any?", "user.name": "string?", "user.age": "int?", "ts": "any?"}"#

  private func outcome(
    _ transforms: String, from last: String, _ records: [String], batchBytes: Int = 1 << 18,
    workers: Int = 2
  ) async throws -> PipelineOutcome {
    try await run(
      pipeline(fields: Self.fields, transforms: transforms, sinks: jsonlSink("out", last)),
      [("a.jsonl", records)], workers: workers, batchBytes: batchBytes)
  }

  private func expect(
    _ type: String, _ fields: String, _ record: String, leaves left: String
  ) async throws {
    let stage = #""it": {"type": "\#(type)", "inputs": ["s"], "fields": \#(fields)}"#
    let made = try await outcome(stage, from: "it", [record])
    #expect(made.problems.text == "" && made.error == nil)
    #expect(try made.records("out.jsonl") == [left])
  }

  @Test(arguments: [
    (#"["n"]"#, #"{"id":"a","n":1.10,"z":2}"#, #"{"id":"a","z":2}"#),
    (#"["n"]"#, #"{"id":"a","z":2,"n":[1,{"x":2}]}"#, #"{"id":"a","z":2}"#),
    (#"["n"]"#, #"{ "n" : "x" , "id" : "a" }"#, #"{ "id" : "a" }"#),
    (#"["n", "queue"]"#, #"{"id":"a", "n":1, "queue":"q"}"#, #"{"id":"a"}"#),
    (#"["n", "queue"]"#, #"{"queue":"q","n":1,"id":"a"}"#, #"{"id":"a"}"#),
    (#"["id", "n", "queue"]"#, #"{"queue":"q","n":1,"id":"a"}"#, "{}"),
    (#"["n"]"#, #"{"id":"a"}"#, #"{"id":"a"}"#),
    (#"["user.name"]"#, #"{"id":"a","user":{"name":"Ada","x":1}}"#, #"{"id":"a","user":{"x":1}}"#),
    (#"["user.name"]"#, #"{"user":{"name":"Ada"},"id":"a"}"#, #"{"user":{},"id":"a"}"#),
    (
      #"["user.name", "user.age"]"#, #"{"id":"a","user":{"q\"":0,"name":"A","age":3}}"#,
      #"{"id":"a","user":{"q\"":0}}"#
    ),
    (#"["user.name"]"#, #"{"id":"a","user":null}"#, #"{"id":"a","user":null}"#),
    (#"["n"]"#, #"{"id":"a","\u006e":5,"m":1}"#, #"{"id":"a","m":1}"#),
  ])
  func `drop takes a member with its comma`(fields: String, record: String, left: String)
    async throws
  {
    try await expect("drop", fields, record, leaves: left)
  }

  @Test(arguments: [
    (
      #"{"queue": "topic"}"#, #"{"id":"a","queue":"q" , "z":1}"#, #"{"id":"a","topic":"q" , "z":1}"#
    ),
    (
      #"{"queue": "topic"}"#, #"{"topic":{"x":[1]},"queue":"q","id":"a"}"#,
      #"{"topic":"q","id":"a"}"#
    ),
    (#"{"queue": "topic"}"#, #"{"queue":"q","id":"a","topic":7}"#, #"{"topic":"q","id":"a"}"#),
    (#"{"id": "queue", "queue": "id"}"#, #"{"id":"a","queue":"q"}"#, #"{"queue":"a","id":"q"}"#),
    (
      #"{"user.name": "user.nick"}"#, #"{"id":"a","user":{"nick":1,"name":"Ada"},"nick":2}"#,
      #"{"id":"a","user":{"nick":"Ada"},"nick":2}"#
    ),
    (#"{"queue": "topic"}"#, #"{"id":"a"}"#, #"{"id":"a"}"#),
  ])
  func `rename changes the key in its place`(names: String, record: String, left: String)
    async throws
  {
    try await expect("rename", names, record, leaves: left)
  }

  @Test(arguments: [
    (#"["queue", "id"]"#, #"{"id":"a","z":1,"queue":"q"}"#, #"{"queue":"q","id":"a"}"#),
    (#"["n", "id"]"#, #"{"id":"\u0061","n":1.10}"#, #"{"n":1.10,"id":"\u0061"}"#),
    (#"["n", "id"]"#, #"{"id":"a"}"#, #"{"id":"a"}"#),
    (#"["n"]"#, #"{"id":"a"}"#, "{}"),
    (#"["n"]"#, #"{"id":"a","n":null}"#, #"{"n":null}"#),
    (
      #"["user.age", "id", "user.name"]"#, #"{"id":"a","user":{"name":"A","x":0,"age":3}}"#,
      #"{"user":{"age":3,"name":"A"},"id":"a"}"#
    ),
    (#"["user.age", "id"]"#, #"{"id":"a","user":{}}"#, #"{"id":"a"}"#),
  ])
  func `select writes the fields in their order`(fields: String, record: String, left: String)
    async throws
  {
    try await expect("select", fields, record, leaves: left)
  }

  private static let chain = #"""
    "clean": {"type": "normalize", "inputs": ["s"], "fields": {"queue": {"case": "upper"}, "ts": {"timestamp": ["epoch_s"]}}},
    "less": {"type": "drop", "inputs": ["clean"], "fields": ["n"]},
    "named": {"type": "rename", "inputs": ["less"], "fields": {"queue": "topic", "user.name": "user.nick"}},
    "more": {"type": "derive", "inputs": ["named"], "fields": {"n": "topic + '!'", "k": "size(id)"}}
    """#

  @Test func `they go together with edits and new fields`() async throws {
    let record =
      #"{"n":[9],"id":"a","queue":"q","user":{"name":"Ada"},"k":0,"ts":0}"#
    let made = try await outcome(Self.chain, from: "more", [record])
    #expect(made.problems.text == "" && made.error == nil)
    #expect(
      try made.records("out.jsonl") == [
        #"{"id":"a","topic":"Q","user":{"nick":"Ada"},"k":1,"ts":"1970-01-01T00:00:00Z","n":"Q!"}"#
      ])
    let picked =
      Self.chain + #"""
        , "few": {"type": "select", "inputs": ["more"], "fields": ["n", "user.nick", "topic", "ts"]},
        "last": {"type": "rename", "inputs": ["few"], "fields": {"topic": "queue"}}
        """#
    let second = try await outcome(picked, from: "last", [record])
    #expect(
      try second.records("out.jsonl") == [
        #"{"n":"Q!","user":{"nick":"Ada"},"queue":"Q","ts":"1970-01-01T00:00:00Z"}"#
      ])
  }

  @Test func `a field that takes the place of all others stands alone`() async throws {
    let stages = #"""
      "less": {"type": "drop", "inputs": ["s"], "fields": ["queue", "n"]},
      "more": {"type": "derive", "inputs": ["less"], "fields": {"x": "1"}},
      "last": {"type": "drop", "inputs": ["more"], "fields": ["id"]}
      """#
    let made = try await outcome(stages, from: "last", [#"{"queue":"q","id":"a","n":1}"#])
    #expect(try made.records("out.jsonl") == [#"{"x":1}"#])
  }

  @Test func `any records come out the same for all workers and batches`() async throws {
    var random = SeededRandom(seed: 5)
    let records = (0..<600).map { i -> String in
      var members = [#""id":"\#(i)""#]
      if !random.oneIn(4) { members.append(#""queue":"q\#(random.below(3))""#) }
      if !random.oneIn(4) { members.append(#""n": [\#(random.below(9))]"#) }
      if random.oneIn(3) { members.append(#""topic":"\\u00e9""#) }
      if !random.oneIn(3) { members.append(#""user":{"x":1,"name":"A","age":\#(i)}"#) }
      members.shuffle(using: &random)
      return "{" + members.joined(separator: ", ") + "}"
    }
    let chain = Self.chain.replacing("topic + '!'", with: "has(topic) ? topic : ''")
    try await expectSameBytes { workers, bytes in
      let made = try await outcome(
        chain, from: "more", records, batchBytes: bytes, workers: workers)
      #expect(made.error == nil)
      #expect(try made.records("out.jsonl").allSatisfy { JSONValue(parsing: $0) != nil })
      return made
    }
  }

  @Test(arguments: [
    (#"{"type": "select", "inputs": ["s"], "fields": ["qeue"]}"#, "unknown_field"),
    (#"{"type": "select", "inputs": ["s"], "fields": []}"#, "nothing_to_do"),
    (#"{"type": "select", "inputs": ["s"], "fields": ["id", "id"]}"#, "duplicate_field"),
    (#"{"type": "drop", "inputs": ["s"], "fields": ["user"]}"#, "unknown_field"),
    (
      #"{"type": "drop", "inputs": ["s"], "fields": ["id","queue","n","user.name","user.age","ts"]}"#,
      "nothing_left"
    ),
    (#"{"type": "rename", "inputs": ["s"], "fields": {"queue": "id"}}"#, "field_exists"),
    (#"{"type": "rename", "inputs": ["s"], "fields": {"queue": "user"}}"#, "field_exists"),
    (#"{"type": "rename", "inputs": ["s"], "fields": {"user.name": "name"}}"#, "moved_field"),
    (#"{"type": "rename", "inputs": ["s"], "fields": {"queue": "queue"}}"#, "nothing_to_do"),
    (
      #"{"type": "rename", "inputs": ["s"], "fields": {"queue": "x", "n": "x"}}"#, "duplicate_field"
    ),
  ])
  func `what cannot be is refused`(stage: String, code: String) async throws {
    let made = try await outcome(#""it": \#(stage)"#, from: "it", [])
    #expect(made.code == code, "\(made.problems.text)")
  }

  /// Both ways round, and where the inner one went in a stage before.
  @Test(arguments: [
    #""it": {"type": "drop", "inputs": ["s"], "fields": ["user", "user.name"]}"#,
    #""it": {"type": "drop", "inputs": ["s"], "fields": ["user.name", "user"]}"#,
  ])
  func `a field goes with what lies in it`(stage: String) async throws {
    let fields = #"{"id": "string", "user": "any?", "user.name": "string?"}"#
    let made = try await run(
      pipeline(fields: fields, transforms: stage, sinks: jsonlSink("out", "it")),
      [("a.jsonl", [#"{"user":{"name":"Ada","x":1},"id":"a"}"#])])
    #expect(made.problems.text == "" && made.error == nil)
    #expect(try made.records("out.jsonl") == [#"{"id":"a"}"#])
  }

  /// A new value of an object, and a change inside of it, would be two changes of the same bytes.
  @Test(arguments: [
    #"{"type": "drop", "inputs": ["s"], "fields": ["user.name"]}"#,
    #"{"type": "normalize", "inputs": ["s"], "fields": {"user.name": {"case": "upper"}}}"#,
  ])
  func `an object of which a part is changed is not made anew`(first: String) async throws {
    let stages =
      #""it": \#(first), "new": {"type": "derive", "inputs": ["it"], "fields": {"user": "id"}}"#
    let made = try await run(
      pipeline(
        fields: #"{"id": "string", "user.name": "string?"}"#, transforms: stages,
        sinks: jsonlSink("out", "new")), [("a.jsonl", [])])
    #expect(made.code == "field_exists", "\(made.problems.text)")
  }

  @Test func `a field that is gone is unknown behind`() async throws {
    let stages = #"""
      "it": {"type": "rename", "inputs": ["s"], "fields": {"queue": "topic"}},
      "f": {"type": "filter", "inputs": ["it"], "where": "queue == 'x'"}
      """#
    #expect(try await outcome(stages, from: "f", []).code == "bad_expression")
  }
}
