import WeirData

/// Checks an expression against what is declared, and turns it into operations.
struct Checker {
  /// A part that has a value.
  struct Value {
    var operation: Program.Index
    var type: ValueType
    var span: SourceSpan
  }
  /// A part that is a list: the right side of `in`, or compared with another list.
  struct List {
    var elements: [Value]
    var span: SourceSpan
  }
  enum Part {
    case value(Value)
    case list(List)
  }

  let syntax: Syntax
  let scope: ExpressionScope
  var builder = ProgramBuilder()

  init(_ syntax: Syntax, scope: ExpressionScope) {
    self.syntax = syntax
    self.scope = scope
  }

  func text(_ index: Syntax.Index) -> String { syntax.text(syntax[index].span) }

  func unavailable(_ what: String, _ span: SourceSpan, fix: String? = nil) -> ExpressionError {
    ExpressionError(
      .unavailable, "\(what) is not available in this version of Weir", at: span, fix: fix)
  }

  // MARK: - Parts

  mutating func part(_ index: Syntax.Index) throws(ExpressionError) -> Part {
    let node = syntax[index]
    switch node.kind {
    case .list(let elements):
      var values: [Value] = []
      for element in elements {
        if element.isOptional {
          throw unavailable("an optional element (`?`) in a list", syntax[element.value].span)
        }
        values.append(try value(element.value))
      }
      return .list(List(elements: values, span: node.span))
    case .select, .name:
      if let (name, span) = parameterName(index) { return try parameter(name, span, index) }
      return .value(try field(index))
    default: return .value(try value(index))
    }
  }

  mutating func value(_ index: Syntax.Index) throws(ExpressionError) -> Value {
    let node = syntax[index]
    switch node.kind {
    case .literal(let literal): return try self.literal(literal, node.span)
    case .name, .select, .list:
      switch try part(index) {
      case .value(let value): return value
      case .list:
        throw unavailable(
          "a list as a value", node.span, fix: "use a list on the right of `in`")
      }
    case .call(let target, let name, let nameSpan, let arguments):
      return try call(
        Call(
          target: target, name: String(decoding: name, as: UTF8.self), nameSpan: nameSpan,
          arguments: arguments, span: node.span))
    case .index: throw unavailable("`[...]` behind a value", node.span)
    case .map: throw unavailable("a map", node.span)
    case .message(let name, _): throw unavailable("an object of type `\(name)`", node.span)
    case .not(let inner):
      let operand = try truth(inner, of: "!")
      return Value(
        operation: builder.add(.not(operand.operation), node.span), type: ValueType(.bool),
        span: node.span)
    case .negate(let inner):
      let operand = try value(inner)
      guard operand.type.isNumeric || operand.type.isAny else {
        throw ExpressionError(
          .type, "`-` needs a number, and `\(text(inner))` is \(operand.type.phrase)",
          at: operand.span)
      }
      return Value(
        operation: builder.add(.negate(operand.operation), node.span),
        type: ValueType(operand.type.base), span: node.span)
    case .all(let operands): return try logic(operands, "&&", node.span)
    case .any(let operands): return try logic(operands, "||", node.span)
    case .binary(let operation, let left, let right, let span):
      return try binary(operation, left, right, operatorSpan: span, node.span)
    case .conditional(let condition, let yes, let no):
      return try conditional(condition, yes, no, node.span)
    }
  }

  private mutating func literal(
    _ literal: Syntax.Literal, _ span: SourceSpan
  ) throws(ExpressionError) -> Value {
    switch literal {
    case .null: return constant(.null, ValueType(.null), span)
    case .bool(let value): return constant(.bool(value), ValueType(.bool), span)
    case .int(let value): return constant(.int(value), ValueType(.int), span)
    case .double(let value): return constant(.number(value), ValueType(.number), span)
    case .string(let bytes): return constant(builder.stored(bytes), ValueType(.string), span)
    case .uint:
      throw unavailable("an unsigned integer", span, fix: "write it without the `u`")
    case .bytes: throw unavailable("a bytes literal", span, fix: "write it without the `b`")
    }
  }

  mutating func constant(_ cell: Cell, _ type: ValueType, _ span: SourceSpan) -> Value {
    Value(operation: builder.constant(cell, span), type: type, span: span)
  }

  // MARK: - Logic

  /// An operand that must be true or false.
  mutating func truth(
    _ index: Syntax.Index, of operation: String
  ) throws(ExpressionError) -> Value {
    let operand = try value(index)
    guard operand.type.base == .bool || operand.type.isAny else {
      throw ExpressionError(
        .type,
        "`\(operation)` needs true or false, and `\(text(index))` is \(operand.type.phrase)",
        at: operand.span, fix: Checker.asCondition(text(index), operand.type))
    }
    return operand
  }

  /// What to write where a value stands as a condition.
  static func asCondition(_ text: String, _ type: ValueType) -> String? {
    switch type.base {
    case .string: "compare it: \(text) != ''"
    case .int, .number: "compare it: \(text) != 0"
    case .timestamp: "compare it: \(text) != null"
    case .null, .bool, .any: nil
    }
  }

  private mutating func logic(
    _ operands: [Syntax.Index], _ symbol: String, _ span: SourceSpan
  ) throws(ExpressionError) -> Value {
    var checked: [Program.Index] = []
    for operand in operands { checked.append(try truth(operand, of: symbol).operation) }
    let operation = builder.add(symbol == "&&" ? .all(checked) : .any(checked), span)
    return Value(operation: operation, type: ValueType(.bool), span: span)
  }

  private mutating func conditional(
    _ condition: Syntax.Index, _ yes: Syntax.Index, _ no: Syntax.Index, _ span: SourceSpan
  ) throws(ExpressionError) -> Value {
    let test = try truth(condition, of: "?")
    let first = try value(yes)
    let second = try value(no)
    guard let type = first.type.joined(second.type) else {
      throw ExpressionError(
        .type,
        "both sides of `:` must have one type: `\(text(yes))` is \(first.type.phrase), "
          + "`\(text(no))` is \(second.type.phrase)", at: second.span)
    }
    let operation = builder.add(
      .conditional(test.operation, first.operation, second.operation), span)
    return Value(operation: operation, type: type, span: span)
  }
}
