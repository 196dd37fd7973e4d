/// Analyses all series of a report: each alone, then corrected for their number.
///
/// Pure and deterministic. See ``analyzeSeries(_:settings:)`` for the tests of one series and
/// ``assembleReport(_:_:settings:)`` for the corrections; call these two where the first should run
/// in parallel.
public func analyze(_ series: [TrendSeries], settings: TrendSettings) -> TrendReport {
  assembleReport(series, series.map { analyzeSeries($0, settings: settings) }, settings: settings)
}

/// Decides over all series of a report what is believed, and says it.
///
/// A series is a family of at most three hypotheses: a change of the level (a structure, or the halves of a
/// short history), a change of the weekday profile, and the most extreme day.
/// Families are selected by Benjamini-Hochberg on their Simes p at `falseDiscoveryRate`; inside each
/// of the R selected of m, Benjamini-Hochberg at q R / m (Benjamini and Bogomolov 2014). Where days are
/// believed, every day within that level after Bonferroni is. `analyses` are those of `series`, in
/// the same order.
public func assembleReport(
  _ series: [TrendSeries], _ analyses: [SeriesAnalysis], settings: TrendSettings
) -> TrendReport {
  let tested = analyses.indices.filter { !analyses[$0].hypotheses.isEmpty }
  let decision = MultipleTesting.hierarchical(
    tested.map { analyses[$0].hypotheses.map { $0.p } }, q: settings.falseDiscoveryRate,
    isArbitrary: settings.isArbitrary)
  let selected = decision.selected.reduce(0) { $0 + ($1 ? 1 : 0) }
  var place = [Int?](repeating: nil, count: series.count)
  for (j, i) in tested.enumerated() { place[i] = j }

  var verdicts: [SeriesVerdict] = []
  var findings: [TrendFinding] = []
  for (i, analysis) in analyses.enumerated() {
    var reported = Reported()
    var flagged = [Bool](repeating: false, count: analysis.compared.count)
    var days: [DayResult] = []
    if let j = place[i], decision.selected[j] {
      for (hypothesis, isRejected) in zip(analysis.hypotheses, decision.rejected[j])
      where isRejected {
        switch hypothesis.what {
        case .structure: reported.structure = analysis.structure?.label
        case .halves: reported.halves = true
        case .season: reported.season = true
        case .days:
          days = believedDays(analysis.days, level: decision.level)
          for day in days { flagged[day.at] = true }
        }
      }
    }
    var expected = analysis.expected
    if let j = place[i], !reported.isEmpty || !days.isEmpty {
      let band = ExpectedBand(
        series: series[i], analysis: analysis, reported: reported, flagged: flagged)
      expected = band.estimates()
      let words = SeriesFindings(
        number: i, series: series[i], analysis: analysis, settings: settings,
        pFamily: decision.family[j], q: decision.adjusted[j], families: tested.count,
        selected: selected)
      let first = findings.count
      if reported.structure != nil, let structure = analysis.structure {
        findings.append(words.structural(structure, band: band))
      }
      if reported.halves, let halves = analysis.halves { findings.append(words.halved(halves)) }
      if reported.season, let season = analysis.season {
        findings.append(words.seasonal(season, band: band))
      }
      findings += words.runs(of: days).compactMap { words.daily($0) }
      let model = analysis.model(as: analysis.accepted ?? reported.structure)
      for i in first..<findings.count { findings[i].model = model }
    }
    verdicts.append(
      SeriesVerdict(
        status: analysis.status, validBuckets: analysis.validBuckets, overall: analysis.overall,
        expected: expected, p: place[i].map { decision.family[$0] },
        q: place[i].map { decision.adjusted[$0] }))
  }
  findings += coverageFindings(series, analyses) + openFindings(series, analyses)
  return TrendReport(series: series, verdicts: verdicts, findings: ranked(findings, series))
}

