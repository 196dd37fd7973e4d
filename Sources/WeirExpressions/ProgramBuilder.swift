import WeirData

/// Collects operations and computes those whose operands are constant.
struct ProgramBuilder {
  private(set) var operations: [Program.Operation] = []
  private(set) var spans: [SourceSpan] = []
  private var sets: [ConstantSet] = []
  private let pool = ConstantPool()

  mutating func add(_ operation: Program.Operation, _ span: SourceSpan) -> Program.Index {
    let index = operations.count
    operations.append(operation)
    spans.append(span)
    fold(index)
    return index
  }

  mutating func constant(_ value: Cell, _ span: SourceSpan) -> Program.Index {
    add(.constant(pool.add(value)), span)
  }

  func stored(_ value: ConstantValue) -> Cell? { pool.cell(value) }
  func stored(_ bytes: [UInt8]) -> Cell { pool.string(bytes) }

  /// The value of an operation that is constant.
  func constant(_ index: Program.Index) -> Cell? {
    guard case .constant(let slot) = operations[index] else { return nil }
    return pool[slot]
  }

  mutating func isIn(
    _ needle: Program.Index, _ elements: [Program.Index], _ span: SourceSpan
  ) -> Program.Index {
    let cells = elements.compactMap { constant($0) }
    if cells.count == elements.count, !cells.contains(where: { $0.isFailure }) {
      return add(.isInSet(needle, addSet(cells)), span)
    }
    return add(.isInList(needle, elements), span)
  }

  mutating func addSet(_ cells: [Cell]) -> Int {
    sets.append(ConstantSet(cells))
    return sets.count - 1
  }

  /// - Parameter columnOf: the batch column of each ``Program/Operation/column(_:)``.
  mutating func finish(root: Program.Index, source: Syntax) -> Program {
    var used: Set<Int> = []
    var pending = [root]
    while let index = pending.popLast() {
      if case .column(let column) = operations[index] { used.insert(column) }
      pending += operations[index].operands
    }
    let columns = used.sorted()
    for (index, operation) in operations.enumerated() {
      // A column that constant parts made unnecessary is never looked at.
      if case .column(let column) = operation {
        operations[index] = .column(columns.firstIndex(of: column) ?? 0)
      }
    }
    return Program(
      source: source, operations: operations, spans: spans, root: root, constants: pool,
      sets: sets, columnsRead: columns)
  }

  // MARK: - Constants

  private mutating func fold(_ index: Program.Index) {
    let base = FailureKind.base(of: index)
    switch operations[index] {
    case .constant, .column, .isPresent: break
    case .all(let operands): foldLogic(index, operands, decides: TruthCode.false)
    case .any(let operands): foldLogic(index, operands, decides: TruthCode.true)
    case .not(let a):
      guard let truth = truth(a) else { break }
      set(index, truth.isFailure ? truth : truth ^ 1)
    case .equal(let a, let b, let isNegated):
      guard let a = constant(a), let b = constant(b) else { break }
      let truth = Semantics.equal(a, b, failing: base)
      set(index, isNegated && !truth.isFailure ? truth ^ 1 : truth)
    case .order(let order, let a, let b):
      guard let a = constant(a), let b = constant(b) else { break }
      set(index, Semantics.order(order, a, b, failing: base))
    case .isInSet(let a, let slot):
      guard let a = constant(a) else { break }
      set(index, a.isFailure ? a.failureNumber : TruthCode(sets[slot].contains(a)))
    case .isInList(let a, let list):
      let cells = ([a] + list).compactMap { constant($0) }
      guard cells.count == list.count + 1 else { break }
      // Were none of them a failure, this would be a set.
      if let failed = cells.first(where: { $0.isFailure }) { set(index, failed) }
    case .conditional(let a, let b, let c):
      guard let truth = truth(a) else { break }
      if truth.isFailure {
        set(index, truth)
      } else {
        operations[index] = operations[truth == TruthCode.true ? b : c]
        spans[index] = spans[truth == TruthCode.true ? b : c]
      }
    case .arithmetic(let operation, let a, let b):
      guard let a = constant(a), let b = constant(b) else { break }
      set(index, pool.withArena { Semantics.arithmetic(operation, a, b, failing: base, &$0) })
    case .negate(let a):
      guard let a = constant(a) else { break }
      set(index, Semantics.negate(a, failing: base))
    case .size(let a):
      guard let a = constant(a) else { break }
      set(index, Semantics.size(a, failing: base))
    case .text(let test, let a, let b):
      guard let a = constant(a), let b = constant(b) else { break }
      set(index, Semantics.text(test, a, b, failing: base))
    }
  }

  private mutating func set(_ index: Program.Index, _ cell: Cell) {
    operations[index] = .constant(pool.add(cell))
  }

  private mutating func set(_ index: Program.Index, _ truth: TruthCode) {
    set(index, truth.isFailure ? .failure(truth) : .bool(truth == TruthCode.true))
  }

  /// The truth of an operation that is constant.
  private func truth(_ index: Program.Index) -> TruthCode? {
    constant(index).map { Semantics.truth($0, failing: FailureKind.base(of: index)) }
  }

  /// `&&` (false decides) and `||` (true decides): a deciding constant decides whatever the others
  /// are, errors included; the other truth value falls away; an error stays, as another operand
  /// may still decide.
  private mutating func foldLogic(
    _ index: Program.Index, _ operands: [Program.Index], decides: TruthCode
  ) {
    var kept: [Program.Index] = []
    var failure: TruthCode?
    var allConstant = true
    for operand in operands {
      guard let truth = truth(operand) else {
        allConstant = false
        kept.append(operand)
        continue
      }
      if truth == decides { return set(index, truth) }
      if truth.isFailure {
        failure = failure ?? truth
        kept.append(operand)
      }
    }
    if allConstant { return set(index, failure ?? decides ^ 1) }
    operations[index] = decides == TruthCode.false ? .all(kept) : .any(kept)
  }
}
