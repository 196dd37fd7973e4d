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
  var segments: [Column] = []
  /// One for each metric.
  let inputs: [TrendMetric.Input]
  var complete: Column?
  /// Whether partials name candidates for the records behind a finding.
  var namesEvidence = true

  var columnsRead: [Int] {
    var columns = [time.index] + by.map(\.index) + segments.map(\.index)
    if let complete { columns.append(complete.index) }
    for input in inputs {
      if case .condition(let expression) = input { columns += expression.columnsRead }
      columns += input.columns.map(\.index)
    }
    return Set(columns).sorted()
  }

  var readsOffsets: Bool { namesEvidence }

  func makePartial() -> any ReducePartial { TrendPartial(self) }
}

/// Counts the records of one shard, batch by batch: what cannot be counted is refused first, then the
/// slots are found, then each metric goes over all rows.
private final class TrendPartial: ReducePartial {
  private let bound: BoundTrend
  private let state: TrendState
  private let finder: GroupFinder
  private var localTimes: LocalTimes
  /// One for each metric that has a condition.
  private let conditions: [Condition?]
  private let segments: [SegmentCounter]
  private let sample: EvidenceSample?
  /// Where rows stand for many records.
  private let aggregated: AggregatedRows?
  private var slotMemory = RowMemory<Int32>()

  init(_ bound: BoundTrend) {
    self.bound = bound
    state = TrendState(bound.rules.shape, bound.rules.clock)
    localTimes = LocalTimes(bound.rules.zone, by: bound.by.map(\.index))
    finder = GroupFinder(columns: bound.by.map(\.index), cursor: bound.rules.clock.cursor)
    segments = bound.segments.indices.map { SegmentCounter(bound, field: $0) }
    sample = bound.namesEvidence ? EvidenceSample(conditions: bound.rules.conditionCount) : nil
    aggregated = bound.rules.isAggregated ? AggregatedRows(bound.inputs) : nil
    conditions = bound.inputs.map {
      if case .condition(let expression) = $0 { Condition(expression) } else { nil }
    }
  }

  /// A block for the state, one for each segment field, one for the candidates of evidence where they are
  /// wanted.
  func encode() -> [UInt8] {
    var out = ByteWriter()
    out.block(state.encode())
    for segment in segments { out.block(segment.state.encode()) }
    if let sample { out.block(sample.encode(state)) }
    return out.bytes
  }

  func add(_ batch: borrowing Batch, _ selection: Selection, _ refusals: inout [Refusal]) {
    guard !selection.isEmpty else { return }
    let slots = UnsafeMutableBufferPointer(
      start: slotMemory.take(selection.count), count: selection.count)
    slots.initialize(repeating: 0)
    let before = refusals.count
    refuse(batch, selection, slots, &refusals)
    if refusals.count - before > 1 { refusals[before...].sort { $0.line < $1.line } }
    if aggregated != nil {
      state.addRows(slots.reduce(UInt64(0)) { $0 + ($1 < 0 ? 0 : 1) })
    }
    let instants = batch.column(bound.time.index)
    let times = localTimes.of(batch, instants, selection, slots)
    findSlots(batch, selection, slots, times)
    let found = UnsafeBufferPointer(slots)
    selection.rows.withUnsafeBufferPointer { rows in
      if let complete = bound.complete {
        state.markIncomplete(batch.column(complete.index), rows, found)
      }
      if let aggregated {
        aggregated.add(batch, rows, times: times, to: state, found)
      } else {
        state.addRecords(times, rows, found)
      }
      for (metric, input) in bound.inputs.enumerated() {
        switch input {
        case .nothing, .counted, .ratio, .sums: break
        case .condition: state.count(metric, conditions[metric]?.truths ?? [], found)
        case .number(let column): state.add(batch.column(column.index), rows, to: metric, found)
        case .value(let column):
          state.addHashes(batch.column(column.index), rows, to: metric, found)
        }
      }
      sample?.add(
        batch, rows, found: found, times: instants, truths: conditions.compactMap { $0?.truths },
        slots: state.slotCount, fields: bound.segments.map(\.index))
      guard !segments.isEmpty else { return }
      let truths = conditions.map { $0?.truths ?? [] }
      for segment in segments {
        segment.add(
          batch, rows, taken: found, times: times, truths: truths, aggregated: aggregated)
      }
    }
  }

  // MARK: Refusals

  /// Refuses what cannot be counted everywhere, for the first reason that there is; its slot is -1.
  private func refuse(
    _ batch: borrowing Batch, _ selection: Selection, _ slots: UnsafeMutableBufferPointer<Int32>,
    _ refusals: inout [Refusal]
  ) {
    refuse(batch, selection, slots, bound.time, &refusals) { TrendPartial.whyNoTime($0) }
    for column in bound.by {
      refuse(batch, selection, slots, column, &refusals) { TrendPartial.whyNoGroup($0) }
    }
    for column in bound.segments {
      refuse(batch, selection, slots, column, &refusals) { TrendPartial.whyNoSegment($0) }
    }
    for (metric, input) in bound.inputs.enumerated() {
      switch input {
      case .nothing: break
      case .counted, .ratio, .sums:
        refuse(batch, selection, slots, input, &refusals)
      case .condition:
        conditions[metric]?.evaluate(batch, selection)
        for failure in conditions[metric]?.failures ?? [] where slots[failure.position] >= 0 {
          slots[failure.position] = -1
          refusals.append(
            Refusal(
              row: Int(failure.row), of: batch, code: "expression_error",
              message: "metric `\(bound.rules.metrics[metric].name)`: \(failure.message)"))
        }
      case .number(let column):
        refuse(batch, selection, slots, column, &refusals) { $0.whyNoNumber }
      case .value(let column):
        refuse(batch, selection, slots, column, &refusals) {
          $0.kind == .other ? ("wrong_type", "is an object or an array") : nil
        }
      }
    }
  }

