/// Reads the whole grammar of CEL, and the optional syntax (`a.?b`, `a[?b]`, `[?x]`) of its
/// extension, by precedence climbing.
struct Parser {
  var syntax: Syntax
  let tokens: [Token]
  var position = 0
  /// Open brackets and conditions around the current token.
  private var nesting = 0

  static func parse(_ source: String) throws(ExpressionError) -> Syntax {
    let bytes = Array(source.utf8)
    guard bytes.count <= ExpressionLimits.sourceBytes else {
      throw ExpressionError(
        .limit,
        "the expression has \(bytes.count) bytes, more than \(ExpressionLimits.sourceBytes)",
        column: 1, length: bytes.count, fix: "put long lists into a parameter or a lookup file")
    }
    var parser = Parser(syntax: Syntax(source: bytes), tokens: try Lexer.tokens(bytes))
    guard parser.token.kind != .end else {
      throw ExpressionError(.syntax, "the expression is empty", at: parser.token.span)
    }
    parser.syntax.root = try parser.expression()
    guard parser.token.kind == .end else { throw parser.unexpected(after: "the expression") }
    return parser.syntax
  }

  private init(syntax: Syntax, tokens: [Token]) {
    self.syntax = syntax
    self.tokens = tokens
  }

  // MARK: - Tokens

  var token: Token { tokens[position] }

  mutating func advance() { if position + 1 < tokens.count { position += 1 } }

  mutating func take(_ symbol: Token.Symbol) -> Bool {
    guard token.kind == .symbol(symbol) else { return false }
    advance()
    return true
  }

  /// The end of the last token taken.
  var lastEnd: Int { position > 0 ? tokens[position - 1].span.end : 0 }

  /// Takes the bracket that closes the one at `open`.
  ///
  /// - Parameters:
  ///   - call: the function whose arguments are in it.
  ///   - arguments: those that were read.
  mutating func close(
    _ symbol: Token.Symbol, openedAt open: SourceSpan, call: String? = nil,
    arguments: [Syntax.Index] = []
  ) throws(ExpressionError) {
    guard !take(symbol) else { return }
    if token.kind == .end {
      throw notClosed(symbol, openedAt: open, call: call, arguments: arguments)
    }
    throw unexpected(after: "this", expected: "`\(symbol.rawValue)`")
  }

  // MARK: - Expressions

  /// A whole expression, conditions included, one level deeper than where it stands.
  mutating func expression() throws(ExpressionError) -> Syntax.Index {
    nesting += 1
    defer { nesting -= 1 }
    guard nesting <= ExpressionLimits.nesting else { throw Syntax.tooDeep(at: token.span) }
    let condition = try alternatives()
    guard take(.question) else { return condition }
    let yes = try alternatives()
    guard take(.colon) else { throw unexpected(after: "the value for true", expected: "`:`") }
    let no = try expression()
    return try syntax.add(
      .conditional(condition, yes, no), syntax[condition].span.joined(syntax[no].span),
      over: [condition, yes, no])
  }

  private mutating func alternatives() throws(ExpressionError) -> Syntax.Index {
    let first = try conjunction()
    guard token.kind == .symbol(.or) else { return first }
    var operands = [first]
    while take(.or) { operands.append(try conjunction()) }
    return try syntax.add(.any(operands), span(operands), over: operands)
  }

  private mutating func conjunction() throws(ExpressionError) -> Syntax.Index {
    let first = try binary(minimum: 1)
    guard token.kind == .symbol(.and) else { return first }
    var operands = [first]
    while take(.and) { operands.append(try binary(minimum: 1)) }
    return try syntax.add(.all(operands), span(operands), over: operands)
  }

  private func span(_ operands: [Syntax.Index]) -> SourceSpan {
    syntax[operands[0]].span.joined(syntax[operands[operands.count - 1]].span)
  }

  /// How tightly an operator binds: relations 1, sums 2, products 3.
  private static func precedence(_ symbol: Token.Symbol) -> (Int, Syntax.Binary)? {
    guard let binary = Syntax.Binary(rawValue: symbol.rawValue) else { return nil }
    switch binary {
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .isIn:
      return (1, binary)
    case .add, .subtract: return (2, binary)
    case .multiply, .divide, .remainder: return (3, binary)
    }
  }

  private mutating func binary(minimum: Int) throws(ExpressionError) -> Syntax.Index {
    var left = try unary()
    while case .symbol(let symbol) = token.kind,
      let (precedence, operation) = Parser.precedence(symbol), precedence >= minimum
    {
      let operatorSpan = token.span
      advance()
      let right = try binary(minimum: precedence + 1)
      left = try syntax.add(
        .binary(operation, left, right, operatorSpan: operatorSpan),
        syntax[left].span.joined(syntax[right].span), over: [left, right])
    }
    return left
  }

  /// `!!x`, `--x`; a minus right before a number belongs to the number.
  private mutating func unary() throws(ExpressionError) -> Syntax.Index {
    var marks: [SourceSpan] = []
    if token.kind == .symbol(.not) {
      while token.kind == .symbol(.not) {
        marks.append(token.span)
        advance()
      }
      return try wrap(try member(), in: marks) { .not($0) }
    }
    while token.kind == .symbol(.minus) {
      marks.append(token.span)
      advance()
    }
    if let sign = marks.last, token.kind == .int || token.kind == .double {
      marks.removeLast()
      let number = try self.number(sign: sign)
      return try wrap(try members(of: number), in: marks) { .negate($0) }
    }
    return try wrap(try member(), in: marks) { .negate($0) }
  }

