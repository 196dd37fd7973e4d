/// The words of JSON: spaces, strings, numbers and names, with the mistakes people make in them.
///
/// A mistake whose meaning is plain is reported and read as it was meant, so that the rest of the
/// text is checked too; any other sets `stopped`.
struct SpecScanner {
  let source: SpecSource
  let bytes: [UInt8]
  var at = 0
  /// Nothing after this place could be read.
  var stopped = false
  var problems = Problems()
  /// The string that was read last, with its quotes.
  var lastString = 0..<0
  private var firstComment: Range<Int>?
  private var comments = 0

  init(_ source: SpecSource) {
    self.source = source
    bytes = source.bytes
  }

  var byte: UInt8? { at < bytes.count ? bytes[at] : nil }

  mutating func add(
    _ code: String, _ range: Range<Int>, _ pointer: SpecPointer, _ message: String,
    expected: String? = nil, fix: String? = nil, related: [SpecProblem.Related] = []
  ) {
    problems.add(
      SpecProblem(
        code: code, severity: .error, source: source, range: range,
        pointer: pointer, message: message, expected: expected, fix: fix,
        related: related))
  }

  mutating func stop(
    _ code: String, _ range: Range<Int>, _ pointer: SpecPointer, _ message: String,
    expected: String? = nil, fix: String? = nil, related: [SpecProblem.Related] = []
  ) {
    add(code, range, pointer, message, expected: expected, fix: fix, related: related)
    stopped = true
  }

