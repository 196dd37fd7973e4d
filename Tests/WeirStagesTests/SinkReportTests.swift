import Testing
import WeirData
import WeirStatistics
import WeirTesting

@testable import WeirEngine
@testable import WeirStages

@Suite struct SinkReportTests {
  static func sink(_ options: String = #""path": "trends.html""#) throws -> ReportSink {
    var problems = Problems()
    var check = OptionCheck(params: ResolvedParams())
    let source = SpecSource(
      name: "spec.json", bytes: Array(#"{ "type": "report", "inputs": ["t"], \#(options) }"#.utf8))
    if let node = SpecJSON.parse(source, problems: &problems),
      let options = check.options(
        node, ReportSink.manual.options, common: StageDeclaration.commonKeys(.sinks), of: "report"),
      let sink = ReportSink(options, &problems)
    {
      return sink
    }
    problems.add(contentsOf: check.problems)
    throw TrendBench.Refused(problems: problems)
  }

  static func facts(read: Int = 15_000) -> RunFacts {
    var ledger = Ledger()
    ledger.records.read = read
    ledger.records.quarantined = 2
    ledger.records.written = read - 2
    var source = StageCounts()
    (source.in, source.out, source.quarantined) = (read, read - 2, 2)
    var trend = StageCounts()
    (trend.in, trend.taken) = (read - 2, read - 2)
    ledger.stages = [
      Ledger.Stage(
        name: "decisions", type: "jsonl", kind: .source, counts: source, takesRecords: true),
      Ledger.Stage(name: "trends", type: "trend", kind: .reduce, counts: trend, takesRecords: true),
      Ledger.Stage(
        name: "page", type: "report", kind: .sink, counts: StageCounts(), takesRecords: false),
    ]
    ledger.shards = [
      Ledger.ShardEntry(
        source: "decisions", shard: "date=1/part.jsonl", contentHash: "ab", bytes: 4_096,
        records: ledger.records)
    ]
    var quarantine = QuarantineSummary()
    quarantine.entries = [
      QuarantineSummary.Entry(
        stage: "decisions", code: "invalid_json", field: nil, count: 2, source: "decisions",
        shard: "date=1/part.jsonl", line: 7, message: "no value at byte 3",
        sample: Array("{\"a\":<script>alert(1)</script>".utf8))
    ]
    return RunFacts(
      pipeline: "nightly", description: "Invented decisions.",
      params: [(name: "market", text: "*")], input: "trends", ledger: ledger,
      quarantine: quarantine, uncheckedShards: 1, specHash: String(repeating: "a", count: 64),
      planHash: String(repeating: "b", count: 64), runKey: String(repeating: "c", count: 64),
      outputs: ["series.csv", "trends.html", "findings.jsonl"])
  }

  static func outcome(_ shards: [[String]]? = nil) throws -> TrendOutcome {
    try TrendBench(TrendExample.spec).run(shards ?? TrendExample.shards())
  }

  @Test func `writes one page with the findings, the ledger and the quarantine`() throws {
    var shards = TrendExample.shards()
    shards[20] = []
    shards[55] = shards[55].filter { !$0.contains("T23:") }
    shards[3].append(
      #"{"ts":"2038-01-19T03:14:07Z","market":"DE","queue":"hate","decision":"x","day":"d"}"#)
    let outcome = try Self.outcome(shards)
    let files = try Self.sink(#""path": "pages/trends.html", "record_noun": "decisions""#)
      .write(.findings(outcome.findings), Self.facts())
    #expect(files.map(\.path) == ["pages/trends.html"])
    #expect(files[0].rows == outcome.findings.findings.count)
    try writeIfWanted(files[0].bytes, "sink-report.html")
    let html = String(decoding: files[0].bytes, as: UTF8.self)
    for words in try outcome.detail.texts.prefix(3).map(\.headline) + [
      "invalid_json", "The line is not valid JSON", "No data", "Future", "Unchecksummed", "Open",
      "decisions", "2 markets × 2 queues", "findings.jsonl",
    ] {
      let isThere = html.contains(words)
      #expect(isThere, "\(words)")
    }
    let isEscaped = !html.contains("<script>alert")
    #expect(isEscaped)
  }

  @Test func `the same run gives the same bytes`() throws {
    let outcome = try Self.outcome()
    let again = try Self.outcome()
    #expect(outcome.bytes == again.bytes)
    let a = try Self.sink().write(.findings(outcome.findings), Self.facts())
    let b = try Self.sink().write(.findings(again.findings), Self.facts())
    #expect(a[0].bytes == b[0].bytes)
  }

  @Test func `a report of nothing says so`() throws {
    let outcome = try Self.outcome([])
    let files = try Self.sink(#""path": "r.html", "title": "Empty night""#)
      .write(.findings(outcome.findings), Self.facts(read: 2))
    let html = String(decoding: files[0].bytes, as: UTF8.self)
    let isTitled = html.contains("Empty night")
    let isSaid = html.contains("No records reached the analysis")
    #expect(isTitled && isSaid)
  }

  @Test func `findings of another stage are an error that names it`() throws {
    let findings = FindingSet(findings: [], levels: [])
    let error = #expect(throws: RunError.self) {
      try Self.sink().write(.findings(findings), Self.facts())
    }
    #expect(error?.code == "no_report")
    #expect(error?.message.contains("`trends`") == true)
    #expect(throws: RunError.self) {
      try Self.sink().write(.rows(RowTable(columns: [])), Self.facts())
    }
  }

  @Test(arguments: [
    #""path": "{market}.html""#, #""path": "../up.html""#, #""path": """#, #""path": "/abs.html""#,
  ])
  func `a report is one file below the output directory`(_ options: String) {
    #expect(throws: TrendBench.Refused.self) { try Self.sink(options) }
  }

  @Test func `every code of a record has its words`() {
    let codes: [RefusalCode] = [
      .invalidJSON, .invalidUTF8, .notAnObject, .duplicateKey, .missingField, .wrongType,
      .numberOutOfRange, .loneSurrogate, .badTimestamp, .recordTooLong,
    ]
    for code in codes {
      #expect(RefusalWords.table.contains { $0.code == code.rawValue }, "\(code.rawValue)")
    }
    let own = [
      "missing_key", "unmapped_value", "not_in_values", "bad_number", "expression_error",
      "missing_time", "bad_path_value", "not_scalar", "reserved_value",
    ]
    for code in own { #expect(RefusalWords.table.contains { $0.code == code }, "\(code)") }
    #expect(Set(RefusalWords.table.map(\.code)).count == RefusalWords.table.count)
    #expect(!RefusalWords.of("something_new").remedy.utf8.isEmpty)
  }
}
