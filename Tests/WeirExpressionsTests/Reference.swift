import WeirData

@testable import WeirExpressions

/// A second, slow reading of CEL: one record at a time, straight from the syntax tree. It shares
/// nothing with the evaluators but the parser.
struct Reference {
  struct Failure: Error {}
  /// It does not know this part of CEL.
  struct Unknown: Error {}

  indirect enum Value {
    case null
    case bool(Bool)
    case int(Int64)
    case uint(UInt64)
    case number(Double)
    case string([UInt8])
    case bytes([UInt8])
    /// Nanoseconds since 1970.
    case timestamp(Int128)
    case duration(Int128)
    /// An object or array whose text was not kept.
    case other
    case list([Value])
    case map([(key: Value, value: Value)])
    case optional(Value?)
  }

  let syntax: Syntax
  /// By dotted path.
  var fields: [String: Value]
  var params: [String: Value]
  /// Innermost last.
  var variables: [(name: [UInt8], value: Value)] = []

  init(_ source: String, table: Table, row: Int) throws {
    syntax = try Parser.parse(source)
    fields = [:]
    params = table.params.mapValues(Reference.value)
    for (index, field) in table.fields.enumerated() {
      fields[field.path] = Reference.value(table.rows[row][index])
    }
  }

  mutating func result() throws -> Value { try value(syntax.root) }

  static func value(_ content: Content) -> Value {
    switch content {
    case .missing, .null: .null
    case .bool(let v): .bool(v)
    case .int(let v): .int(v)
    case .number(let v): .number(v)
    case .string(let v): .string(v)
    case .timestamp(let v): .timestamp(Int128(v) * 1_000)
    case .other: .other
    case .list(let elements): .list(elements.map(value))
    case .object(let members): .map(members.map { (.string(Array($0.key.utf8)), value($0.value)) })
    }
  }

  static func value(_ constant: ConstantValue) -> Value {
    switch constant {
    case .null: .null
    case .bool(let v): .bool(v)
    case .int(let v): .int(v)
    case .number(let v): .number(v)
    case .string(let v): .string(v)
    case .timestamp(let v): .timestamp(Int128(v) * 1_000)
    case .list(let v): .list(v.map(value))
    }
  }