  /// The range of the scalar at `at`, for a caret.
  var scalarRange: Range<Int> {
    guard at < bytes.count else { return at..<at }
    var end = at + 1
    while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end += 1 }
    return at..<end
  }

  func starts(with text: StaticString) -> Bool {
    bytes[at...].starts(
      with: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  // MARK: Space and comments

  mutating func skipSpace(_ pointer: SpecPointer) {
    while !stopped, let byte {
      switch byte {
      case 0x20, 0x09, 0x0A, 0x0D: at += 1
      case UInt8(ascii: "#"): skipComment(to: lineEnd(from: at))
      case UInt8(ascii: "/"):
        if starts(with: "//") {
          skipComment(to: lineEnd(from: at))
        } else if starts(with: "/*") {
          skipBlockComment(pointer)
        } else {
          return
        }
      case 0x80...:
        guard let name = foreignSpace else { return }
        add(
          "foreign_space", scalarRange, pointer, "this is a \(name), which JSON does not allow",
          fix: "replace it by a plain space")
        at = scalarRange.upperBound
      default: return
      }
    }
  }

  private var foreignSpace: String? {
    if starts(with: "\u{A0}") { return "no-break space (U+00A0)" }
    if starts(with: "\u{FEFF}") { return "byte order mark (U+FEFF)" }
    if starts(with: "\u{200B}") { return "zero-width space (U+200B)" }
    if starts(with: "\u{2028}") { return "line separator (U+2028)" }
    if starts(with: "\u{202F}") { return "narrow no-break space (U+202F)" }
    if starts(with: "\u{3000}") { return "wide space (U+3000)" }
    return nil
  }

  private func lineEnd(from start: Int) -> Int {
    var end = start
    while end < bytes.count, bytes[end] != 0x0A { end += 1 }
    return end
  }

  private mutating func skipComment(to end: Int) {
    if firstComment == nil { firstComment = at..<end }
    comments += 1
    at = end
  }

  private mutating func skipBlockComment(_ pointer: SpecPointer) {
    var end = at + 2
    while end + 1 < bytes.count, !(bytes[end] == 0x2A && bytes[end + 1] == 0x2F) { end += 1 }
    guard end + 1 < bytes.count else {
      return stop("comment", at..<at + 2, pointer, "this comment never ends", fix: "remove it")
    }
    skipComment(to: end + 2)
  }

  /// One problem for all comments of the text.
  mutating func reportComments() {
    guard let firstComment else { return }
    add(
      "comment", firstComment, .root,
      comments == 1
        ? "JSON has no comments" : "JSON has no comments, and this file has \(comments)",
      fix: comments == 1
        ? "remove it; words belong in \"description\", which the spec and every stage may have"
        : "remove them; words belong in \"description\", which the spec and every stage may have")
  }

  // MARK: Names and numbers

  /// A run of letters, digits and the signs that occur in numbers and units.
  mutating func word() -> Range<Int> {
    let start = at
    while let byte, isWordByte(byte) { at += 1 }
    return start..<at
  }

  func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  /// A value that is neither string, list nor object; `at` is on a word byte.
  mutating func wordValue(_ pointer: SpecPointer) -> SpecNode.Kind {
    var range = word()
    let word = text(range)
    if closesStrangeString() {
      at += 1
      range = range.lowerBound..<at
      add(
        "bare_word", range, pointer, "the first quote of this string is missing",
        expected: "text stands in double quotes", fix: quoted(word))
      return .string(word)
    }
    switch word {
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "null": return .null
    default: break
    }
    if let first = bytes[range].first,
      isDigit(first) || first == 0x2D || first == 0x2B
        || first == 0x2E
    {
      return groupedNumber(from: range, pointer) ?? number(word, range, pointer)
    }
    if problems.countsOnly() { return .string(word) }
    if let (fix, kind) = SpecScanner.meant[word] {
      add("bare_word", range, pointer, "\(shown(word)) is no JSON value", fix: fix)
      return kind
    }
    add(
      "bare_word", range, pointer, "\(shown(word)) is no JSON value",
      expected: "text stands in double quotes", fix: quoted(word))
    return .string(word)
  }

  /// Whether a quote stands here that can only end a string.
  func closesStrangeString() -> Bool {
    guard byte == UInt8(ascii: "\"") else { return false }
    var next = at + 1
    while next < bytes.count, bytes[next] == 0x20 || bytes[next] == 0x09 { next += 1 }
    return next == bytes.count || [0x0A, 0x0D, 0x2C, 0x5D, 0x7D].contains(bytes[next])
  }

  /// Words of other languages.
  private static let meant: [String: (String, SpecNode.Kind)] = [
    "True": ("true", .bool(true)), "TRUE": ("true", .bool(true)), "yes": ("true", .bool(true)),
    "False": ("false", .bool(false)), "FALSE": ("false", .bool(false)),
    "no": ("false", .bool(false)), "None": ("null", .null), "nil": ("null", .null),
    "undefined": ("null", .null), "NULL": ("null", .null),
  ]

  private mutating func number(
    _ word: String, _ range: Range<Int>, _ pointer: SpecPointer
  ) -> SpecNode.Kind {
    let utf8 = Array(word.utf8)
    switch numberShape(utf8) {
    case .integer:
      if let value = Int64(word) { return .int(value) }
      add(
        "number_out_of_range", range, pointer, "\(shown(word)) does not fit in 64 bits",
        expected: "an integer from -9223372036854775808 to 9223372036854775807",
        fix: "put it in quotes if it is an identifier")
      return .string(word)
    case .fraction:
      if let value = Double(word), value.isFinite { return .number(value) }
      add(
        "number_out_of_range", range, pointer, "\(shown(word)) is too large for a number",
        expected: "a number below 1.8e308")
      return .string(word)
    case .none: break
    }
    let mended = mend(utf8)
    switch mended.map({ numberShape(Array($0.utf8)) }) {
    case .integer:
      add("bad_number", range, pointer, "\(shown(word)) is no JSON number", fix: mended)
      return Int64(mended ?? "").map { .int($0) } ?? .string(word)
    case .fraction:
      add("bad_number", range, pointer, "\(shown(word)) is no JSON number", fix: mended)
      return Double(mended ?? "").map { .number($0) } ?? .string(word)
    default:
      add(
        "bad_number", range, pointer, "\(shown(word)) is no JSON number",
        expected: SpecDuration(text: word) == nil
          ? "a value with a unit, a date or a code stands in double quotes"
          : "a duration stands in double quotes",
        fix: quoted(word))
      return .string(word)
    }
  }
}

private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

func isWordByte(_ byte: UInt8) -> Bool {
  switch byte {
  case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
  case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
    UInt8(ascii: "$"):
    true
  default: false
  }
}

private enum NumberShape { case integer, fraction }

/// RFC 8259, section 6.
private func numberShape(_ text: [UInt8]) -> NumberShape? {
  var at = 0
  func digits() -> Int {
    let start = at
    while at < text.count, isDigit(text[at]) { at += 1 }
    return at - start
  }
  if at < text.count, text[at] == UInt8(ascii: "-") { at += 1 }
  let whole = at
  let count = digits()
  guard count > 0, count == 1 || text[whole] != UInt8(ascii: "0") else { return nil }
  guard at < text.count else { return .integer }
  if text[at] == UInt8(ascii: ".") {
    at += 1
    guard digits() > 0 else { return nil }
  }
  if at < text.count, text[at] | 0x20 == UInt8(ascii: "e") {
    at += 1
    if at < text.count, text[at] == 0x2B || text[at] == 0x2D { at += 1 }
    guard digits() > 0 else { return nil }
  }
  return at == text.count ? .fraction : nil
}

/// `+1` -> `1`, `.5` -> `0.5`, `5.` -> `5`, `007` -> `7`, `1_000` -> `1000`.
private func mend(_ text: [UInt8]) -> String? {
  var body = text.filter { $0 != UInt8(ascii: "_") }
  var sign: [UInt8] = []
  if let first = body.first, first == 0x2B || first == 0x2D {
    if first == 0x2D { sign = [first] }
    body.removeFirst()
  }
  if body.first == UInt8(ascii: ".") { body.insert(UInt8(ascii: "0"), at: 0) }
  if body.last == UInt8(ascii: ".") { body.removeLast() }
  while body.count > 1, body[0] == UInt8(ascii: "0"), isDigit(body[1]) { body.removeFirst() }
  let result = sign + body
  return numberShape(result) == nil ? nil : String(decoding: result, as: UTF8.self)
}