/// The days within `level` after Bonferroni, and with each the neighbours on the same side that are
/// unlikely for themselves: beside a believed day only a few more are looked at and the search over
/// the series is paid for, so their own p has to stay within level / 10.
private func believedDays(_ days: [DayResult], level: Double) -> [DayResult] {
  var isIn = days.map { $0.p <= level }
  func joins(_ a: Int, _ b: Int) -> Bool {
    days[a].isUp == days[b].isUp && abs(days[a].at - days[b].at) == 1
      && days[b].raw <= level / 10
  }
  for i in days.indices.dropFirst() where isIn[i - 1] && !isIn[i] { isIn[i] = joins(i - 1, i) }
  for i in days.indices.dropLast().reversed() where isIn[i + 1] && !isIn[i] {
    isIn[i] = joins(i + 1, i)
  }
  return days.indices.filter { isIn[$0] }.map { days[$0] }
}

/// Material ones first, the loudest level first, then by the end of the impact interval nearest to
/// zero times the severity of the metric, largest first; ties by series and place.
///
/// The impact of a mean, quantile or distinct count is the records concerned, all of them however
/// small the change: they weigh as much as their relative change, to stand beside events.
private func ranked(_ findings: [TrendFinding], _ series: [TrendSeries]) -> [TrendFinding] {
  func score(_ finding: TrendFinding) -> Double {
    let one = series[finding.series]
    let nearest = FindingSize.nearest(finding.impact) * one.severity
    switch one.kind {
    case .count, .rate: return nearest
    case .mean, .quantile, .distinct: return nearest * min(1, abs(finding.relative))
    }
  }
  let scored = findings.map { finding in
    var finding = finding
    finding.score = score(finding)
    return finding
  }
  return scored.sorted { a, b in
    if a.isMaterial != b.isMaterial { return a.isMaterial }
    if a.level != b.level { return a.level > b.level }
    if a.score != b.score { return a.score > b.score }
    if a.series != b.series { return a.series < b.series }
    if a.anchor != b.anchor { return a.anchor < b.anchor }
    return a.type.rawValue < b.type.rawValue
  }
}

/// One `data_missing` for each run of missing buckets after the first compared one, whichever and
/// however many series miss it: on the first series that does, a roll-up over everything before
/// others. A missing bucket is one that no record of any group reaches, so more would be the same
/// said again. Not tested, hence outside the corrections; a notice.
private func coverageFindings(
  _ series: [TrendSeries], _ analyses: [SeriesAnalysis]
) -> [TrendFinding] {
  let everything = series.indices.filter { series[$0].key.allSatisfy { $0 == nil } }
  let others = series.indices.filter { !series[$0].key.allSatisfy { $0 == nil } }
  var said: Set<ClosedRange<Int>> = []
  var findings: [TrendFinding] = []
  for i in everything + others {
    guard let begin = analyses[i].firstBucket else { continue }
    // The first compared one is not missing, so that no run reaches over it.
    for run in series[i].buckets.map(\.state).runs(of: .missing)
    where run.lowerBound > begin && said.insert(run).inserted {
      findings.append(
        untested(.dataMissing, run, series: i, reason: "no data, so nothing to compare"))
    }
  }
  return findings
}

/// One `open_bucket` where the last bucket is not complete, on the first series that has one, a roll-up over
/// everything before others.
private func openFindings(
  _ series: [TrendSeries], _ analyses: [SeriesAnalysis]
) -> [TrendFinding] {
  let everything = series.indices.filter { series[$0].key.allSatisfy { $0 == nil } }
  for i in everything + Array(series.indices) {
    guard let last = series[i].buckets.indices.last, series[i].buckets[last].state == .open,
      analyses[i].firstBucket != nil
    else { continue }
    return [untested(.openBucket, last...last, series: i, reason: "not complete, so not compared")]
  }
  return []
}

private func untested(
  _ type: FindingType, _ window: ClosedRange<Int>, series: Int, reason: String
) -> TrendFinding {
  let none = Estimate(value: 0, lo: 0, hi: 0)
  return TrendFinding(
    series: series, type: type, direction: .down, anchor: window.lowerBound,
    anchorLo: window.lowerBound, anchorHi: window.lowerBound, window: window, windowValid: 0,
    baseline: none, observed: none, k: 0, n: 0, effect: none, relative: 0, slopePerWeek: nil,
    impact: none, test: TestRecord(name: "coverage", statistic: 0, p: 1), level: .notice,
    isMaterial: false, materialityReason: reason)
}
