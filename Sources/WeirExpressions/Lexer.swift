/// The words of an expression.
struct Token: Sendable {
  enum Kind: Sendable, Equatable {
    case identifier
    /// `` `content-type` ``
    case quotedIdentifier
    case int
    case uint
    case double
    case string
    case bytes
    /// Operators and brackets, and the words `in`, `true`, `false`, `null`.
    case symbol(Symbol)
    case end
  }
  enum Symbol: String, Sendable, CaseIterable {
    case equal = "=="
    case notEqual = "!="
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case and = "&&"
    case or = "||"
    case less = "<"
    case greater = ">"
    case not = "!"
    case plus = "+"
    case minus = "-"
    case star = "*"
    case slash = "/"
    case percent = "%"
    case question = "?"
    case colon = ":"
    case comma = ","
    case dot = "."
    case openParen = "("
    case closeParen = ")"
    case openBracket = "["
    case closeBracket = "]"
    case openBrace = "{"
    case closeBrace = "}"
    case isIn = "in"
    case `true` = "true"
    case `false` = "false"
    case null = "null"
  }
  var kind: Kind
  var span: SourceSpan
}

/// Splits source bytes into tokens; white space and `//` comments fall away.
struct Lexer {
  private let source: [UInt8]
  private var at = 0

  init(_ source: [UInt8]) { self.source = source }

  /// All tokens, the last one `end`.
  static func tokens(_ source: [UInt8]) throws(ExpressionError) -> [Token] {
    var lexer = Lexer(source)
    var tokens: [Token] = []
    while true {
      let token = try lexer.next()
      tokens.append(token)
      if token.kind == .end { return tokens }
    }
  }

  private func byte(_ offset: Int) -> UInt8 {
    offset < source.count ? source[offset] : 0
  }

  private mutating func skipBlank() {
    while at < source.count {
      switch source[at] {
      case 0x20, 0x09, 0x0A, 0x0C, 0x0D: at += 1
      case UInt8(ascii: "/") where byte(at + 1) == UInt8(ascii: "/"):
        while at < source.count, source[at] != 0x0A { at += 1 }
      default: return
      }
    }
  }

  private mutating func next() throws(ExpressionError) -> Token {
    skipBlank()
    let start = at
    guard at < source.count else { return Token(kind: .end, span: SourceSpan(start: at, end: at)) }
    let first = source[at]
    if first.isIdentifierStart {
      if let prefix = stringPrefix() { return try string(start, prefix) }
      return word(start)
    }
    switch first {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return try number(start)
    case UInt8(ascii: ".") where byte(at + 1).isDigit: return try number(start)
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      return try string(start, StringPrefix(length: 0, isRaw: false, isBytes: false))
    case UInt8(ascii: "`"): return try quotedIdentifier(start)
    default: return try symbol(start)
    }
  }

  private mutating func word(_ start: Int) -> Token {
    while at < source.count, source[at].isIdentifierPart { at += 1 }
    let span = SourceSpan(start: start, end: at)
    let text = source[start..<at]
    for symbol in [Token.Symbol.isIn, .true, .false, .null]
    where text.elementsEqual(symbol.rawValue.utf8) {
      return Token(kind: .symbol(symbol), span: span)
    }
    return Token(kind: .identifier, span: span)
  }

  private mutating func quotedIdentifier(_ start: Int) throws(ExpressionError) -> Token {
    at += 1
    while at < source.count, source[at] != UInt8(ascii: "`"), source[at] != 0x0A { at += 1 }
    guard byte(at) == UInt8(ascii: "`") else {
      throw ExpressionError(
        .syntax, "this backtick has no partner", at: SourceSpan(start: start, end: start + 1),
        fix: "close the name with `")
    }
    at += 1
    guard at - start > 2 else {
      throw ExpressionError(
        .syntax, "a name in backticks is empty", at: SourceSpan(start: start, end: at))
    }
    return Token(kind: .quotedIdentifier, span: SourceSpan(start: start, end: at))
  }

  private mutating func number(_ start: Int) throws(ExpressionError) -> Token {
    var kind = Token.Kind.int
    if source[at] == UInt8(ascii: "0"), byte(at + 1) | 0x20 == UInt8(ascii: "x"),
      byte(at + 2).isHexDigit
    {
      at += 2
      while byte(at).isHexDigit { at += 1 }
    } else {
      while byte(at).isDigit { at += 1 }
      if byte(at) == UInt8(ascii: "."), byte(at + 1).isDigit {
        kind = .double
        at += 1
        while byte(at).isDigit { at += 1 }
      }
      if byte(at) | 0x20 == UInt8(ascii: "e") {
        let sign = byte(at + 1) == UInt8(ascii: "+") || byte(at + 1) == UInt8(ascii: "-") ? 1 : 0
        if byte(at + 1 + sign).isDigit {
          kind = .double
          at += 1 + sign
          while byte(at).isDigit { at += 1 }
        }
      }
    }
    if kind == .int, byte(at) | 0x20 == UInt8(ascii: "u") {
      kind = .uint
      at += 1
    }
    guard !byte(at).isIdentifierPart else {
      while byte(at).isIdentifierPart { at += 1 }
      let text = String(decoding: source[start..<at], as: UTF8.self)
      throw ExpressionError(
        .syntax, "`\(text)` is neither a number nor a name", at: SourceSpan(start: start, end: at),
        fix: Lexer.digitsFix(text) ?? Lexer.durationFix(text) ?? "put text in quotes: '\(text)'")
    }
    return Token(kind: kind, span: SourceSpan(start: start, end: at))
  }

