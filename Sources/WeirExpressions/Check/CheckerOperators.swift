import WeirData

/// The binary operators.
extension Checker {
  mutating func binary(
    _ operation: Syntax.Binary, _ left: Syntax.Index, _ right: Syntax.Index,
    operatorSpan: SourceSpan, _ span: SourceSpan
  ) throws(ExpressionError) -> Tree.Index {
    let a = try value(left)
    let b = try value(right)
    let type: ValueType
    switch operation {
    case .equal, .notEqual:
      guard self.type(a).isComparable(to: self.type(b)) else {
        throw incomparable(a, left, b, right)
      }
      type = ValueType(.bool)
    case .less, .lessOrEqual, .greater, .greaterOrEqual:
      try checkOrder(operation, a, left, b, right, span)
      type = ValueType(.bool)
    case .isIn:
      try checkMembership(a, left, b, right)
      type = ValueType(.bool)
    case .add, .subtract, .multiply, .divide, .remainder:
      type = try arithmetic(operation, a, left, b, right, operatorSpan)
    }
    return try add(.binary(operation, a, b), type, span)
  }

  // MARK: - Comparing

  private func checkOrder(
    _ operation: Syntax.Binary, _ a: Tree.Index, _ left: Syntax.Index, _ b: Tree.Index,
    _ right: Syntax.Index, _ span: SourceSpan
  ) throws(ExpressionError) {
    for (operand, index) in [(a, left), (b, right)] {
      switch type(operand).base {
      case .null:
        throw ExpressionError(
          .type, "`\(text(index))` is null, and null has no order", at: self.span(operand),
          fix: "compare with `== null` or `!= null`")
      case .list, .map, .optional, .type:
        throw ExpressionError(
          .type,
          "`\(text(index))` is \(type(operand).phrase), and \(type(operand).base.plural) have "
            + "no order", at: self.span(operand))
      default: break
      }
    }
    guard !type(a).isComparable(to: type(b)) else { return }
    if case .binary(let inner, _, let middle, _) = syntax[left].kind, type(a).base == .bool,
      [.less, .lessOrEqual, .greater, .greaterOrEqual].contains(inner)
    {
      throw ExpressionError(
        .type, "comparisons cannot be chained", at: span,
        fix: "write \(text(left)) && \(text(middle)) \(operation.rawValue) \(text(right))")
    }
    throw incomparable(a, left, b, right)
  }

