import ArgumentParser
import WeirData
import WeirStatistics

struct Accuracy: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Score the analysis of the `trend` stage on series with planted, known changes.",
    discussion: """
      Each FILE is one report: one JSON object a line with "kind" (count or rate), "k", "n" for \
      rates, "complete" and "truth", a list of {"type", "at", "effect", "oracle_z"}. The analysis \
      runs with its defaults; counts are added up over the files.

      The series without a change are also put together, --report-size at a time, into reports in \
      which nothing happened; all_null_any is the share of these that say something all the same.

      --records scores the whole way instead, from shards to findings.jsonl: for each of --reports it \
      draws changes from --seed on, plants them in the decisions that `weir-bench generate` makes, with \
      spellings, duplicates, revisions and damaged lines, and runs normalize, dedupe and trend over \
      them. Of --null-reports more nothing is planted in. Findings of totals are not scored: what moves \
      a part moves them. ms_per_series is the whole run, with reading.

      Benchmarks/ACCURACY.md has the results and how they are made.
      """)

  @Option(
    name: .long, parsing: .upToNextOption, help: "Files of labelled series.",
    completion: .file(extensions: ["jsonl"]))
  var series: [String] = []
  @Flag(help: "Plant changes in generated records and run the whole pipeline over them.")
  var records = false
  @Option(help: "With --records: reports with changes.") var reports = 5
  @Option(help: "With --records: reports without any.") var nullReports = 40
  @Option(help: "With --records: the first seed; each report has the next one.") var seed = 7
  @Option(help: "With --records: unique decisions of a report, expected.") var rows = 400_000
  @Option(help: "With --records: days of a report.") var days = 84
  @Option(help: "Series of a report in which nothing happened.") var reportSize = 120
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard records != !series.isEmpty else {
      throw ValidationError("name files with --series, or give --records, and not both")
    }
    guard reports >= 0, nullReports >= 0, reports + nullReports > 0 else {
      throw ValidationError("--reports and --null-reports must be 0 or more, and one of them more")
    }
    guard seed >= 0, (1_000...100_000_000).contains(rows), (14...3_660).contains(days) else {
      throw ValidationError("--seed must be 0 or more, --rows 1000 to 100000000, --days 14 to 3660")
    }
    guard reportSize >= 1 else { throw ValidationError("--report-size must be at least 1") }
  }

  func run() async throws {
    let score = records ? try await scoreRecords() : try scoreSeries()
    let text = AccuracyText(score: score)
    print(json ? text.json.text : text.lines.joined(separator: "\n"))
  }

  private func scoreRecords() async throws -> AccuracyScore {
    var score = AccuracyScore()
    let start = CivilDate(year: 2026, month: 1, day: 5)!
    let calendar = Calendar(start: start, days: days, rows: rows)
    for i in 0..<(reports + nullReports) {
      let (number, isEmpty) = (UInt64(seed + i), i >= reports)
      let planted = PlantedRecords(calendar: calendar, seed: number, isEmpty: isEmpty)
      let report = try await RecordsReport.make(planted, seed: number, shards: days, workers: 2)
      if isEmpty { score.addEmpty(speaks: report.speaks) } else { score.add(planted, report) }
    }
    return score
  }

  private func scoreSeries() throws -> AccuracyScore {
    var score = AccuracyScore()
    let clock = ContinuousClock()
    let settings = TrendSettings()
    for path in series {
      let labelled = try LabelledSeries.read(path)
      var report: TrendReport?
      let time = clock.measure {
        report = analyze(labelled.map(\.series), settings: settings)
      }
      score.seconds += time / .seconds(1)
      guard let report else { continue }
      score.add(labelled, report)
      let empty = labelled.filter(\.truth.isEmpty)
      if empty.count == labelled.count, empty.count <= reportSize {
        score.addEmpty(report)
        continue
      }
      for start in stride(from: 0, through: empty.count - reportSize, by: reportSize) {
        let some = empty[start..<(start + reportSize)].map(\.series)
        score.addEmpty(analyze(some, settings: settings))
      }
    }
    return score
  }
}
