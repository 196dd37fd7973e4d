/// What is said about text that cannot be read.
extension SpecParser {
  /// `"market == "DE""`: what follows the closing quote at once was meant to be inside.
  mutating func quoteInString(_ pointer: SpecPointer) {
    if scanner.endsLate(isKey: false, pointer) { return }
    scanner.stop(
      "quote_in_string", scanner.at - 1..<scanner.at, pointer,
      "this double quote ends the string, and more text follows it",
      expected: "a comma, if the string was to end here",
      fix: innerString.map { "inside an expression write '\($0)'; elsewhere write \\\"\($0)\\\"" }
        ?? "inside an expression write 'text'; elsewhere write \\\"")
  }

  /// What stands between the quote that was read last and the next one in its line.
  private var innerString: String? {
    let rest = scanner.bytes[scanner.at..<scanner.source.line(at: scanner.at).upperBound]
    guard let end = rest.firstIndex(of: UInt8(ascii: "\"")), end - scanner.at <= 40 else {
      return nil
    }
    return printable(scanner.text(scanner.at..<end))
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
        "this { is not closed: by its indentation, line \(line) is already outside of it",
        fix: missingBrace(before: mayLackEnd.key.lowerBound, line),
        related: [
          .init("that key", source: scanner.source, offset: mayLackEnd.key.lowerBound)
        ])
    }
    let bracket = frame.isObject ? "{" : "["
    scanner.stop(
      "unclosed", frame.start..<frame.start + 1, frame.pointer,
      "this \(bracket) is never closed",
      fix: stack.count == 1
        ? "add a \(frame.isObject ? "}" : "]") at the end of the file"
        : "add a \(frame.isObject ? "}" : "]") where the \(frame.isObject ? "object" : "list") ends"
    )
  }

  /// Where a brace goes that is missing before a key: a comma that is there belongs behind it.
  private func missingBrace(before key: Int, _ line: Int) -> String {
    let before = scanner.bytes[..<key].lastIndex { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
    guard let before, scanner.bytes[before] == UInt8(ascii: ",") else {
      return "add a } before line \(line)"
    }
    return
      "put a } in front of the comma at the end of line \(scanner.source.lineNumber(of: before))"
  }

  /// Text behind the value: a bracket that closes nothing, or another value.
  mutating func trailingText() {
    let range = scanner.scalarRange
    switch scanner.byte {
    case UInt8(ascii: "}"), UInt8(ascii: "]"):
      let bracket = scanner.text(range)
      scanner.stop(
        "trailing_text", range, .root, "this \(bracket) closes nothing",
        fix: "remove it, or one \(bracket) too many above it")
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      scanner.stop(
        "trailing_text", range, .root, "a second value begins here, and a file holds one",
        fix: "move it to a file of its own, or remove it")
    default:
      scanner.stop(
        "trailing_text", range, .root, "there is more text behind the end of the value",
        fix: "remove it")
    }
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
    _ pointer: SpecPointer, expected: String, opened: Int? = nil, fix given: String? = nil
  ) {
    guard !scanner.stopped else { return }
    let range = scanner.scalarRange
    let text = scanner.text(range)
    var related: [SpecProblem.Related] = []
    var fix: String?
    if let opened {
      related = [.init("opened here", source: scanner.source, offset: opened)]
    }
    if text == "," { fix = "remove the comma" }
    if text == ";", opened != nil { fix = "write a comma in its place" }
    fix = given ?? fix
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
        "this is a merge conflict that is not resolved",
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
      expected: "a JSON object, which starts with {",
      fix: "write it as JSON; weir init FOLDER writes a spec to begin with")
    return true
  }
}