  private func incomparable(
    _ a: Tree.Index, _ left: Syntax.Index, _ b: Tree.Index, _ right: Syntax.Index
  ) -> ExpressionError {
    for (list, other) in [(a, b), (b, a)] {
      if case .list = type(list).base {
        return ExpressionError(
          .type, "a list and \(type(other).phrase) are never equal", at: span(list),
          fix: "write `in` to look for a value in a list")
      }
    }
    var fix: String?
    for (one, other, index) in [(a, b, right), (b, a, left)] {
      let (one, other) = (type(one).base, type(other).base)
      guard case .literal(let literal) = syntax[index].kind else {
        if one == .timestamp, other == .string {
          fix = "write timestamp(...) around a text that is a time"
        }
        continue
      }
      switch (one, literal) {
      case (.timestamp, .string(let bytes)): fix = Checker.timestampFix(bytes)
      case (.timestamp, .int): fix = Checker.timestampFix(Array(dateText(index).utf8))
      case (.duration, .string), (.duration, .int): fix = "write duration('1h30m') for a duration"
      case (.string, .int), (.string, .double), (.string, .bool): fix = "write '\(text(index))'"
      case (.int, .string(let bytes)), (.number, .string(let bytes)), (.bool, .string(let bytes)):
        let content = String(decoding: bytes, as: UTF8.self)
        let fits =
          one == .bool
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
      "`\(text(left))` is \(type(a).phrase) and `\(text(right))` is \(type(b).phrase): "
        + "they cannot be compared", at: span(b), fix: fix)
  }

  /// The text around a number that may be the part of a day without quotes: `2026-01-31`.
  private func dateText(_ index: Syntax.Index) -> String {
    func isPart(_ byte: UInt8) -> Bool { byte.isDigit || byte == UInt8(ascii: "-") }
    let source = syntax.source
    var (start, end) = (syntax[index].span.start, syntax[index].span.end)
    while start > 0, isPart(source[start - 1]) { start -= 1 }
    while end < source.count, isPart(source[end]) { end += 1 }
    return syntax.text(SourceSpan(start: start, end: end))
  }

  private static func timestampFix(_ bytes: [UInt8]) -> String {
    let text = String(decoding: bytes, as: UTF8.self)
    if CivilDate(iso: text) != nil { return "write timestamp('\(text)T00:00:00Z')" }
    if Timestamp(rfc3339: text) != nil { return "write timestamp('\(text)')" }
    return "write timestamp('2026-01-31T00:00:00Z') for a time"
  }

  // MARK: - in

  private func checkMembership(
    _ a: Tree.Index, _ left: Syntax.Index, _ b: Tree.Index, _ right: Syntax.Index
  ) throws(ExpressionError) {
    switch type(b).base {
    case .any, .open: return
    case .list(let element), .map(let element, _):
      if element.isComparable(to: type(a).base) { return }
      let isMap = if case .map = type(b).base { true } else { false }
      var place = span(b)
      if case .list(let elements) = tree[b].kind, let first = elements.first {
        place = span(first.value)
      } else if case .list(let elements) = syntax[right].kind, let first = elements.first {
        place = syntax[first.value].span
      }
      throw ExpressionError(
        .type,
        "`\(text(left))` is \(type(a).phrase) and cannot be in a "
          + "\(isMap ? "map with the keys" : "list of") \(element.plural)", at: place)
    default:
      let isText = type(b).base == .string
      throw ExpressionError(
        .type, "`in` needs a list, and `\(text(right))` is \(type(b).phrase)", at: span(b),
        fix: isText
          ? "write \(text(right)).contains(\(text(left))) to look inside a string, or [...] for a list"
          : "write [...] for a list")
    }
  }

  // MARK: - Arithmetic

  private func arithmetic(
    _ operation: Syntax.Binary, _ a: Tree.Index, _ left: Syntax.Index, _ b: Tree.Index,
    _ right: Syntax.Index, _ operatorSpan: SourceSpan
  ) throws(ExpressionError) -> ValueType {
    let (x, y) = (type(a).base, type(b).base)
    switch (x, y) {
    case (.list(let one), .list(let other)) where operation == .add:
      return ValueType(.list(.element(of: [one, other])))
    case (.timestamp, .timestamp) where operation == .subtract: return ValueType(.duration)
    case (.timestamp, .duration) where operation == .add || operation == .subtract:
      return ValueType(.timestamp)
    case (.duration, .timestamp) where operation == .add: return ValueType(.timestamp)
    case (.duration, .duration) where operation == .add || operation == .subtract:
      return ValueType(.duration)
    case (.timestamp, _), (.duration, _):
      if y.isAny { return ValueType(.any) }
      throw unfitting(operation, a, left, b, right, operatorSpan)
    case (_, .timestamp), (_, .duration):
      if x.isAny { return ValueType(.any) }
      throw unfitting(operation, a, left, b, right, operatorSpan)
    default: break
    }
    if x.isAny, y.isAny { return ValueType(.any) }
    let known = x.isAny ? y : x
    guard x.isAny || y.isAny || x == y else {
      throw unfitting(operation, a, left, b, right, operatorSpan)
    }
    switch known {
    case .int, .uint: return ValueType(known)
    case .number:
      guard operation != .remainder else {
        throw ExpressionError(.type, "`%` is defined for ints only", at: operatorSpan)
      }
      return ValueType(.number)
    case .string, .bytes:
      guard operation == .add else {
        throw ExpressionError(
          .type, "`\(operation.rawValue)` is not defined for \(known.plural)", at: operatorSpan)
      }
      return ValueType(known)
    case .list where operation == .add: return ValueType(.list(.any))
    default: throw unfitting(operation, a, left, b, right, operatorSpan)
    }
  }

  private func unfitting(
    _ symbol: Syntax.Binary, _ a: Tree.Index, _ left: Syntax.Index, _ b: Tree.Index,
    _ right: Syntax.Index, _ operatorSpan: SourceSpan
  ) -> ExpressionError {
    var fix: String?
    let (x, y) = (type(a).base, type(b).base)
    if x.isNumeric, y.isNumeric {
      let index = x == .number ? right : left
      let isUint = x != .number && y != .number
      if isUint {
        fix = "CEL does not mix int and uint in arithmetic: write int(...) around the uint"
      } else if case .literal(.int) = syntax[index].kind {
        fix = "write \(text(index)).0"
      } else {
        fix =
          "CEL does not mix int and number in arithmetic: write double(\(text(index))), or declare "
          + "`\(text(index))` as number"
      }
    } else if x == .timestamp || y == .timestamp {
      fix = "a duration can be added to a timestamp: duration('1h30m')"
    } else if x == .string || y == .string, symbol == .add {
      let other = x == .string ? right : left
      if case .literal(.int) = syntax[other].kind {
        fix =
          "write `\(x == .string ? "\(text(left)) + '\(text(other))'" : "'\(text(other))' + \(text(right))")`"
      } else {
        fix = "write `string(\(text(other)))` for `\(text(other))`"
      }
    }
    return ExpressionError(
      .type,
      "`\(symbol.rawValue)` is not defined for `\(text(left))`, \(type(a).phrase), and "
        + "`\(text(right))`, \(type(b).phrase)", at: operatorSpan, fix: fix)
  }
}
