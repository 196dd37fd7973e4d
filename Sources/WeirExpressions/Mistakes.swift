import WeirData

/// What is said of parts that other languages write otherwise, or that do not end.
extension Parser {
  /// What other languages write, and what CEL writes.
  private static let foreignWords: [(String, String)] = [
    ("and", "write `&&`"), ("or", "write `||`"), ("not", "write `!` in front of what is not to be"),
    ("is", "write `== null` for is null, and `!= null` for is not null"), ("eq", "write `==`"),
    ("ne", "write `!=`"),
    ("lt", "write `<`"), ("gt", "write `>`"), ("mod", "write `%`"),
    ("like", "write `.contains('...')`, `.startsWith('...')` or `.endsWith('...')`"),
    ("contains", "write `.contains('...')`"), ("between", "write `a <= x && x <= b`"),
    ("when", "write `condition ? a : b`"), ("then", "write `condition ? a : b`"),
    ("else", "write `condition ? a : b`"), ("matches", "write `.matches('...')`"),
  ]

  /// The error for a word that is an operator elsewhere; `nil` where the current token is none.
  func foreignOperator() -> ExpressionError? {
    let span = token.span
    guard token.kind == .identifier,
      let fix = Parser.foreignWords.first(where: { isWord($0.0, at: position) })?.1
    else { return nil }
    var exact: String?
    if isWord("like", at: position) { exact = like(at: position, isNot: false) }
    if isWord("not", at: position) {
      if isWord("like", at: position + 1) { exact = like(at: position + 1, isNot: true) }
      if isWord("in", at: position + 1) {
        let list = position + 2 < tokens.count ? bracketed(from: position + 2) : nil
        exact = "write `!(\(operand ?? "x") in \(list ?? "[...]"))`"
      }
    }
    if isWord("between", at: position), position + 3 < tokens.count, let operand,
      isWord("and", at: position + 2)
    {
      let (low, high) = (tokens[position + 1].span, tokens[position + 3].span)
      exact = "write `\(syntax.text(low)) <= \(operand) && \(operand) <= \(syntax.text(high))`"
    }
    if isWord("is", at: position) {
      exact = "write `\(operand ?? "x") \(isWord("not", at: position + 1) ? "!=" : "==") null`"
    }
    return ExpressionError(
      .syntax, "`\(syntax.text(span))` is not an operator of CEL", at: span, fix: exact ?? fix)
  }

  /// `x LIKE 'a%'` as CEL writes it.
  private func like(at place: Int, isNot: Bool) -> String? {
    guard place + 1 < tokens.count, tokens[place + 1].kind == .string, let operand,
      let pattern = try? Literals.string(syntax.source, tokens[place + 1].span)
    else { return nil }
    let percent = UInt8(ascii: "%")
    let body = pattern.drop { $0 == percent }
    let text = body.prefix(body.count - body.reversed().prefix { $0 == percent }.count)
    // Wildcards inside, and what would have to be escaped, are left to the person.
    guard !text.isEmpty,
      text.allSatisfy({ $0 >= 0x20 && ![percent, 0x5F, 0x27, 0x5C].contains($0) })
    else { return nil }
    let word = String(decoding: text, as: UTF8.self)
    let call =
      switch (pattern.first == percent, pattern.last == percent) {
      case (true, true): "\(operand).contains('\(word)')"
      case (true, false): "\(operand).endsWith('\(word)')"
      case (false, true): "\(operand).startsWith('\(word)')"
      case (false, false): "\(operand) \(isNot ? "!=" : "==") '\(word)'"
      }
    let isCall = pattern.first == percent || pattern.last == percent
    return "write `\(isNot && isCall ? "!" : "")\(call)`"
  }

  /// The names in front of the current token: `a.b` of `a.b LIKE`.
  private var operand: String? {
    var first = position
    while first > 0 {
      switch tokens[first - 1].kind {
      case .identifier, .quotedIdentifier, .symbol(.dot): first -= 1
      default:
        guard first < position else { return nil }
        return syntax.text(tokens[first].span.joined(tokens[position - 1].span))
      }
    }
    return first < position
      ? syntax.text(tokens[first].span.joined(tokens[position - 1].span)) : nil
  }

  private func isWord(_ word: String, at place: Int) -> Bool {
    guard place < tokens.count else { return false }
    return syntax.source[tokens[place].span.start..<tokens[place].span.end].elementsEqual(word.utf8)
    { $0 == $1 || ($0 | 0x20 == $1 && (0x41...0x5A).contains($0)) }
  }

  /// The error for signs that mean something elsewhere: `count(*)`, `50%`.
  func misread() -> ExpressionError? {
    if token.kind == .symbol(.star), position > 1, isWord("count", at: position - 2),
      tokens[position - 1].kind == .symbol(.openParen)
    {
      return ExpressionError(
        .syntax, "`count` is not for expressions",
        at: tokens[position - 2].span.joined(token.span),
        fix: Suggestions.overRecords("\"count\": true"))
    }
    guard position > 1, tokens[position - 1].kind == .symbol(.percent),
      [.int, .double].contains(tokens[position - 2].kind),
      let percent = Double(syntax.text(tokens[position - 2].span))
    else { return nil }
    let span = tokens[position - 2].span.joined(tokens[position - 1].span)
    return ExpressionError(
      .syntax, "`%` does not mean per cent in CEL", at: span,
      fix: "write `\(percent / 100)` for `\(syntax.text(span))`")
  }

