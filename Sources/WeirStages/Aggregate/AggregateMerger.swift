import WeirData
import WeirEngine

/// Adds up the partials of all shards and makes the rows.
final class AggregateMerger: ReduceMerger {
  private let stage: String
  private let table: AggregateTable

  init(_ layout: AggregateLayout, stage: String) {
    self.stage = stage
    table = AggregateTable(layout)
  }

  var recordCount: Int { Int(table.recordCount) }

  func merge(_ partial: [UInt8]) throws { try table.merge(partial) }

  /// The state, as a partial of all that was merged.
  func encode() -> [UInt8] { table.encode() }

  func finish() throws -> [String: StageOutput] { ["": .rows(try rows())] }

  private func rows() throws(RunError) -> RowTable {
    let layout = table.layout
    var out = RowTable(columns: layout.columnNames, identity: RowIdentity(keys: layout.keyNames))
    if table.groupCount == 0, layout.by.isEmpty, layout.time == nil {
      // All records are one group, also where there is none.
      for state in table.states { state.grow(to: 1) }
      var row: [JSONValue] = []
      try addMetrics(of: 0, records: 0, to: &row)
      out.rows.append(row)
    }
    out.rows.reserveCapacity(table.groupCount)
    for group in table.orderedGroups {
      var row: [JSONValue] = []
      row.reserveCapacity(out.columns.count)
      try addKey(group, to: &row)
      try addMetrics(of: group, records: table.records[group], to: &row)
      out.rows.append(row)
    }
    return out
  }

  private func addKey(_ group: Int, to values: inout [JSONValue]) throws(RunError) {
    let layout = table.layout
    var reader = GroupKeyReader(table.key(of: group))
    for field in layout.by { values.append(try reader.value(field.type)) }
    if let time = layout.time { values.append(.text(time.bucket.text(try reader.bucket()))) }
  }

  /// - Parameter values: those of the key.
  private func addMetrics(
    of group: Int, records: UInt64, to values: inout [JSONValue]
  ) throws(RunError) {
    let keys = values.count
    for metric in table.layout.metrics {
      guard let state = metric.state else {
        values.append(.int(Int64(records)))
        continue
      }
      guard let value = table.states[state].value(group, metric.function, records: records) else {
        throw overflow(metric.name, Array(values.prefix(keys)))
      }
      values.append(value)
    }
  }

  private func overflow(_ metric: String, _ key: [JSONValue]) -> RunError {
    let names = table.layout.columnNames
    let place = zip(names, key).map { "\($0) = \($1.text)" }.joined(separator: ", ")
    let group = place.isEmpty ? "" : " where \(place)"
    return RunError(
      code: "sum_overflow",
      message: "`\(metric)` of `\(stage)` is too large to be written exactly\(group)",
      fix: "use a \"mean\", or add up a larger unit: \"sum\": \"handle_ms / 1000\"")
  }
}
