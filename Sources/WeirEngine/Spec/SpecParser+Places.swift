/// What is said of signs that stand where a value, or the end of one, should.
extension SpecParser {
  /// Where a value should begin, something else stands.
  mutating func noValue(_ byte: UInt8, _ pointer: SpecPointer) {
    let frame = stack.last
    switch byte {
    case UInt8(ascii: ","), UInt8(ascii: "}"):
      guard let frame, frame.isObject else { return unexpected(pointer, expected: "a value") }
      scanner.stop(
        "missing_value", scanner.scalarRange, pointer,
        "the key \(shown(frame.key.text)) has no value",
        fix:
          "write its value in front of the \(byte == UInt8(ascii: ",") ? "comma" : "}"), or remove the key"
      )
    case UInt8(ascii: ":"):
      scanner.stop(
        "unexpected_character", scanner.scalarRange, pointer, "there are two colons",
        expected: "a value",
        fix: "remove one of them")
    case UInt8(ascii: "<") where stack.isEmpty:
      scanner.stop(
        "not_json", scanner.scalarRange, .root, "this is not JSON (is it HTML or XML?)",
        expected: "a JSON object, which starts with {",
        fix: "write it as JSON; weir init FOLDER writes a spec to begin with")
    default:
      let fixes: [(sign: String, fix: String)] = [
        ("(", "write [ and ] around a list"), ("`", "write \" in front of the text and behind it"),
        ("<", "write the value itself in the place of what stands between < and >"),
        ("@", "write the value itself, in double quotes if it is text"),
        ("*", "put text in double quotes"), ("%", "put text in double quotes"),
        ("/", "put text in double quotes"), ("~", "put text in double quotes"),
      ]
      unexpected(
        pointer, expected: "a value",
        fix: fixes.first { $0.sign.utf8.elementsEqual([byte]) }?.fix)
    }
  }

  /// Behind a value stands a colon, so that it was to be a key; or a sign that is to put texts together.
  mutating func continued(_ byte: UInt8, _ end: Int) {
    let frame = stack[stack.count - 1]
    let range = scanner.scalarRange
    if byte == UInt8(ascii: "+") {
      return scanner.stop(
        "unexpected_character", range, frame.next, "JSON does not put texts together",
        expected: "a comma or \(frame.isObject ? "}" : "]")", fix: "write one string")
    }
    let opened = SpecProblem.Related("opened here", source: scanner.source, offset: frame.start)
    if frame.isObject {
      // `"clean": "type": "normalize"`
      return scanner.stop(
        "unexpected_character", range, frame.next,
        "the value of \(shown(frame.key.text)) is an object, and is not opened",
        expected: "a comma or }", fix: "write { behind \(quoted(frame.key.text)):")
    }
    guard frame.items.count > 1 else {
      return scanner.stop(
        "unexpected_character", range, frame.pointer, "a list has no keys",
        expected: "a comma or ]", fix: "write { and } in the place of [ and ]", related: [opened])
    }
    // The key is in the list already: what stands before it was the last entry.
    let last = frame.items[frame.items.count - 2]
    scanner.problems.takeBackLast("missing_comma", behind: last.range.upperBound)
    scanner.stop(
      "unclosed", frame.start..<frame.start + 1, frame.pointer,
      "this [ is still open where the key \(shown(frame.items[frame.items.count - 1].string ?? "")) stands",
      fix: "put a ] behind \(last.sourceText)",
      related: [.init("that key", at: frame.items[frame.items.count - 1])])
  }
}

extension SpecScanner {
  /// Whether a quote stands behind a string that its own quote has closed; says so and passes over it.
  mutating func closesNothing(_ end: Int) -> Bool {
    guard at == end, end > 0, bytes[end - 1] == UInt8(ascii: "\""), closesStrangeString() else {
      return false
    }
    reportQuote(.root)
    return true
  }

  mutating func reportQuote(_ pointer: SpecPointer) {
    add("extra_quote", at..<at + 1, pointer, "one quote too many", fix: "remove it")
    at += 1
  }
}
