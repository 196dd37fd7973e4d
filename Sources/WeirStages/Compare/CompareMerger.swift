import WeirData
import WeirEngine
import WeirStatistics

/// Puts the shards together and makes the outputs.
final class CompareMerger: TracingMerger {
  private let rules: CompareRules
  private let counts: SeriesCounts

  init(_ rules: CompareRules) {
    self.rules = rules
    counts = SeriesCounts(rules.series)
  }

  var recordCount: Int { Int(counts.state.recordCount) }

  func merge(_ partial: [UInt8]) throws { _ = try counts.merge(tracing: partial) }

  /// Keeps the candidates of evidence for the end.
  func merge(_ partial: [UInt8], of shard: ShardOrigin) throws -> [UInt8]? {
    try counts.merge(tracing: partial)
  }

  func finish() throws -> [String: StageOutput] { try finish(KeptParts()) }

  func finish(_ kept: KeptParts) throws -> [String: StageOutput] {
    let calendar = try TrendCalendar(counts.state, rules.series)
    let subjects = try CompareSubjects(
      rules: rules, state: counts.state, calendar: calendar
    ).all()
    let series = sides(subjects, calendar)
    let metrics = rules.series.metrics.count
    var isPaired = true
    if case .periods = rules.sides { isPaired = false }
    let paired = isPaired
    let results = onAllProcessors(subjects.count * metrics, piece: 8) { i in
      let (a, b) = series[i / metrics]
      return SideComparison(a[i % metrics], b[i % metrics], isPaired: paired)
    }
    let comparisons = Comparisons(results, rules: rules.series)
    let tables = CompareTables(
      rules: rules, subjects: subjects, results: results, comparisons: comparisons)
    let record = CompareRecord(
      rules: rules, subjects: subjects, results: results, comparisons: comparisons,
      calendar: calendar,
      segments: TrendSegments(counts.segments, rules: rules.series, calendar: calendar))
    return ["": .findings(try record.findings(kept)), "comparisons": .rows(tables.rows)]
  }

  /// Both sides of each subject, by metric.
  private func sides(
    _ subjects: [CompareSubject], _ calendar: TrendCalendar
  ) -> [(a: [ComparisonSide], b: [ComparisonSide])] {
    let rollUp = TrendRollUp(state: counts.state, rules: rules.series, calendar: calendar)
    let slots = counts.state.slotsByGroup()
    // The same groups stand on one side of many subjects.
    var known: [[Int]: [TrendSeries]] = [:]
    func series(_ key: [[UInt8]?], _ groups: [Int]) -> [TrendSeries] {
      if let made = known[groups] { return made }
      let made = rollUp.series(of: TrendKey(parts: key, groups: groups), slots: slots)
      known[groups] = made
      return made
    }
    func side(_ key: [[UInt8]?], _ side: CompareSubject.Side) -> [ComparisonSide] {
      series(key, side.groups).enumerated().map { metric, series in
        var named = series
        named.key = key.map { keyText($0) }
        return ComparisonSide(
          series: named, buckets: side.buckets, whole: whole(metric, side, slots, calendar))
      }
    }
    return subjects.map { (side($0.key, $0.a), side($0.key, $0.b)) }
  }

  /// A quantile over all buckets of a side; `nil` for other metrics.
  private func whole(
    _ metric: Int, _ side: CompareSubject.Side, _ slots: CellTable.CellsByGroup,
    _ calendar: TrendCalendar
  ) -> Double? {
    guard case .quantile(let q, _) = rules.series.metrics[metric].formula else { return nil }
    var sketch = DDSketch()
    for group in side.groups {
      slots.forEach(of: group) { bucket, slot in
        guard let t = calendar.index(of: bucket), side.buckets.contains(t) else { return }
        sketch.merge(counts.state.sketch(metric, in: slot))
      }
    }
    return sketch.quantile(q)
  }
}

/// Which comparisons are believed.
struct Comparisons {
  /// Adjusted p; `nil` where there was no test.
  let q: [Double?]
  let tested: Int
  let verdicts: [(isMaterial: Bool, reason: String, level: FindingLevel)]
  /// Places of the believed ones, in the order to read them.
  let believed: [Int]

  init(_ results: [SideComparison], rules: TrendRules) {
    let places = results.indices.filter { results[$0].status == .ok }
    tested = places.count
    var q = [Double?](repeating: nil, count: results.count)
    let adjusted = MultipleTesting.benjaminiHochberg(places.map { results[$0].p })
    for (place, value) in zip(places, adjusted) { q[place] = value }
    self.q = q
    let verdicts = results.map { $0.judge(rules.settings) }
    self.verdicts = verdicts
    func weight(_ i: Int) -> Double {
      guard let e = results[i].impact else { return 0 }
      return max(0, max(e.lo, -e.hi))
    }
    believed = places.filter { (q[$0] ?? 1) <= rules.settings.falseDiscoveryRate }.sorted { i, j in
      let (x, y) = (verdicts[i], verdicts[j])
      if x.isMaterial != y.isMaterial { return x.isMaterial }
      if x.level != y.level { return x.level > y.level }
      return weight(i) != weight(j) ? weight(i) > weight(j) : i < j
    }
  }
}
