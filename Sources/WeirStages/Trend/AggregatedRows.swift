import WeirData

/// Reads rows that are already aggregated, and adds them to a state.
///
/// A row stands for as many records as the largest of its counts, denominators and n.
struct AggregatedRows {
  private let inputs: [TrendMetric.Input]

  /// More than anybody has in a bucket, and so few that sums of millions of rows do not overflow.
  private static let most: Int64 = 1 << 36

  init(_ inputs: [TrendMetric.Input]) { self.inputs = inputs }

  /// Adds the rows that have a slot in `found`, in their order.
  func add(
    _ batch: borrowing Batch, _ rows: UnsafeBufferPointer<UInt32>, times: UnsafePointer<Cell>,
    to state: TrendState, _ found: UnsafeBufferPointer<Int32>
  ) {
    for i in 0..<rows.count where found[i] >= 0 {
      let (row, slot) = (Int(rows[i]), Int(found[i]))
      state.addRecords(records(batch, row), to: slot)
      state.reach(slot: slot, from: times[row].intValue, to: times[row].intValue)
      for (metric, input) in inputs.enumerated() {
        switch input {
        case .nothing, .condition, .number, .value: break
        case .counted(let column): state.count(metric, Self.count(column, batch, row), in: slot)
        case .ratio(let above, let below):
          state.count(
            metric, Self.count(above, batch, row), of: Self.count(below, batch, row), in: slot)
        case .sums(let columns):
          state.merge(Self.moments(columns, batch, row), into: metric, in: slot)
        }
      }
    }
  }

  /// How many records a row stands for that ``whyNot(_:_:_:)`` has nothing against.
  func records(_ batch: borrowing Batch, _ row: Int) -> UInt64 {
    var most: UInt64 = 0
    for input in inputs {
      switch input {
      case .nothing, .condition, .number, .value: break
      case .counted(let column), .ratio(_, let column):
        most = max(most, Self.count(column, batch, row))
      case .sums(let columns): most = max(most, Self.count(columns.count, batch, row))
      }
    }
    return most
  }

  private static func count(
    _ column: BoundTrend.Column, _ batch: borrowing Batch, _ row: Int
  ) -> UInt64 {
    UInt64(whole(batch.column(column.index)[row]) ?? 0)
  }

  /// A whole number of 0 or more; `nil` for anything else.
  private static func whole(_ cell: Cell) -> Int64? {
    switch cell.kind {
    case .int: return (0...most).contains(cell.intValue) ? cell.intValue : nil
    case .number:
      let value = cell.numberValue
      return value >= 0 && value <= Double(most) && value.rounded() == value ? Int64(value) : nil
    default: return nil
    }
  }

  private static func moments(
    _ columns: TrendSums<BoundTrend.Column>, _ batch: borrowing Batch, _ row: Int
  ) -> TrendMoments {
    let count = count(columns.count, batch, row)
    guard count > 0 else { return TrendMoments() }
    let sum = batch.column(columns.sum.index)[row].asDouble
    let squares = batch.column(columns.squares.index)[row].asDouble
    return TrendMoments(
      count: count, sum: sum, squares: max(0, squares - sum / Double(count) * sum), cubes: .nan)
  }

  // MARK: Refusals

  /// Why a row cannot be counted; `nil`: it can.
  static func whyNot(
    _ input: TrendMetric.Input, _ batch: borrowing Batch, _ row: Int
  ) -> (code: String, field: String, problem: String)? {
    switch input {
    case .nothing, .condition, .number, .value: return nil
    case .counted(let column): return whyNoCount(column, batch, row)
    case .ratio(let above, let below):
      if let reason = whyNoCount(above, batch, row) ?? whyNoCount(below, batch, row) {
        return reason
      }
      guard count(above, batch, row) <= count(below, batch, row) else {
        return ("numerator_too_large", above.name, "is more than `\(below.name)`")
      }
      return nil
    case .sums(let columns):
      // A bucket without values has neither a sum nor squares.
      if batch.column(columns.count.index)[row].isNull { return nil }
      if let reason = whyNoCount(columns.count, batch, row) { return reason }
      guard count(columns.count, batch, row) > 0 else { return nil }
      return whyNoMoments(columns, batch, row)
    }
  }

  private static func whyNoCount(
    _ column: BoundTrend.Column, _ batch: borrowing Batch, _ row: Int
  ) -> (code: String, field: String, problem: String)? {
    let cell = batch.column(column.index)[row]
    if cell.isNull { return ("missing_count", column.name, "is null or absent") }
    guard cell.kind == .int || cell.kind == .number else {
      return ("wrong_type", column.name, "is no number")
    }
    return whole(cell) == nil
      ? ("bad_count", column.name, "is no whole number from 0 to \(most)") : nil
  }

  private static func whyNoMoments(
    _ columns: TrendSums<BoundTrend.Column>, _ batch: borrowing Batch, _ row: Int
  ) -> (code: String, field: String, problem: String)? {
    for column in [columns.sum, columns.squares] {
      let cell = batch.column(column.index)[row]
      if cell.isNull { return ("missing_sum", column.name, "is null or absent") }
      if let (code, problem) = cell.whyNoNumber {
        return (code, column.name, problem)
      }
    }
    let count = Double(count(columns.count, batch, row))
    let sum = batch.column(columns.sum.index)[row].asDouble
    let squares = batch.column(columns.squares.index)[row].asDouble
    // A sum of squares is at least sum^2 / n; what rounding can take from it is let pass.
    guard squares >= sum / count * sum * (1 - 1e-9) else {
      return (
        "bad_squares", columns.squares.name,
        "is less than the square of `\(columns.sum.name)` over `\(columns.count.name)`: it has to be the sum of the squares of the values"
      )
    }
    return nil
  }
}
