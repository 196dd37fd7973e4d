import Testing
import WeirData
import WeirTesting

@testable import WeirExpressions

/// Evaluates over columns, record by record, and with the second reading, and expects the same.
///
/// - Returns: the records that have no value.
func compareWithReference(
  _ source: String, _ table: Table, _ random: inout SplitMix
) throws -> Int {
  let expression = try CompiledExpression(source, scope: table.scope)
  var evaluator = expression.makeEvaluator()
  let batch = table.batch()
  let coder = CodedColumns(
    random.pick(CodedColumns.Mode.allCases), seed: random.next())
  coder.encode(batch, columns: table.fields.indices)
  // A batch before this one: some codes are known then.
  var earlier: [Truth] = []
  let few = (0..<UInt32(table.rows.count)).filter { _ in random.chance(40) }
  evaluator.evaluate(batch, Selection(rows: few), into: &earlier)
  let rows = (0..<UInt32(table.rows.count)).filter { _ in random.chance(80) }
  var truths: [Truth] = []
  evaluator.evaluate(batch, Selection(rows: rows), into: &truths)
  let failedTruths = evaluator.failures
  var cells: [Cell] = []
  evaluator.evaluateValues(batch, Selection(rows: rows), into: &cells)
  let failures = evaluator.failures
  let values = cells.map(read)
  defer { withExtendedLifetime(coder) {} }
  try #require(truths.count == rows.count && values.count == rows.count)
  #expect(
    failedTruths.map { $0.position } == truths.indices.filter { truths[$0] == .error }, "\(source)")
  for failure in failures {
    #expect(rows[failure.position] == failure.row && !failure.message.isEmpty)
  }
  for (position, row) in rows.enumerated() {
    let failed = failures.contains { $0.position == position }
    let found: Value? = failed ? nil : values[position]
    let truth = truths[position]
    let shown = "\(source) of \(table.rows[Int(row)])"
    if let whole = try recordWise(expression, batch, Int(row)) {
      check(found, truth, whole, "record by record: \(shown)")
    }
    var reference = try Reference(source, table: table, row: Int(row))
    do {
      check(found, truth, try stored(try reference.result()), shown)
    } catch is Reference.Failure {
      check(found, truth, nil, shown)
    } catch is Reference.Unknown {}
    if let constant = expression.constantBool { #expect(truth == (constant ? .true : .false)) }
  }
  return failures.count
}

private func check(_ found: Value?, _ truth: Truth, _ wanted: Value?, _ shown: String) {
  switch (found, wanted) {
  case (nil, nil): break
  case (let found?, let wanted?):
    #expect(identical(found, wanted), "\(shown): \(found), and not \(wanted)")
  default:
    Issue.record(
      "\(shown): \(found.map { "\($0)" } ?? "a failure"), and not \(wanted.map { "\($0)" } ?? "a failure")"
    )
  }
  let isTrue: Truth = if case .bool(let value)? = wanted { value ? .true : .false } else { .error }
  #expect(truth == isTrue, "\(shown)")
}

/// A cell as the value that it stands for.
private func read(_ cell: Cell) -> Value {
  guard cell.kind == .other else { return Value(scalar: cell) }
  guard let json = cell.jsonText else { return .type(.map) }
  return (try? Value.reading(json: json)) ?? .type(.list)
}

/// The whole tree for one record, as a column would hold it: `.some(nil)` where that fails.
private func recordWise(
  _ expression: CompiledExpression, _ batch: borrowing Batch, _ row: Int
) throws -> Value?? {
  let tree = expression.program.tree
  // A cell without its text has no value here, and may pass through columns.
  for field in tree.fields {
    let cell = batch.column(field.column)[row]
    if cell.kind == .other, cell.jsonText == nil { return nil }
  }
  let records = RecordEvaluator(tree)
  records.begin(columns: tree.fields.map { UnsafePointer(batch.column($0.column)) })
  var arena = Arena()
  do throws(Failed) {
    let value = try records.value(tree.root, ofRow: row)
    do throws(FailureKind) {
      return .some(.some(read(try value.cell(storedIn: &arena))))
    } catch { return .some(nil) }
  } catch { return .some(nil) }
}

/// What a column holds of a value of the second reading.
private func stored(_ value: Reference.Value, isInside: Bool = false) throws -> Value {
  switch value {
  case .null: return .null
  case .bool(let v): return .bool(v)
  case .int(let v): return .int(v)
  case .number(let v):
    if isInside {
      guard v.isFinite else { throw Reference.Failure() }
      // JSON has one sort of number, and no -0.
      if let whole = Int64(exactly: v), v.magnitude < 0x1p54 { return .int(whole) }
    }
    return .number(v)
  case .string(let v): return .string(v)
  case .uint(let v):
    guard let whole = Int64(exactly: v) else {
      if isInside { throw Reference.Unknown() }
      throw Reference.Failure()
    }
    return .int(whole)
  case .timestamp(let v):
    guard v % 1_000 == 0 else { throw Reference.Failure() }
    let time = Timestamp(microseconds: Int64(v / 1_000))
    return isInside
      ? .string(Array(time.rfc3339.utf8)) : .timestamp(Instant(microseconds: time.microseconds))
  case .other: return .type(.map)
  case .list(let elements): return .list(try elements.map { try stored($0, isInside: true) })
  case .map(let entries):
    var made = MapValue()
    for entry in entries {
      let text: String
      switch entry.key {
      case .string(let bytes): text = String(decoding: bytes, as: UTF8.self)
      case .int(let v): text = "\(v)"
      case .uint(let v): text = "\(v)"
      case .bool(let v): text = "\(v)"
      default: throw Reference.Failure()
      }
      let key = Array(text.utf8)
      guard
        made.insert(.string(key), written: .string(key), try stored(entry.value, isInside: true))
      else { throw Reference.Failure() }
    }
    return .map(made)
  case .optional: throw Reference.Failure()
  case .bytes, .duration: throw Reference.Unknown()
  }
}
