import WeirData
import WeirEngine
import WeirStatistics

/// Puts the shards together and makes the outputs.
final class CorrelateMerger: ReduceMerger {
  private let rules: CorrelateRules
  private let counts: SeriesCounts

  init(_ rules: CorrelateRules) {
    self.rules = rules
    counts = SeriesCounts(rules.series)
  }

  var recordCount: Int { Int(counts.state.recordCount) }

  func merge(_ partial: [UInt8]) throws { try counts.merge(partial) }

  func finish() throws -> [String: StageOutput] {
    let calendar = try TrendCalendar(counts.state, rules.series)
    let (series, parts) = try TrendRollUp(
      state: counts.state, rules: rules.series, calendar: calendar
    ).all()
    let fewest = rules.fewest
    let moves = onAllProcessors(series.count, piece: 16) {
      SeriesMovement(series[$0], fewest: fewest)
    }
    let pairs = try SeriesPairs(
      fields: rules.fields, isAcrossMetrics: rules.metrics, metrics: rules.series.metrics.count,
      most: rules.maxPairs, parts: parts, isUsable: moves.map { $0.status == .ok }
    ).pairs()
    let most = rules.maxLag
    let found = onAllProcessors(pairs.count, piece: 256) {
      LeadLag(moves[pairs[$0].a], moves[pairs[$0].b], most: most)
    }
    let relations = Relations(pairs: pairs, found: found, rules: rules)
    let tables = CorrelateTables(
      rules: rules, series: series, parts: parts, moves: moves, relations: relations)
    return [
      "": .findings(
        CorrelateRecord(
          rules: rules, series: series, parts: parts, calendar: calendar, relations: relations
        ).findings(tested: moves.count { $0.status == .ok })),
      "pairs": .rows(tables.pairs), "status": .rows(tables.status),
    ]
  }
}

/// The pairs that could be tested, what came of each, and which are believed.
struct Relations {
  let pairs: [SeriesPair]
  let results: [LeadLag]
  /// Adjusted p, over all of them.
  let q: [Double]
  /// Places of the believed ones, in the order to read them.
  let believed: [Int]

  init(pairs: [SeriesPair], found: [LeadLag?], rules: CorrelateRules) {
    let tested = pairs.indices.filter { found[$0] != nil }
    self.pairs = tested.map { pairs[$0] }
    let results = tested.compactMap { found[$0] }
    self.results = results
    let p = results.map(\.p)
    let q =
      rules.isArbitrary
      ? MultipleTesting.benjaminiYekutieli(p) : MultipleTesting.benjaminiHochberg(p)
    self.q = q
    func size(_ i: Int) -> Double { Relations.sure(results[i].r) }
    func isStrong(_ i: Int) -> Bool { abs(results[i].r.value) >= rules.minCorrelation }
    believed = results.indices.filter { q[$0] <= rules.q }.sorted { i, j in
      if isStrong(i) != isStrong(j) { return isStrong(i) }
      return size(i) != size(j) ? size(i) > size(j) : i < j
    }
  }

  /// The end of the interval nearest to zero, without its sign.
  static func sure(_ r: Estimate) -> Double { max(0, max(r.lo, -r.hi)) }
}
