import WeirData
import WeirEngine
import WeirStatistics

/// The `comparisons` output.
struct CompareTables {
  static let columns = [
    "metric", "kind", "a", "b", "status", "a_value", "a_lo", "a_hi", "a_k", "a_n", "a_buckets",
    "b_value", "b_lo", "b_hi", "b_k", "b_n", "b_buckets", "difference", "lo", "hi", "relative", "p",
    "q", "finding",
  ]
  /// Names that a field of a group must not have.
  static let reserved = Set(columns + ["grain", "zone", "between"])

  let rules: CompareRules
  let subjects: [CompareSubject]
  /// By subject, then by metric.
  let results: [SideComparison]
  let comparisons: Comparisons

  var rows: RowTable {
    let by = rules.groupFields
    let keys = by + ["metric", "a", "b"]
    var table = RowTable(
      columns: by + CompareTables.columns,
      identity: RowIdentity(
        keys: keys, estimates: ["a_lo", "a_hi", "b_lo", "b_hi", "lo", "hi", "p", "q", "finding"]))
    let believed = Set(comparisons.believed)
    let metrics = rules.series.metrics
    for (i, result) in results.enumerated() {
      let subject = subjects[i / metrics.count]
      let metric = metrics[i % metrics.count]
      let isTested = result.status == .ok
      func level(_ e: Estimate?, _ k: Double, _ n: Double, _ buckets: Int) -> [JSONValue] {
        [
          .measured(e?.value), isTested ? .measured(e?.lo) : .null,
          isTested ? .measured(e?.hi) : .null, metric.kind.hasEvents ? .measured(k) : .null,
          .measured(n), .int(buckets),
        ]
      }
      var row = subject.key.map { keyValue($0) }
      row += [
        .text(metric.name), .text(metric.kind.rawValue), name(subject.a), name(subject.b),
        .text(result.status.rawValue),
      ]
      row += level(result.a, result.kA, result.nA, result.bucketsA)
      row += level(result.b, result.kB, result.nB, result.bucketsB)
      row += [
        .measured(result.difference?.value), .measured(result.difference?.lo),
        .measured(result.difference?.hi),
        result.difference == nil || result.a?.value == 0 ? .null : .measured(result.relative),
        isTested ? .measured(result.p) : .null, .measured(comparisons.q[i]),
        .bool(believed.contains(i)),
      ]
      table.rows.append(row)
    }
    return table
  }

  private func name(_ side: CompareSubject.Side) -> JSONValue {
    if let value = side.value { return keyValue(value) }
    return rules.field == nil ? .text(side.name) : "*"
  }
}
