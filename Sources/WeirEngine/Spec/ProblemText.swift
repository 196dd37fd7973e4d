extension SpecProblem {
  /// One problem as a person reads it:
  ///
  ///     pipelines/nightly.json:12:31: error: unknown type 'filtre' [unknown_type]
  ///       12 |     "scoped": { "type": "filtre",
  ///          |                         ^^^^^^^^
  ///          = expected one of: dedupe, filter
  ///          = try: "filter"
  public var text: String {
    let place = source.place(of: range.lowerBound)
    var lines = [
      "\(printable(file.unicodeScalars)):\(place.line):\(place.column): \(severity.rawValue): "
        + "\(message) [\(code)]"
    ]
    let number = String(place.line)
    let margin = String(repeating: " ", count: number.utf8.count)
    if !source.bytes.isEmpty {
      let (line, caret) = excerpt
      lines.append("  \(number) | \(line)")
      lines.append("  \(margin) | \(caret)")
    }
    if let expected { lines.append("  \(margin) = expected: \(expected)") }
    if let fix { lines.append("  \(margin) = try: \(fix)") }
    for other in related {
      let file = printable(other.file.unicodeScalars)
      lines.append("  \(margin) = \(other.message): \(file):\(other.line):\(other.column)")
    }
    return lines.joined(separator: "\n")
  }

  /// The source line, cut around the place where it is long, and a line of carets below it.
  var excerpt: (line: String, caret: String) {
    let bounds = source.line(at: range.lowerBound)
    let start = min(range.lowerBound, bounds.upperBound)
    let end = min(max(range.upperBound, start), bounds.upperBound)
    // Only as many bytes as can be shown are decoded: a line can be a megabyte.
    // Where they are no UTF-8, a run of continuation bytes must not carry a bound too far.
    let from = min(boundary(max(bounds.lowerBound, start - 240)), start)
    let to = min(max(boundary(min(bounds.upperBound, start + 240)), start), bounds.upperBound)
    let before = scalars(from..<start)
    let marked = scalars(start..<min(end, to))
    let after = scalars(min(end, to)..<to)
    let lead = before.suffix(70)
    let mark = marked.prefix(60)
    let tail = marked.dropFirst(60) + after
    let isCutBefore = from > bounds.lowerBound || before.count > lead.count
    let rest = tail.prefix(max(0, 110 - lead.count - mark.count))
    let isCutAfter = to < bounds.upperBound || tail.count > rest.count
    let line =
      (isCutBefore ? "..." : "") + printable(lead) + printable(mark) + printable(rest)
      + (isCutAfter ? "..." : "")
    let indent = String(repeating: " ", count: lead.count + (isCutBefore ? 3 : 0))
    return (line, indent + String(repeating: "^", count: max(1, mark.count)))
  }

  private func scalars(_ range: Range<Int>) -> [Unicode.Scalar] {
    Array(String(decoding: source.bytes[range], as: UTF8.self).unicodeScalars)
  }

  /// Moves forward to the start of a scalar.
  private func boundary(_ offset: Int) -> Int {
    var offset = offset
    while offset < source.bytes.count, source.bytes[offset] & 0xC0 == 0x80 { offset += 1 }
    return offset
  }

  /// One line of JSON: code, severity, file, line, column, end_line, end_column, pointer,
  /// message, expected, fix, related.
  public var json: String {
    var out: [UInt8] = Array("{".utf8)
    func key(_ name: String) {
      if out.count > 1 { out.append(UInt8(ascii: ",")) }
      appendJSON(string: name, to: &out)
      out.append(UInt8(ascii: ":"))
    }
    func add(_ name: String, _ text: String?) {
      key(name)
      if let text { appendJSON(string: text, to: &out) } else { out += Array("null".utf8) }
    }
    func add(_ name: String, _ number: Int) {
      key(name)
      out += Array(String(number).utf8)
    }
    let start = source.place(of: range.lowerBound)
    let end = source.place(of: range.upperBound)
    add("code", code)
    add("severity", severity.rawValue)
    add("file", file)
    add("line", start.line)
    add("column", start.column)
    add("end_line", end.line)
    add("end_column", end.column)
    add("pointer", clipped(pointer.description))
    add("message", message)
    add("expected", expected)
    add("fix", fix)
    key("related")
    let others = related.map { other -> String in
      var text: [UInt8] = Array("{\"message\":".utf8)
      appendJSON(string: other.message, to: &text)
      text += Array(",\"file\":".utf8)
      appendJSON(string: other.file, to: &text)
      text += Array(",\"line\":\(other.line),\"column\":\(other.column)}".utf8)
      return String(decoding: text, as: UTF8.self)
    }
    out += Array("[\(others.joined(separator: ","))]}".utf8)
    return String(decoding: out, as: UTF8.self)
  }
}

extension Problems {
  /// The first hundred with their source lines, and how many more there are; empty without any.
  public var text: String {
    guard !isEmpty else { return "" }
    var blocks = sorted.prefix(Problems.shownLimit).map(\.text)
    let more = count - blocks.count
    if more > 0 { blocks.append("... and \(more) more") }
    return blocks.joined(separator: "\n") + "\n"
  }

  /// `{"problems": [...], "errors": N, "more": N}` in one line, sorted, at most a hundred.
  public var json: String {
    let shown = sorted.prefix(Problems.shownLimit).map(\.json)
    let list = shown.joined(separator: ",")
    return "{\"problems\":[\(list)],\"errors\":\(errorCount),\"more\":\(count - shown.count)}"
  }
}
