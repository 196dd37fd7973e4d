import WeirData

extension Checker {
  mutating func binary(
    _ operation: Syntax.Binary, _ left: Syntax.Index, _ right: Syntax.Index,
    operatorSpan: SourceSpan, _ span: SourceSpan
  ) throws(ExpressionError) -> Value {
    let made: Value
    switch operation {
    case .equal, .notEqual:
      made = try equality(left, right, isNegated: operation == .notEqual, span)
    case .less: made = try order(.less, operation, left, right, span)
    case .lessOrEqual: made = try order(.lessOrEqual, operation, left, right, span)
    case .greater: made = try order(.greater, operation, left, right, span)
    case .greaterOrEqual: made = try order(.greaterOrEqual, operation, left, right, span)
    case .isIn: made = try membership(left, right, span)
    case .add: made = try arithmetic(.add, operation, left, right, operatorSpan, span)
    case .subtract: made = try arithmetic(.subtract, operation, left, right, operatorSpan, span)
    case .multiply: made = try arithmetic(.multiply, operation, left, right, operatorSpan, span)
    case .divide: made = try arithmetic(.divide, operation, left, right, operatorSpan, span)
    case .remainder: made = try arithmetic(.remainder, operation, left, right, operatorSpan, span)
    }
    return made
  }

  // MARK: - Comparing

  private mutating func equality(
    _ left: Syntax.Index, _ right: Syntax.Index, isNegated: Bool, _ span: SourceSpan
  ) throws(ExpressionError) -> Value {
    let operation: Program.Index
    switch (try part(left), try part(right)) {
    case (.value(let a), .value(let b)):
      guard a.type.isComparable(to: b.type) else { throw incomparable(a, left, b, right) }
      operation = builder.add(.equal(a.operation, b.operation, isNegated: isNegated), span)
    case (.list(let a), .list(let b)):
      guard let isEqual = try equal(a, b) else {
        throw unavailable("comparing lists that are not constant", span)
      }
      operation = builder.constant(.bool(isEqual != isNegated), span)
    case (.list(let list), .value(let value)), (.value(let value), .list(let list)):
      throw ExpressionError(
        .type, "a list and \(value.type.phrase) are never equal", at: list.span,
        fix: "write `in` to look for a value in a list")
    }
    return Value(operation: operation, type: ValueType(.bool), span: span)
  }

  /// Element by element; `nil` where an element is not constant.
  private func equal(_ a: List, _ b: List) throws(ExpressionError) -> Bool? {
    for element in a.elements + b.elements {
      guard let cell = builder.constant(element.operation), !cell.isFailure else { return nil }
    }
    guard a.elements.count == b.elements.count else { return false }
    for (x, y) in zip(a.elements, b.elements) {
      guard let x = builder.constant(x.operation), let y = builder.constant(y.operation) else {
        return nil
      }
      if Semantics.equal(x, y, failing: 0) != TruthCode.true { return false }
    }
    return true
  }

  private mutating func order(
    _ order: Program.Order, _ symbol: Syntax.Binary, _ left: Syntax.Index, _ right: Syntax.Index,
    _ span: SourceSpan
  ) throws(ExpressionError) -> Value {
    let a = try value(left)
    let b = try value(right)
    for (operand, index) in [(a, left), (b, right)] where operand.type.base == .null {
      throw ExpressionError(
        .type, "`\(text(index))` is null, and null has no order", at: operand.span,
        fix: "compare with `== null` or `!= null`")
    }
    guard a.type.isComparable(to: b.type) else {
      if case .binary(let inner, _, let middle, _) = syntax[left].kind, a.type.base == .bool,
        [.less, .lessOrEqual, .greater, .greaterOrEqual].contains(inner)
      {
        throw ExpressionError(
          .type, "comparisons cannot be chained", at: span,
          fix: "write \(text(left)) && \(text(middle)) \(symbol.rawValue) \(text(right))")
      }
      throw incomparable(a, left, b, right)
    }
    return Value(
      operation: builder.add(.order(order, a.operation, b.operation), span),
      type: ValueType(.bool), span: span)
  }

  private func incomparable(
    _ a: Value, _ left: Syntax.Index, _ b: Value, _ right: Syntax.Index
  ) -> ExpressionError {
    var fix: String?
    for (one, other, index) in [(a, b, right), (b, a, left)] {
      guard case .literal(let literal) = syntax[index].kind else {
        if one.type.base == .timestamp, other.type.base == .string {
          fix = "write timestamp(...) around a text that is a time"
        }
        continue
      }
      switch (one.type.base, literal) {
      case (.timestamp, .string(let bytes)): fix = Checker.timestampFix(bytes)
      case (.timestamp, .int): fix = "write timestamp('2026-01-31T00:00:00Z') for a time"
      case (.string, .int), (.string, .double), (.string, .bool): fix = "write '\(text(index))'"
      case (.int, .string(let bytes)), (.number, .string(let bytes)), (.bool, .string(let bytes)):
        let content = String(decoding: bytes, as: UTF8.self)
        let fits =
          one.type.base == .bool
          ? content == "true" || content == "false"
          : !bytes.isEmpty && bytes.allSatisfy { $0.isDigit || $0 == UInt8(ascii: ".") }
        if fits { fix = "write \(content) without quotes" }
      case (.bool, .int(0)): fix = "write false"
      case (.bool, .int(1)): fix = "write true"
      default: break
      }
    }
    return ExpressionError(
      .type,
      "`\(text(left))` is \(a.type.phrase) and `\(text(right))` is \(b.type.phrase): "
        + "they cannot be compared", at: b.span, fix: fix)
  }

