import Testing
import WeirData
import WeirTesting

@testable import WeirExpressions

/// Evaluates over columns and record by record, and expects the same.
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
  let values = cells.map { Content($0) }
  defer { withExtendedLifetime(coder) {} }
  try #require(truths.count == rows.count && values.count == rows.count)
  #expect(
    failedTruths.map { $0.position } == truths.indices.filter { truths[$0] == .error }, "\(source)")
  for failure in failures {
    #expect(rows[failure.position] == failure.row && !failure.message.isEmpty)
  }
  for (position, row) in rows.enumerated() {
    let wanted = Result { try Reference(source, table: table, row: Int(row)).result() }
    let truth: Truth =
      if case .success(.bool(let value)) = wanted { value ? .true : .false } else { .error }
    #expect(truths[position] == truth, "\(source) of \(table.rows[Int(row)])")
    let hasFailed = failures.contains { $0.position == position }
    switch wanted {
    case .failure: #expect(hasFailed, "\(source) of \(table.rows[Int(row)])")
    case .success(let value):
      #expect(
        !hasFailed && same(values[position], value), "\(source) of \(table.rows[Int(row)])")
    }
    if let constant = expression.constantBool { #expect(truth == (constant ? .true : .false)) }
  }
  return failures.count
}

private func same(_ content: Content, _ value: Reference.Value) -> Bool {
  switch (content, value) {
  case (.missing, .null), (.null, .null), (.other, .other): true
  case (.bool(let a), .bool(let b)): a == b
  case (.int(let a), .int(let b)), (.timestamp(let a), .timestamp(let b)): a == b
  case (.number(let a), .number(let b)): a.bitPattern == b.bitPattern || (a.isNaN && b.isNaN)
  case (.string(let a), .string(let b)): a == b
  default: false
  }
}
