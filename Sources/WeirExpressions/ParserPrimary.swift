extension Parser {
  /// Literals, names, calls, lists, maps and parentheses.
  mutating func primary() throws(ExpressionError) -> Syntax.Index {
    let span = token.span
    switch token.kind {
    case .int, .double: return try number(sign: nil)
    case .uint:
      guard let value = Literals.magnitude(syntax.source[span.start..<span.end - 1]) else {
        throw ExpressionError(.syntax, "this integer does not fit 64 bits", at: span)
      }
      return try literal(.uint(value))
    case .string: return try literal(.string(try Literals.string(syntax.source, span)))
    case .bytes: return try literal(.bytes(try Literals.string(syntax.source, span)))
    case .symbol(.true): return try literal(.bool(true))
    case .symbol(.false): return try literal(.bool(false))
    case .symbol(.null): return try literal(.null)
    case .identifier: return try name(isAbsolute: false, from: span)
    case .quotedIdentifier:
      advance()
      return try syntax.add(
        .name(Array(syntax.source[span.start + 1..<span.end - 1]), isAbsolute: false), span)
    case .symbol(.dot):
      advance()
      guard token.kind == .identifier else {
        throw unexpected(after: "`.`", expected: "a name")
      }
      return try name(isAbsolute: true, from: span)
    case .symbol(.openParen):
      advance()
      let inner = try expression()
      if token.kind == .symbol(.comma) {
        throw ExpressionError(
          .syntax,
          isBehindIn(span)
            ? "a list stands in square brackets, not in parentheses"
            : "parentheses hold one value, and a comma follows it", at: token.span,
          fix: "write a list in square brackets: \(asList(from: span) ?? "['a', 'b']")")
      }
      try close(.closeParen, openedAt: span)
      syntax.widen(inner, to: SourceSpan(start: span.start, end: lastEnd))
      return inner
    case .symbol(.openBracket): return try list()
    case .symbol(.openBrace): return try map()
    default: throw unexpected(after: nil, expected: "a value")
    }
  }

  private mutating func literal(_ literal: Syntax.Literal) throws(ExpressionError) -> Syntax.Index {
    let span = token.span
    advance()
    return try syntax.add(.literal(literal), span)
  }

  private mutating func name(
    isAbsolute: Bool, from start: SourceSpan
  ) throws(ExpressionError) -> Syntax.Index {
    let span = token.span
    let name = Array(syntax.source[span.start..<span.end])
    if Parser.reserved.contains(where: { name.elementsEqual($0.utf8) }) {
      let text = syntax.text(span)
      throw ExpressionError(
        .syntax, "`\(text)` is a reserved word of CEL", at: span,
        fix: name.elementsEqual("if".utf8)
          ? "write `condition ? a : b`" : "write a field of that name in backticks: `\(text)`")
    }
    if name.elementsEqual("not".utf8) || name.elementsEqual("NOT".utf8), startsValue(after: 1) {
      throw ExpressionError(
        .syntax, "CEL writes `!` for not", at: span, fix: "write `!(...)`")
    }
    advance()
    if token.kind == .symbol(.openParen) {
      let arguments = try self.arguments(of: span)
      return try syntax.add(
        .call(target: nil, name: name, nameSpan: span, arguments: arguments),
        SourceSpan(start: start.start, end: lastEnd), over: arguments)
    }
    return try syntax.add(.name(name, isAbsolute: isAbsolute), start.joined(span))
  }

  private static let reserved = [
    "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop",
    "package", "namespace", "return", "var", "void", "while",
  ]

  private mutating func list() throws(ExpressionError) -> Syntax.Index {
    let open = token.span
    advance()
    var elements: [Syntax.Element] = []
    while token.kind != .symbol(.closeBracket) {
      let isOptional = take(.question)
      elements.append(Syntax.Element(value: try expression(), isOptional: isOptional))
      guard take(.comma) else { break }
    }
    try close(.closeBracket, openedAt: open)
    return try syntax.add(
      .list(elements), SourceSpan(start: open.start, end: lastEnd),
      over: elements.map { $0.value })
  }

  private mutating func map() throws(ExpressionError) -> Syntax.Index {
    let open = token.span
    advance()
    var entries: [Syntax.Entry] = []
    while token.kind != .symbol(.closeBrace) {
      let isOptional = take(.question)
      let key = try expression()
      guard take(.colon) else { throw unexpected(after: "a key", expected: "`:`") }
      entries.append(Syntax.Entry(key: key, value: try expression(), isOptional: isOptional))
      guard take(.comma) else { break }
    }
    try close(.closeBrace, openedAt: open)
    return try syntax.add(
      .map(entries), SourceSpan(start: open.start, end: lastEnd),
      over: entries.flatMap { [$0.key, $0.value] })
  }

  // MARK: - Errors

  /// Whether the token `offset` ahead can begin a value.
  private func startsValue(after offset: Int) -> Bool {
    guard position + offset < tokens.count else { return false }
    switch tokens[position + offset].kind {
    case .identifier, .quotedIdentifier, .int, .uint, .double, .string, .bytes: return true
    case .symbol(let symbol):
      return [.openParen, .openBracket, .not, .true, .false, .null].contains(symbol)
    case .end: return false
    }
  }

  /// The error for the current token, which cannot stand where it does.
  func unexpected(after what: String?, expected: String? = nil) -> ExpressionError {
    let span = token.span
    if let error = misread() { return error }
    if token.kind == .end {
      return ExpressionError(
        .syntax, "the expression ends too early: \(expected ?? "a value") is missing", at: span,
        fix: expected == "`:`"
          ? "say what holds otherwise: `condition ? a : b`, such as `... : false`; or write `&&` in the place of `?`"
          : meant() ?? "add it, or remove what stands before it")
    }
    let text = syntax.text(span)
    if what != nil, let error = foreignOperator() { return error }
    switch token.kind {
    case .symbol(.closeParen), .symbol(.closeBracket), .symbol(.closeBrace):
      if expected == nil {
        return ExpressionError(.syntax, "`\(text)` closes nothing", at: span, fix: "remove it")
      }
    case .identifier, .quotedIdentifier, .int, .uint, .double, .string, .bytes:
      if what != nil, expected == nil {
        return ExpressionError(
          .syntax, "`\(text)` follows a value without an operator between them", at: span,
          fix: "write an operator in front of it, such as `==`, `&&` or `+`")
      }
    default: break
    }
    let wanted = expected.map { ", expected \($0)" } ?? ""
    return ExpressionError(.syntax, "unexpected `\(text)`\(wanted)", at: span, fix: meant())
  }
}
