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
    let isTotal = table.groupCount == 0 && layout.by.isEmpty && layout.time == nil
    // All records are one group, also where there is none.
    if isTotal { for state in table.states { state.grow(to: 1) } }
    let rows = AggregateRows(table, order: isTotal ? [0] : table.orderedGroups)
    try rows.check(stage)
    out.rows = RowList(count: rows.count) { rows.row($0) }
    return out
  }
}

/// The rows of a finished aggregation, each made when it is asked for: as values they take ten times the
/// memory, and whoever writes them makes them on all processors.
private final class AggregateRows: @unchecked Sendable {
  // Nothing in it changes any more.
  private let table: AggregateTable
  private let order: [Int]

  init(_ table: AggregateTable, order: [Int]) {
    self.table = table
    self.order = order
  }

  var count: Int { order.count }

  /// - Throws: where a key was damaged, or a metric is too large to be written.
  func check(_ stage: String) throws(RunError) {
    let layout = table.layout
    let limited = layout.metrics.filter { metric in
      metric.state.map { !table.states[$0].alwaysHasValue(metric.function) } ?? false
    }
    for group in order {
      for metric in limited where value(metric, group) == nil {
        var key: [JSONValue] = []
        try appendKey(group, to: &key)
        throw overflow(metric.name, key, stage)
      }
    }
  }

  func row(_ place: Int) -> [JSONValue] {
    let layout = table.layout
    let group = order[place]
    var row: [JSONValue] = []
    row.reserveCapacity(layout.by.count + 1 + layout.metrics.count)
    do throws(RunError) {
      try appendKey(group, to: &row)
    } catch {
      // Keys were read when they were merged.
      preconditionFailure("the key of a group: \(error.message)")
    }
    for metric in layout.metrics { row.append(value(metric, group)!) }
    return row
  }

  private func value(_ metric: AggregateLayout.Metric, _ group: Int) -> JSONValue? {
    let records = group < table.groupCount ? table.records[group] : 0
    guard let state = metric.state else { return .int(Int64(records)) }
    return table.states[state].value(group, metric.function, records: records)
  }

  private func appendKey(_ group: Int, to values: inout [JSONValue]) throws(RunError) {
    let layout = table.layout
    guard !layout.by.isEmpty || layout.time != nil else { return }
    var reader = GroupKeyReader(table.key(of: group))
    for field in layout.by { values.append(try reader.value(field.type)) }
    if let time = layout.time { values.append(.text(time.bucket.text(try reader.bucket()))) }
  }

  private func overflow(_ metric: String, _ key: [JSONValue], _ stage: String) -> RunError {
    let names = table.layout.columnNames
    let place = zip(names, key).map { "\($0) = \($1.text)" }.joined(separator: ", ")
    let group = place.isEmpty ? "" : " where \(place)"
    return RunError(
      code: "sum_overflow",
      message: "`\(metric)` of `\(stage)` is too large to be written exactly\(group)",
      fix: "use a \"mean\", or add up a larger unit: \"sum\": \"handle_ms / 1000\"")
  }
}
