import WeirData

/// Computes any part of a tree for one record at a time: all of CEL, where columns know only cells.
final class RecordEvaluator {
  let tree: Tree
  /// What the record may still cost; see ``ExpressionLimits/steps``.
  var stepsLeft = ExpressionLimits.steps
  private var variables: [Value] = []
  private var patterns = PatternMemory()

  /// Where the fields of the tree are: columns of a batch, or values.
  private var columns: [UnsafePointer<Cell>?] = []
  private var bound: [Value] = []
  private var row = 0
  /// By field: the object or array of the row that was read last.
  private var read: [(row: Int, value: Value)?] = []

  init(_ tree: Tree) { self.tree = tree }

  // MARK: - Records

  /// - Parameter columns: one for each of ``Tree/fields``; `nil` where it is never looked at.
  func begin(columns: [UnsafePointer<Cell>?]) {
    self.columns = columns
    bound = []
    read = Array(repeating: nil, count: columns.count)
  }

  /// - Parameter fields: one for each of ``Tree/fields``.
  func begin(fields: [Value]) {
    bound = fields
    columns = []
  }

  /// The value of a part for one record, within a budget of its own.
  func value(_ index: Tree.Index, ofRow row: Int) throws(Failed) -> Value {
    self.row = row
    stepsLeft = ExpressionLimits.steps
    return try value(index)
  }

  private func field(_ place: Int, _ index: Tree.Index) throws(Failed) -> Value {
    if columns.isEmpty { return bound[place] }
    guard let column = columns[place] else { throw fail(.textGone, index) }
    let cell = column[row]
    guard cell.kind == .other else { return Value(scalar: cell) }
    if let known = read[place], known.row == row { return known.value }
    guard let text = cell.jsonText else { throw fail(.textGone, index) }
    try spend(1 + text.count / 16, index)
    do throws(FailureKind) {
      let value = try Value.reading(json: text)
      read[place] = (row, value)
      return value
    } catch { throw fail(error, index) }
  }

  // MARK: - Failing

  func fail(_ kind: FailureKind, _ index: Tree.Index) -> Failed {
    Failed(number: FailureKind.base(of: index) + kind.rawValue)
  }

  @inline(__always)
  func spend(_ steps: Int, _ index: Tree.Index) throws(Failed) {
    stepsLeft -= steps
    if stepsLeft < 0 { throw fail(.budget, index) }
  }

  // MARK: - Parts

  func value(_ index: Tree.Index) throws(Failed) -> Value {
    try spend(1, index)
    switch tree[index].kind {
    case .constant(let value): return value
    case .failure(let number): throw Failed(number: number)
    case .field(let place): return try field(place, index)
    case .variable(let slot): return variables[slot]
    case .isPresent(let part): return .bool(!(try value(part)).isNull)
    case .select(let target, let name, let isOptional):
      return try select(try value(target), .string(name), isOptional: isOptional, index)
    case .hasKey(let target, let name): return .bool(try hasKey(try value(target), name, index))
    case .index(let target, let key, let isOptional):
      let target = try value(target)
      return try select(target, try value(key), isOptional: isOptional, index)
    case .list(let elements): return try list(elements, index)
    case .map(let entries): return try map(entries, index)
    case .not(let part): return .bool(!(try truth(part)))
    case .negate(let part):
      let operand = try value(part)
      return try computed(index, [operand]) { () throws(FailureKind) in
        try ValueArithmetic.negated(operand)
      }
    case .all(let operands): return .bool(try logic(operands, decides: false))
    case .any(let operands): return .bool(try logic(operands, decides: true))
    case .binary(let operation, let left, let right):
      let left = try value(left)
      return try binary(operation, left, try value(right), index)
    case .conditional(let test, let yes, let no): return try value(truth(test) ? yes : no)
    case .call(let function, let operands):
      var values: [Value] = []
      values.reserveCapacity(operands.count)
      for operand in operands { values.append(try value(operand)) }
      return try call(function, values, index)
    case .loop(let loop): return try run(loop, index)
    case .bind(let slot, let part, let body):
      set(slot, try value(part))
      return try value(body)
    case .withValue(let slot, let part, let body, let isFlat):
      return try withValue(slot, part, body, isFlat: isFlat, index)
    case .orElse(let first, let second, let isValue):
      guard case .optional(let held) = try value(first) else { throw fail(.wrongType, index) }
      guard let held else { return try value(second) }
      return isValue ? held : .optional(held)
    }
  }

