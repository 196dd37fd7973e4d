import Testing
import WeirData
import WeirEngine
import WeirTesting

@testable import WeirStages

@Suite struct `A table of lookup that is compressed` {
  private static let csv = Array("id,team\nm1,north\nm2,south\n".utf8)
  private static let lines = Array(
    (#"{"id":"m1","team":"north"}"# + "\n" + #"{"id":"m2","team":"south"}"# + "\n").utf8)
  private static let list = Array(
    #"[{"id":"m1","team":"north"},{"id":"m2","team":"south"}]"#.utf8)

  private func outcome(_ name: String, _ bytes: [UInt8]) async throws -> PipelineOutcome {
    var runner = PipelineRunner(
      pipeline(
        fields: #"{"id": "string", "who": "string?"}"#,
        transforms:
          #""it": {"type": "lookup", "inputs": ["s"], "table": "\#(name)", "on": {"who": "id"}, "fields": ["team"]}"#,
        sinks: jsonlSink("out", "it")),
      shards: [("data/a.jsonl", [#"{"id":"a","who":"m1"}"#, #"{"id":"b","who":"m2"}"#])])
    runner.files.append((name, bytes))
    return try await runner.run()
  }

  @Test(arguments: [("t.csv", csv), ("t.jsonl", lines), ("t.json", list)])
  func `is read as if it were not`(name: String, text: [UInt8]) async throws {
    let packed: [(String, [UInt8])] = [
      (".zst", SampleShard.zstd(text)), (".zst", SampleShard.zstd(text, frames: 3)),
      (".gz", SampleShard.gzip(text)), (".gz", SampleShard.gzip(text, members: 2)),
    ]
    for (ending, bytes) in packed {
      let made = try await outcome(name + ending, bytes)
      #expect(made.error == nil && made.problems.isEmpty, "\(made.problems.text)")
      #expect(
        try made.records("out.jsonl") == [
          #"{"id":"a","who":"m1","team":"north"}"#, #"{"id":"b","who":"m2","team":"south"}"#,
        ])
    }
  }

  @Test func `is refused where it is damaged, cut, empty or not what its name says`() async throws {
    let whole = SampleShard.zstd(Self.csv)
    var damaged = whole
    damaged[damaged.count - 3] ^= 0xFF
    for bytes in [damaged, Array(whole.dropLast(6)), [], Self.csv] {
      let made = try await outcome("t.csv.zst", bytes)
      #expect(made.code == "damaged_table", "\(made.problems.text)")
    }
    #expect(try await outcome("t.csv.gz", []).code == "damaged_table")
    #expect(try await outcome("t.txt.gz", Self.csv).code == "unknown_table_form")
    #expect(try await outcome("t.gz", Self.csv).code == "unknown_table_form")
  }

  @Test func `is not unpacked further than a table may be`() async throws {
    let made = try await outcome(
      "t.csv.zst", SampleShard.zstdBomb(UInt8(ascii: "a"), count: 1 << 32))
    #expect(made.code == "too_large", "\(made.problems.text)")
    #expect(made.problems.text.contains("when it is unpacked"))
  }

  @Test func `says what is wrong with it at the line that it has unpacked`() async throws {
    let made = try await outcome(
      "t.csv.gz", SampleShard.gzip(Array("id,team\nm1,north\nm1,south\n".utf8)))
    #expect(made.code == "duplicate_row")
    #expect(made.problems.text.contains("t.csv.gz:3:1"), "\(made.problems.text)")
  }
}