  mutating func value(_ index: Int) throws -> Value {
    switch syntax[index].kind {
    case .literal(.null): return .null
    case .literal(.bool(let v)): return .bool(v)
    case .literal(.int(let v)): return .int(v)
    case .literal(.uint(let v)): return .uint(v)
    case .literal(.double(let v)): return .number(v)
    case .literal(.string(let v)): return .string(v)
    case .literal(.bytes(let v)): return .bytes(v)
    case .message: throw Unknown()
    case .name(let name, _):
      if let variable = variables.last(where: { $0.name == name }) { return variable.value }
      return try named(String(decoding: name, as: UTF8.self))
    case .select(let inner, let name, let isOptional):
      return try select(index, inner, name, isOptional)
    case .index(let target, let key, let isOptional):
      return try element(of: value(target), value(key), isOptional)
    case .list(let elements):
      var made: [Value] = []
      for element in elements {
        let value = try value(element.value)
        guard element.isOptional else {
          made.append(value)
          continue
        }
        guard case .optional(let held) = value else { throw Failure() }
        if let held { made.append(held) }
      }
      return .list(made)
    case .map(let entries):
      var made: [(key: Value, value: Value)] = []
      for entry in entries {
        let key = try value(entry.key)
        let value = try value(entry.value)
        try insert(key, entry.isOptional ? held(value) : value, into: &made)
      }
      return .map(made)
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

  private func held(_ value: Value) throws -> Value? {
    guard case .optional(let held) = value else { throw Failure() }
    return held
  }

  func insert(
    _ key: Value, _ value: Value?, into map: inout [(key: Value, value: Value)]
  ) throws {
    switch key {
    case .bool, .int, .uint, .string: break
    default: throw Failure()
    }
    guard let value else { return }
    if try map.contains(where: { try equal($0.key, key) }) { throw Failure() }
    map.append((key, value))
  }

  // MARK: - Names

  func path(_ index: Int) -> String? {
    switch syntax[index].kind {
    case .name(let name, _): return String(decoding: name, as: UTF8.self)
    case .select(let inner, let name, isOptional: false):
      return path(inner).map { $0 + "." + String(decoding: name, as: UTF8.self) }
    default: return nil
    }
  }

  private func isVariable(_ index: Int) -> Bool {
    switch syntax[index].kind {
    case .name(let name, _): variables.contains { $0.name == name }
    case .select(let inner, _, _): isVariable(inner)
    default: false
    }
  }

  /// The longest field that the path goes through is the one that is meant.
  private mutating func select(
    _ index: Int, _ inner: Int, _ name: [UInt8], _ isOptional: Bool
  ) throws -> Value {
    if !isOptional, !isVariable(index), let path = path(index),
      fields[path] != nil || path.hasPrefix("params.")
    {
      return try named(path)
    }
    return try element(of: value(inner), .string(name), isOptional)
  }

  private func named(_ path: String) throws -> Value {
    if path.hasPrefix("params."), let value = params[String(path.dropFirst(7))] { return value }
    if let value = fields[path] { return value }
    let isType = TypeName(rawValue: path) != nil || path.hasPrefix("google")
    throw isType ? Unknown() as any Error : Failure()
  }

  func element(of target: Value, _ key: Value, _ isOptional: Bool) throws -> Value {
    if case .optional(let held) = target {
      guard let held else { return .optional(nil) }
      return .optional(try find(held, key))
    }
    let found = try find(target, key)
    if isOptional { return .optional(found) }
    guard let found else { throw Failure() }
    return found
  }

  private func find(_ target: Value, _ key: Value) throws -> Value? {
    switch target {
    case .map(let entries):
      switch key {
      case .bool, .int, .uint, .number, .string: break
      default: throw Failure()
      }
      return try entries.first { try equal($0.key, key) }?.value
    case .list(let elements):
      switch key {
      case .int, .uint, .number: break
      default: throw Failure()
      }
      if case .number(let v) = key, Int64(exactly: v) == nil { throw Failure() }
      for at in elements.indices where try equal(.int(Int64(at)), key) { return elements[at] }
      return nil
    default: throw Failure()
    }
  }

  // MARK: - Operators

  mutating func truth(_ index: Int) throws -> Bool {
    guard case .bool(let value) = try value(index) else { throw Failure() }
    return value
  }

  private mutating func logic(_ operands: [Int], decides: Bool) throws -> Bool {
    var failed = false
    for operand in operands {
      do { if try truth(operand) == decides { return decides } } catch let error {
        if error is Unknown { throw error }
        failed = true
      }
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
      switch b {
      case .list(let elements): return .bool(try elements.contains { try equal(a, $0) })
      case .map: return .bool(try find(b, a) != nil)
      default: throw Failure()
      }
    case .add, .subtract, .multiply, .divide, .remainder: return try arithmetic(operation, a, b)
    }
  }

  func equal(_ a: Value, _ b: Value) throws -> Bool {
    switch (a, b) {
    case (.null, .null): return true
    case (.other, .other): throw Failure()
    case (.list(let x), .list(let y)):
      return try x.count == y.count && zip(x, y).allSatisfy { try equal($0, $1) }
    case (.map(let x), .map(let y)):
      return try x.count == y.count
        && x.allSatisfy { entry in
          try y.contains { try equal(entry.key, $0.key) && equal(entry.value, $0.value) }
        }
    case (.optional(let x), .optional(let y)):
      guard let x, let y else { return x == nil && y == nil }
      return try equal(x, y)
    default: return ((try? order(a, b)) ?? nil) == 0
    }
  }

  private func order(_ a: Value, _ b: Value) throws -> Int? {
    func sign<T: Comparable>(_ x: T, _ y: T) -> Int? {
      x < y ? -1 : (x > y ? 1 : (x == y ? 0 : nil))
    }
    switch (a, b) {
    case (.int(let x), .int(let y)): return sign(x, y)
    case (.uint(let x), .uint(let y)): return sign(x, y)
    case (.int(let x), .uint(let y)): return sign(Int128(x), Int128(y))
    case (.uint(let x), .int(let y)): return sign(Int128(x), Int128(y))
    case (.timestamp(let x), .timestamp(let y)): return sign(x, y)
    case (.duration(let x), .duration(let y)): return sign(x, y)
    case (.number(let x), .number(let y)): return sign(x, y)
    case (.int(let x), .number(let y)): return sign(Double(x), y)
    case (.number(let x), .int(let y)): return sign(x, Double(y))
    case (.uint(let x), .number(let y)): return sign(Double(x), y)
    case (.number(let x), .uint(let y)): return sign(x, Double(y))
    case (.bool(let x), .bool(let y)): return sign(x ? 1 : 0, y ? 1 : 0)
    case (.string(let x), .string(let y)), (.bytes(let x), .bytes(let y)):
      return x == y ? 0 : (x.lexicographicallyPrecedes(y) ? -1 : 1)
    default: throw Failure()
    }
  }

  private func arithmetic(_ operation: Syntax.Binary, _ a: Value, _ b: Value) throws -> Value {
    switch (a, b) {
    case (.int(let x), .int(let y)):
      // The remainder of the smallest integer by -1 overflows as its quotient does.
      if operation == .remainder, y == -1, x == Int64.min { throw Failure() }
      guard let value = Int64(exactly: try whole(operation, Int128(x), Int128(y))) else {
        throw Failure()
      }
      return .int(value)
    case (.uint(let x), .uint(let y)):
      guard let value = UInt64(exactly: try whole(operation, Int128(x), Int128(y))) else {
        throw Failure()
      }
      return .uint(value)
    case (.number(let x), .number(let y)):
      switch operation {
      case .add: return .number(x + y)
      case .subtract: return .number(x - y)
      case .multiply: return .number(x * y)
      case .divide: return .number(x / y)
      default: throw Failure()
      }
    default: break
    }
    switch (operation, a, b) {
    case (.add, .string(let x), .string(let y)): return .string(x + y)
    case (.add, .bytes(let x), .bytes(let y)): return .bytes(x + y)
    case (.add, .list(let x), .list(let y)): return .list(x + y)
    case (.add, .timestamp(let x), .duration(let y)), (.add, .duration(let y), .timestamp(let x)):
      return try timestamp(x + y)
    case (.subtract, .timestamp(let x), .duration(let y)): return try timestamp(x - y)
    case (.subtract, .timestamp(let x), .timestamp(let y)): return try duration(x - y)
    case (.add, .duration(let x), .duration(let y)): return try duration(x + y)
    case (.subtract, .duration(let x), .duration(let y)): return try duration(x - y)
    default: throw Failure()
    }
  }

  private func whole(_ operation: Syntax.Binary, _ x: Int128, _ y: Int128) throws -> Int128 {
    if y == 0, operation == .divide || operation == .remainder { throw Failure() }
    switch operation {
    case .add: return x + y
    case .subtract: return x - y
    case .multiply:
      let (product, isTooBig) = x.multipliedReportingOverflow(by: y)
      if isTooBig { throw Failure() }
      return product
    case .divide: return x / y
    default: return x % y
    }
  }

  func timestamp(_ nanoseconds: Int128) throws -> Value {
    let second: Int128 = 1_000_000_000
    guard nanoseconds >= -62_135_596_800 * second, nanoseconds < 253_402_300_800 * second else {
      throw Failure()
    }
    return .timestamp(nanoseconds)
  }

  func duration(_ nanoseconds: Int128) throws -> Value {
    guard Int64(exactly: nanoseconds) != nil else { throw Failure() }
    return .duration(nanoseconds)
  }
}