  /// `10000` for `10_000`.
  private static func digitsFix(_ text: String) -> String? {
    let digits = text.utf8.filter { $0 != UInt8(ascii: "_") }
    guard digits.count < text.utf8.count, digits.allSatisfy({ (0x30...0x39).contains($0) }) else {
      return nil
    }
    return "write \(String(decoding: digits, as: UTF8.self)): digits are not grouped"
  }

  /// `` `market.matches('^D')` `` for `market =~ '^D'`.
  private func matchCall(_ sign: String, _ start: Int) -> String? {
    guard ["=~", "!~", "~"].contains(where: { $0.utf8.elementsEqual(sign.utf8) }) else {
      return nil
    }
    var end = start
    while end > 0, source[end - 1] == 0x20 { end -= 1 }
    var first = end
    while first > 0, source[first - 1].isIdentifierPart || source[first - 1] == UInt8(ascii: ".") {
      first -= 1
    }
    var open = start + sign.utf8.count
    while open < source.count, source[open] == 0x20 { open += 1 }
    guard first < end, open < source.count, source[open] == UInt8(ascii: "'"),
      let close = source[(open + 1)...].firstIndex(of: UInt8(ascii: "'")), close - open <= 60
    else { return nil }
    let isNot = sign.utf8.first == UInt8(ascii: "!")
    let call = String(decoding: source[first..<end], as: UTF8.self)
    let pattern = String(decoding: source[open...close], as: UTF8.self)
    return "`\(isNot ? "!" : "")\(call).matches(\(pattern))`"
  }

  private mutating func symbol(_ start: Int) throws(ExpressionError) -> Token {
    // The one-byte symbols stand after the two-byte ones that they begin.
    for (wrong, right) in Lexer.foreignSymbols where matches(wrong) {
      throw ExpressionError(
        .syntax, "CEL has no `\(wrong)`",
        at: SourceSpan(start: start, end: start + wrong.utf8.count),
        fix: "write \(matchCall(wrong, start) ?? right)")
    }
    for symbol in Token.Symbol.allCases where matches(symbol.rawValue) {
      at += symbol.rawValue.utf8.count
      return Token(kind: .symbol(symbol), span: SourceSpan(start: start, end: at))
    }
    var length = 1
    while byte(at + length) & 0xC0 == 0x80 { length += 1 }
    let span = SourceSpan(start: start, end: start + length)
    let text = String(decoding: source[start..<start + length], as: UTF8.self)
    switch source[at] {
    case UInt8(ascii: "="):
      throw ExpressionError(
        .syntax, "`=` is not an operator of CEL", at: span, fix: "write `==` to compare")
    case UInt8(ascii: "&"), UInt8(ascii: "|"):
      throw ExpressionError(
        .syntax, "`\(text)` is not an operator of CEL", at: span, fix: "write `\(text)\(text)`")
    default:
      if matches("\u{201C}") || matches("\u{201D}") || matches("\u{2018}") || matches("\u{2019}") {
        throw Lexer.curlyQuote(source, span)
      }
      throw Lexer.foreign(source, span)
    }
  }

  private func matches(_ text: String) -> Bool {
    source[at...].starts(with: text.utf8)
  }

  // MARK: - Strings

  private struct StringPrefix {
    var length: Int
    var isRaw: Bool
    var isBytes: Bool
  }

  /// `r`, `b` or `br` before a quote, in either case.
  private func stringPrefix() -> StringPrefix? {
    var prefix = StringPrefix(length: 0, isRaw: false, isBytes: false)
    if byte(at) | 0x20 == UInt8(ascii: "b") {
      prefix.isBytes = true
      prefix.length = 1
    }
    if byte(at + prefix.length) | 0x20 == UInt8(ascii: "r") {
      prefix.isRaw = true
      prefix.length += 1
    }
    let quote = byte(at + prefix.length)
    return quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") ? prefix : nil
  }

  private mutating func string(
    _ start: Int, _ prefix: StringPrefix
  ) throws(ExpressionError) -> Token {
    at += prefix.length
    let quote = source[at]
    let isTriple = byte(at + 1) == quote && byte(at + 2) == quote
    at += isTriple ? 3 : 1
    while at < source.count {
      if source[at] == UInt8(ascii: "\\"), !prefix.isRaw {
        at += 2
      } else if source[at] == quote, !isTriple || (byte(at + 1) == quote && byte(at + 2) == quote) {
        at += isTriple ? 3 : 1
        return Token(
          kind: prefix.isBytes ? .bytes : .string, span: SourceSpan(start: start, end: at))
      } else if !isTriple, source[at] == 0x0A || source[at] == 0x0D {
        break
      } else {
        at += 1
      }
    }
    let mark = String(repeating: quote == UInt8(ascii: "'") ? "'" : "\"", count: isTriple ? 3 : 1)
    throw ExpressionError(
      .syntax, "this string is not closed",
      at: SourceSpan(start: start, end: min(at, source.count)),
      fix: "end it with \(mark)")
  }
}

extension UInt8 {
  var isDigit: Bool { self >= 0x30 && self <= 0x39 }
  var isHexDigit: Bool { isDigit || (self | 0x20 >= 0x61 && self | 0x20 <= 0x66) }
  var isIdentifierStart: Bool { (self | 0x20 >= 0x61 && self | 0x20 <= 0x7A) || self == 0x5F }
  var isIdentifierPart: Bool { isIdentifierStart || isDigit }
}
