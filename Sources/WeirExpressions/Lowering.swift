import WeirData

/// Makes the operations over columns from a tree.
struct Lowering {
  private let tree: Tree
  private var operations: [Program.Operation] = []
  /// By operation: the part of the tree that it computes.
  private var parts: [Tree.Index] = []
  private var sets: [ConstantSet] = []
  private let pool = ConstantPool()

  static func program(_ tree: Tree) -> Program {
    var lowering = Lowering(tree: tree)
    let root = lowering.lower(tree.root)
    return lowering.finish(root)
  }

  private init(tree: Tree) { self.tree = tree }

  private mutating func add(_ operation: Program.Operation, _ part: Tree.Index) -> Program.Index {
    operations.append(operation)
    parts.append(part)
    return operations.count - 1
  }

  private mutating func lower(_ index: Tree.Index) -> Program.Index {
    let node = tree[index]
    guard node.isFlat else { return general(index) }
    switch node.kind {
    case .constant(let value): return add(.constant(pool.add(pool.cell(value))), index)
    case .failure(let number): return add(.constant(pool.add(.failure(number))), index)
    case .field(let place): return add(.column(tree.fields[place].column), index)
    case .isPresent(let a): return add(.isPresent(lower(a)), index)
    case .not(let a): return add(.not(lower(a)), index)
    case .negate(let a): return add(.negate(lower(a)), index)
    case .all(let operands): return add(.all(operands.map { lower($0) }), index)
    case .any(let operands): return add(.any(operands.map { lower($0) }), index)
    case .conditional(let a, let b, let c):
      return add(.conditional(lower(a), lower(b), lower(c)), index)
    case .binary(let operation, let a, let b): return binary(operation, a, b, index)
    case .call(let function, let operands): return call(function, operands, index)
    case .variable, .select, .hasKey, .index, .list, .map, .loop, .bind, .withValue, .orElse:
      return general(index)
    }
  }

  private mutating func binary(
    _ operation: Syntax.Binary, _ a: Tree.Index, _ b: Tree.Index, _ index: Tree.Index
  ) -> Program.Index {
    if operation == .add, tree[index].type.base == .string { return concatenate(index) }
    let left = lower(a)
    if operation == .isIn { return isIn(left, b, index) }
    let right = lower(b)
    switch operation {
    case .equal: return add(.equal(left, right, isNegated: false), index)
    case .notEqual: return add(.equal(left, right, isNegated: true), index)
    case .less: return add(.order(.less, left, right), index)
    case .lessOrEqual: return add(.order(.lessOrEqual, left, right), index)
    case .greater: return add(.order(.greater, left, right), index)
    case .greaterOrEqual: return add(.order(.greaterOrEqual, left, right), index)
    case .add, .isIn: return add(.arithmetic(.add, left, right), index)
    case .subtract: return add(.arithmetic(.subtract, left, right), index)
    case .multiply: return add(.arithmetic(.multiply, left, right), index)
    case .divide: return add(.arithmetic(.divide, left, right), index)
    case .remainder: return add(.arithmetic(.remainder, left, right), index)
    }
  }

  /// A chain of `+` over strings in one go, so that what lies between is never written.
  private mutating func concatenate(_ index: Tree.Index) -> Program.Index {
    var operands: [Tree.Index] = []
    var parts: [Tree.Index] = []
    var at = index
    while case .binary(.add, let left, let right) = tree[at].kind, tree[at].isFlat,
      tree[at].type.base == .string
    {
      operands.append(right)
      parts.append(at)
      at = left
    }
    operands.append(at)
    // The first operand is the left one of the first `+`.
    parts.append(parts[parts.count - 1])
    let lowered = operands.reversed().map { lower($0) }
    return add(.concatenate(lowered, parts.reversed()), index)
  }

  private mutating func isIn(
    _ needle: Program.Index, _ list: Tree.Index, _ index: Tree.Index
  ) -> Program.Index {
    if case .constant(.list(let elements)) = tree[list].kind {
      sets.append(ConstantSet(elements.map { pool.cell($0) }))
      return add(.isInSet(needle, sets.count - 1), index)
    }
    guard case .list(let elements) = tree[list].kind else { return general(index) }
    return add(.isInList(needle, elements.map { lower($0.value) }), index)
  }

  private mutating func call(
    _ function: Function, _ operands: [Tree.Index], _ index: Tree.Index
  ) -> Program.Index {
    let first = lower(operands[0])
    switch function {
    case .size: return add(.size(first), index)
    case .contains: return add(.text(.contains, first, lower(operands[1])), index)
    case .startsWith: return add(.text(.startsWith, first, lower(operands[1])), index)
    case .endsWith: return add(.text(.endsWith, first, lower(operands[1])), index)
    case .matches:
      guard let pattern = tree.patterns[index] else { return general(index) }
      return add(.matches(first, pattern), index)
    case .toDouble: return add(.convert(.number, first), index)
    case .toInt: return add(.convert(.int, first), index)
    default:
      guard let part = DatePart(function) else { return general(index) }
      return add(.datePart(part, first, tree.zones[index] ?? .utc), index)
    }
  }

  /// A part that is computed record by record.
  private mutating func general(_ index: Tree.Index) -> Program.Index {
    var places: Set<Int> = []
    var pending = [index]
    while let part = pending.popLast() {
      if case .field(let place) = tree[part].kind { places.insert(place) }
      pending += tree[part].kind.operands
    }
    let columns = places.sorted().map { add(.column(tree.fields[$0].column), index) }
    return add(.general(index, columns, isTruth: tree[index].type.base == .bool), index)
  }

  private mutating func finish(_ root: Program.Index) -> Program {
    var used: Set<Int> = []
    for operation in operations { if case .column(let column) = operation { used.insert(column) } }
    let columns = used.sorted()
    for (index, operation) in operations.enumerated() {
      if case .column(let column) = operation {
        operations[index] = .column(columns.firstIndex(of: column) ?? 0)
      }
    }
    return Program(
      tree: tree, operations: operations, parts: parts, root: root, constants: pool, sets: sets,
      columnsRead: columns)
  }
}