  private static func timestampFix(_ bytes: [UInt8]) -> String {
    let text = String(decoding: bytes, as: UTF8.self)
    if CivilDate(iso: text) != nil { return "write timestamp('\(text)T00:00:00Z')" }
    if Timestamp(rfc3339: text) != nil { return "write timestamp('\(text)')" }
    return "write timestamp('2026-01-31T00:00:00Z') for a time"
  }

  // MARK: - in

  private mutating func membership(
    _ left: Syntax.Index, _ right: Syntax.Index, _ span: SourceSpan
  ) throws(ExpressionError) -> Value {
    let needle = try value(left)
    if case .map = syntax[right].kind { throw unavailable("a map", syntax[right].span) }
    let list: List
    switch try part(right) {
    case .list(let found): list = found
    case .value(let other):
      if other.type.isAny {
        throw unavailable("looking inside `\(text(right))`", other.span)
      }
      let isText = other.type.base == .string
      throw ExpressionError(
        .type, "`in` needs a list, and `\(text(right))` is \(other.type.phrase)", at: other.span,
        fix: isText
          ? "write \(text(right)).contains(\(text(left))) to look inside a string, or [...] for a list"
          : "write [...] for a list")
    }
    // Lists of several types are lists of `any` to CEL: only a list of one type can be wrong.
    if let first = list.elements.first, !needle.type.isComparable(to: first.type),
      list.elements.allSatisfy({ !needle.type.isComparable(to: $0.type) })
    {
      let isUniform = list.elements.allSatisfy { $0.type.base == first.type.base }
      if isUniform {
        throw ExpressionError(
          .type,
          "`\(text(left))` is \(needle.type.phrase) and cannot be in a list of "
            + "\(Checker.plural(first.type))", at: first.span)
      }
    }
    return Value(
      operation: builder.isIn(needle.operation, list.elements.map { $0.operation }, span),
      type: ValueType(.bool), span: span)
  }

  private static func plural(_ type: ValueType) -> String {
    switch type.base {
    case .null: "nulls"
    case .bool: "bools"
    case .int: "ints"
    case .number: "numbers"
    case .string: "strings"
    case .timestamp: "timestamps"
    case .any: "any type"
    }
  }

  // MARK: - Arithmetic

  private mutating func arithmetic(
    _ operation: Program.Arithmetic, _ symbol: Syntax.Binary, _ left: Syntax.Index,
    _ right: Syntax.Index, _ operatorSpan: SourceSpan, _ span: SourceSpan
  ) throws(ExpressionError) -> Value {
    let a = try value(left)
    let b = try value(right)
    let type: ValueType
    switch (a.type.base, b.type.base) {
    case (.int, .int), (.int, .any), (.any, .int): type = ValueType(.int)
    case (.number, .number), (.number, .any), (.any, .number):
      guard operation != .remainder else {
        throw ExpressionError(.type, "`%` is defined for ints only", at: operatorSpan)
      }
      type = ValueType(.number)
    case (.string, .string), (.string, .any), (.any, .string):
      guard operation == .add else {
        throw ExpressionError(
          .type, "`\(symbol.rawValue)` is not defined for strings", at: operatorSpan)
      }
      type = ValueType(.string)
    case (.any, .any): type = ValueType(.any)
    case (.timestamp, _), (_, .timestamp):
      throw unavailable("arithmetic with timestamps", span)
    default: throw unfitting(symbol, a, left, b, right, operatorSpan)
    }
    return Value(
      operation: builder.add(.arithmetic(operation, a.operation, b.operation), span), type: type,
      span: span)
  }

  private func unfitting(
    _ symbol: Syntax.Binary, _ a: Value, _ left: Syntax.Index, _ b: Value, _ right: Syntax.Index,
    _ span: SourceSpan
  ) -> ExpressionError {
    var fix: String?
    if a.type.isNumeric, b.type.isNumeric {
      let index = a.type.base == .int ? left : right
      fix = "CEL does not mix int and number in arithmetic: declare `\(text(index))` as number"
      if case .literal(.int) = syntax[index].kind { fix = "write \(text(index)).0" }
    }
    return ExpressionError(
      .type,
      "`\(symbol.rawValue)` is not defined for `\(text(left))`, \(a.type.phrase), and "
        + "`\(text(right))`, \(b.type.phrase)", at: span, fix: fix)
  }
}
