/// What is said about text that cannot be read.
extension SpecParser {
  /// `"market == "DE""`: what follows the closing quote at once was meant to be inside.
  mutating func quoteInString(_ pointer: SpecPointer) {
    scanner.stop(
      "quote_in_string", scanner.at - 1..<scanner.at, pointer,
      "this double quote ends the string, and more text follows it",
      expected: "a comma, if the string was to end here",
      fix: "inside an expression write 'text'; elsewhere write \\\"")
  }

  mutating func unclosed() {
    guard !scanner.stopped else { return }
    guard let frame = stack.last else {
      return scanner.stop("unexpected_end", scanner.at..<scanner.at, .root, "the text ends here")
    }
    let bracket = frame.isObject ? "{" : "["
    scanner.stop(
      "unclosed", frame.start..<frame.start + 1, frame.pointer,
      "this \(bracket) is never closed",
      fix:
        "add a \(frame.isObject ? "}" : "]") where the \(frame.isObject ? "object" : "list") ends")
  }

  mutating func unexpected(
    _ pointer: SpecPointer, expected: String, opened: Int? = nil
  ) {
    guard !scanner.stopped else { return }
    let range = scanner.scalarRange
    let text = scanner.text(range)
    var related: [SpecProblem.Related] = []
    var fix: String?
    if let opened {
      related = [.init("opened here", source: scanner.source, offset: opened)]
    }
    if scanner.starts(with: "\u{201C}") || scanner.starts(with: "\u{201D}")
      || scanner.starts(with: "\u{2018}") || scanner.starts(with: "\u{2019}")
    {
      return scanner.stop(
        "curly_quotes", range, pointer, "\(text) is a typographic quote",
        expected: "straight double quotes", fix: "replace every \(text) by \"")
    }
    if text == "," { fix = "remove the comma" }
    scanner.stop(
      "unexpected_character", range, pointer, "\(shown(text)) cannot stand here",
      expected: expected, fix: fix, related: related)
  }

  /// `name: nightly` and the like: one problem instead of one for every word.
  mutating func looksLikeOtherFormat() -> Bool {
    let start = scanner.at
    let range = scanner.word()
    scanner.skipSpace(.root)
    let next = scanner.byte
    scanner.at = start
    guard
      next == UInt8(ascii: ":") || next == UInt8(ascii: "=")
        || scanner.starts(with: "---")
    else { return false }
    scanner.stop(
      "not_json", range, .root, "this is not JSON (is it YAML or TOML?)",
      expected: "a JSON object, which starts with {")
    return true
  }
}
