import WeirData
import WeirEngine
import WeirStatistics

/// Puts the shards together and makes the outputs.
final class TrendMerger: ReduceMerger {
  private let rules: TrendRules
  private let state: TrendState
  private let segments: [TrendState]

  init(_ rules: TrendRules) {
    self.rules = rules
    state = TrendState(rules.shape, rules.clock)
    segments = rules.segments.map { _ in SegmentShape.state(rules) }
  }

  /// Findings that are explained, the first by rank.
  private static let explainedMost = 2_000

  var recordCount: Int { Int(state.recordCount) }

  func merge(_ partial: [UInt8]) throws {
    guard !segments.isEmpty else { return try state.merge(encoded: partial) }
    var input = ByteReader(partial)
    // A block that is not there is damage, and refused as such.
    try state.merge(encoded: input.block() ?? [])
    for segment in segments { try segment.merge(encoded: input.block() ?? []) }
    try TrendSegments.check(segments, rules)
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
    let report = analyzeOnAllProcessors(series, settings: rules.settings)
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
    let explained = TrendSegments(segments, rules: rules, calendar: calendar)
    let beside = report.related()
    let ids = report.findings.map {
      record.id($0, in: report.series[$0.series], parts: parts[$0.series])
    }
    var texts: [ReportFindingText] = []
    var objects: [JSONValue] = []
    for (i, finding) in report.findings.enumerated() {
      let series = report.series[finding.series]
      let parts = parts[finding.series]
      let words = findingText(
        finding, in: series, by: rules.by, bucketStarts: calendar.starts)
      let metric = finding.series % rules.metrics.count
      let why = ExplanationRecord(
        fields: i < TrendMerger.explainedMost
          ? explained.explain(finding, parts, metric: metric, in: series) : [],
        kind: series.kind, starts: calendar.starts)
      let company = FindingCompany(report: report, beside: beside, ids: ids, by: rules.by)
      let sentences = [words.detail, why.sentence, company.sentence(i)].compactMap { $0 }
      let text = ReportFindingText(
        id: ids[i], headline: words.headline, detail: sentences.joined(separator: " "))
      texts.append(text)
      objects.append(
        record.json(
          finding, in: series, parts: parts, metric: rules.metrics[metric], position: i + 1,
          text: text, explain: why.json, company: company.members(i)))
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
        openBucket: calendar.openBucket, hasPartialStart: calendar.hasPartialStart,
        gaps: calendar.gaps))
  }
}
