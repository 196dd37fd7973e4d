/// What is said of strings that do not end where they should, or hold what JSON does not read.
extension SpecScanner {
  // MARK: Backslashes

  /// Escapes that are none. In a path all of them are one mistake.
  ///
  /// - Returns: what was meant, where that is plain.
  mutating func report(
    _ strange: [Range<Int>], in string: Range<Int>, _ pointer: SpecPointer
  ) -> String? {
    guard let first = strange.first else { return nil }
    if isPath(string, pointer) {
      var path: [UInt8] = []
      for byte in bytes[string.lowerBound + 1..<string.upperBound - 1] {
        let isBackslash = byte == UInt8(ascii: "\\")
        if isBackslash, path.last == UInt8(ascii: "/") { continue }
        path.append(isBackslash ? UInt8(ascii: "/") : byte)
      }
      let meant = String(decoding: path, as: UTF8.self)
      add(
        "bad_escape", string, pointer,
        "a backslash begins an escape in JSON, and \(printable(text(first))) is not one",
        expected: "a path with / between its folders",
        fix: quoted(meant))
      return meant
    }
    for range in strange {
      let isText = bytes[range.lowerBound + 1] >= 0x20
      add(
        "bad_escape", range, pointer,
        isText ? "\(shown(text(range))) is no JSON escape" : "a backslash before a line break",
        expected: "one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX",
        fix: isText ? "write \\\(text(range)) if a backslash is meant" : "write \\n")
    }
    return nil
  }

  /// Whether a string is meant as a path, by its key or by how it ends.
  private func isPath(_ string: Range<Int>, _ pointer: SpecPointer) -> Bool {
    var place = pointer
    if case .index(let list, _) = place { place = list }
    if case .key(_, let key) = place,
      ["path", "paths", "file", "table", "map", "include"].contains(where: { same($0, key) })
    {
      return true
    }
    let content = bytes[string].dropLast()
    return [".json", ".jsonl", ".csv", ".zst", ".gz"].contains { end in
      content.suffix(end.utf8.count).elementsEqual(end.utf8)
    }
  }

  // MARK: Separators of thousands, and three quotes

  /// A number whose digits are grouped, `1,000` or `1'000`, read as it was meant; `nil` where it is none.
  /// `word` are its first digits, behind which it stands.
  mutating func groupedNumber(from word: Range<Int>, _ pointer: SpecPointer) -> SpecNode.Kind? {
    // In a list a comma may stand between two numbers.
    let isInList = if case .index = pointer { true } else { false }
    func isSeparator(_ byte: UInt8) -> Bool {
      byte == UInt8(ascii: "'") || !isInList && byte == UInt8(ascii: ",")
    }
    let digits = bytes[word].drop { $0 == UInt8(ascii: "-") }
    guard (1...3).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else {
      return nil
    }
    var end = word.upperBound
    while end + 3 < bytes.count, isSeparator(bytes[end]),
      bytes[end + 1...end + 3].allSatisfy({ (0x30...0x39).contains($0) }),
      end + 4 == bytes.count || !isWordByte(bytes[end + 4])
    {
      end += 4
    }
    guard end > word.upperBound else { return nil }
    let range = word.lowerBound..<end
    let meant = String(
      decoding: bytes[range].filter { $0 != 0x2C && $0 != 0x27 }, as: UTF8.self)
    guard let value = Int64(meant) else { return nil }
    at = end
    add(
      "bad_number", range, pointer,
      "\(shown(text(range))) is no JSON number: digits are not grouped",
      fix: meant)
    return .int(value)
  }

  /// A text between `"""`, read as it was meant; `nil` where none begins here or it does not end.
  mutating func tripleQuoted(_ pointer: SpecPointer) -> String? {
    let quotes = [UInt8](repeating: UInt8(ascii: "\""), count: 3)
    guard bytes[at...].starts(with: quotes) else { return nil }
    let start = at
    var end = at + 3
    while end < bytes.count, !bytes[end...].starts(with: quotes) { end += 1 }
    guard end < bytes.count else { return nil }
    let content = text(start + 3..<end)
    at = end + 3
    lastString = start..<at
    let isLong = content.utf8.contains(0x0A)
    add(
      "triple_quotes", start..<(isLong ? start + 3 : at), pointer,
      "JSON strings stand in one pair of double quotes",
      fix: isLong
        ? "write it on one line, in one pair of quotes; \\n where the text itself is to have a line break"
        : quoted(content))
    return content
  }

  // MARK: Strings without an end

  /// A string that its line does not close; `at` is on the line end, or at the end of the text.
  mutating func unclosedString(from start: Int, isKey: Bool, _ pointer: SpecPointer) {
    var end = at
    while end > start + 1, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
    guard !goesOn(after: at) || isKey else {
      return stop(
        "unclosed_string", start..<end, pointer,
        "this string goes on in the next line, and a string stands on one line",
        fix: "join it with the next line; write \\n where the text itself is to have a line break")
    }
    if at == bytes.count {
      return stop(
        "unclosed_string", start..<end, pointer, "the file ends in the middle of a string",
        fix:
          "the file was probably cut off: copy it again; else close the string and all that is open around it"
      )
    }
    let close = closing(of: start + 1..<end, isKey: isKey)
    stop(
      "unclosed_string", start..<end, pointer, "this string is not closed on its line",
      expected: "a \" at its end", fix: mended(start, close, end))
  }

