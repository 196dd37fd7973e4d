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
  private var key: [UInt8] = []
  private var scratch: [UInt8] = []

  init(_ bound: BoundTrend) {
    self.bound = bound
    clock = bound.rules.clock
    end = bound.rules.end
    state = TrendState(bound.rules.shape)
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
    func refuse(_ code: String, _ column: BoundTrend.Column?, _ message: String) -> Refusal {
      Refusal(
        row: row, of: batch, code: code, field: column.flatMap { FieldPath(text: $0.name) },
        message: message)
    }
    let time = batch.column(bound.time.index)[row]
    if time.isNull {
      return refuse("missing_time", bound.time, "`\(bound.time.name)` is null or absent")
    }
    guard time.kind == .timestamp else {
      return refuse("wrong_type", bound.time, "`\(bound.time.name)` is no timestamp")
    }
    guard Timestamp(microseconds: time.intValue).isWritable else {
      return refuse(
        "bad_timestamp", bound.time, "`\(bound.time.name)` lies outside of the years 1 to 9999")
    }
    key.removeAll(keepingCapacity: true)
    for column in bound.by {
      let cell = batch.column(column.index)[row]
      if cell.kind == .other {
        return refuse("wrong_type", column, "`\(column.name)` is an object or an array")
      }
      if cell.kind == .string, cell.length == 1, cell.stringBytes[0] == UInt8(ascii: "*") {
        return refuse(
          "reserved_value", column, "`\(column.name)` is \"*\", which stands for a total")
      }
      if cell.kind == .number, !cell.numberValue.isFinite {
        return refuse("number_out_of_range", column, "`\(column.name)` is not finite")
      }
      appendKey(cell, to: &key)
    }
    for (metric, input) in bound.inputs.enumerated() {
      switch input {
      case .nothing: break
      case .condition:
        if let message = conditions[metric]?.failure(at: position) {
          return refuse(
            "expression_error", nil, "metric `\(bound.rules.metrics[metric].name)`: \(message)")
        }
      case .number(let column):
        let cell = batch.column(column.index)[row]
        switch cell.kind {
        case .missing, .null, .int: break
        case .number:
          // Stages before this one may have divided by zero.
          guard cell.numberValue.isFinite else {
            return refuse("number_out_of_range", column, "`\(column.name)` is not finite")
          }
        default: return refuse("wrong_type", column, "`\(column.name)` is no number")
        }
      case .value(let column):
        if batch.column(column.index)[row].kind == .other {
          return refuse("wrong_type", column, "`\(column.name)` is an object or an array")
        }
      }
    }
    count(row, at: position, of: batch, time: time.intValue)
    return nil
  }

  private func count(
    _ row: Int, at position: Int, of batch: borrowing Batch, time: Int64
  ) {
    if let end, time >= end {
      state.addFuture()
      return
    }
    let bucket = clock.bucket(of: time)
    let group = key.withUnsafeBufferPointer { state.groups.code(of: $0) }
    let slot = state.slot(group: group, bucket: bucket)
    state.addRecords(1, to: slot)
    state.note(time, in: bucket)
    for (metric, input) in bound.inputs.enumerated() {
      switch input {
      case .nothing: break
      case .condition:
        if conditions[metric]?.truths[position] == .true { state.count(metric, in: slot) }
      case .number(let column):
        let cell = batch.column(column.index)[row]
        if cell.kind == .int { state.add(Double(cell.intValue), to: metric, in: slot) }
        if cell.kind == .number { state.add(cell.numberValue, to: metric, in: slot) }
      case .value(let column):
        let cell = batch.column(column.index)[row]
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
