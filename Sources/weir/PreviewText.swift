import WeirData
import WeirEngine

/// A preview for people: 100 columns wide.
struct PreviewText {
  private static let width = Columns.width
  /// Of many, so many are shown.
  private static let shown = 10
  private static let rowsShown = 20

  let preview: Preview
  let showsAll: Bool
  let paint: Paint

  var text: String {
    (head + [""] + body).joined(separator: "\n")
  }

  // MARK: What was read

  private var head: [String] {
    var lines = [paint.bold("\(preview.stage) (\(preview.type)) in \(preview.pipeline)")]
    let shards = preview.shards
    let read = "\(counted(preview.linesRead, "line")) of \(counted(shards.count, "shard"))"
    lines.append(
      "  read       \(read), of \(grouped(preview.shardsInAll))\(preview.isComplete ? ": all there is" : "")"
    )
    for shard in shards.prefix(3) {
      lines.append(
        Columns.cut(
          "             \(printable(shard.shard)): \(shard.isWhole ? "all" : "the first") \(grouped(shard.lines))",
          PreviewText.width))
    }
    if shards.count > 3 { lines.append("             and \(grouped(shards.count - 3)) more") }
    for fault in preview.shardsSetAside {
      lines += Columns.wrapped("  set aside  \(printable(fault))", 13)
    }
    for stage in preview.way where stage.takesRecords {
      lines.append("  on the way \(stage.name): \(PreviewText.counts(stage.counts, stage.kind))")
    }
    if preview.kind != .source, !preview.records.isEmpty || preview.counts.in > 0 {
      lines.append("  \(preview.stage): \(PreviewText.counts(preview.counts, preview.kind))")
    }
    for refused in preview.refusedBefore.prefix(3) {
      lines.append(
        Columns.cut(
          "             \(place(refused.shard, refused.line)) is refused by \(refused.stage): \(refused.code)",
          PreviewText.width))
    }
    if preview.refusedBefore.count > 3 {
      lines.append(
        "             and \(grouped(preview.refusedBefore.count - 3)) more were refused before \(preview.stage)"
      )
    }
    for note in notes { lines += Columns.wrapped("  note       \(note)", 13) }
    return lines
  }

  private var notes: [String] {
    var notes: [String] = []
    let isPart = !preview.isComplete
    switch preview.kind {
    case .barrier where isPart:
      notes.append(
        preview.counts.filtered > 0
          ? "drawn from the \(grouped(preview.reached)) that were read only: a run has more to choose from"
          : "records are compared with the \(grouped(preview.reached)) that were read only: in a run more can be equal"
      )
    case .reduce where isPart:
      notes.append("counts the \(counted(preview.reached, "record")) that were read only")
    case .sink where isPart && preview.records.isEmpty:
      notes.append("written of the lines that were read only")
    default:
      if isPart, preview.way.contains(where: { $0.kind == .barrier }) {
        notes.append("what stands in front compared only the records that were read")
      }
    }
    if preview.isCutShort {
      notes.append(
        "stopped at --limit: \(grouped(preview.reached)) of \(grouped(preview.wanted)) records reached \(preview.stage)"
      )
    } else if preview.isComplete, preview.reached < preview.wanted, preview.kind != .reduce {
      notes.append("no more than \(counted(preview.reached, "record")) reach \(preview.stage)")
    }
    if let field = preview.groupField {
      notes.append(
        "\(counted(preview.groups.count, "value")) of \(field): "
          + preview.groups.prefix(12).map {
            "\(Columns.cut($0.value.text, 20)) \(grouped($0.count))"
          }
          .joined(separator: ", ") + (preview.groups.count > 12 ? ", ..." : ""))
    }
    return notes
  }

  static func counts(_ c: StageCounts, _ kind: StageKind) -> String {
    var parts = ["\(grouped(c.in)) in"]
    if kind != .sink, kind != .reduce { parts.append("\(grouped(c.out)) out") }
    if c.taken > 0 { parts.append("\(grouped(c.taken)) \(kind == .sink ? "written" : "counted")") }
    if c.filtered > 0 { parts.append("\(grouped(c.filtered)) filtered") }
    if c.deduplicated > 0 { parts.append("\(grouped(c.deduplicated)) deduplicated") }
    if c.quarantined > 0 { parts.append("\(grouped(c.quarantined)) refused") }
    return parts.joined(separator: ", ")
  }

  // MARK: Records, rows, files

  private var body: [String] {
    var lines: [String] = []
    switch preview.kind {
    case .barrier: lines += removedRecords
    case .reduce: break
    default:
      for record in preview.records { lines += block(record) + [""] }
    }
    for table in preview.tables {
      lines +=
        PreviewText.table(
          table.rows,
          name: table.name.utf8.isEmpty ? preview.stage : "\(preview.stage).\(table.name)",
          rows: PreviewText.rowsShown, width: PreviewText.width) + [""]
    }
    if let findings = preview.findings {
      lines.append(counted(findings.count, "finding"))
      for finding in findings.prefix(PreviewText.shown) {
        lines.append("  " + Columns.cut(PreviewText.headline(finding), PreviewText.width - 2))
      }
      lines.append("")
    }
    if preview.records.isEmpty {
      for file in preview.files { lines += self.file(file) + [""] }
    }
    while lines.last?.utf8.isEmpty == true { lines.removeLast() }
    return lines
  }

  private static func headline(_ finding: JSONValue) -> String {
    for key in ["sentence", "headline", "title", "text"] {
      if case .string(let bytes) = finding[key] { return String(decoding: bytes, as: UTF8.self) }
    }
    return finding.text
  }