  /// What was meant by a sign that cannot stand where it does.
  func meant() -> String? {
    func kind(_ place: Int) -> Token.Kind? {
      tokens.indices.contains(place) ? tokens[place].kind : nil
    }
    if token.kind == .symbol(.comma), kind(position - 1) == .int, kind(position + 1) == .int {
      let (whole, rest) = (tokens[position - 1].span, tokens[position + 1].span)
      let (front, back) = (syntax.text(whole), syntax.text(rest))
      return back.utf8.count == 3 && front.utf8.count <= 3 && front.utf8.first != UInt8(ascii: "0")
        ? "write `\(front)\(back)`: digits are not grouped; or `\(front).\(back)`, with a decimal point, if a part of one is meant"
        : "write `\(front).\(back)`, with a decimal point"
    }
    if token.kind == .symbol(.star) { return "write `true` for all records" }
    if token.kind == .symbol(.comma) { return "remove it" }
    return nil
  }

  // MARK: - Brackets

  /// A list as it is written; `nil` where none begins at the token, or where it is long.
  private func bracketed(from first: Int) -> String? {
    guard tokens[first].kind == .symbol(.openBracket),
      let close = tokens[first...].first(where: { $0.kind == .symbol(.closeBracket) })
    else { return nil }
    let span = tokens[first].span.joined(close.span)
    return span.length <= 60 ? syntax.text(span) : nil
  }

  /// Whether the parenthesis at a place stands behind `in`.
  func isBehindIn(_ open: SourceSpan) -> Bool {
    guard let first = tokens.firstIndex(where: { $0.span == open }), first > 0 else { return false }
    return tokens[first - 1].kind == .symbol(.isIn)
  }

  /// What stands in the parentheses that open at a place, as a list; `nil` where they hold more than values
  /// and commas, or much.
  func asList(from open: SourceSpan) -> String? {
    guard let first = tokens.firstIndex(where: { $0.span == open }),
      let close = tokens[first...].firstIndex(where: { $0.kind == .symbol(.closeParen) }),
      !tokens[(first + 1)..<close].contains(where: { $0.kind == .symbol(.openParen) })
    else { return nil }
    let inside = SourceSpan(start: open.end, end: tokens[close].span.start)
    return inside.length <= 60 ? "[\(syntax.text(inside))]" : nil
  }

  /// The error for a bracket that the expression does not close.
  ///
  /// - Parameters:
  ///   - call: the function whose arguments are in it.
  ///   - arguments: those that were read.
  func notClosed(
    _ symbol: Token.Symbol, openedAt open: SourceSpan, call: String?, arguments: [Syntax.Index]
  ) -> ExpressionError {
    var fix = "add `\(symbol.rawValue)` where it ends"
    if call == nil, token.kind == .end, syntax.source.count - open.start <= 80 {
      let rest = SourceSpan(start: open.start, end: syntax.source.count)
      fix = "write `\(syntax.text(rest))\(symbol.rawValue)`"
    }
    if let call, let last = arguments.last {
      // Of `has(a && b` only `a` can be the argument; of others it is likely.
      let first = leftmost(last)
      if first != last {
        let others = arguments.dropLast().map { syntax.text(syntax[$0].span) + ", " }.joined()
        fix =
          "close it in front of the operator: `\(call)(\(others)\(syntax.text(syntax[first].span)))`"
      } else {
        fix = "write `)` at the end"
      }
    }
    return ExpressionError(
      .syntax, "this `\(syntax.text(open))` is not closed", at: open, fix: fix)
  }

  /// What stands in front of all operators of a part.
  private func leftmost(_ index: Syntax.Index) -> Syntax.Index {
    var at = index
    while true {
      switch syntax[at].kind {
      case .any(let operands), .all(let operands): at = operands[0]
      case .binary(_, let left, _, operatorSpan: _): at = left
      case .conditional(let condition, _, _): at = condition
      default: return at
      }
    }
  }
}

extension Lexer {
  /// Signs of other languages, and what CEL writes.
  static let foreignSymbols = [
    ("===", "`==`"), ("!==", "`!=`"), ("<>", "`!=`"), ("=~", "`.matches('...')`"),
    ("!~", "`!x.matches('...')`"), ("=>", "a comma: `exists(x, x > 1)`"),
    ("~", "`.matches('...')`"),
    ("$", "a field by its name alone, and a parameter as `params.NAME`"),
  ]

  /// `5m` without quotes.
  static func durationFix(_ text: String) -> String? {
    let digits = text.utf8.prefix { $0.isDigit }
    let unit = text.utf8.dropFirst(digits.count)
    guard !digits.isEmpty, ["s", "m", "h", "ms"].contains(where: { unit.elementsEqual($0.utf8) })
    else { return nil }
    return "write `duration('\(text)')` for a length of time, or a number"
  }