  /// A string that a quote closes which was to open the next one: `"upper }, "queue"`.
  ///
  /// - Returns: whether that is so.
  mutating func endsLate(isKey: Bool, _ pointer: SpecPointer) -> Bool {
    let quote = UInt8(ascii: "\"")
    guard lastString.count > 2, lastString.upperBound == at, bytes[at - 1] == quote,
      bytes[lastString.lowerBound] == quote
    else { return false }
    let content = lastString.lowerBound + 1..<lastString.upperBound - 1
    guard let last = bytes[content].last(where: { $0 != 0x20 && $0 != 0x09 }) else { return false }
    switch last {
    case UInt8(ascii: ",") where !isKey: break
    case UInt8(ascii: ":") where isKey, UInt8(ascii: "{") where isKey,
      UInt8(ascii: "[") where isKey:
      break
    default: return false
    }
    var end = content.lowerBound
    var brackets = Brackets()
    while end < content.upperBound, bytes[end] != UInt8(ascii: isKey ? ":" : ","),
      brackets.take(bytes[end])
    {
      end += 1
    }
    while end > content.lowerBound, bytes[end - 1] == 0x20 { end -= 1 }
    stop(
      "unclosed_string", lastString.lowerBound..<end, pointer,
      "this string runs on into the next one: its closing quote is missing",
      fix: mended(lastString.lowerBound, end, end))
    return true
  }

  /// The string with its closing quote, and what follows it there.
  private func mended(_ start: Int, _ close: Int, _ end: Int) -> String {
    var rest = end
    while rest > close, bytes[rest - 1] == 0x20 || bytes[rest - 1] == 0x09 { rest -= 1 }
    guard rest - start <= 60 else {
      guard close < rest else { return "put a \" at the end of the line" }
      let next = printable(text(close..<rest).unicodeScalars.prefix(20))
      return "put a \" in front of \(next) at the end of the line"
    }
    return printable("\"\(text(start + 1..<close))\"\(text(close..<rest))")
  }

  /// Whether the next line is more of a string, and not the next member, entry or bracket.
  private func goesOn(after end: Int) -> Bool {
    var next = end
    while next < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[next]) { next += 1 }
    guard next < bytes.count else { return false }
    switch bytes[next] {
    case UInt8(ascii: "\""), UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: "{"): return false
    default: return true
    }
  }

  /// Where a string was to end that its line does not close: in front of what is not part of it.
  private func closing(of body: Range<Int>, isKey: Bool) -> Int {
    if isKey, let colon = bytes[body].firstIndex(of: UInt8(ascii: ":")) { return colon }
    var brackets = Brackets()
    for at in body where !brackets.take(bytes[at]) { return trimmed(body.lowerBound, at) }
    return trimmed(body.lowerBound, body.upperBound)
  }

  /// The end without commas and spaces.
  private func trimmed(_ start: Int, _ end: Int) -> Int {
    var end = end
    while end > start, bytes[end - 1] == UInt8(ascii: ",") || bytes[end - 1] == 0x20 { end -= 1 }
    return end
  }

  // MARK: Typographic quotes

  private static let doubleQuotes = ["\u{201C}", "\u{201D}", "\u{201E}", "\u{AB}", "\u{BB}"]
  private static let singleQuotes = ["\u{2018}", "\u{2019}", "\u{201A}"]

  /// A string between typographic quotes, read as it was meant; `nil` where none begins here, or where it
  /// does not end on its line, which stops the reading.
  mutating func curlyString(_ pointer: SpecPointer) -> String? {
    let isDouble = SpecScanner.doubleQuotes.contains { quote(at, is: $0) }
    guard isDouble || SpecScanner.singleQuotes.contains(where: { quote(at, is: $0) }) else {
      return nil
    }
    let start = at
    let opening = text(scalarRange)
    let closing = isDouble ? SpecScanner.doubleQuotes + ["\""] : SpecScanner.singleQuotes + ["'"]
    at = scalarRange.upperBound
    let content = at
    while at < bytes.count, bytes[at] != 0x0A {
      if closing.contains(where: { quote(at, is: $0) }) {
        let value = text(content..<at)
        let end = text(scalarRange)
        at = scalarRange.upperBound
        lastString = start..<at
        add(
          "curly_quotes", start..<at, pointer,
          closing.last == end
            ? "\(opening) is a typographic quote" : "\(opening) and \(end) are typographic quotes",
          expected: "straight double quotes", fix: quoted(value))
        return value
      }
      at = scalarRange.upperBound
    }
    at = start
    stop(
      "curly_quotes", scalarRange, pointer, "\(opening) is a typographic quote",
      expected: "straight double quotes",
      fix: "write \" here and at the end of the string")
    return nil
  }

  private func quote(_ place: Int, is quote: String) -> Bool {
    bytes[place...].starts(with: quote.utf8)
  }
}

/// Follows brackets through a text.
private struct Brackets {
  private var braces = 0
  private var squares = 0

  /// Takes the next byte; false where it closes a bracket that the text did not open.
  mutating func take(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "{"): braces += 1
    case UInt8(ascii: "}"): braces -= 1
    case UInt8(ascii: "["): squares += 1
    case UInt8(ascii: "]"): squares -= 1
    default: break
    }
    return braces >= 0 && squares >= 0
  }
}
