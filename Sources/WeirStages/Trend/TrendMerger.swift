import WeirData
import WeirEngine
import WeirStatistics

/// Puts the shards together and makes the outputs.
final class TrendMerger: ReduceMerger {
  private let rules: TrendRules
  private let state: TrendState

  init(_ rules: TrendRules) {
    self.rules = rules
    state = TrendState(rules.shape, rules.clock)
  }

  var recordCount: Int { Int(state.recordCount) }

  func merge(_ partial: [UInt8]) throws {
    try state.merge(encoded: partial)
  }

  func finish() throws -> [String: StageOutput] {
    let calendar = try TrendCalendar(state, rules)
    let rollUp = TrendRollUp(state: state, rules: rules, calendar: calendar)
    let slots = state.slotsByGroup()
    var series: [TrendSeries] = []
    var parts: [[[UInt8]?]] = []
    for key in try rollUp.keys() {
      let made = rollUp.series(of: key, slots: slots)
      series += made
      parts += made.map { _ in key.parts }
    }
    let report = analyze(series, settings: rules.settings)
    let tables = TrendTables(rules: rules, starts: calendar.starts, report: report, parts: parts)
    return [
      "": .findings(findings(report, parts, calendar)), "series": .rows(tables.series),
      "status": .rows(tables.status),
    ]
  }

  private func findings(
    _ report: TrendReport, _ parts: [[[UInt8]?]], _ calendar: TrendCalendar
  ) -> FindingSet {
    let record = FindingRecord(rules: rules, starts: calendar.starts)
    var texts: [ReportFindingText] = []
    var objects: [JSONValue] = []
    for (i, finding) in report.findings.enumerated() {
      let series = report.series[finding.series]
      let parts = parts[finding.series]
      let words = findingText(
        finding, in: series, by: rules.by, bucketStarts: calendar.starts)
      let text = ReportFindingText(
        id: record.id(finding, in: series, parts: parts), headline: words.headline,
        detail: words.detail)
      texts.append(text)
      objects.append(
        record.json(
          finding, in: series, parts: parts,
          metric: rules.metrics[finding.series % rules.metrics.count], position: i + 1, text: text))
    }
    let levels = FindingLevel.allCases.map { level in
      (level: level.name, count: report.findings.count { $0.level == level })
    }
    return FindingSet(
      findings: objects, levels: levels,
      detail: TrendDetail(
        report: report, by: rules.by, buckets: calendar.starts, bucketDays: rules.clock.days,
        zone: "UTC", settings: rules.settings, texts: texts,
        scope: trendScope(rules, report.series), through: rules.through, future: calendar.future,
        early: calendar.early,
        openBucket: calendar.openBucket, gaps: calendar.gaps))
  }
}
