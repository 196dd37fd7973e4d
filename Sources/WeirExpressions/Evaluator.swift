import WeirData

/// What a condition is for one record.
public enum Truth: UInt8, Sendable {
  case `false` = 0
  case `true` = 1
  /// It has no value: see ``ExpressionEvaluator/failures``.
  case error = 2
}

/// Why an expression has no value for one record.
public struct EvaluationFailure: Sendable, Equatable {
  /// Index into the selection.
  public var position: Int
  public var row: UInt32
  /// One sentence without a full stop, with the column in the expression.
  public var message: String
}

/// Runs one expression over batches, a column at a time; made and used in one task.
///
/// A batch must have every column of ``CompiledExpression/columnsRead``, and its selection no row
/// that it has not.
public struct ExpressionEvaluator: ~Copyable {
  let program: Program
  /// Of the rows of the last evaluation that have no value, ascending.
  public private(set) var failures: [EvaluationFailure] = []
  var scratch = Scratch()
  /// Text made by the last evaluation.
  var strings = Arena(chunkBytes: 16 * 1024)
  var columns: [UnsafePointer<Cell>] = []
  /// What the codes of each column mean.
  var columnCodes: [ColumnCodes] = []
  /// By operation: what it was for each code, of those that ``Program/onlyColumn`` names.
  var truthsByCode: [CodeMemory<TruthCode>]
  /// Computes the parts that are not of columns; `nil` where there are none.
  let records: RecordEvaluator?
  private var madeText = false
  private var messages: [UInt32: String] = [:]

  init(_ program: Program) {
    self.program = program
    truthsByCode = Array(
      repeating: CodeMemory(unknown: .unknown), count: program.operations.count)
    let needsRecords = program.operations.contains {
      if case .general = $0 { true } else { false }
    }
    records = needsRecords ? RecordEvaluator(program.tree) : nil
  }

  /// Evaluates a condition for each selected row.
  ///
  /// - Parameter truths: replaced by one entry for each row of `selection`, in its order.
  public mutating func evaluate(
    _ batch: borrowing Batch, _ selection: borrowing Selection, into truths: inout [Truth]
  ) {
    begin(batch)
    let count = selection.count
    resize(&truths, to: count, .false)
    guard count > 0 else { return }
    let mark = scratch.mark()
    let codes = scratch.codes(count)
    selection.rows.withUnsafeBufferPointer { rows in
      truth(program.root, Rows(base: rows.baseAddress!, count: count), codes)
      truths.withUnsafeMutableBufferPointer { truths in
        for position in 0..<count {
          let code = codes[position]
          truths[position] = code == TruthCode.true ? .true : .false
          if code.isFailure {
            truths[position] = .error
            fail(position, rows[position], code)
          }
        }
      }
    }
    scratch.release(mark)
  }

  /// Evaluates an expression for each selected row.
  ///
  /// - Parameter values: replaced by one cell for each row of `selection`, in its order; missing
  ///   where ``failures`` has the row. Strings belong to the batch, the expression or this
  ///   evaluator: they are good until the next evaluation or the end of any of the three.
  public mutating func evaluateValues(
    _ batch: borrowing Batch, _ selection: borrowing Selection, into values: inout [Cell]
  ) {
    begin(batch)
    let count = selection.count
    resize(&values, to: count, .missing)
    guard count > 0 else { return }
    let mark = scratch.mark()
    selection.rows.withUnsafeBufferPointer { buffer in
      let rows = Rows(base: buffer.baseAddress!, count: count)
      let operand = self.operand(program.root, rows)
      values.withUnsafeMutableBufferPointer { values in
        switch operand.layout {
        case .byRow: for i in 0..<count { values[i] = operand.base[Int(rows.base[i])] }
        case .constant, .dense:
          for i in 0..<count {
            values[i] = operand.cell(i, rows)
            if values[i].isFailure {
              fail(i, buffer[i], values[i].failureNumber)
              values[i] = .missing
            }
          }
        }
      }
    }
    scratch.release(mark)
  }

  private mutating func begin(_ batch: borrowing Batch) {
    failures.removeAll(keepingCapacity: true)
    columns.removeAll(keepingCapacity: true)
    columnCodes.removeAll(keepingCapacity: true)
    for column in program.columnsRead {
      columns.append(UnsafePointer(batch.column(column)))
      columnCodes.append(batch.codes(ofColumn: column))
    }
    if let records {
      records.begin(
        columns: program.tree.fields.map { field in
          program.columnsRead.firstIndex(of: field.column).map { columns[$0] }
        })
    }
    if madeText {
      strings = Arena(chunkBytes: 16 * 1024)
      madeText = false
    }
  }

  /// Forgets what it worked out for coded strings: there will be others.
  public mutating func forgetCodes() {
    for i in truthsByCode.indices { truthsByCode[i].removeAll() }
  }

  mutating func noteText() { madeText = true }

  /// Whether text of the last evaluation may belong to this evaluator, and so last no longer than until
  /// the next. Else it belongs to the batch or to the expression.
  public var hasMadeText: Bool { madeText }

  private mutating func fail(_ position: Int, _ row: UInt32, _ number: UInt32) {
    let message: String
    if let known = messages[number] {
      message = known
    } else {
      let failure = program.tree.failure(number)
      message = "\(failure.message) (column \(failure.span.start + 1))"
      messages[number] = message
    }
    failures.append(EvaluationFailure(position: position, row: row, message: message))
  }
}

private func resize<Element>(_ array: inout [Element], to count: Int, _ value: Element) {
  if array.count < count {
    array.append(contentsOf: repeatElement(value, count: count - array.count))
  } else {
    array.removeLast(array.count - count)
  }
}

/// The rows that an operation is computed for.
struct Rows {
  let base: UnsafePointer<UInt32>
  let count: Int
}

/// Where the values of one operation are.
struct Operand {
  enum Layout { case constant, dense, byRow }
  let base: UnsafePointer<Cell>
  let layout: Layout

  @inline(__always) func cell(_ position: Int, _ rows: Rows) -> Cell {
    switch layout {
    case .constant: base[0]
    case .dense: base[position]
    case .byRow: base[Int(rows.base[position])]
    }
  }
}

/// Memory for the values between operations: taken and given back like a stack, kept between
/// batches.
struct Scratch: ~Copyable {
  struct Mark {
    var block: Int
    var used: Int
  }
  private var blocks: [(base: UnsafeMutableRawPointer, size: Int)] = []
  private var block = 0
  private var used = 0

  deinit { for block in blocks { block.base.deallocate() } }

  func mark() -> Mark { Mark(block: block, used: used) }
  mutating func release(_ mark: Mark) {
    block = mark.block
    used = mark.used
  }

  mutating func codes(_ count: Int) -> UnsafeMutablePointer<UInt32> {
    take(count * 4).bindMemory(to: UInt32.self, capacity: count)
  }
  mutating func cells(_ count: Int) -> UnsafeMutablePointer<Cell> {
    take(count * MemoryLayout<Cell>.stride).bindMemory(to: Cell.self, capacity: count)
  }

  private mutating func take(_ bytes: Int) -> UnsafeMutableRawPointer {
    let size = (bytes + 15) & ~15
    while block < blocks.count {
      if used + size <= blocks[block].size {
        let piece = blocks[block].base + used
        used += size
        return piece
      }
      block += 1
      used = 0
    }
    // The first piece is all that a small shard needs.
    let capacity = max(size, blocks.isEmpty ? 4 * 1024 : 64 * 1024)
    blocks.append((.allocate(byteCount: capacity, alignment: 16), capacity))
    used = size
    return blocks[block].base
  }
}