  private var removedRecords: [String] {
    let gone = preview.records.filter { $0.outcome != .unchanged }
    var lines: [String] = []
    for record in gone.prefix(PreviewText.shown) { lines += block(record) + [""] }
    if gone.count > PreviewText.shown {
      lines.append(
        "and \(grouped(gone.count - PreviewText.shown)) more that do not pass (--json has all)")
    }
    let kept = preview.records.count - gone.count
    lines.append(
      "\(counted(kept, "record")) \(kept == 1 ? "passes" : "pass") as \(kept == 1 ? "it is" : "they are")"
    )
    return lines
  }

  private func file(_ file: Preview.File) -> [String] {
    let count = file.lines.count
    var lines = ["\(printable(file.path)): \(counted(count, "line"))"]
    let isPage = file.lines.first.map { Columns.cut($0, 20).utf8.starts(with: "<".utf8) } ?? false
    guard !isPage else {
      return ["\(printable(file.path)): a page of \(grouped(file.bytes)) bytes"]
    }
    for line in file.lines.prefix(PreviewText.shown) {
      lines.append("  " + Columns.cut(line, PreviewText.width - 2))
    }
    if count > PreviewText.shown {
      lines.append("  and \(grouped(count - PreviewText.shown)) more")
    }
    return lines
  }

  private func place(_ shard: String, _ line: Int) -> String { "\(printable(shard)):\(line)" }

  private func block(_ record: Preview.Record) -> [String] {
    var title = paint.bold(place(record.shard, record.line)) + "  " + outcome(record)
    if let way = record.way {
      title += preview.kind == .sink ? " to \(printable(way))" : " as \(preview.stage).\(way)"
    }
    var lines = [title]
    if let refusal = record.refusal {
      lines.append(
        "    "
          + paint.red(Columns.cut("\(refusal.code): \(refusal.message)", PreviewText.width - 4)))
    }
    if preview.kind == .sink, let after = record.after, FlatRecord.isNone(after) {
      lines.append("    " + Columns.cut(after, PreviewText.width - 4))
      return lines
    }
    guard !record.changes.isEmpty else {
      lines.append("    " + Columns.cut(record.before, PreviewText.width - 4))
      return lines
    }
    return lines + fields(record)
  }

  private func outcome(_ record: Preview.Record) -> String {
    switch record.outcome {
    case .changed: paint.yellow("changed")
    case .unchanged: "unchanged"
    case .filtered: paint.red("filtered")
    case .refused: paint.red("refused")
    case .written: paint.green("written")
    case .deduplicated:
      paint.red("removed")
        + (record.winner.map { ": \(place($0.shard, $0.line)) stays" } ?? "")
    }
  }

  private func fields(_ record: Preview.Record) -> [String] {
    let isPair = record.outcome == .changed || record.outcome == .deduplicated
    let shown = record.changes.filter { showsAll || $0.kind != .same || $0.isRead }
    let rest = record.changes.count - shown.count
    let name = min(24, max(5, shown.map { $0.field.unicodeScalars.count }.max() ?? 5))
    let column = (PreviewText.width - 6 - name - 2) / 2
    var lines: [String] = []
    if isPair, !shown.isEmpty {
      let titles = record.outcome == .deduplicated ? ("removed", "stays") : ("before", "after")
      lines.append(
        paint.faint(
          Columns.trimmed(
            "    " + Columns.fit("field", name) + "  " + Columns.fit(titles.0, column) + "  "
              + titles.1)))
    }
    for change in shown {
      let start = Columns.fit(change.field, name) + "  "
      let before = change.before.map { Columns.cut($0, isPair ? column : 2 * column) } ?? ""
      let after = change.after.map { Columns.cut($0, isPair ? column : 2 * column) } ?? ""
      switch change.kind {
      case .same: lines.append("    " + start + before)
      case .added where !isPair: lines.append("    " + start + after)
      case .changed:
        lines.append(paint.yellow("  ~ " + start + Columns.fit(before, column) + "  " + after))
      case .added:
        lines.append(paint.green("  + " + start + Columns.fit("", column) + "  " + after))
      case .removed: lines.append(paint.red("  - " + start + before))
      }
    }
    if rest > 0 {
      let words =
        isPair
        ? "\(rest == 1 ? "is" : "are") the same" : "\(rest == 1 ? "is" : "are") not shown (--all)"
      lines.append(
        paint.faint("    \(counted(rest, shown.isEmpty ? "field" : "other field")) \(words)"))
    }
    return lines
  }

  // MARK: Tables

  static func table(_ table: RowTable, name: String, rows limit: Int, width: Int) -> [String] {
    var lines = ["\(name): \(counted(table.rows.count, "row"))"]
    let rows = table.rows.prefix(limit).map { $0.map(cell) }
    var widths: [Int] = []
    var used = 0
    for (i, column) in table.columns.enumerated() {
      let wide = min(30, rows.map { $0[i].unicodeScalars.count }.max() ?? 0)
      let own = max(column.unicodeScalars.count, wide)
      guard used + own + 2 <= width - 8 else { break }
      widths.append(own)
      used += own + 2
    }
    func line(_ cells: [String]) -> String {
      Columns.trimmed(
        "  " + zip(cells, widths).map { Columns.fit($0, $1) }.joined(separator: "  ")
          + (cells.count > widths.count ? "  ..." : ""))
    }
    lines.append(line(table.columns))
    lines += rows.map(line)
    if table.rows.count > limit { lines.append("  and \(grouped(table.rows.count - limit)) more") }
    return lines
  }

  private static func cell(_ value: JSONValue) -> String {
    switch value {
    case .null: "-"
    case .string(let bytes): String(decoding: bytes, as: UTF8.self)
    default: value.text
    }
  }
}

extension FlatRecord {
  /// Whether a line is no JSON object.
  static func isNone(_ line: [UInt8]) -> Bool { FlatRecord(line) == nil }
}
