import ArgumentParser
import WeirData
import WeirStatistics

struct Accuracy: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Score the analysis of the `trend` stage on series with planted, known changes.",
    discussion: """
      Each FILE is one report: one JSON object a line with "kind" (count or rate), "k", "n" for \
      rates, "complete" and "truth", a list of {"type", "at", "effect", "oracle_z"}. The analysis \
      runs with its defaults; counts are added up over the files.

      The series without a change are also put together, --report-size at a time, into reports in \
      which nothing happened; all_null_any is the share of these that say something all the same. \
      Benchmarks/ACCURACY.md has the results and how they are made.
      """)

  @Option(
    name: .long, parsing: .upToNextOption, help: "Files of labelled series.",
    completion: .file(extensions: ["jsonl"]))
  var series: [String]
  @Option(help: "Series of a report in which nothing happened.") var reportSize = 120
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard !series.isEmpty else { throw ValidationError("name a file with --series") }
    guard reportSize >= 1 else { throw ValidationError("--report-size must be at least 1") }
  }

  func run() throws {
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
    let text = AccuracyText(score: score)
    print(json ? text.json.text : text.lines.joined(separator: "\n"))
  }
}
