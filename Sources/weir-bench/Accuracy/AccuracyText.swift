import Foundation
import WeirData

/// The scores for a person and for a program.
struct AccuracyText {
  let score: AccuracyScore

  private static let order = ["trend", "shift", "spike", "dip", "season_break"]
  private static let levels = [("0.05", 0.05), ("0.01", 0.01), ("0.001", 0.001)]

  private var types: [String] {
    Self.order.filter { score.recall[$0] != nil }
      + score.recall.keys.filter { !Self.order.contains($0) }.sorted()
  }

  var lines: [String] {
    var lines = [
      "reports            \(score.reports), with \(score.series) series, "
        + "\(score.emptySeries) of them without a change",
      "findings           \(score.findings)",
      "series-FDR         \(text(score.seriesFDR))  (\(score.flaggedEmpty) of "
        + "\(score.flagged) series with a finding)",
      "FDP lenient        \(text(score.fdpLenient))",
      "FDP strict         \(text(score.fdpStrict))",
      "recall strict      \(text(score.recallStrict))  of \(score.detectable) detectable changes",
      "recall lenient     \(text(score.recallLenient))",
    ]
    for type in types {
      guard let one = score.recall[type] else { continue }
      lines.append(
        "  \(padded(type))"
          + " \(text(score.share(one.strict, one.detectable))) strict, "
          + "\(text(score.share(one.lenient, one.detectable))) lenient, "
          + "of \(one.detectable) detectable, \(one.planted) planted")
    }
    lines.append(
      "location error     "
        + (score.misplacedMedian.map { String(format: "%.1f buckets", $0) } ?? "-")
        + " (median, shifts)")
    for type in score.findingsByType.keys.sorted() {
      guard let one = score.findingsByType[type] else { continue }
      lines.append("  \(padded(type)) \(one.all) found, \(one.wrong) wrong (lenient)")
    }
    lines += [
      "all-null reports   \(text(score.allNullAny)) with a finding, of \(score.emptyReports)",
      "null series        "
        + Self.levels.map { "p<=\($0.0): \(text(score.emptyShare(within: $0.1), digits: 4))" }
        .joined(separator: "  "),
      "ms a series        \(text(score.millisecondsPerSeries))",
    ]
    return lines
  }

  var json: JSONValue {
    [
      "series_fdr": .number(score.seriesFDR), "fdp_lenient": .number(score.fdpLenient),
      "fdp_strict": .number(score.fdpStrict), "recall_lenient": value(score.recallLenient),
      "recall_strict": value(score.recallStrict),
      "recall_by_type": .object(
        types.map { type in
          let one = score.recall[type] ?? AccuracyScore.Recall()
          return JSONMember(
            type,
            [
              "planted": .int(one.planted), "detectable": .int(one.detectable),
              "strict": value(score.share(one.strict, one.detectable)),
              "lenient": value(score.share(one.lenient, one.detectable)),
            ])
        }),
      "all_null_any": value(score.allNullAny),
      "ms_per_series": .number(score.millisecondsPerSeries),
      "location_error_median": value(score.misplacedMedian), "reports": .int(score.reports),
      "series": .int(score.series), "null_series": .int(score.emptySeries),
      "all_null_reports": .int(score.emptyReports), "findings": .int(score.findings),
      "findings_by_type": .object(
        score.findingsByType.keys.sorted().map { type in
          JSONMember(
            type,
            [
              "found": .int(score.findingsByType[type]?.all ?? 0),
              "wrong_lenient": .int(score.findingsByType[type]?.wrong ?? 0),
            ])
        }),
      "null_p": .object(
        Self.levels.map { JSONMember($0.0, value(score.emptyShare(within: $0.1))) }),
    ]
  }

  private func value(_ v: Double?) -> JSONValue { v.map { .number($0) } ?? .null }

  private func text(_ v: Double?, digits: Int = 3) -> String {
    v.map { String(format: "%.\(digits)f", $0) } ?? "-"
  }

  private func padded(_ name: String) -> String {
    name.padding(toLength: 16, withPad: " ", startingAt: 0)
  }
}
