/// The manual of a stage for the terminal, wrapped to `width` columns.
public func stageText(_ manual: StageManual, width: Int = 80) -> String {
  var lines: [String] = ["\(manual.type) (\(manual.kind.rawValue))", ""]
  lines += wrapped(manual.summary, width: width, indent: 0)
  if !manual.discussion.utf8.isEmpty {
    for paragraph in paragraphs(manual.discussion) {
      lines.append("")
      lines +=
        paragraph.isVerbatim ? paragraph.lines : wrapped(paragraph.text, width: width, indent: 0)
    }
  }
  if !manual.accepts.isEmpty {
    let kinds = alternatives(manual.accepts.map(\.rawValue))
    lines += [
      "", "INPUTS", "  \(manual.fanIn ? "one or more, carrying" : "one, carrying") \(kinds)",
    ]
  }
  if !manual.outputs.isEmpty {
    lines += ["", "OUTPUTS"]
    for port in manual.outputs {
      let name = port.name.utf8.isEmpty ? "NAME" : "NAME.\(port.name)"
      lines += entry(head: "\(name) (\(port.carries.rawValue))", body: port.summary, width)
    }
  }
  if !manual.options.isEmpty {
    lines += ["", "OPTIONS"]
    for row in OptionRow.rows(manual.options) {
      lines += entry(
        head: "\(row.name)  \(row.type)  (\(row.presence))", body: row.summary, width)
    }
  }
  if manual.canRefuse {
    lines.append("")
    lines += wrapped(
      "As for every stage that takes records, \(quoted(ErrorBudget.key)) limits how many of them it may refuse: rate, count, by, min_records, on_exceeded.",
      width: width, indent: 0)
  }
  lines += ["", "EXAMPLE"]
  lines += manual.example.split(separator: "\n", omittingEmptySubsequences: false).map { "  " + $0 }
  for file in manual.exampleFiles {
    lines += ["", "  with \(file.name):"]
    lines += file.text.split(separator: "\n").map { "    " + $0 }
  }
  return lines.joined(separator: "\n") + "\n"
}

private func entry(head: String, body: String, _ width: Int) -> [String] {
  wrapped(head, width: width, indent: 2) + wrapped(body, width: width, indent: 6)
}

/// One line of the options table; options inside objects follow theirs, named `fields.*.trim`.
struct OptionRow {
  let name: String
  let type: String
  let presence: String
  let summary: String

  static func rows(_ options: [OptionSpec], prefix: String = "") -> [OptionRow] {
    options.flatMap { option -> [OptionRow] in
      let name = prefix + option.name
      let presence =
        switch option.presence {
        case .required: "required"
        case .optional: "optional"
        case .default(let text): "default \(text)"
        }
      let row = OptionRow(
        name: name, type: option.type.name, presence: presence, summary: option.summary)
      return [row] + nested(option.type, name)
    }
  }

  private static func nested(_ type: OptionType, _ name: String) -> [OptionRow] {
    switch type {
    case .object(let options): rows(options, prefix: name + ".")
    case .list(let element): nested(element, name + "[]")
    case .map(let value): nested(value, name + ".*")
    case .anyOf(let types): types.flatMap { nested($0, name) }
    default: []
    }
  }
}

struct Paragraph {
  var lines: [String]
  /// Code between fences: kept as it is.
  var isVerbatim: Bool

  var text: String { lines.joined(separator: " ") }
}

/// Splits Markdown at blank lines; list entries are paragraphs of their own.
func paragraphs(_ markdown: String) -> [Paragraph] {
  var result: [Paragraph] = []
  var isFenced = false
  var isOpen = false
  for slice in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
    let line = String(slice)
    let isFence = line.utf8.starts(with: "```".utf8)
    if isFence {
      isFenced.toggle()
      isOpen = isFenced
      if isFenced { result.append(Paragraph(lines: [], isVerbatim: true)) }
    } else if isFenced {
      result[result.count - 1].lines.append("    " + line)
    } else if line.utf8.allSatisfy({ $0 == 0x20 }) {
      isOpen = false
    } else if isOpen, !line.utf8.starts(with: "- ".utf8) {
      result[result.count - 1].lines.append(line)
    } else {
      result.append(Paragraph(lines: [line], isVerbatim: false))
      isOpen = true
    }
  }
  return result
}

/// Breaks text at spaces; a word longer than the line stands alone.
func wrapped(_ text: String, width: Int, indent: Int) -> [String] {
  let margin = String(repeating: " ", count: indent)
  var lines: [String] = []
  var line = ""
  var length = 0
  for word in text.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
    let size = word.unicodeScalars.count
    if length > 0, length + 1 + size > width - indent {
      lines.append(margin + line)
      (line, length) = ("", 0)
    }
    line += (length > 0 ? " " : "") + word
    length += size + (length > 0 ? 1 : 0)
  }
  if length > 0 { lines.append(margin + line) }
  return lines
}
