import WeirData

/// An expression that was checked against the declared fields and is ready to run.
///
/// Sendable and immutable: make one ``ExpressionEvaluator`` of it in each task.
public struct CompiledExpression: Sendable {
  /// What it gives. `any` where that depends on the record.
  public let resultType: FieldType
  /// The fields that its value depends on, sorted; a part that constants decide reads nothing.
  public let fieldsRead: [ExpressionScope.Field]
  let program: Program

  /// Columns of a batch that evaluation looks at, ascending.
  public var columnsRead: [Int] { program.columnsRead }

  /// Reads and checks an expression. Parameters are constants from here on.
  ///
  /// - Throws: the first mistake found, with its place in `source`.
  public init(_ source: String, scope: ExpressionScope) throws(ExpressionError) {
    let syntax = try Parser.parse(source)
    var checker = Checker(syntax, scope: scope)
    let value = try checker.value(syntax.root)
    let program = checker.builder.finish(root: value.operation, source: syntax)
    self.program = program
    resultType = value.type.fieldType
    fieldsRead = scope.fields.filter { program.columnsRead.contains($0.column) }
    if let cell = constantCell, cell.isFailure {
      let failure = program.failure(cell.failureNumber)
      throw ExpressionError(
        .alwaysFails, failure.message + ", whatever the record", at: failure.span)
    }
  }

  private var constantCell: Cell? {
    guard case .constant(let slot) = program.operations[program.root] else { return nil }
    return program.constants[slot]
  }

  /// Refuses an expression that can never be true or false, as a filter's condition must be.
  ///
  /// `bool?` and `any` pass: where they hold something else, evaluation gives an error.
  public func requireBool() throws(ExpressionError) {
    if resultType.base == .bool { return }
    var type = "of type \(resultType.text)"
    if resultType.base == .any {
      guard let cell = constantCell, cell.kind != .bool else { return }
      type = cell.isNull ? "null" : "always another value"
    }
    throw ExpressionError(
      .type, "this must be true or false, and is \(type)", at: program.spans[program.root],
      fix: Checker.asCondition(
        program.source.text(program.spans[program.root]), ValueType(resultType)))
  }

  /// The value of an expression that depends on no field.
  public var constantValue: ConstantValue? {
    guard let cell = constantCell else { return nil }
    switch cell.kind {
    case .missing, .null: return .null
    case .bool: return .bool(cell.boolValue)
    case .int: return .int(cell.intValue)
    case .number: return .number(cell.numberValue)
    case .string: return .string(Array(cell.stringBytes))
    case .timestamp: return .timestamp(cell.intValue)
    case .other: return nil
    }
  }

  /// The value of a condition that depends on no field.
  public var constantBool: Bool? {
    guard case .bool(let value)? = constantValue else { return nil }
    return value
  }

  public func makeEvaluator() -> ExpressionEvaluator { ExpressionEvaluator(program) }
}