  /// Of rows that are already aggregated, those whose numbers cannot be counts.
  private func refuse(
    _ batch: borrowing Batch, _ selection: Selection, _ slots: UnsafeMutableBufferPointer<Int32>,
    _ input: TrendMetric.Input, _ refusals: inout [Refusal]
  ) {
    for (i, row) in selection.rows.enumerated() where slots[i] >= 0 {
      guard let reason = AggregatedRows.whyNot(input, batch, Int(row)) else { continue }
      slots[i] = -1
      refusals.append(
        Refusal(
          row: Int(row), of: batch, code: reason.code, field: FieldPath(text: reason.field),
          message: "`\(reason.field)` \(reason.problem)"))
    }
  }

  @inline(__always)
  private func refuse(
    _ batch: borrowing Batch, _ selection: Selection, _ slots: UnsafeMutableBufferPointer<Int32>,
    _ column: BoundTrend.Column, _ refusals: inout [Refusal],
    _ reason: (Cell) -> (code: String, problem: String)?
  ) {
    let cells = batch.column(column.index)
    selection.rows.withUnsafeBufferPointer { rows in
      for i in 0..<rows.count where slots[i] >= 0 {
        let row = Int(rows[i])
        guard let (code, problem) = reason(cells[row]) else { continue }
        slots[i] = -1
        refusals.append(
          Refusal(
            row: row, of: batch, code: code, field: FieldPath(text: column.name),
            message: "`\(column.name)` \(problem)"))
      }
    }
  }

  @inline(__always)
  private static func whyNoTime(_ cell: Cell) -> (code: String, problem: String)? {
    guard cell.kind == .timestamp else {
      return cell.isNull
        ? ("missing_time", "is null or absent") : ("wrong_type", "is no timestamp")
    }
    return Timestamp(microseconds: cell.intValue).isWritable
      ? nil : ("bad_timestamp", "lies outside of the years 1 to 9999")
  }

  @inline(__always)
  private static func whyNoGroup(_ cell: Cell) -> (code: String, problem: String)? {
    switch cell.kind {
    case .other: ("wrong_type", "is an object or an array")
    case .string where cell.length == 1 && cell.stringBytes[0] == UInt8(ascii: "*"):
      ("reserved_value", "is \"*\", which stands for a total")
    case .number where !cell.numberValue.isFinite: ("number_out_of_range", "is not finite")
    default: nil
    }
  }

  @inline(__always)
  private static func whyNoSegment(_ cell: Cell) -> (code: String, problem: String)? {
    switch cell.kind {
    case .other: ("wrong_type", "is an object or an array")
    case .number where !cell.numberValue.isFinite: ("number_out_of_range", "is not finite")
    default: nil
    }
  }

  // MARK: Slots

  /// The slot of each record that is left; -1 for those of the future, which are counted.
  private func findSlots(
    _ batch: borrowing Batch, _ selection: Selection, _ slots: UnsafeMutableBufferPointer<Int32>,
    _ times: UnsafePointer<Cell>
  ) {
    guard let base = slots.baseAddress else { return }
    var columns: [UnsafeMutablePointer<Cell>] = []
    for column in bound.by { columns.append(batch.column(column.index)) }
    let clock = bound.rules.clock
    let state = state
    var key = KeyBytes()
    selection.rows.withUnsafeBufferPointer { rows in
      if let end = bound.rules.end {
        var future: UInt64 = 0
        for i in 0..<rows.count where slots[i] >= 0 && times[Int(rows[i])].intValue >= end {
          slots[i] = -1
          future += aggregated.map { $0.records(batch, Int(rows[i])) } ?? 1
        }
        state.addFuture(future)
      }
      finder.find(batch, rows, times: times, base) { row, start in
        key.clear()
        for column in columns { key.append(column[row]) }
        return Int32(
          state.slot(group: state.groups.code(of: key.bytes), bucket: clock.bucket(of: start)))
      }
    }
  }
}

/// A condition and what it was for the rows of the last batch.
private final class Condition {
  private var evaluator: ExpressionEvaluator
  private(set) var truths: [Truth] = []
  var failures: [EvaluationFailure] { evaluator.failures }

  init(_ expression: CompiledExpression) { evaluator = expression.makeEvaluator() }

  func evaluate(_ batch: borrowing Batch, _ selection: Selection) {
    evaluator.evaluate(batch, selection, into: &truths)
  }
}

extension Cell {
  /// Why a value that is not null is no number to count with; `nil` where it is one. Stages before may
  /// have divided by zero.
  @inline(__always)
  var whyNoNumber: (code: String, problem: String)? {
    switch kind {
    case .missing, .null, .int: nil
    case .number: numberValue.isFinite ? nil : ("number_out_of_range", "is not finite")
    default: ("wrong_type", "is no number")
    }
  }
}
