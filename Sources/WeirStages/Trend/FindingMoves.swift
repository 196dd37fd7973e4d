import WeirData
import WeirEngine
import WeirStatistics

/// Which series with findings move together from bucket to bucket, and which comes first: see `LeadLag`.
///
/// Asked of the first series by rank, all pairs of them that differ in one field or in the metric, corrected
/// over these pairs. It says nothing of the findings themselves: what they are about is taken out first.
struct FindingMoves {
  /// One that moves with the series of a finding, as seen from that.
  struct Move {
    /// A finding of the other series: the first one by rank.
    var finding: Int
    var found: LeadLag
    var q: Double

    var relation: String { found.isLead ? (found.lag > 0 ? "leads" : "follows") : "moves_with" }
  }

  /// For each finding the strongest ones.
  private(set) var moves: [[Move]]

  /// Series that are held against each other, by rank of their findings.
  static let seriesMost = 200
  /// Named beside a finding.
  private static let shownMost = 5
  static let lagMost = 7
  /// Weaker ones are not worth a name.
  static let weakest = 0.3

  init(_ report: TrendReport, _ parts: [[[UInt8]?]], metrics: Int) throws(RunError) {
    moves = [[Move]](repeating: [], count: report.findings.count)
    var first: [Int: Int] = [:]
    var chosen: [Int] = []
    for (i, finding) in report.findings.enumerated()
    where finding.type.isTested && first[finding.series] == nil {
      first[finding.series] = i
      if chosen.count < Self.seriesMost { chosen.append(finding.series) }
    }
    guard chosen.count > 1, let by = parts.first?.count else { return }
    let series = report.series
    let fewest = TrendSettings().minHistory
    let asked = chosen.map { series[$0] }
    let made = onAllProcessors(asked.count, piece: 8) { SeriesMovement(asked[$0], fewest: fewest) }
    let movements = Dictionary(uniqueKeysWithValues: zip(chosen, made))
    let pairs = try SeriesPairs(
      fields: Array(0..<by), isAcrossMetrics: true, metrics: metrics, most: .max, parts: parts,
      isUsable: series.indices.map { movements[$0]?.status == .ok }
    ).pairs()
    let found = onAllProcessors(pairs.count, piece: 256) { at -> LeadLag? in
      guard let a = movements[pairs[at].a], let b = movements[pairs[at].b] else { return nil }
      return LeadLag(a, b, most: FindingMoves.lagMost)
    }
    let tested = pairs.indices.compactMap { at in found[at].map { (pair: pairs[at], found: $0) } }
    let p = tested.map(\.found.p)
    let q = MultipleTesting.benjaminiHochberg(p)
    var ofSeries: [Int: [Move]] = [:]
    for (i, (pair, lag)) in tested.enumerated()
    where q[i] <= 0.05 && abs(lag.r.value) >= Self.weakest {
      guard let a = first[pair.a], let b = first[pair.b] else { continue }
      ofSeries[pair.a, default: []].append(Move(finding: b, found: lag, q: q[i]))
      ofSeries[pair.b, default: []].append(Move(finding: a, found: lag.reversed, q: q[i]))
    }
    for (i, finding) in report.findings.enumerated() where finding.type.isTested {
      let all = (ofSeries[finding.series] ?? []).sorted { x, y in
        let (a, b) = (abs(x.found.r.value), abs(y.found.r.value))
        return a != b ? a > b : x.finding < y.finding
      }
      moves[i] = Array(all.prefix(Self.shownMost))
    }
  }

  /// Members of `related`, the strongest first.
  func related(_ i: Int, ids: [String]) -> [JSONValue] {
    moves[i].map { move in
      [
        "finding_id": .text(ids[move.finding]), "relation": .text(move.relation),
        "lag": .int(move.found.lag), "r": .measured(move.found.r.value),
        "p": .measured(move.found.p), "q": .measured(move.q),
      ]
    }
  }

  /// What comes before or after it; `nil` where nothing does.
  func sentence(_ i: Int, _ report: TrendReport, by: [String], bucket: String) -> String? {
    guard let move = moves[i].first(where: { $0.found.isLead }) else { return nil }
    let other = report.series[report.findings[move.finding].series]
    let span = counted(abs(move.found.lag), bucket)
    let order = move.found.lag > 0 ? "before" : "after"
    let side = move.found.r.value > 0 ? "" : ", on the other side"
    return "From \(bucket) to \(bucket) it moves \(span) \(order) \(plainName(other.metric)) of "
      + "\(groupText(other.key, by: by))\(side) (r \(CorrelateText.number(move.found.r.value)))."
  }
}
