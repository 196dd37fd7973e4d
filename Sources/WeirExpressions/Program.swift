import WeirData

/// An expression over columns: operations in an array, each after its operands, with constant parts
/// already computed. What cells cannot hold on the way is computed record by record, as one operation.
final class Program: @unchecked Sendable {  // constants are never written after init
  typealias Index = Int

  enum Order: Sendable { case less, lessOrEqual, greater, greaterOrEqual }
  enum Arithmetic: Sendable { case add, subtract, multiply, divide, remainder }
  enum TextTest: Sendable { case startsWith, endsWith, contains }
  /// Between int and number.
  enum Conversion: Sendable { case int, number }

  enum Operation: Sendable {
    /// An index into the constants; an error is a constant too.
    case constant(Int)
    /// An index into ``columnsRead``.
    case column(Int)
    case all([Index])
    case any([Index])
    case not(Index)
    case equal(Index, Index, isNegated: Bool)
    case order(Order, Index, Index)
    /// An index into ``sets``.
    case isInSet(Index, Int)
    case isInList(Index, [Index])
    case conditional(Index, Index, Index)
    case arithmetic(Arithmetic, Index, Index)
    case negate(Index)
    case size(Index)
    case text(TextTest, Index, Index)
    case isPresent(Index)
    case matches(Index, Pattern)
    case convert(Conversion, Index)
    case datePart(DatePart, Index, Zone)
    /// Strings behind each other: the operands of a chain of `+`. Behind each the part of the tree that
    /// is its `+`, for failures.
    case concatenate([Index], [Tree.Index])
    /// A part of the tree, computed record by record, and the columns that it hangs on.
    case general(Tree.Index, [Index], isTruth: Bool)
  }

  let tree: Tree
  let operations: [Operation]
  /// By operation: the part of the tree that it computes.
  let parts: [Tree.Index]
  let root: Index
  let constants: ConstantPool
  let sets: [ConstantSet]
  /// Columns of the batch, ascending.
  let columnsRead: [Int]
  /// For an operation that is true, false or an error and hangs on one column alone, unless it is
  /// part of another such: the index of that column into ``columnsRead``. Where the column has codes,
  /// the operation is evaluated once for each.
  let onlyColumn: [Int?]

  init(
    tree: Tree, operations: [Operation], parts: [Tree.Index], root: Index,
    constants: ConstantPool, sets: [ConstantSet], columnsRead: [Int]
  ) {
    self.tree = tree
    self.operations = operations
    self.parts = parts
    self.root = root
    self.constants = constants
    self.sets = sets
    self.columnsRead = columnsRead
    onlyColumn = Program.onlyColumns(operations, root)
  }

  private static func onlyColumns(_ operations: [Operation], _ root: Index) -> [Int?] {
    var columns: [Set<Int>] = []
    for operation in operations {
      if case .column(let slot) = operation {
        columns.append([slot])
      } else {
        // Two are enough to know that it is not one.
        var all: Set<Int> = []
        for operand in operation.operands where all.count < 2 { all.formUnion(columns[operand]) }
        columns.append(all)
      }
    }
    var found = [Int?](repeating: nil, count: operations.count)
    var pending = [root]
    while let index = pending.popLast() {
      if operations[index].isTruth, columns[index].count == 1 {
        found[index] = columns[index].first
      } else {
        pending += operations[index].operands
      }
    }
    return found
  }
}

extension Program.Operation {
  var operands: [Program.Index] {
    switch self {
    case .constant, .column: []
    case .all(let operands), .any(let operands), .concatenate(let operands, _): operands
    case .not(let a), .negate(let a), .size(let a), .isPresent(let a), .isInSet(let a, _),
      .matches(let a, _), .convert(_, let a), .datePart(_, let a, _):
      [a]
    case .general(_, let columns, _): columns
    case .equal(let a, let b, _), .order(_, let a, let b), .arithmetic(_, let a, let b),
      .text(_, let a, let b):
      [a, b]
    case .isInList(let a, let list): [a] + list
    case .conditional(let a, let b, let c): [a, b, c]
    }
  }

  /// Whether it computes true, false or an error, and never another value.
  var isTruth: Bool {
    switch self {
    case .all, .any, .not, .equal, .order, .isInSet, .isInList, .text, .isPresent, .matches: true
    case .general(_, _, let isTruth): isTruth
    case .constant, .column, .conditional, .arithmetic, .negate, .size, .convert, .datePart,
      .concatenate:
      false
    }
  }
}

