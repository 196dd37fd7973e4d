import Testing
import WeirData

@testable import WeirExpressions

/// What a cell of a test's batch holds.
indirect enum Content: Equatable, Sendable {
  case missing
  case null
  case bool(Bool)
  case int(Int64)
  case number(Double)
  case string([UInt8])
  case timestamp(Int64)
  /// An object or array whose text was not kept.
  case other
  case list([Content])
  case object([Member])

  struct Member: Equatable, Sendable {
    var key: String
    var value: Content
  }

  static func text(_ text: String) -> Content { .string(Array(text.utf8)) }

  init(_ cell: Cell) {
    self =
      switch cell.kind {
      case .missing: .missing
      case .null: .null
      case .bool: .bool(cell.boolValue)
      case .int: .int(cell.intValue)
      case .number: .number(cell.numberValue)
      case .string: .string(Array(cell.stringBytes))
      case .timestamp: .timestamp(cell.intValue)
      case .other: .other
      }
  }

  /// - Parameter value: one that a cell can hold.
  init(_ value: Value) {
    switch value {
    case .bool(let v): self = .bool(v)
    case .int(let v): self = .int(v)
    case .number(let v): self = .number(v)
    case .string(let v): self = .string(v)
    case .timestamp(let v): self = .timestamp(v.microseconds!)
    default: self = .null
    }
  }

  /// As a record writes it.
  var json: String {
    switch self {
    case .missing, .null, .other: return "null"
    case .bool(let v): return "\(v)"
    case .int(let v): return "\(v)"
    case .number(let v):
      var text: [UInt8] = []
      appendJSONNumber(v, to: &text)
      return String(decoding: text, as: UTF8.self)
    case .string(let v):
      var text: [UInt8] = []
      v.withUnsafeBufferPointer { appendJSONString($0, to: &text) }
      return String(decoding: text, as: UTF8.self)
    case .timestamp(let v): return "\"\(Timestamp(microseconds: v).rfc3339)\""
    case .list(let elements): return "[" + elements.map(\.json).joined(separator: ", ") + "]"
    case .object(let members):
      return "{"
        + members.map { Content.text($0.key).json + ": " + $0.value.json }
        .joined(separator: ",") + " }"
    }
  }
}

/// Declared fields and the values of some records.
struct Table {
  var fields: [(path: String, type: String)]
  /// One array a record, one value a field.
  var rows: [[Content]]
  var params: [String: ConstantValue] = [:]

  var scope: ExpressionScope {
    ExpressionScope(
      fields: fields.enumerated().map { index, field in
        ExpressionScope.Field(
          path: FieldPath(text: field.path)!, type: FieldType(text: field.type)!, column: index)
      }, params: params)
  }

  func batch() -> Batch {
    let lines = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(1, rows.count) * MemoryLayout<BatchLine>.stride, alignment: 16)
    defer { lines.deallocate() }
    lines.initializeMemory(as: UInt8.self, repeating: 0)
    let typed = lines.bindMemory(to: BatchLine.self)
    var batch = Batch(
      bytes: Bytes([]), lines: UnsafeBufferPointer(rebasing: typed[..<rows.count]),
      columnCount: fields.count)
    for (row, values) in rows.enumerated() {
      for (column, value) in values.enumerated() {
        let cell = batch.cell(value)
        batch.column(column)[row] = cell
      }
    }
    return batch
  }

  /// The truth of a condition for each record.
  func truths(_ source: String) throws -> [Truth] {
    let expression = try CompiledExpression(source, scope: scope)
    var evaluator = expression.makeEvaluator()
    var truths: [Truth] = []
    evaluator.evaluate(batch(), Selection(all: rows.count), into: &truths)
    return truths
  }

  /// The value of an expression for each record, and the messages of those that have none.
  func values(_ source: String) throws -> (values: [Content], failures: [EvaluationFailure]) {
    let expression = try CompiledExpression(source, scope: scope)
    var evaluator = expression.makeEvaluator()
    var cells: [Cell] = []
    let batch = batch()
    evaluator.evaluateValues(batch, Selection(all: rows.count), into: &cells)
    let values = cells.map { Content($0) }
    withExtendedLifetime(expression) {}
    return (values, evaluator.failures)
  }

  /// The mistake that an expression is refused for.
  func refusal(_ source: String) -> ExpressionError? {
    do throws(ExpressionError) {
      _ = try CompiledExpression(source, scope: scope)
      return nil
    } catch { return error }
  }
}

extension Batch {
  mutating func cell(_ content: Content) -> Cell {
    switch content {
    case .missing: .missing
    case .null: .null
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .number(let value): .number(value)
    case .string([]): .string(UnsafeBufferPointer(start: nil, count: 0))
    case .string(let bytes): .string(bytes.withUnsafeBufferPointer { arena.store($0) })
    case .timestamp(let value): .timestamp(microseconds: value)
    case .other:
      {
        var cell = Cell.null
        cell.rawKind = CellKind.other.rawValue
        return cell
      }()
    case .list, .object:
      Array(content.json.utf8).withUnsafeBufferPointer { .other(json: arena.store($0)) }
    }
  }
}

/// Numbers that look random and are the same each time (Steele, Lea, Flood: SplitMix64).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  mutating func pick<T>(_ choices: [T]) -> T { choices[Int(next() % UInt64(choices.count))] }
  mutating func chance(_ percent: Int) -> Bool { next() % 100 < UInt64(percent) }
}
