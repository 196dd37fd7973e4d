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
    if let mayLackEnd {
      let line = scanner.source.lineNumber(of: mayLackEnd.key.lowerBound)
      return scanner.stop(
        "unclosed", mayLackEnd.frame..<mayLackEnd.frame + 1, mayLackEnd.pointer,
        "this { is not closed before line \(line), where a key stands further left than its own",
        fix: "add a } before line \(line)",
        related: [
          .init("that key", source: scanner.source, offset: mayLackEnd.key.lowerBound)
        ])
    }
    let bracket = frame.isObject ? "{" : "["
    scanner.stop(
      "unclosed", frame.start..<frame.start + 1, frame.pointer,
      "this \(bracket) is never closed",
      fix:
        "add a \(frame.isObject ? "}" : "]") where the \(frame.isObject ? "object" : "list") ends")
  }

  /// Notes how far to the right the keys of an object stand, and the first object where one goes back.
  mutating func noteIndent(_ start: Int) {
    let line = scanner.source.line(at: start)
    guard scanner.bytes[line.lowerBound..<start].allSatisfy({ $0 == 0x20 || $0 == 0x09 }) else {
      return
    }
    let last = stack.count - 1
    let indent = start - line.lowerBound
    if let first = stack[last].indent {
      if indent < first, mayLackEnd == nil {
        mayLackEnd = (stack[last].start, stack[last].pointer, start..<start)
      }
    } else {
      stack[last].indent = indent
      // A key that does not stand further right than those around it is not inside of them.
      if last > 0, let outer = stack[last - 1].indent, indent <= outer, mayLackEnd == nil {
        mayLackEnd = (stack[last].start, stack[last].pointer, start..<start)
      }
    }
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
    if opened != nil, let frame = stack.last, text == "}" || text == "]",
      !frame.isObject || text == "]"
    {
      fix = frame.isObject ? "}" : "]"
    }
    if scanner.starts(with: "<<<<<<<") || scanner.starts(with: "=======")
      || scanner.starts(with: ">>>>>>>")
    {
      return scanner.stop(
        "merge_conflict", scanner.at..<scanner.at + 7, pointer,
        "this is a conflict of a merge that nobody resolved",
        fix: "keep one of the two sides, and remove the lines with <<<<<<<, ======= and >>>>>>>")
    }
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