  func set(_ slot: Int, _ value: Value) {
    while variables.count <= slot { variables.append(.null) }
    variables[slot] = value
  }

  func truth(_ index: Tree.Index) throws(Failed) -> Bool {
    guard case .bool(let truth) = try value(index) else { throw fail(.notBool, index) }
    return truth
  }

  /// Computes with operands; a mismatch of types is told apart from a null.
  func computed(
    _ index: Tree.Index, _ operands: [Value], _ body: () throws(FailureKind) -> Value
  ) throws(Failed) -> Value {
    do throws(FailureKind) {
      return try body()
    } catch {
      guard error == .wrongType else { throw fail(error, index) }
      if operands.first?.isNull ?? false { throw fail(.leftNull, index) }
      if operands.last?.isNull ?? false { throw fail(.rightNull, index) }
      throw fail(.wrongType, index)
    }
  }

  /// `&&` (false decides) and `||` (true decides): a failure counts only where no other operand
  /// decides; of several the first stands.
  private func logic(_ operands: [Tree.Index], decides: Bool) throws(Failed) -> Bool {
    var failure: Failed?
    for operand in operands {
      do throws(Failed) {
        if try truth(operand) == decides { return decides }
      } catch {
        if error.number & 63 == FailureKind.budget.rawValue { throw error }
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
    return !decides
  }

  private func withValue(
    _ slot: Int, _ part: Tree.Index, _ body: Tree.Index, isFlat: Bool, _ index: Tree.Index
  ) throws(Failed) -> Value {
    guard case .optional(let held) = try value(part) else { throw fail(.wrongType, index) }
    guard let held else { return .optional(nil) }
    set(slot, held)
    let result = try value(body)
    guard isFlat else { return .optional(result) }
    guard case .optional = result else { throw fail(.wrongType, index) }
    return result
  }

  private func call(
    _ function: Function, _ operands: [Value], _ index: Tree.Index
  ) throws(Failed) -> Value {
    var bytes = 0
    for operand in operands { bytes += operand.textBytes }
    if bytes > 0 { try spend(bytes / 64, index) }
    if function == .matches {
      return try computed(index, operands) { () throws(FailureKind) in
        try matches(operands, tree.patterns[index])
      }
    }
    let zone = tree.zones[index]
    let result = try computed(index, operands) { () throws(FailureKind) in
      try function.apply(operands, zone: zone)
    }
    try spend(result.size / 64, index)
    return result
  }

  private func matches(
    _ operands: [Value], _ known: Pattern?
  ) throws(FailureKind) -> Value {
    guard case .string(let text) = operands[0], case .string(let written) = operands[1] else {
      throw .wrongType
    }
    guard let pattern = known ?? patterns.pattern(written) else { throw .notAPattern }
    return .bool(pattern.matches(text))
  }
}

extension Value {
  /// A cell that is no object and no array.
  init(scalar cell: Cell) {
    switch cell.kind {
    case .missing, .null, .other: self = .null
    case .bool: self = .bool(cell.boolValue)
    case .int: self = .int(cell.intValue)
    case .number: self = .number(cell.numberValue)
    case .string: self = .string(Array(cell.stringBytes))
    case .timestamp: self = .timestamp(Instant(microseconds: cell.intValue))
    }
  }

  /// Bytes of text or elements: what going through a value once costs.
  fileprivate var textBytes: Int {
    switch self {
    case .string(let bytes), .bytes(let bytes): bytes.count
    case .list(let elements):
      elements.reduce(elements.count * 16) {
        if case .string(let bytes) = $1 { $0 + bytes.count } else { $0 }
      }
    default: 0
    }
  }

  /// The same of a value that a function made.
  fileprivate var size: Int {
    switch self {
    case .string(let bytes), .bytes(let bytes): bytes.count
    case .list(let elements): elements.count * 64
    default: 0
    }
  }
}