  /// The error for a character that is no part of CEL, and what may have been meant by it.
  static func foreign(_ source: [UInt8], _ span: SourceSpan) -> ExpressionError {
    let text = String(decoding: source[span.start..<span.end], as: UTF8.self)
    let signs: [(sign: String, meant: String)] = [
      ("\u{2212}", "-"), ("\u{2013}", "-"), ("\u{2014}", "-"), ("\u{2265}", ">="),
      ("\u{2264}", "<="),
      ("\u{2260}", "!="), ("\u{D7}", "*"), ("\u{F7}", "/"), ("\u{2227}", "&&"), ("\u{2228}", "||"),
      ("\u{2026}", "..."), ("\u{A0}", "a plain space"),
    ]
    if let meant = signs.first(where: { $0.sign.utf8.elementsEqual(text.utf8) })?.meant {
      return ExpressionError(
        .syntax, "`\(text)` has no meaning in an expression", at: span, fix: "write `\(meant)`")
    }
    if let letter = Lookalike(in: text) {
      let word = word(around: span, in: source)
      let name = String(decoding: source[word.start..<word.end], as: UTF8.self)
      return ExpressionError(
        .syntax,
        "the \(letter.letter) in `\(name)` is not the Latin \(letter.latin), but \(letter.code), which looks like it (\(letter.script))",
        at: word, fix: Lookalike.replaced(in: name).map { "write `\($0)`" })
    }
    if source[span.start] >= 0x80 {
      return ExpressionError(
        .syntax, "`\(text)` has no meaning in an expression", at: span,
        fix: "put a name with such letters in backticks, and text in quotes")
    }
    let shown =
      source[span.start] < 0x20 || source[span.start] == 0x7F
      ? "byte \(source[span.start])" : "`\(text)`"
    return ExpressionError(
      .syntax, "\(shown) has no meaning in an expression", at: span, fix: "remove it")
  }

  /// The error for a typographic quote, with the string that it begins.
  static func curlyQuote(_ source: [UInt8], _ span: SourceSpan) -> ExpressionError {
    let closing = ["\u{2019}", "\u{201D}", "\u{2018}", "\u{201C}", "'", "\""]
    var end = span.end
    while end < source.count {
      if let quote = closing.first(where: { source[end...].starts(with: $0.utf8) }) {
        let text = String(decoding: source[span.end..<end], as: UTF8.self)
        return ExpressionError(
          .syntax, "these are typographic quotes, which quote nothing",
          at: SourceSpan(start: span.start, end: end + quote.utf8.count), fix: "write `'\(text)'`")
      }
      end += 1
    }
    return ExpressionError(
      .syntax, "this is a typographic quote, which quotes nothing", at: span,
      fix: "write ' in front of the text and behind it")
  }

  /// The letters around a character.
  private static func word(around span: SourceSpan, in source: [UInt8]) -> SourceSpan {
    func isPart(_ byte: UInt8) -> Bool { byte.isIdentifierPart || byte >= 0x80 }
    var (start, end) = (span.start, span.end)
    while start > 0, isPart(source[start - 1]) { start -= 1 }
    while end < source.count, isPart(source[end]) { end += 1 }
    return SourceSpan(start: start, end: end)
  }
}

extension Pattern.Mistake {
  /// What to do about it, from RE2's words.
  var fix: String {
    let advice: [(words: String, fix: String)] = [
      ("missing )", "close the ( with ), or write [(] for the character itself"),
      ("missing ]", "close the [ with ], or write [[] for the character itself"),
      ("unexpected )", "remove the ), or write [)] for the character itself"),
      (
        "no argument for repetition",
        "write [*], [+] or [?] for the character itself, and .* for any text"
      ),
      ("bad repetition operator", "write one of * + ? only"),
      (
        "invalid perl operator",
        "look-ahead and look-behind are not supported: match what is not to be there, and put `!` in front, as in `!decision.matches('^ok')`"
      ),
      (
        "invalid escape sequence",
        "RE2 has \\d \\w \\s \\b \\. and the like, and no back references"
      ),
      ("invalid character class range", "write the lower end of the range first: a-z"),
      ("trailing \\", "write \\\\ for a backslash"),
    ]
    return advice.first { reason.utf8.starts(with: $0.words.utf8) }?.fix
      ?? "the syntax is RE2's; a raw string keeps backslashes: r'\\d+'"
  }

  /// RE2's words, without the part of the pattern that they quote where it is all of it.
  var words: String {
    let known = [
      ("missing )", "a ( in it is not closed"), ("missing ]", "a [ in it is not closed"),
      ("unexpected )", "a ) in it closes nothing"),
      (
        "invalid perl operator",
        "it looks ahead or behind, or has another operator that RE2 has not"
      ),
      ("no argument for repetition", "nothing stands in front of its *, + or ?"),
    ]
    return known.first { reason.utf8.starts(with: $0.0.utf8) }?.1 ?? reason
  }
}