/// Cells of constants, and the bytes of their strings, at addresses that stay.
final class ConstantPool: @unchecked Sendable {  // written only while a program is built
  private var arena = Arena(chunkBytes: 1024)
  private var blocks: [UnsafeMutablePointer<Cell>] = []
  private(set) var count = 0
  private static let blockCells = 64

  deinit { for block in blocks { block.deallocate() } }

  func add(_ cell: Cell) -> Int {
    if count == blocks.count * ConstantPool.blockCells {
      let block = UnsafeMutablePointer<Cell>.allocate(capacity: ConstantPool.blockCells)
      block.initialize(repeating: .null, count: ConstantPool.blockCells)
      blocks.append(block)
    }
    address(count).pointee = cell
    count += 1
    return count - 1
  }

  func string(_ bytes: [UInt8]) -> Cell {
    // The empty string needs no memory, and an arena that has none yet has none to give.
    if bytes.isEmpty { return .string(UnsafeBufferPointer(start: nil, count: 0)) }
    return bytes.withUnsafeBufferPointer { .string(arena.store($0)) }
  }

  /// - Parameter value: one that a cell can hold.
  func cell(_ value: Value) -> Cell {
    switch value {
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .number(let value): .number(value)
    case .string(let bytes): string(bytes)
    case .timestamp(let instant): .timestamp(microseconds: instant.microseconds ?? 0)
    case .null, .uint, .bytes, .duration, .list, .map, .type, .optional: .null
    }
  }

  func address(_ index: Int) -> UnsafeMutablePointer<Cell> {
    blocks[index / ConstantPool.blockCells] + index % ConstantPool.blockCells
  }

  subscript(_ index: Int) -> Cell { address(index).pointee }
}

/// The right side of `in` where all of it is constant.
struct ConstantSet: Sendable {
  /// Sorted by length, then bytes; the addresses are those of a ``ConstantPool``.
  private let strings: [Cell]
  /// `starts[n]` is the first string of `n` bytes or more; one entry more than the longest has
  /// bytes, and a last one for the end.
  private let starts: [Int32]
  private let others: [Cell]

  init(_ cells: [Cell]) {
    strings = cells.filter { $0.kind == .string }.sorted {
      $0.length != $1.length ? $0.length < $1.length : Semantics.compareBytes($0, $1) < 0
    }
    others = cells.filter { $0.kind != .string }
    var starts: [Int32] = []
    for (index, string) in strings.enumerated() {
      while starts.count <= Int(string.length) { starts.append(Int32(index)) }
    }
    if !strings.isEmpty { starts.append(Int32(strings.count)) }
    self.starts = starts
  }

  func contains(_ cell: Cell) -> Bool {
    withLookup { $0.contains(cell) }
  }

  /// Gives the lookup for many cells without counting references for each.
  func withLookup<R>(_ body: (Lookup) -> R) -> R {
    strings.withUnsafeBufferPointer { strings in
      starts.withUnsafeBufferPointer { starts in
        others.withUnsafeBufferPointer { others in
          body(Lookup(strings: strings, starts: starts, others: others))
        }
      }
    }
  }

  struct Lookup {
    fileprivate let strings: UnsafeBufferPointer<Cell>
    fileprivate let starts: UnsafeBufferPointer<Int32>
    fileprivate let others: UnsafeBufferPointer<Cell>

    @inline(__always)
    func contains(_ cell: Cell) -> Bool {
      guard cell.rawKind == CellKind.string.rawValue else { return containsOther(cell) }
      let length = Int(cell.length)
      guard length + 1 < starts.count else { return false }
      var low = Int(starts[length])
      var high = Int(starts[length + 1])
      while low < high {
        let middle = (low + high) / 2
        let order = Semantics.compareBytes(strings[middle], cell)
        if order == 0 { return true }
        if order < 0 { low = middle + 1 } else { high = middle }
      }
      return false
    }

    private func containsOther(_ cell: Cell) -> Bool {
      for other in others where Semantics.equal(cell, other, failing: 0) == TruthCode.true {
        return true
      }
      return false
    }
  }
}
