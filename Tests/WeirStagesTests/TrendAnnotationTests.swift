import Testing
import WeirData
import WeirStatistics
import WeirTesting

@testable import WeirEngine
@testable import WeirStages

@Suite struct `What happened when, beside findings` {
  private func spec(_ file: String?) -> String {
    """
    { "type": "trend", "inputs": ["a"], "time": "ts", "by": ["market"],
      \(file.map { "\"annotations\": \"\($0)\"," } ?? "") "metrics": { "volume": { "count": true } } }
    """
  }

  /// Six weeks; from 27 September on DE has twice as many records, FR has as many as before.
  private var shard: [String] {
    var random = SeededRandom(seed: 5)
    return (0..<42).flatMap { day in
      [("DE", day < 20 ? 60 : 120), ("FR", 60)].flatMap { market, size in
        (0..<(size + random.below(9))).map { _ in
          TrendExample.line(day, "12:00:00", market: market, queue: "q")
        }
      } + [TrendExample.line(day, "23:59:59", market: "FR", queue: "q")]
    }
  }

  private func outcome(_ text: String, named name: String) throws -> TrendOutcome {
    try withTemporaryFolder { folder in
      try folder.write(text, at: name)
      return try TrendBench(spec(name), folder: folder.path).run([shard])
    }
  }

  private let csv = """
    label,from,to,market
    Policy v7,2026-09-26,,DE
    "Fair, in Munich",2026-09-20,2026-09-28,
    Launch,2026-09-27,,FR
    Long ago,2026-09-08,,DE

    """

  private func labels(_ outcome: TrendOutcome, _ market: String) -> [[String]] {
    outcome.findings.findings.filter { $0["series"]?["market"]?.string == market }.map {
      ($0["annotations"]?.elements ?? []).compactMap { $0["label"]?.string }
    }
  }

  @Test(arguments: ["csv", "json", "jsonl"])
  func `stand in the findings of their days and group`(form: String) throws {
    let rows = [
      #"{"label": "Policy v7", "from": "2026-09-26", "market": "DE"}"#,
      #"{"label": "Fair, in Munich", "from": "2026-09-20", "to": "2026-09-28"}"#,
      #"{"label": "Launch", "from": "2026-09-27", "market": "FR"}"#,
      #"{"label": "Long ago", "from": "2026-09-08", "market": "DE"}"#,
    ]
    let text =
      switch form {
      case "csv": csv
      case "json": "[" + rows.joined(separator: ",\n") + "]"
      default: rows.joined(separator: "\n")
      }
    let outcome = try outcome(text, named: "notes." + form)
    #expect(labels(outcome, "DE") == [["Fair, in Munich", "Policy v7"]])
    // What is about one market only says nothing of the total.
    #expect(labels(outcome, "*") == [["Fair, in Munich"]])
    let detail = try #require(outcome.findings.findings.first?["text"]?["detail"]?.string)
    #expect(detail.contains("Noted for then: Fair, in Munich (20 Sep to 28 Sep)"))
    #expect(try outcome.detail.annotations.map(\.count).sorted() == [1, 2])
  }

  @Test func `hide no finding and change no number`() throws {
    let with = try outcome(csv, named: "notes.csv")
    let without = try TrendBench(spec(nil)).run([shard])
    #expect(with.findings.findings.count == without.findings.findings.count)
    for (a, b) in zip(with.findings.findings, without.findings.findings) {
      for name in b.keys where name != "text" { #expect(a[name] == b[name]) }
      #expect(a["text"]?["headline"] == b["text"]?["headline"])
      #expect(b["annotations"] == nil)
    }
    #expect(Array(with.series.rows) == Array(without.series.rows))
  }

  @Test(arguments: [
    ("a.csv", "label,from\nx,yesterday\n", "bad_date"),
    ("a.csv", "label,from\n,2026-10-04\n", "missing_label"),
    ("a.csv", "label,day\nx,2026-10-04\n", "missing_column"),
    ("a.csv", "label,from,to\nx,2026-10-04,2026-10-03\n", "bad_range"),
    ("a.csv", "label,from\nx,2026-10-04,DE\n", "wrong_cell_count"), ("a.json", "{}", "wrong_type"),
    ("a.txt", "x", "unknown_form"), ("a.csv", "label,from\n\"x", "bad_csv"),
  ])
  func `say what is wrong with their file`(name: String, text: String, code: String) throws {
    let error = #expect(throws: TrendBench.Refused.self) { try outcome(text, named: name) }
    #expect(error?.codes == [code], "\(error.map { "\($0)" } ?? "")")
  }
}
