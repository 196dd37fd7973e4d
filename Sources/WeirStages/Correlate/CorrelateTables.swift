import WeirData
import WeirEngine
import WeirStatistics

/// The `pairs` and `status` outputs.
struct CorrelateTables {
  static let pairColumns = [
    "lag", "lag_lo", "lag_hi", "r", "r_lo", "r_hi", "r_at_zero", "n", "n_eff", "p", "q", "finding",
  ]
  static let statusColumns = [
    "metric", "kind", "status", "valid_buckets", "phi", "pairs", "findings",
  ]

  /// Names that a field of a group must not have: those of columns, and of members of a finding's series.
  static func reserved(_ by: [String]) -> Set<String> {
    Set(
      pairColumns + statusColumns + by.map { "with_" + $0 } + [
        "with_metric", "with", "grain", "zone",
      ])
  }

  let rules: CorrelateRules
  let series: [TrendSeries]
  let parts: [[[UInt8]?]]
  let moves: [SeriesMovement]
  let relations: Relations

  var pairs: RowTable {
    let by = rules.series.by
    let keys = by + ["metric"] + by.map { "with_" + $0 } + ["with_metric"]
    var table = RowTable(
      columns: keys + CorrelateTables.pairColumns,
      identity: RowIdentity(keys: keys, estimates: CorrelateTables.pairColumns))
    let believed = Set(relations.believed)
    for (i, found) in relations.results.enumerated() {
      let pair = relations.pairs[i]
      table.rows.append(
        name(pair.a) + name(pair.b) + [
          .int(found.lag), .int(found.lagLo), .int(found.lagHi), .measured(found.r.value),
          .measured(found.r.lo), .measured(found.r.hi), .measured(found.together),
          .int(found.pairs), .measured(found.effective), .measured(found.p),
          .measured(relations.q[i]), .bool(believed.contains(i)),
        ])
    }
    return table
  }

  private func name(_ i: Int) -> [JSONValue] {
    parts[i].map { keyValue($0) } + [.text(series[i].metric)]
  }

  var status: RowTable {
    var tested = [Int](repeating: 0, count: series.count)
    var findings = tested
    let believed = Set(relations.believed)
    for (i, pair) in relations.pairs.enumerated() {
      for one in [pair.a, pair.b] {
        tested[one] += 1
        if believed.contains(i) { findings[one] += 1 }
      }
    }
    var table = RowTable(
      columns: rules.series.by + CorrelateTables.statusColumns,
      identity: RowIdentity(
        keys: rules.series.by + ["metric"],
        estimates: CorrelateTables.statusColumns.filter { $0 != "metric" && $0 != "kind" }))
    for (i, series) in series.enumerated() {
      let isOK = moves[i].status == .ok
      table.rows.append(
        parts[i].map { keyValue($0) } + [
          .text(series.metric), .text(series.kind.rawValue), .text(moves[i].status.rawValue),
          .int(moves[i].validBuckets), isOK ? .measured(moves[i].phi) : .null, .int(tested[i]),
          .int(findings[i]),
        ])
    }
    return table
  }
}
