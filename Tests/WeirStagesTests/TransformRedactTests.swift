import Glibc
import Testing
import WeirData
import WeirEngine
import WeirTesting

@testable import WeirStages

@Suite struct `Redact stage` {
  private static let fields = #"{"id": "any", "who": "string?", "note": "any?"}"#

  private func outcome(
    _ options: String, _ records: [String], workers: Int = 2, batchBytes: Int = 1 << 18
  ) async throws -> PipelineOutcome {
    let stage = #""it": {"type": "redact", "inputs": ["s"], "fields": \#(options)}"#
    return try await run(
      pipeline(fields: Self.fields, transforms: stage, sinks: jsonlSink("out", "it")),
      [("a.jsonl", records)], workers: workers, batchBytes: batchBytes)
  }

  /// RFC 4231, test case 2: the key "Jefe".
  @Test func `a pseudonym is the beginning of the HMAC-SHA-256`() async throws {
    let made = try await outcome(
      #"{"who": {"hash": {"salt": "Jefe"}}, "note": "drop"}"#,
      [#"{"id":1,"who":"what do ya want for nothing?","note":"x"}"#, #"{"id":2,"who":null}"#])
    #expect(
      try made.records("out.jsonl") == [
        #"{"id":1,"who":"5bdcc146bf60754e6a042426089575c7"}"#, #"{"id":2,"who":null}"#,
      ])
  }

  @Test func `a key longer than a block is hashed first`() {
    // RFC 4231, test case 6.
    let digest = HMACSHA256(key: Array(repeating: 0xAA, count: 131)).digest(
      Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8))
    #expect(
      hexText(digest) == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
  }

  @Test func `integers are hashed as their digits, and objects are refused`() async throws {
    let made = try await outcome(
      #"{"id": {"hash": {"salt": "s", "length": 8}}}"#,
      [#"{"id":12}"#, #"{"id":"12"}"#, #"{"id":{"a":1}}"#])
    let records = try made.records("out.jsonl")
    #expect(records.count == 2 && records[0] == records[1])
    #expect(made.quarantine.map { $0["code"]?.string } == ["wrong_type"])
  }

  @Test func `a mask shows the last characters, and nothing of a short value`() async throws {
    let made = try await outcome(
      #"{"who": {"mask": {"keep_last": 2}}}"#,
      [#"{"id":1,"who":"0123é6"}"#, #"{"id":1,"who":"ab"}"#, #"{"id":1,"who":""}"#])
    #expect(
      try made.records("out.jsonl") == [
        #"{"id":1,"who":"***é6"}"#, #"{"id":1,"who":"***"}"#, #"{"id":1,"who":"***"}"#,
      ])
  }

  @Test func `a secret is part of the run and in no output`() async throws {
    let name = "WEIR_SECRET_REDACT_TEST"
    var manifests: Set<[UInt8]> = []
    for secret in ["0123456789abcdef-one", "0123456789abcdef-two"] {
      setenv(name, secret, 1)
      let made = try await outcome(
        #"{"who": {"hash": {"secret": "redact-test"}}}"#, [#"{"id":1,"who":"Ada"}"#])
      #expect(made.error == nil && made.problems.text == "")
      manifests.insert(try #require(made.outputs["manifest.json"]))
      for (_, bytes) in made.everything {
        #expect(!String(decoding: bytes, as: UTF8.self).contains(secret))
      }
    }
    unsetenv(name)
    #expect(manifests.count == 2)
  }

  @Test func `it is the same for all workers and batches`() async throws {
    let records = (0..<500).map { #"{"id":\#($0),"who":"w\#($0 % 37)","note":[\#($0)]}"# }
    let options =
      #"{"who": {"hash": {"salt": "s"}}, "id": {"mask": {"keep_last": 1}}, "note": "drop"}"#
    try await expectSameBytes { workers, bytes in
      let made = try await outcome(options, records, workers: workers, batchBytes: bytes)
      #expect(made.error == nil)
      return made
    }
  }

  @Test(arguments: [
    (#"{}"#, "nothing_to_do"), (#"{"who": {}}"#, "hash_or_mask"),
    (#"{"who": {"hash": {}}}"#, "secret_or_salt"),
    (#"{"who": {"hash": {"salt": ""}}}"#, "empty_salt"),
    (#"{"who": {"hash": {"secret": "never there"}}}"#, "bad_secret_name"),
    (#"{"who": {"hash": {"secret": "never-there"}}}"#, "missing_secret"),
    (#"{"whom": "drop"}"#, "unknown_field"),
  ])
  func `what cannot be is refused`(options: String, code: String) async throws {
    let made = try await outcome(options, [])
    #expect(made.code == code, "\(made.problems.text)")
  }
}
