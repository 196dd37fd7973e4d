import WeirData

/// An expression that was checked against the declared fields and is ready to run.
///
/// Sendable and immutable: make one ``ExpressionEvaluator`` of it in each task.
public struct CompiledExpression: Sendable {
  /// What it gives. `any` where that depends on the record.
  public let resultType: FieldType
  /// The fields that its value depends on, sorted; a part that constants decide reads nothing.
  public let fieldsRead: [ExpressionScope.Field]
  /// What of the tz database its value depends on, each file once, by name: part of the identity of
  /// whatever is computed with it. For zones that come from records it is the version of the database.
  public let zoneFiles: [ZoneFileUse]
  let program: Program

  public struct ZoneFileUse: Sendable {
    /// `Europe/Berlin`
    public var name: String
    public var bytes: [UInt8]
  }

  /// Columns of a batch that evaluation looks at, ascending.
  public var columnsRead: [Int] { program.columnsRead }

  /// Reads and checks an expression. Parameters are constants from here on.
  ///
  /// - Throws: the first mistake found, with its place in `source`.
  public init(_ source: String, scope: ExpressionScope) throws(ExpressionError) {
    let tree = try CompiledExpression.tree(source, scope: scope)
    if case .failure(let number) = tree[tree.root].kind {
      let failure = tree.failure(number)
      throw ExpressionError(
        .alwaysFails, failure.message + ", whatever the record", at: failure.span)
    }
    if case .optional = tree[tree.root].type.base {
      throw ExpressionError(
        .type, "an optional cannot be put into a record", at: tree[tree.root].span,
        fix: "say what stands in its place where it is empty: .orValue(...)")
    }
    let program = Lowering.program(tree)
    self.program = program
    zoneFiles = CompiledExpression.zoneFiles(tree)
    resultType = tree[tree.root].type.fieldType
    fieldsRead = scope.fields.filter { program.columnsRead.contains($0.column) }
  }

  /// The checked tree of an expression.
  ///
  /// - Parameter isChecked: whether types are checked before anything is computed.
  static func tree(
    _ source: String, scope: ExpressionScope, isChecked: Bool = true
  ) throws(ExpressionError) -> Tree {
    let syntax = try Parser.parse(source)
    var checker = Checker(syntax, scope: scope, isChecked: isChecked)
    let root = try checker.value(syntax.root)
    checker.tree.root = root
    return checker.tree
  }

  private static func zoneFiles(_ tree: Tree) -> [ZoneFileUse] {
    var files: [String: [UInt8]] = [:]
    for zone in tree.zones.values where !zone.name.isEmpty {
      files[String(decoding: zone.name, as: UTF8.self)] = zone.file
    }
    for (index, node) in tree.nodes.enumerated() {
      guard case .call(let function, let operands) = node.kind, DatePart(function) != nil,
        operands.count == 2, tree.zones[index] == nil
      else { continue }
      files["tzdata.zi"] = Zone.version
    }
    return files.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      .map { ZoneFileUse(name: $0.key, bytes: $0.value) }
  }

  private var root: Tree.Node { program.tree[program.tree.root] }
  private var constant: Value? { program.tree.constant(program.tree.root) }

  /// Refuses an expression that can never be true or false, as a filter's condition must be.
  ///
  /// `bool?` and `any` pass: where they hold something else, evaluation gives an error.
  public func requireBool() throws(ExpressionError) {
    if root.type.base == .bool { return }
    var type = root.type.phrase
    if root.type.isAny {
      guard let constant else { return }
      switch constant {
      case .bool: return
      case .null: type = "null"
      default: type = "always another value"
      }
    }
    throw ExpressionError(
      .type, "this must be true or false, and is \(type)", at: root.span,
      fix: Checker.asCondition(program.tree.source.text(root.span), root.type))
  }

  /// The value of an expression that depends on no field; `nil` also where it is none that a parameter
  /// could have.
  public var constantValue: ConstantValue? { constant.flatMap(ConstantValue.init) }

  /// The value of a condition that depends on no field.
  public var constantBool: Bool? {
    guard case .bool(let value)? = constantValue else { return nil }
    return value
  }

  public func makeEvaluator() -> ExpressionEvaluator { ExpressionEvaluator(program) }
}

extension ConstantValue {
  fileprivate init?(_ value: Value) {
    switch value {
    case .null: self = .null
    case .bool(let v): self = .bool(v)
    case .int(let v): self = .int(v)
    case .number(let v): self = .number(v)
    case .string(let v): self = .string(v)
    case .timestamp(let instant):
      guard let microseconds = instant.microseconds else { return nil }
      self = .timestamp(microseconds)
    case .list(let elements):
      var made: [ConstantValue] = []
      for element in elements {
        guard let constant = ConstantValue(element) else { return nil }
        made.append(constant)
      }
      self = .list(made)
    case .uint, .bytes, .duration, .map, .type, .optional: return nil
    }
  }
}