  private mutating func wrap(
    _ inner: Syntax.Index, in marks: [SourceSpan], _ kind: (Syntax.Index) -> Syntax.Kind
  ) throws(ExpressionError) -> Syntax.Index {
    var node = inner
    for mark in marks.reversed() {
      node = try syntax.add(kind(node), mark.joined(syntax[inner].span), over: [node])
    }
    return node
  }

  /// A number token, with the minus at `sign` if there is one.
  mutating func number(sign: SourceSpan?) throws(ExpressionError) -> Syntax.Index {
    let span = sign.map { $0.joined(token.span) } ?? token.span
    let text = syntax.source[token.span.start..<token.span.end]
    let literal: Syntax.Literal =
      token.kind == .int
      ? .int(try Literals.int(text, isNegative: sign != nil, at: span))
      : .double(try Literals.double(text, isNegative: sign != nil, at: span))
    advance()
    return try syntax.add(.literal(literal), span)
  }

  // MARK: - Members

  private mutating func member() throws(ExpressionError) -> Syntax.Index {
    try members(of: try primary())
  }

  /// `.name`, `.name(...)`, `[index]` and `{...}` behind what they belong to.
  private mutating func members(of first: Syntax.Index) throws(ExpressionError) -> Syntax.Index {
    var node = first
    while case .symbol(let symbol) = token.kind {
      let start = syntax[node].span
      switch symbol {
      case .dot:
        advance()
        let isOptional = take(.question)
        let (name, nameSpan, isQuoted) = try selector()
        if token.kind == .symbol(.openParen), !isOptional, !isQuoted {
          let arguments = try self.arguments(of: nameSpan)
          node = try syntax.add(
            .call(target: node, name: name, nameSpan: nameSpan, arguments: arguments),
            SourceSpan(start: start.start, end: lastEnd), over: [node] + arguments)
        } else {
          node = try syntax.add(
            .select(node, name, isOptional: isOptional), start.joined(nameSpan), over: [node])
        }
      case .openBracket:
        let open = token.span
        advance()
        let isOptional = take(.question)
        let index = try expression()
        try close(.closeBracket, openedAt: open)
        node = try syntax.add(
          .index(node, index, isOptional: isOptional),
          SourceSpan(start: start.start, end: lastEnd), over: [node, index])
      case .openBrace:
        guard let name = typeName(node) else { return node }
        node = try message(name, start)
      default: return node
      }
    }
    return node
  }

  private mutating func selector() throws(ExpressionError) -> ([UInt8], SourceSpan, Bool) {
    let span = token.span
    switch token.kind {
    case .identifier:
      advance()
      return (Array(syntax.source[span.start..<span.end]), span, false)
    case .quotedIdentifier:
      advance()
      return (Array(syntax.source[span.start + 1..<span.end - 1]), span, true)
    case .symbol(.isIn), .symbol(.true), .symbol(.false), .symbol(.null):
      let text = syntax.text(span)
      throw ExpressionError(
        .syntax, "`\(text)` is a word of CEL, not a name", at: span,
        fix: "write it in backticks: `\(text)`")
    default: throw unexpected(after: "`.`", expected: "a name")
    }
  }

  /// `a.b.C` where a node is nothing but names: what can stand before `{`.
  private func typeName(_ node: Syntax.Index) -> String? {
    switch syntax[node].kind {
    case .name(let name, _): return String(decoding: name, as: UTF8.self)
    case .select(let inner, let name, isOptional: false):
      return typeName(inner).map { $0 + "." + String(decoding: name, as: UTF8.self) }
    default: return nil
    }
  }

  /// `(a, b)`, brackets included.
  ///
  /// - Parameter name: that of the function.
  mutating func arguments(of name: SourceSpan) throws(ExpressionError) -> [Syntax.Index] {
    let open = token.span
    advance()
    var arguments: [Syntax.Index] = []
    if token.kind != .symbol(.closeParen) {
      repeat { arguments.append(try expression()) } while take(.comma)
    }
    try close(
      .closeParen, openedAt: open, call: syntax.text(name), arguments: arguments)
    return arguments
  }

  /// `{field: value, ...}` behind the name of a type.
  private mutating func message(
    _ name: String, _ start: SourceSpan
  ) throws(ExpressionError) -> Syntax.Index {
    let open = token.span
    advance()
    var entries: [Syntax.FieldEntry] = []
    while token.kind != .symbol(.closeBrace) {
      let isOptional = take(.question)
      let (field, _, _) = try selector()
      guard take(.colon) else { throw unexpected(after: "a field's name", expected: "`:`") }
      entries.append(
        Syntax.FieldEntry(name: field, value: try expression(), isOptional: isOptional))
      guard take(.comma) else { break }
    }
    try close(.closeBrace, openedAt: open)
    return try syntax.add(
      .message(name: name, entries), SourceSpan(start: start.start, end: lastEnd),
      over: entries.map { $0.value })
  }
}
