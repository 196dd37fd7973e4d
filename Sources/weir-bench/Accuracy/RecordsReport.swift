import Foundation
import WeirData
import WeirEngine
import WeirStages
import WeirStatistics
import WeirTesting

/// A run of the whole pipeline over generated records, and what its outputs say.
struct RecordsReport {
  /// By series of a market and queue; those of totals are left out, as what moves a part moves them too.
  var findings: [PlantedRecords.SeriesName: [ScoredFinding]] = [:]
  var p: [PlantedRecords.SeriesName: Double] = [:]
  /// Whether anything tested is said of any series, totals as well.
  var speaks = false
  /// Of the run alone, without making the records.
  var seconds = 0.0

  /// Makes the records in a temporary folder, runs over them, and removes both.
  static func make(
    _ planted: PlantedRecords, seed: UInt64, shards: Int, workers: Int
  ) async throws -> RecordsReport {
    try await withTemporaryFolder { folder in
      let data = folder.file("data")
      try makeDirectory(data)
      let options = GeneratorOptions(
        calendar: planted.calendar, shards: shards, seed: seed, duplicates: 0.05,
        malformed: 0.0005, level: 1, noteWords: 4, series: nil)
      var generator = Generator(options: options, effects: planted.effects, directory: data)
      _ = try generator.run()
      var report = RecordsReport()
      let out = folder.file("out")
      let clock = ContinuousClock()
      let start = clock.now
      try await run(
        RecordsReport.spec(data: data), out: out, workspace: folder.file(".weir"), workers)
      report.seconds = (clock.now - start) / .seconds(1)
      try report.read(out, first: planted.calendar.start)
      return report
    }
  }

  private static func run(
    _ spec: String, out: String, workspace: String, _ workers: Int
  ) async throws {
    let plan = try makePlan(spec, file: "accuracy.json")
    var options = RunOptions(workers: workers, workspace: Workspace(path: workspace))
    options.outDirectory = out
    options.digestBytes = 0
    _ = try await plan.run(options, progress: Progress())
  }

  /// Clean, keep the last revision of each decision, find what changed.
  private static func spec(data: String) -> String {
    """
    {
      "name": "accuracy",
      "sources": { \(DecisionStages.source(data)) },
      "transforms": {
        \(DecisionStages.clean),
        \(DecisionStages.unique),
        "trends": { "type": "trend", "inputs": ["unique"], "time": "ts", "by": ["market", "queue"],
                    "metrics": { "violation_rate": { "rate": "decision == 'violation'" },
                                 "volume": { "count": true },
                                 "handle_ms": { "mean": "handle_ms" } } }
      },
      "sinks": {
        "findings": { "type": "jsonl", "inputs": ["trends"], "path": "findings.jsonl" },
        "status": { "type": "jsonl", "inputs": ["trends.status"], "path": "status.jsonl" }
      }
    }
    """
  }

  // MARK: What the outputs say

  private mutating func read(_ out: String, first: CivilDate) throws {
    for finding in try lines(out + "/findings.jsonl", as: FindingLine.self) {
      guard let type = FindingType(rawValue: finding.type), type.isTested else { continue }
      speaks = true
      func day(_ text: String) throws -> Int {
        guard let date = CivilDate(iso: text) else { throw FileError("\(text) is no date") }
        return date.daysSinceEpoch - first.daysSinceEpoch
      }
      guard let name = finding.series.name else { continue }
      findings[name, default: []].append(
        ScoredFinding(
          type: type, isUp: finding.direction == "up", anchor: try day(finding.anchor.date),
          window: try day(finding.window.from)...day(finding.window.to)))
    }
    for row in try lines(out + "/status.jsonl", as: StatusLine.self) {
      if let name = row.name, let value = row.p { p[name] = value }
    }
  }

  private func lines<Line: Decodable>(_ path: String, as type: Line.Type) throws -> [Line] {
    let text: String
    do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
      throw FileError("cannot read \(path): \(error.localizedDescription)")
    }
    let decoder = JSONDecoder()
    return try text.split(separator: "\n").map { try decoder.decode(type, from: Data($0.utf8)) }
  }

  // The names of the files.
  private struct FindingLine: Decodable {
    struct Series: Decodable {
      var market: String
      var queue: String
      var metric: String
      var name: PlantedRecords.SeriesName? { seriesName(market, queue, metric) }
    }
    struct Anchor: Decodable { var date: String }
    struct Window: Decodable {
      var from: String
      var to: String
    }
    var type: String
    var direction: String?
    var series: Series
    var anchor: Anchor
    var window: Window
  }
  private struct StatusLine: Decodable {
    var market: String
    var queue: String
    var metric: String
    var p: Double?
    var name: PlantedRecords.SeriesName? { seriesName(market, queue, metric) }
  }
}

/// `nil` for a total. The volume of the stage is that of the generator.
private func seriesName(
  _ market: String, _ queue: String, _ metric: String
) -> PlantedRecords.SeriesName? {
  guard market != "*", queue != "*" else { return nil }
  return PlantedRecords.SeriesName(market: market, queue: queue, metric: metric)
}
