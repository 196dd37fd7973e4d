import WeirData
import WeirExpressions
import WeirStatistics

/// What is computed for each group.
enum MetricFunction: Sendable, Equatable {
  case countAll, countWhere, rate, sum, mean, min, max, distinct
  case quantile(Double)
}

/// What is kept for each group to compute metrics from.
enum StateKind: UInt8, Sendable {
  case hits = 1
  case intSum, numberSum
  case intLeast, intGreatest, numberLeast, numberGreatest, stringLeast, stringGreatest
  case sketch, distinct
}

/// An aggregation that is bound to the columns of a batch.
///
/// Metrics that need the same (`mean` and `sum` of one expression, several quantiles) share it.
struct AggregateLayout: Sendable {
  struct Field: Sendable {
    var name: String
    var type: FieldType.Base
    var column: Int
  }
  struct Time: Sendable {
    var name: String
    var column: Int
    var bucket: TimeBucket
    /// UTC for parts of a day.
    var zone: TrendZone
  }
  /// An expression, evaluated once a batch.
  struct Input: Sendable {
    var source: [UInt8]
    var isCondition: Bool
    var expression: CompiledExpression
    /// The first metric that uses it, for messages.
    var metric: String
  }
  struct State: Sendable, Equatable {
    var kind: StateKind
    var input: Int
    var type: FieldType.Base
  }
  struct Metric: Sendable {
    var name: String
    var function: MetricFunction
    /// Place in ``states``; `nil` for what the number of records tells.
    var state: Int?
  }

  var by: [Field]
  var time: Time?
  private(set) var inputs: [Input] = []
  private(set) var states: [State] = []
  private(set) var metrics: [Metric] = []

  init(by: [Field], time: Time?) {
    self.by = by
    self.time = time
  }

  mutating func addCount(_ name: String) {
    metrics.append(Metric(name: name, function: .countAll, state: nil))
  }

  /// - Parameter kind: of its state.
  mutating func add(
    _ name: String, _ function: MetricFunction, _ kind: StateKind,
    of expression: CompiledExpression,
    source: [UInt8]
  ) {
    let isCondition = kind == .hits
    var input = inputs.firstIndex { $0.isCondition == isCondition && $0.source == source }
    if input == nil {
      inputs.append(
        Input(source: source, isCondition: isCondition, expression: expression, metric: name))
      input = inputs.count - 1
    }
    let state = State(kind: kind, input: input!, type: expression.resultType.base)
    if !states.contains(state) { states.append(state) }
    metrics.append(Metric(name: name, function: function, state: states.firstIndex(of: state)))
  }

  var columnsRead: [Int] {
    var columns = Set(by.map(\.column))
    if let time { columns.insert(time.column) }
    for input in inputs { columns.formUnion(input.expression.columnsRead) }
    return columns.sorted()
  }

  /// What two partials must have in common to be merged: the types of the key and of the states.
  var signature: [UInt8] {
    var out = ByteWriter()
    out.varint(UInt64(by.count))
    for field in by { out.block(Array(field.type.rawValue.utf8)) }
    out.integer(time?.bucket.width ?? 0)
    out.varint(UInt64(states.count))
    for state in states {
      out.byte(state.kind.rawValue)
      out.block(Array(state.type.rawValue.utf8))
    }
    return out.bytes
  }

  var columnNames: [String] { keyNames + metrics.map(\.name) }

  /// Columns that tell the groups apart.
  var keyNames: [String] { by.map(\.name) + (time.map { [$0.name] } ?? []) }
}
