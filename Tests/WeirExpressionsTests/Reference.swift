import WeirData

@testable import WeirExpressions

/// A second, slow reading of CEL: one record at a time, straight from the syntax tree. It shares
/// nothing with the evaluator but the parser.
struct Reference {
  struct Failure: Error {}

  enum Value {
    case null
    case bool(Bool)
    case int(Int64)
    case number(Double)
    case string([UInt8])
    case timestamp(Int64)
    case other
    case list([Value])
  }

  let syntax: Syntax
  /// By dotted path.
  var fields: [String: Value]
  var params: [String: Value]

  init(_ source: String, table: Table, row: Int) throws {
    syntax = try Parser.parse(source)
    fields = [:]
    params = table.params.mapValues(Reference.value)
    for (index, field) in table.fields.enumerated() {
      fields[field.path] = Reference.value(table.rows[row][index])
    }
  }

  func result() throws -> Value { try value(syntax.root) }

  static func value(_ content: Content) -> Value {
    switch content {
    case .missing, .null: .null
    case .bool(let v): .bool(v)
    case .int(let v): .int(v)
    case .number(let v): .number(v)
    case .string(let v): .string(v)
    case .timestamp(let v): .timestamp(v)
    case .other: .other
    }
  }

  static func value(_ constant: ConstantValue) -> Value {
    switch constant {
    case .null: .null
    case .bool(let v): .bool(v)
    case .int(let v): .int(v)
    case .number(let v): .number(v)
    case .string(let v): .string(v)
    case .timestamp(let v): .timestamp(v)
    case .list(let v): .list(v.map(value))
    }
  }

  private func value(_ index: Int) throws -> Value {
    switch syntax[index].kind {
    case .literal(.null): return .null
    case .literal(.bool(let v)): return .bool(v)
    case .literal(.int(let v)): return .int(v)
    case .literal(.double(let v)): return .number(v)
    case .literal(.string(let v)): return .string(v)
    case .literal(.uint), .literal(.bytes), .index, .map, .message: throw Failure()
    case .name, .select: return try named(path(index))
    case .list(let elements): return .list(try elements.map { try value($0.value) })
    case .not(let inner): return .bool(!(try truth(inner)))
    case .negate(let inner):
      switch try value(inner) {
      case .int(let v) where v != .min: return .int(-v)
      case .number(let v): return .number(-v)
      default: throw Failure()
      }
    case .all(let operands): return .bool(try logic(operands, decides: false))
    case .any(let operands): return .bool(try logic(operands, decides: true))
    case .conditional(let test, let yes, let no): return try value(truth(test) ? yes : no)
    case .binary(let operation, let left, let right, _):
      return try binary(operation, value(left), value(right))
    case .call(let target, let name, _, let arguments):
      return try call(String(decoding: name, as: UTF8.self), target, arguments)
    }
  }

  private func path(_ index: Int) -> String {
    switch syntax[index].kind {
    case .name(let name, _): return String(decoding: name, as: UTF8.self)
    case .select(let inner, let name, _):
      return path(inner) + "." + String(decoding: name, as: UTF8.self)
    default: return ""
    }
  }

  private func named(_ path: String) throws -> Value {
    if path.hasPrefix("params."), let value = params[String(path.dropFirst(7))] { return value }
    guard let value = fields[path] else { throw Failure() }
    return value
  }

  private func truth(_ index: Int) throws -> Bool {
    guard case .bool(let value) = try value(index) else { throw Failure() }
    return value
  }

  private func logic(_ operands: [Int], decides: Bool) throws -> Bool {
    var failed = false
    for operand in operands {
      do { if try truth(operand) == decides { return decides } } catch { failed = true }
    }
    if failed { throw Failure() }
    return !decides
  }

  private func binary(_ operation: Syntax.Binary, _ a: Value, _ b: Value) throws -> Value {
    switch operation {
    case .equal: return .bool(try equal(a, b))
    case .notEqual: return .bool(!(try equal(a, b)))
    case .less: return .bool(try order(a, b).map { $0 < 0 } ?? false)
    case .lessOrEqual: return .bool(try order(a, b).map { $0 <= 0 } ?? false)
    case .greater: return .bool(try order(a, b).map { $0 > 0 } ?? false)
    case .greaterOrEqual: return .bool(try order(a, b).map { $0 >= 0 } ?? false)
    case .isIn:
      guard case .list(let elements) = b else { throw Failure() }
      return .bool(try elements.contains { try equal(a, $0) })
    case .add, .subtract, .multiply, .divide, .remainder: return try arithmetic(operation, a, b)
    }
  }

