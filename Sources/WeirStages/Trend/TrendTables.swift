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

  var series: RowTable {
    var table = RowTable(
      columns: rules.by + TrendTables.seriesColumns,
      identity: RowIdentity(
        keys: rules.by + ["metric", "bucket"],
        estimates: ["state", "expected", "expected_lo", "expected_hi"],
        provisional: ("state", BucketState.open.rawValue)))
    for (i, series) in report.series.enumerated() {
      let head =
        parts[i].map { keyValue($0) } + [
          .text(series.metric), .text(series.kind.rawValue),
        ]
      let expected = report.verdicts[i].expected
      for (t, bucket) in series.buckets.enumerated() {
        let isMissing = bucket.state == .missing
        let band = t < expected.count ? expected[t] : nil
        table.rows.append(
          head + [
            .text(starts[t].iso), .text(bucket.state.rawValue),
            isMissing ? .null : .measured(bucket.n),
            isMissing || !series.kind.hasEvents ? .null : .measured(bucket.k),
            .measured(bucket.observed(series.kind)), .measured(band?.value), .measured(band?.lo),
            .measured(band?.hi),
          ])
      }
    }
    return table
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
