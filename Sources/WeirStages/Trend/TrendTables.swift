import WeirData
import WeirEngine
import WeirStatistics

/// The `series` and `status` outputs.
struct TrendTables {
  static let seriesColumns = [
    "metric", "kind", "bucket", "state", "n", "k", "value", "expected", "expected_lo",
    "expected_hi",
  ]
  static let statusColumns = [
    "metric", "kind", "status", "valid_buckets", "value", "lo", "hi", "p", "q", "findings",
  ]
  /// Names that a field of a group must not have: those of the columns, and of the `series` object of
  /// a finding.
  static let names = Set(seriesColumns + statusColumns + ["grain", "zone"])

  let rules: TrendRules
  let starts: [CivilDate]
  let report: TrendReport
  /// Encoded values of the group of each series.
  let parts: [[[UInt8]?]]

  /// Its rows are made when they are asked for: there are as many as buckets in all series.
  var series: RowTable {
    let report = self.report
    let heads = report.series.indices.map { i in
      parts[i].map { keyValue($0) } + [
        .text(report.series[i].metric), .text(report.series[i].kind.rawValue),
      ]
    }
    let days = starts.map { JSONValue.text($0.iso) }
    return RowTable(
      columns: rules.by + TrendTables.seriesColumns,
      rows: RowList(count: heads.count * days.count) { place in
        let (i, t) = place.quotientAndRemainder(dividingBy: days.count)
        return heads[i] + TrendTables.row(t, day: days[t], report.series[i], report.verdicts[i])
      },
      identity: RowIdentity(
        keys: rules.by + ["metric", "bucket"],
        estimates: ["state", "expected", "expected_lo", "expected_hi"],
        provisional: ("state", BucketState.open.rawValue)))
  }

  /// What the `series` output says of one bucket.
  private static func row(
    _ t: Int, day: JSONValue, _ series: TrendSeries, _ verdict: SeriesVerdict
  ) -> [JSONValue] {
    let bucket = series.buckets[t]
    let isMissing = bucket.state == .missing
    let band = t < verdict.expected.count ? verdict.expected[t] : nil
    return [
      day, .text(bucket.state.rawValue), isMissing ? .null : .measured(bucket.n),
      isMissing || !series.kind.hasEvents ? .null : .measured(bucket.k),
      .measured(bucket.observed(series.kind)), .measured(band?.value), .measured(band?.lo),
      .measured(band?.hi),
    ]
  }

  var status: RowTable {
    var counts = [Int](repeating: 0, count: report.series.count)
    for finding in report.findings where finding.type.isTested {
      counts[finding.series] += 1
    }
    // All of it speaks of the whole series.
    var table = RowTable(
      columns: rules.by + TrendTables.statusColumns,
      identity: RowIdentity(
        keys: rules.by + ["metric"],
        estimates: TrendTables.statusColumns.filter { $0 != "metric" && $0 != "kind" }))
    for (i, series) in report.series.enumerated() {
      let verdict = report.verdicts[i]
      table.rows.append(
        parts[i].map { keyValue($0) } + [
          .text(series.metric), .text(series.kind.rawValue), .text(verdict.status.rawValue),
          .int(verdict.validBuckets), .measured(verdict.overall?.value),
          .measured(verdict.overall?.lo), .measured(verdict.overall?.hi), .measured(verdict.p),
          .measured(verdict.q), .int(counts[i]),
        ])
    }
    return table
  }
}
