import WeirData

/// Checks an expression against what is declared, and makes its tree.
struct Checker {
  /// A variable of a macro.
  struct Variable {
    var name: [UInt8]
    var slot: Int
    var type: ValueType
  }

  let syntax: Syntax
  let scope: ExpressionScope
  /// Whether types are checked. Where not, what a type forbids fails when it is computed: for the
  /// conformance cases that ask for it.
  let isChecked: Bool
  let tree: Tree
  /// Innermost last.
  var variables: [Variable] = []
  /// Computes the constant parts; what it may cost is for all of them together.
  let folder: RecordEvaluator

  init(_ syntax: Syntax, scope: ExpressionScope, isChecked: Bool) {
    self.syntax = syntax
    self.scope = scope
    self.isChecked = isChecked
    tree = Tree(source: syntax)
    folder = RecordEvaluator(tree)
    folder.stepsLeft = ExpressionLimits.steps
  }

  func text(_ index: Syntax.Index) -> String { syntax.text(syntax[index].span) }
  func type(_ node: Tree.Index) -> ValueType { tree[node].type }
  func span(_ node: Tree.Index) -> SourceSpan { tree[node].span }

  func unavailable(_ what: String, _ span: SourceSpan, fix: String? = nil) -> ExpressionError {
    ExpressionError(
      .unavailable, "\(what) is not available in this version of Weir", at: span, fix: fix)
  }

  // MARK: - Parts

  mutating func value(_ index: Syntax.Index) throws(ExpressionError) -> Tree.Index {
    if isChecked { return try checked(index) }
    let depth = variables.count
    do throws(ExpressionError) {
      return try checked(index)
    } catch {
      variables.removeLast(variables.count - depth)
      switch error.code {
      case .type, .unknownField, .unknownFunction, .unknownParameter, .alwaysFails:
        let span = syntax[index].span
        let node = try add(.null, ValueType(.any), span)
        tree.become(node, .failure(FailureKind.base(of: node) + FailureKind.refused.rawValue))
        return node
      case .syntax, .limit, .unavailable, .failed: throw error
      }
    }
  }

  private mutating func checked(_ index: Syntax.Index) throws(ExpressionError) -> Tree.Index {
    let node = syntax[index]
    switch node.kind {
    case .literal(let literal): return try self.literal(literal, node.span)
    case .name, .select:
      if let (name, span) = parameterName(index) { return try parameter(name, span) }
      return try named(index)
    case .call(let target, let name, let nameSpan, let arguments):
      return try call(
        Call(
          target: target, name: String(decoding: name, as: UTF8.self), nameSpan: nameSpan,
          arguments: arguments, span: node.span))
    case .index(let target, let key, let isOptional):
      return try self.index(target, key, isOptional: isOptional, node.span)
    case .list(let elements): return try list(elements, node.span)
    case .map(let entries): return try map(entries, node.span)
    case .message(let name, _): throw unavailable("an object of type `\(name)`", node.span)
    case .not(let inner):
      return try add(.not(try truth(inner, of: "!")), ValueType(.bool), node.span)
    case .negate(let inner):
      let operand = try value(inner)
      guard type(operand).isAny || type(operand).base == .int || type(operand).base == .number
      else {
        throw ExpressionError(
          .type, "`-` needs a number, and `\(text(inner))` is \(type(operand).phrase)",
          at: span(operand))
      }
      return try add(.negate(operand), ValueType(type(operand).base), node.span)
    case .all(let operands):
      return try add(.all(try truths(operands, of: "&&")), ValueType(.bool), node.span)
    case .any(let operands):
      return try add(.any(try truths(operands, of: "||")), ValueType(.bool), node.span)
    case .binary(let operation, let left, let right, let span):
      return try binary(operation, left, right, operatorSpan: span, node.span)
    case .conditional(let condition, let yes, let no):
      return try conditional(condition, yes, no, node.span)
    }
  }

  private mutating func literal(
    _ literal: Syntax.Literal, _ span: SourceSpan
  ) throws(ExpressionError) -> Tree.Index {
    switch literal {
    case .null: try add(.null, ValueType(.null), span)
    case .bool(let value): try add(.bool(value), ValueType(.bool), span)
    case .int(let value): try add(.int(value), ValueType(.int), span)
    case .double(let value): try add(.number(value), ValueType(.number), span)
    case .string(let bytes): try add(.string(bytes), ValueType(.string), span)
    case .uint(let value): try add(.uint(value), ValueType(.uint), span)
    case .bytes(let bytes): try add(.bytes(bytes), ValueType(.bytes), span)
    }
  }

  // MARK: - Logic

  /// An operand that must be true or false.
  mutating func truth(
    _ index: Syntax.Index, of operation: String
  ) throws(ExpressionError) -> Tree.Index {
    let operand = try value(index)
    guard type(operand).base == .bool || type(operand).isAny else {
      throw ExpressionError(
        .type,
        "`\(operation)` needs true or false, and `\(text(index))` is \(type(operand).phrase)",
        at: span(operand), fix: Checker.asCondition(text(index), type(operand)))
    }
    return operand
  }

  private mutating func truths(
    _ operands: [Syntax.Index], of symbol: String
  ) throws(ExpressionError) -> [Tree.Index] {
    var checked: [Tree.Index] = []
    for operand in operands { checked.append(try truth(operand, of: symbol)) }
    return checked
  }

  /// What to write where a value stands as a condition.
  static func asCondition(_ text: String, _ type: ValueType) -> String? {
    let isField =
      text.utf8.allSatisfy { $0.isIdentifierPart } && text.utf8.first?.isIdentifierStart ?? false
    let there = isField ? "; or `has(\(text))` where it only has to be there" : ""
    let text = text.utf8.contains(UInt8(ascii: "?")) ? "(\(text))" : text
    return switch type.base {
    case .string: "compare it with the value that you mean: `\(text) == 'VALUE'`"
    case .int: "compare it with a limit: `\(text) >= 1`\(there)"
    case .number: "compare it with a limit: `\(text) >= 0.5`\(there)"
    case .uint: "compare it with a limit: `\(text) >= 1u`"
    case .timestamp:
      "compare it with a time: `\(text) >= timestamp('2026-10-04T00:00:00Z')`\(there)"
    case .list, .map: "compare its size: size(\(text)) > 0"
    case .optional: "ask it: \(text).hasValue()"
    case .null, .bool, .any, .open, .bytes, .duration, .type: nil
    }
  }

  private mutating func conditional(
    _ condition: Syntax.Index, _ yes: Syntax.Index, _ no: Syntax.Index, _ span: SourceSpan
  ) throws(ExpressionError) -> Tree.Index {
    let test = try truth(condition, of: "?")
    let first = try value(yes)
    let second = try value(no)
    guard let type = type(first).joined(type(second)) else {
      throw ExpressionError(
        .type,
        "both sides of `:` must have one type: `\(text(yes))` is \(type(first).phrase), "
          + "`\(text(no))` is \(type(second).phrase)", at: self.span(second))
    }
    if case .bool(let truth)? = tree.constant(test) {
      return try duplicate(truth ? first : second, type, self.span(truth ? first : second))
    }
    let made = try add(.conditional(test, first, second), type, span)
    if case .failure(let number) = tree[test].kind { tree.become(made, .failure(number)) }
    return made
  }
}
