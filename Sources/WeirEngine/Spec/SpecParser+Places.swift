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
      noteType()
    case UInt8(ascii: ":"):
      scanner.stop(
        "unexpected_character", scanner.scalarRange, pointer, "there are two colons",
        expected: "a value",
        fix: "remove one of them")
    case UInt8(ascii: "<") where stack.isEmpty:
      scanner.stop(
        "not_json", scanner.scalarRange, .root, "this is a web page or XML, not a spec",
        expected: "a JSON object, which starts with {",
        fix: "fetch the file again; weir init FOLDER writes a spec to begin with")
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
        fix: placeholder() ?? fixes.first { $0.sign.utf8.elementsEqual([byte]) }?.fix)
    }
  }

  /// Behind a value stands a colon, so that it was to be a key; or a sign that is to put texts together.
  mutating func continued(_ byte: UInt8, _ end: Int) {
    let frame = stack[stack.count - 1]
    let range = scanner.scalarRange
    if byte == UInt8(ascii: "+") {
      return scanner.stop(
        "unexpected_character", range, frame.next, "JSON does not put texts together",
        fix: joined().map { "write one string: \($0)" } ?? "write one string")
    }
    let opened = SpecProblem.Related("opened here", source: scanner.source, offset: frame.start)
    if frame.isObject {
      // `"clean": "type": "normalize"`
      return scanner.stop(
        "unexpected_character", range, frame.next,
        "the value of \(shown(frame.key.text)) is an object, and is not opened",
        fix:
          "write { after \(quoted(frame.key.text)):, and } at the end of the object if it is not there"
      )
    }
    guard frame.items.count > 1 else {
      return scanner.stop(
        "unexpected_character", range, frame.pointer, "a list has no keys",
        fix: asObject(frame.start).map { "write \($0)" } ?? "write { and } in the place of [ and ]",
        related: [opened])
    }
    // The key is in the list already: what stands before it was the last entry.
    let last = frame.items[frame.items.count - 2]
    let lacksComma = scanner.problems.takeBackLast("missing_comma", behind: last.range.upperBound)
    scanner.stop(
      "unclosed", frame.start..<frame.start + 1, frame.pointer,
      "this [ is still open where the key \(shown(frame.items[frame.items.count - 1].string ?? "")) stands",
      fix: "put \(lacksComma ? "]," : "a ]") behind \(last.sourceText)",
      related: [.init("that key", at: frame.items[frame.items.count - 1])])
  }
}

extension SpecParser {
  /// Says of a key without a value which type its stage has, as far as that was read.
  mutating func noteType() {
    let type = stack.last?.members.first { same($0.key, "type") }?.value.string
    scanner.problems.change { problem in
      if same(problem.code, "missing_value") { problem.stageType = type }
    }
  }

  /// `<fields>`, which a manual has in the place of a value.
  private func placeholder() -> String? {
    let bytes = scanner.bytes
    guard scanner.byte == UInt8(ascii: "<"),
      let end = bytes[scanner.at...].prefix(60).firstIndex(of: UInt8(ascii: ">")),
      !bytes[scanner.at..<end].contains(0x0A)
    else { return nil }
    let text = printable(scanner.text(scanner.at..<end + 1))
    return
      "replace \(text), brackets included, with what is meant: [\"market\", \"queue\"] where a list is wanted, \"market\" where one value is"
  }

  /// What stands between a bracket and the one that closes it in the same line.
  private func inside(_ open: Int, _ close: String) -> String? {
    let line = scanner.source.line(at: open).upperBound
    guard let end = scanner.bytes[open + 1..<line].firstIndex(of: Array(close.utf8)[0]),
      end - open <= 80,
      !scanner.bytes[open + 1..<end].contains(where: { [0x5B, 0x7B].contains($0) })
    else { return nil }
    let text = scanner.text(open + 1..<end)
    let trimmed = text.utf8.drop { $0 == 0x20 }
    let length = trimmed.reversed().drop { $0 == 0x20 }.count
    return printable(String(decoding: Array(trimmed.prefix(length)), as: UTF8.self))
  }

  private func asObject(_ open: Int) -> String? { inside(open, "]").map { "{ \($0) }" } }

  func asList(_ open: Int) -> String? {
    inside(open, "}").flatMap { $0.utf8.contains(UInt8(ascii: ":")) ? nil : "[\($0)]" }
  }

  /// Two strings with a + between them as one.
  private func joined() -> String? {
    let bytes = scanner.bytes
    let quote = UInt8(ascii: "\"")
    let left = scanner.lastString
    var start = scanner.at + 1
    while start < bytes.count, bytes[start] == 0x20 { start += 1 }
    guard left.count > 1, start < bytes.count, bytes[start] == quote,
      let end = bytes[(start + 1)...].prefix(100).firstIndex(of: quote), left.count <= 100
    else { return nil }
    return printable(
      scanner.text(left.lowerBound..<left.upperBound - 1) + scanner.text(start + 1..<end + 1))
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
