import WeirData
import WeirEngine
import WeirExpressions

/// Aggregates the records of one shard, batch by batch: expressions first, a column at a time, then
/// the groups, then each metric over all rows.
final class AggregatePartial: ReducePartial {
  private let layout: AggregateLayout
  private let table: AggregateTable
  private let inputs: [InputValues]
  private let finder: GroupFinder
  private var localTimes: LocalTimes
  /// Of each selected row; -1 where the record is refused.
  private var groupMemory = RowMemory<Int32>()
  /// Those that name a group, of the batch in hand.
  private var columns: [UnsafeMutablePointer<Cell>] = []

  init(_ layout: AggregateLayout) {
    self.layout = layout
    table = AggregateTable(layout)
    inputs = layout.inputs.map(InputValues.init)
    localTimes = LocalTimes(layout.time?.zone ?? .utc, by: layout.by.map(\.column))
    finder = GroupFinder(columns: layout.by.map(\.column), cursor: layout.time?.bucket.cursor)
  }

  func encode() -> [UInt8] { table.encode() }

  /// Groups that are worth their memory for another shard.
  private static let groupsKept = 1_024

  func reset() -> Bool {
    guard table.groupCount <= AggregatePartial.groupsKept,
      localTimes.valueCount <= AggregatePartial.groupsKept
    else { return false }
    table.removeAll()
    finder.removeAll()
    for input in inputs { input.forgetCodes() }
    return true
  }

  func add(_ batch: borrowing Batch, _ selection: Selection, _ refusals: inout [Refusal]) {
    guard !selection.isEmpty else { return }
    let groups = UnsafeMutableBufferPointer(
      start: groupMemory.take(selection.count), count: selection.count)
    groups.initialize(repeating: 0)
    let before = refusals.count
    refuseMissingTimes(batch, selection, groups, &refusals)
    for input in inputs {
      input.evaluate(batch, selection)
      refuseFailures(of: input, batch, selection, groups, &refusals)
    }
    if refusals.count - before > 1 { refusals[before...].sort { $0.line < $1.line } }
    group(batch, selection, groups)
    table.grow()
    let found = UnsafeBufferPointer(groups)
    table.count(found)
    for (state, plan) in zip(table.states, layout.states) {
      inputs[plan.input].withValues { state.add($0, found) }
    }
  }

  private func refuseMissingTimes(
    _ batch: borrowing Batch, _ selection: Selection, _ groups: UnsafeMutableBufferPointer<Int32>,
    _ refusals: inout [Refusal]
  ) {
    guard let time = layout.time else { return }
    let column = batch.column(time.column)
    selection.rows.withUnsafeBufferPointer { rows in
      for i in 0..<rows.count where column[Int(rows[i])].isNull { groups[i] = -1 }
    }
    for i in groups.indices where groups[i] < 0 {
      refusals.append(
        Refusal(
          row: Int(selection.rows[i]), of: batch, code: "missing_time",
          field: FieldPath(text: time.name),
          message: "`\(time.name)` says when the record happened, and has no value here"))
    }
  }

  /// A record is aggregated by all metrics or by none.
  private func refuseFailures(
    of input: InputValues, _ batch: borrowing Batch, _ selection: Selection,
    _ groups: UnsafeMutableBufferPointer<Int32>, _ refusals: inout [Refusal]
  ) {
    for failure in input.failures where groups[failure.position] >= 0 {
      groups[failure.position] = -1
      refusals.append(
        Refusal(
          row: Int(selection.rows[failure.position]), of: batch, code: "expression_error",
          message: "the metric `\(input.metric)` has no value: \(failure.message)"))
    }
  }

  private func group(
    _ batch: borrowing Batch, _ selection: Selection, _ groups: UnsafeMutableBufferPointer<Int32>
  ) {
    guard let base = groups.baseAddress else { return }
    columns.removeAll(keepingCapacity: true)
    for field in layout.by { columns.append(batch.column(field.column)) }
    let times: UnsafePointer<Cell>?
    if let time = layout.time {
      times = localTimes.of(batch, batch.column(time.column), selection, groups)
    } else {
      times = nil
    }
    let hasTime = times != nil
    let (table, columns) = (table, columns)
    var key = GroupKey()
    selection.rows.withUnsafeBufferPointer { rows in
      finder.find(batch, rows, times: times, base) { row, bucket in
        key.clear()
        for column in columns { key.append(column[row]) }
        if hasTime { key.append(bucket: bucket) }
        return Int32(table.group(key.bytes))
      }
    }
  }
}

/// One expression and its values for the batch in hand.
private final class InputValues {
  let metric: String
  private let isCondition: Bool
  private var evaluator: ExpressionEvaluator
  private var cells: [Cell] = []
  private var truths: [Truth] = []
  private(set) var failures: [(position: Int, message: String)] = []

  init(_ input: AggregateLayout.Input) {
    metric = input.metric
    isCondition = input.isCondition
    evaluator = input.expression.makeEvaluator()
  }

  func forgetCodes() { evaluator.forgetCodes() }

  func evaluate(_ batch: borrowing Batch, _ selection: Selection) {
    failures.removeAll(keepingCapacity: true)
    if isCondition {
      evaluator.evaluate(batch, selection, into: &truths)
    } else {
      evaluator.evaluateValues(batch, selection, into: &cells)
      for i in InputValues.infinite(cells) { failures.append((i, "it is not a finite number")) }
    }
    for failure in evaluator.failures { failures.append((failure.position, failure.message)) }
  }

  /// Places of the numbers that are none.
  private static func infinite(_ cells: [Cell]) -> [Int] {
    var places: [Int] = []
    cells.withUnsafeBufferPointer { cells in
      for i in 0..<cells.count
      where cells[i].rawKind == CellKind.number.rawValue && !cells[i].numberValue.isFinite {
        places.append(i)
      }
    }
    return places
  }

  func withValues(_ body: (MetricInput) -> Void) {
    cells.withUnsafeBufferPointer { cells in
      truths.withUnsafeBufferPointer { body(MetricInput(cells: cells, truths: $0)) }
    }
  }
}