  private func equal(_ a: Value, _ b: Value) throws -> Bool {
    switch (a, b) {
    case (.null, .null): return true
    case (.bool(let x), .bool(let y)): return x == y
    case (.string(let x), .string(let y)): return x == y
    case (.timestamp(let x), .timestamp(let y)): return x == y
    case (.int, .int), (.int, .number), (.number, .int), (.number, .number):
      return try order(a, b) == 0
    case (.list(let x), .list(let y)):
      return try x.count == y.count && zip(x, y).allSatisfy { try equal($0, $1) }
    case (.other, .other): throw Failure()
    default: return false
    }
  }

  /// -1, 0, 1; `nil` beside a value that is not a number.
  private func order(_ a: Value, _ b: Value) throws -> Int? {
    func sign<T: Comparable>(_ x: T, _ y: T) -> Int { x < y ? -1 : (x > y ? 1 : 0) }
    switch (a, b) {
    case (.int(let x), .int(let y)), (.timestamp(let x), .timestamp(let y)): return sign(x, y)
    case (.number(let x), .number(let y)): return x.isNaN || y.isNaN ? nil : sign(x, y)
    case (.int(let x), .number(let y)):
      return try order(.number(Double(x)), .number(y))
    case (.number, .int): return try order(b, a).map { -$0 }
    case (.bool(let x), .bool(let y)): return sign(x ? 1 : 0, y ? 1 : 0)
    case (.string(let x), .string(let y)):
      return x == y ? 0 : (x.lexicographicallyPrecedes(y) ? -1 : 1)
    default: throw Failure()
    }
  }

  private func arithmetic(_ operation: Syntax.Binary, _ a: Value, _ b: Value) throws -> Value {
    switch (a, b) {
    case (.int(let x), .int(let y)):
      let (x, y) = (Int128(x), Int128(y))
      if y == 0, operation == .divide || operation == .remainder { throw Failure() }
      let exact: Int128 =
        switch operation {
        case .add: x + y
        case .subtract: x - y
        case .multiply: x * y
        case .divide: x / y
        default: x % y
        }
      // The remainder of the smallest integer by -1 overflows as its quotient does.
      if operation == .remainder, y == -1, x == Int128(Int64.min) { throw Failure() }
      guard let value = Int64(exactly: exact) else { throw Failure() }
      return .int(value)
    case (.number(let x), .number(let y)):
      switch operation {
      case .add: return .number(x + y)
      case .subtract: return .number(x - y)
      case .multiply: return .number(x * y)
      case .divide: return .number(x / y)
      default: throw Failure()
      }
    case (.string(let x), .string(let y)) where operation == .add: return .string(x + y)
    default: throw Failure()
    }
  }

  private func call(_ name: String, _ target: Int?, _ arguments: [Int]) throws -> Value {
    let first = target ?? arguments[0]
    if name == "has" {
      if case .null = try value(first) { return .bool(false) }
      return .bool(true)
    }
    switch (name, try value(first), arguments.last) {
    case ("dyn", let inner, _): return inner
    case ("size", .string(let bytes), _):
      return .int(Int64(String(decoding: bytes, as: UTF8.self).unicodeScalars.count))
    case ("size", .list(let elements), _): return .int(Int64(elements.count))
    case ("timestamp", .int(let seconds), _): return .timestamp(seconds * 1_000_000)
    case ("timestamp", .timestamp(let v), _): return .timestamp(v)
    case ("timestamp", .string(let bytes), _):
      guard let time = Timestamp(rfc3339: String(decoding: bytes, as: UTF8.self)) else {
        throw Failure()
      }
      return .timestamp(time.microseconds)
    case ("startsWith", .string(let bytes), let argument?):
      return .bool(bytes.starts(with: try string(argument)))
    case ("endsWith", .string(let bytes), let argument?):
      return .bool(bytes.reversed().starts(with: try string(argument).reversed()))
    case ("contains", .string(let bytes), let argument?):
      let part = try string(argument)
      return .bool((0...bytes.count).contains { bytes[$0...].starts(with: part) })
    default: throw Failure()
    }
  }

  private func string(_ index: Int) throws -> [UInt8] {
    guard case .string(let bytes) = try value(index) else { throw Failure() }
    return bytes
  }
}
