extension StageManual {
  /// Where the page of this stage stands below the directory of the reference:
  /// `sources/jsonl.md`.
  public var pagePath: String { "\(kind.section.rawValue)/\(type).md" }

  /// Whether records come to stages of this type, so that they can refuse some.
  var canRefuse: Bool { kind != .sink || accepts.contains(.records) }
}

/// The documentation page of a stage.
public func stageMarkdown(_ manual: StageManual) -> String {
  var out = "# \(manual.type)\n\n\(manual.summary)\n\n"
  out += "| | |\n|---|---|\n"
  out += "| kind | \(manual.kind.rawValue), declared under `\(manual.kind.section.rawValue)` |\n"
  if !manual.accepts.isEmpty {
    let kinds = alternatives(manual.accepts.map(\.rawValue))
    out += "| inputs | \(manual.fanIn ? "one or more" : "one"), carrying \(kinds) |\n"
  }
  for port in manual.outputs {
    let name = port.name.utf8.isEmpty ? "`NAME`" : "`NAME.\(port.name)`"
    out += "| output \(name) | \(port.carries.rawValue): \(cell(port.summary)) |\n"
  }
  if !manual.discussion.utf8.isEmpty { out += "\n\(manual.discussion)\n" }
  out += "\n## Options\n\n"
  let rows = OptionRow.rows(manual.options)
  if rows.isEmpty {
    out += "None but `type`\(manual.kind == .source ? "" : ", `inputs`") and `description`.\n"
  } else {
    out += "| option | type | | what it does |\n|---|---|---|---|\n"
    for row in rows {
      out +=
        "| `\(row.name)` | \(cell(row.type)) | \(cell(presence(row))) | \(cell(row.summary)) |\n"
    }
  }
  if manual.canRefuse {
    out +=
      "\n[`\(ErrorBudget.key)`](../operations.md#error-budgets) limits how many records the stage may refuse, as for every stage that takes records.\n"
  }
  out += "\n## Example\n\n```json\n\(manual.example)\n```\n"
  for file in manual.exampleFiles {
    out +=
      "\nwith `\(file.name)`:\n\n```\n\(file.text)\(file.text.utf8.last == 0x0A ? "" : "\n")```\n"
  }
  return out
}

private func presence(_ row: OptionRow) -> String {
  let prefix = "default "
  guard row.presence.utf8.starts(with: prefix.utf8) else { return row.presence }
  return "default `\(row.presence.dropFirst(prefix.count))`"
}

/// Text inside a table: a pipe would end the cell, a line break the row.
private func cell(_ text: String) -> String {
  var out: [UInt8] = []
  for byte in text.utf8 {
    switch byte {
    case UInt8(ascii: "|"): out += Array("\\|".utf8)
    case 0x0A: out.append(0x20)
    default: out.append(byte)
    }
  }
  return String(decoding: out, as: UTF8.self)
}
