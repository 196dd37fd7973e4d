import WeirData
import WeirEngine
import WeirExpressions
import WeirStatistics

/// The stage for one way that records take to it.
struct BoundTrend: BoundReduce {
  struct Column: Sendable {
    var index: Int
    /// As the spec writes the field.
    var name: String
  }
  let rules: TrendRules
  let time: Column
  let by: [Column]
  /// One for each metric.
  let inputs: [TrendMetric.Input]

  var columnsRead: [Int] {
    var columns = [time.index] + by.map(\.index)
    for input in inputs {
      switch input {
      case .nothing: break
      case .condition(let expression): columns += expression.columnsRead
      case .number(let column), .value(let column): columns.append(column.index)
      }
    }
    return Set(columns).sorted()
  }

  func makePartial() -> any ReducePartial { TrendPartial(self) }
}

/// Counts the records of one shard.
private final class TrendPartial: ReducePartial {
  private let bound: BoundTrend
  private let clock: TrendClock
  private let end: Int64?
  private let state: TrendState
  /// One for each metric that has a condition.
  private let conditions: [Condition?]
  /// The columns of `bound` without their names, which cost a count of references for each record.
  private let byColumns: [Int]
  private let steps: [Step]
  /// What a metric needs of a record.
  private enum Step {
    case nothing
    case condition
    case number(Int)
    case value(Int)
  }
  private var key: [UInt8] = []
  private var scratch: [UInt8] = []

  init(_ bound: BoundTrend) {
    self.bound = bound
    clock = bound.rules.clock
    end = bound.rules.end
    state = TrendState(bound.rules.shape, clock)
    byColumns = bound.by.map(\.index)
    steps = bound.inputs.map {
      switch $0 {
      case .nothing: .nothing
      case .condition: .condition
      case .number(let column): .number(column.index)
      case .value(let column): .value(column.index)
      }
    }
    conditions = bound.inputs.map {
      if case .condition(let expression) = $0 { Condition(expression) } else { nil }
    }
  }

  func encode() -> [UInt8] { state.encode() }

  func add(_ batch: borrowing Batch, _ selection: Selection, _ refusals: inout [Refusal]) {
    guard !selection.isEmpty else { return }
    for condition in conditions { condition?.evaluate(batch, selection) }
    for (position, row) in selection.rows.enumerated() {
      if let refusal = take(Int(row), at: position, of: batch) { refusals.append(refusal) }
    }
  }

  /// Counts a record everywhere, or says why it is counted nowhere.
  private func take(_ row: Int, at position: Int, of batch: borrowing Batch) -> Refusal? {
    func refuse(_ code: String, _ column: BoundTrend.Column?, _ problem: String) -> Refusal {
      Refusal(
        row: row, of: batch, code: code, field: column.flatMap { FieldPath(text: $0.name) },
        message: column.map { "`\($0.name)` \(problem)" } ?? problem)
    }
    let time = batch.column(bound.time.index)[row]
    if time.isNull { return refuse("missing_time", bound.time, "is null or absent") }
    guard time.kind == .timestamp else {
      return refuse("wrong_type", bound.time, "is no timestamp")
    }
    guard Timestamp(microseconds: time.intValue).isWritable else {
      return refuse("bad_timestamp", bound.time, "lies outside of the years 1 to 9999")
    }
    key.removeAll(keepingCapacity: true)
    for (i, column) in byColumns.enumerated() {
      let cell = batch.column(column)[row]
      if let (code, problem) = TrendPartial.whyNoGroup(cell) {
        return refuse(code, bound.by[i], problem)
      }
      appendKey(cell, to: &key)
    }
    for (metric, step) in steps.enumerated() {
      switch step {
      case .nothing: break
      case .condition:
        if let message = conditions[metric]?.failure(at: position) {
          return refuse(
            "expression_error", nil, "metric `\(bound.rules.metrics[metric].name)`: \(message)")
        }
      case .number(let column):
        if let (code, problem) = TrendPartial.whyNoNumber(batch.column(column)[row]) {
          return refuse(code, bound.inputs[metric].column, problem)
        }
      case .value(let column):
        if batch.column(column)[row].kind == .other {
          return refuse("wrong_type", bound.inputs[metric].column, "is an object or an array")
        }
      }
    }
    count(row, at: position, of: batch, time: time.intValue)
    return nil
  }

  private static func whyNoGroup(_ cell: Cell) -> (code: String, problem: String)? {
    switch cell.kind {
    case .other: ("wrong_type", "is an object or an array")
    case .string where cell.length == 1 && cell.stringBytes[0] == UInt8(ascii: "*"):
      ("reserved_value", "is \"*\", which stands for a total")
    case .number where !cell.numberValue.isFinite: ("number_out_of_range", "is not finite")
    default: nil
    }
  }

  /// Stages before this one may have divided by zero.
  private static func whyNoNumber(_ cell: Cell) -> (code: String, problem: String)? {
    switch cell.kind {
    case .missing, .null, .int: nil
    case .number: cell.numberValue.isFinite ? nil : ("number_out_of_range", "is not finite")
    default: ("wrong_type", "is no number")
    }
  }

  private func count(
    _ row: Int, at position: Int, of batch: borrowing Batch, time: Int64
  ) {
    if let end, time >= end {
      state.addFuture()
      return
    }
    let group = key.withUnsafeBufferPointer { state.groups.code(of: $0) }
    let slot = state.slot(group: group, bucket: clock.bucket(of: time))
    state.addRecords(1, latest: time, to: slot)
    for (metric, step) in steps.enumerated() {
      switch step {
      case .nothing: break
      case .condition:
        if conditions[metric]?.truths[position] == .true { state.count(metric, in: slot) }
      case .number(let column):
        let cell = batch.column(column)[row]
        if cell.kind == .int { state.add(Double(cell.intValue), to: metric, in: slot) }
        if cell.kind == .number { state.add(cell.numberValue, to: metric, in: slot) }
      case .value(let column):
        let cell = batch.column(column)[row]
        guard !cell.isNull else { continue }
        scratch.removeAll(keepingCapacity: true)
        appendKey(cell, to: &scratch)
        state.add(hash: scratch.withUnsafeBufferPointer { xxh3($0) }, to: metric, in: slot)
      }
    }
  }
}

/// A condition and what it was for the rows of the last batch.
private final class Condition {
  private var evaluator: ExpressionEvaluator
  private(set) var truths: [Truth] = []
  private var failures: [EvaluationFailure] = []
  /// The failures before it were asked for already.
  private var next = 0

  init(_ expression: CompiledExpression) { evaluator = expression.makeEvaluator() }

  func evaluate(_ batch: borrowing Batch, _ selection: Selection) {
    evaluator.evaluate(batch, selection, into: &truths)
    failures = evaluator.failures
    next = 0
  }

  /// Why there is no value at a position; positions are asked for in ascending order.
  func failure(at position: Int) -> String? {
    guard truths[position] == .error else { return nil }
    while next < failures.count, failures[next].position < position { next += 1 }
    return next < failures.count ? failures[next].message : "it has no value"
  }
}
