import WeirData
import WeirEngine
import WeirStatistics

/// Puts the shards together and makes the outputs.
final class TrendMerger: TracingMerger {
  private let rules: TrendRules
  private var counts: SeriesCounts
  /// Records of counts that are no longer held.
  private var released: UInt64 = 0

  init(_ rules: TrendRules) {
    self.rules = rules
    counts = SeriesCounts(rules)
  }

  /// Findings that are explained, the first by rank.
  private static let explainedMost = 2_000

  var recordCount: Int { Int(released + counts.state.recordCount) }

  func merge(_ partial: [UInt8]) throws { _ = try counts.merge(tracing: partial) }

  /// Keeps the candidates of evidence for the end.
  func merge(_ partial: [UInt8], of shard: ShardOrigin) throws -> [UInt8]? {
    try counts.merge(tracing: partial)
  }

  func finish() throws -> [String: StageOutput] { try finish(KeptParts()) }

  func finish(_ kept: KeptParts) throws -> [String: StageOutput] {
    let calendar = try TrendCalendar(counts.state, rules)
    let (series, parts) = try TrendRollUp(
      state: counts.state, rules: rules, calendar: calendar
    ).all()
    // The series have all that the counts had.
    released = counts.releaseState()
    let settings = rules.settings
    let analyses = onAllProcessors(series.count, piece: 16) {
      analyzeSeries(series[$0], settings: settings)
    }
    let report = assembleReport(series, analyses, settings: settings)
    let tables = TrendTables(rules: rules, starts: calendar.starts, report: report, parts: parts)
    return [
      "": .findings(try findings(report, parts, calendar, kept)), "series": .rows(tables.series),
      "status": .rows(tables.status),
    ]
  }

  private func findings(
    _ report: TrendReport, _ parts: [[[UInt8]?]], _ calendar: TrendCalendar, _ kept: KeptParts
  ) throws -> FindingSet {
    let record = FindingRecord(rules: rules, starts: calendar.starts)
    let explained = TrendSegments(counts.segments, rules: rules, calendar: calendar)
    let beside = report.related()
    let moves = try FindingMoves(report, parts, metrics: rules.metrics.count)
    let totals = FindingTotals(report, parts, metrics: rules.metrics.count)
    let ids = report.findings.map {
      record.id($0, in: report.series[$0.series], parts: parts[$0.series])
    }
    let reasons = report.findings.enumerated().map { i, finding in
      let series = report.series[finding.series]
      let periods = i < TrendMerger.explainedMost ? ComparedPeriods(finding, series) : nil
      let fields = periods.map {
        explained.explain(
          $0, parts[finding.series], metric: finding.series % rules.metrics.count)
      }
      return ExplanationRecord(
        why: Explained(fields: fields ?? [], kind: series.kind), periods: periods,
        starts: calendar.starts)
    }
    let evidence = try evidence(report, parts, calendar, reasons, kept)
    let notes = rules.annotations.map { all in
      report.findings.map {
        all.near(
          $0, report.series[$0.series].key, starts: calendar.starts, bucketDays: rules.clock.days)
      }
    }
    let company = FindingCompany(beside: beside, moves: moves, ids: ids, by: rules.by)
    var texts: [ReportFindingText] = []
    var objects: [JSONValue] = []
    for (i, finding) in report.findings.enumerated() {
      let series = report.series[finding.series]
      let parts = parts[finding.series]
      let words = findingText(
        finding, in: series, by: rules.by, bucketStarts: calendar.starts)
      let metric = finding.series % rules.metrics.count
      let sentences = [
        words.detail, reasons[i].sentence, company.sentence(i),
        moves.sentence(i, report, by: rules.by, bucket: rules.clock.isWeekly ? "week" : "day"),
        notes?[i].sentence,
      ].compactMap { $0 }
      let text = ReportFindingText(
        id: ids[i], headline: words.headline, detail: sentences.joined(separator: " "))
      texts.append(text)
      var shown = [JSONMember("evidence", .array(evidence[i].map(\.json)))]
      if let notes { shown.append(JSONMember("annotations", .array(notes[i].map(\.json)))) }
      objects.append(
        record.json(
          finding, in: series, parts: parts, metric: rules.metrics[metric], position: i + 1,
          text: text, share: totals.share(finding),
          explain: reasons[i].json, company: company.members(i) + shown))
    }
    let levels = FindingLevel.allCases.map { level in
      (level: level.name, count: report.findings.count { $0.level == level })
    }
    var set = FindingSet(
      findings: objects, levels: levels,
      detail: TrendDetail(
        report: report, by: rules.by, buckets: calendar.starts, bucketDays: rules.clock.days,
        zone: rules.zone.title, settings: rules.settings, texts: texts, evidence: evidence,
        annotations: notes ?? [],
        scope: trendScope(rules, report.series), through: rules.through, future: calendar.future,
        early: calendar.early,
        openBucket: calendar.openBucket, hasPartialStart: calendar.hasPartialStart,
        gaps: calendar.gaps))
    set.evidence = evidence.indices.filter { !evidence[$0].isEmpty }.map {
      FindingEvidence(findingID: ids[$0], headline: texts[$0].headline, records: evidence[$0])
    }
    return set
  }

  /// The records behind each finding.
  private func evidence(
    _ report: TrendReport, _ parts: [[[UInt8]?]], _ calendar: TrendCalendar,
    _ reasons: [ExplanationRecord], _ kept: KeptParts
  ) throws -> [[EvidenceRecord]] {
    let wishes = report.findings.enumerated().map { i, finding -> EvidenceChoice.Wish? in
      guard i < EvidenceChoice.findingsMost else { return nil }
      return EvidenceChoice.Wish(
        finding, report.series[finding.series], parts[finding.series],
        metric: finding.series % rules.metrics.count, rules: rules, why: reasons[i].chosen)
    }
    var choice = EvidenceChoice(
      wishes, classes: max(1, 2 * rules.conditionCount), calendar: calendar)
    try choice.look(at: kept)
    return report.findings.indices.map { choice.records($0) }
  }
}
