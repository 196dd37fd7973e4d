import Testing
import WeirData
import WeirEngine
import WeirTesting

@testable import WeirStages

@Suite struct `Expect stage` {
  private static let records = [
    #"{"id":"a","n":1}"#, #"{"id":"b","n":20}"#, #"{"id":"","n":30}"#, #"{"id":"d"}"#,
  ]

  private func outcome(
    _ rules: String, _ records: [String] = records, workers: Int = 2, batchBytes: Int = 1 << 18
  ) async throws -> PipelineOutcome {
    let stage = #""it": {"type": "expect", "inputs": ["s"], "rules": \#(rules)}"#
    return try await run(
      pipeline(
        fields: #"{"id": "string", "n": "int?"}"#, transforms: stage, sinks: jsonlSink("out", "it")),
      [("a.jsonl", records)], workers: workers, batchBytes: batchBytes)
  }

  @Test func `warn counts, fail quarantines, and every rule sees every record`() async throws {
    let made = try await outcome(
      #"{"small": "n < 10", "named": {"that": "id != ''", "level": "fail"}}"#)
    #expect(made.error == nil && made.problems.text == "")
    #expect(try made.records("out.jsonl").count == 3)
    #expect(made.quarantine.map { $0["code"]?.string } == ["failed_expectation"])
    let ledger = try #require(made.result).ledger
    let checks = ledger.checks.map(\.check)
    #expect(checks.map(\.name) == ["small", "named"] && checks.map(\.level) == ["warn", "fail"])
    // 20, 30, and no answer for null.
    #expect(checks.map(\.failed) == [3, 1])
    #expect(checks.map { $0.first?.line } == [2, 3])
    #expect(ledger.expectations.first?.key == "expectations")
  }

  @Test(arguments: [
    (#"{"count": 2}"#, true), (#"{"count": 3}"#, false), (#"{"rate": 0.5}"#, true),
    (#"{"rate": 0.75}"#, false), (#"{"rate": 0.5, "min_records": 5}"#, false),
  ])
  func `past its budget the outputs are withheld`(budget: String, isOver: Bool) async throws {
    let made = try await outcome(
      #"{"small": {"that": "n < 10", "error_budget": \#(budget)}}"#)
    #expect(made.code == (isOver ? "over_budget" : nil))
    if isOver {
      #expect(try #require(made.overBudget).message.contains("3 of 4 records (75 %) do not meet"))
    }
    let warned = try await outcome(
      #"{"small": {"that": "n < 10", "error_budget": \#(budget.dropLast()), "on_exceeded": "warn"}}}"#
    )
    #expect(try #require(warned.result).overBudget.count == (isOver ? 1 : 0))
  }

  @Test func `it is the same for all workers and batches, and from what was kept`() async throws {
    let records = (0..<400).map { #"{"id":"\#($0 % 9 == 0 ? "" : "x")","n":\#($0 % 23)}"# }
    let rules =
      #"{"small": {"that": "n < 10"}, "named": {"that": "id != ''", "level": "fail"}}"#
    try await expectSameBytes { workers, bytes in
      try await outcome(rules, records, workers: workers, batchBytes: bytes)
    }
    let stage = #""it": {"type": "expect", "inputs": ["s"], "rules": \#(rules)}"#
    let spec = pipeline(
      fields: #"{"id": "string", "n": "int?"}"#, transforms: stage, sinks: jsonlSink("out", "it"))
    try await withTemporaryFolder { folder in
      try folder.write(SampleShard.text(records), at: "data/a.jsonl")
      var runner = PipelineRunner(spec, files: [])
      let cold = try await runner.run(in: folder)
      runner.isForced = true
      let warm = try await runner.run(in: folder)
      #expect(warm.result?.tasks.allSatisfy(\.isReused) == true)
      #expect(cold.ledgerText == warm.ledgerText)
    }
  }

  @Test(arguments: [
    (#"{}"#, "nothing_to_do"), (#"{"a": {"that": "m > 1"}}"#, "bad_expression"),
    (#"{"a": {"that": "n"}}"#, "not_a_condition"),
    (#"{"a": {"that": "n > 1", "error_budget": {}}}"#, "empty_budget"),
  ])
  func `what cannot be is refused`(rules: String, code: String) async throws {
    let made = try await outcome(rules)
    #expect(made.code == code, "\(made.problems.text)")
  }
}
