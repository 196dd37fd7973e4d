import Testing
import WeirData
import WeirEngine
import WeirTesting

@testable import WeirStages

@Suite struct `Sample stage` {
  private static let fields = #"{"id": "string?", "market": "string?"}"#
  private static let shards = (0..<4).map { shard in
    (
      path: "\(shard).jsonl",
      records: (0..<500).map { i in
        let market = ["\"DE\"", "\"FR\"", "null", "\"US\""][i % 7 % 4]
        return #"{"id":"\#((shard * 500 + i) % 1600)","market":\#(market)}"#
      }
    )
  }

  private func outcome(
    _ options: String, workers: Int = 2, batchBytes: Int = 1 << 18
  ) async throws -> PipelineOutcome {
    let stage = #""it": {"type": "sample", "inputs": ["s"], "key": ["id"], \#(options)}"#
    return try await run(
      pipeline(fields: Self.fields, transforms: stage, sinks: jsonlSink("out", "it")), Self.shards,
      workers: workers, batchBytes: batchBytes)
  }

  private func id(_ record: String) -> String? { JSONValue(parsing: record)?["id"]?.string }
  private func market(_ record: String) -> String? {
    JSONValue(parsing: record)?["market"]?.string
  }

  @Test func `a larger rate keeps what a smaller one keeps, and equal keys stay together`()
    async throws
  {
    let small = try await outcome(#""rate": 0.1"#).records("out.jsonl")
    let large = try await outcome(#""rate": 0.3"#).records("out.jsonl")
    #expect((130...270).contains(small.count) && (500...700).contains(large.count))
    #expect(Set(small).isSubset(of: Set(large)))
    let ids = Set(large.compactMap(id))
    let all = Self.shards.flatMap(\.records)
    #expect(large.count == all.filter { ids.contains(id($0) ?? "") }.count)
    let other = try await outcome(#""rate": 0.1, "seed": 1"#).records("out.jsonl")
    #expect(other != small)
    #expect(try await outcome(#""rate": 0"#).records("out.jsonl").isEmpty)
    #expect(try await outcome(#""rate": 1"#).records("out.jsonl").count == 2000)
  }

  @Test func `rates go by the value of a field`() async throws {
    let made = try await outcome(
      #""rate": 0, "rates": {"DE": 1, "FR": 0.5}, "by": ["market"]"#
    ).records("out.jsonl")
    let all = Self.shards.flatMap(\.records)
    #expect(made.filter { market($0) == "DE" }.count == all.filter { market($0) == "DE" }.count)
    #expect(made.allSatisfy { ["DE", "FR"].contains(market($0)) })
  }

  @Test func `a count is exact in each stratum, and what goes is filtered`() async throws {
    let made = try await outcome(#""count": 25, "by": ["market"]"#)
    let records = try made.records("out.jsonl")
    for value in ["DE", "FR", "US", nil] {
      #expect(records.filter { market($0) == value }.count == 25)
    }
    let ledger = try #require(made.result).ledger
    #expect(ledger.records.filtered == 1900 && ledger.records.deduplicated == 0)
    #expect(ledger.records.written == 100)
    let total = try await outcome(#""count": 30"#).records("out.jsonl")
    let rate = try await outcome(#""rate": 0.01"#).records("out.jsonl")
    #expect(total.count == 30)
    // Both go by the same hash: the lowest.
    let few = min(rate.count, 30)
    #expect(Set(rate).intersection(Set(total)).count >= min(few, Set(rate).count) - 1)
    #expect(try await outcome(#""count": 5000"#).records("out.jsonl").count == 2000)
  }

  @Test(arguments: [#""rate": 0.2"#, #""count": 40, "by": ["market"]"#])
  func `it is the same for all workers and batches`(options: String) async throws {
    try await expectSameBytes { workers, bytes in
      let made = try await outcome(options, workers: workers, batchBytes: bytes)
      #expect(made.error == nil)
      return made
    }
  }

  @Test func `a record without a key is refused`() async throws {
    for options in [#""rate": 1"#, #""count": 9"#] {
      let stage = #""it": {"type": "sample", "inputs": ["s"], "key": ["id"], \#(options)}"#
      let made = try await run(
        pipeline(fields: Self.fields, transforms: stage, sinks: jsonlSink("out", "it")),
        [("a.jsonl", [#"{"id":"a"}"#, #"{"id":null}"#, "{}"])])
      #expect(made.quarantine.map { $0["code"]?.string } == ["missing_key", "missing_key"])
      #expect(try made.records("out.jsonl") == [#"{"id":"a"}"#])
    }
  }

  @Test(arguments: [
    (#""rate": 0.1, "count": 3"#, "rate_or_count"), (#""by": ["market"]"#, "rate_or_count"),
    (#""rate": 0.1, "by": ["market"]"#, "unused_option"),
    (#""rate": 0.1, "rates": {"DE": 1}"#, "unused_option"),
    (#""count": 3, "by": ["markt"]"#, "unknown_field"),
  ])
  func `what cannot be is refused`(options: String, code: String) async throws {
    let made = try await outcome(options)
    #expect(made.code == code, "\(made.problems.text)")
  }
}
