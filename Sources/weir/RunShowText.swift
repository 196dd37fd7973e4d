import WeirCatalog
import WeirData
import WeirEngine

/// One run in full, for people.
struct RunShowText {
  static let rowsShown = 10

  let details: RunDetails
  /// Longer tables are cut.
  let rows: Int
  private var lines: [String] = []
  private var isCut = false

  init(_ details: RunDetails, rows: Int) {
    self.details = details
    self.rows = rows
    addHead()
    addRecords()
    addLedger()
    addOutputs()
    addFindings()
    addChanges()
    addNotes()
  }

  var text: String {
    (lines + (isCut ? ["", "--all shows all rows, --json everything"] : [])).joined(separator: "\n")
  }

  // MARK: Lines

  private mutating func add(_ label: String, _ text: String) {
    let label = "  " + label
    let space = String(repeating: " ", count: max(1, 14 - label.unicodeScalars.count))
    for (i, line) in wrapped(text, to: RunsText.width - 14).enumerated() {
      lines.append((i == 0 ? label + space : String(repeating: " ", count: 14)) + line)
    }
  }

  /// Words in lines of at most `width` characters; a longer word has a line of its own.
  private func wrapped(_ text: String, to width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in printable(text).split(separator: " ", omittingEmptySubsequences: false) {
      if !line.isEmpty, line.unicodeScalars.count + word.unicodeScalars.count >= width {
        lines.append(line)
        line = String(word)
      } else {
        line += line.isEmpty ? String(word) : " " + word
      }
    }
    return (lines + [line]).map { line in
      String(String.UnicodeScalarView(line.unicodeScalars.map { $0 == "\u{A0}" ? " " : $0 }))
    }
  }

  private mutating func addTable<Rows: Collection>(
    _ title: String, _ columns: [TextTable.Column], _ entries: Rows,
    _ cells: (Rows.Element) -> [String]
  ) {
    guard !entries.isEmpty else { return }
    lines += ["", title]
    var table = TextTable(columns, indent: "  ")
    for entry in entries.prefix(rows) { table.add(cells(entry)) }
    lines += table.lines
    addMore(entries.count)
  }

  private mutating func addMore(_ count: Int) {
    guard count > rows else { return }
    lines.append("  and \(grouped(count - rows)) more")
    isCut = true
  }

  // MARK: Parts

  private mutating func addHead() {
    let run = details.summary
    let record = details.record
    lines.append(
      "run \(run.id) of \(printable(run.pipeline)): \(run.status.rawValue)\(run.isPresent ? "" : " (pruned)")"
    )
    var time = run.started.rfc3339
    if let seconds = run.seconds { time += ", took \(RunsText.duration(seconds))" }
    if let exit = run.exit { time += ", exit \(exit)" }
    add("started", time)
    if run.isUnchanged {
      add("unchanged", "the outputs in place were of the same plan, parameters and input")
    }
    let error = record["error"]
    if let message = error?["message"] { add("error", RunShowText.text(message)) }
    if let fix = error?["fix"] { add("try", RunShowText.text(fix)) }
    if run.exit != nil, run.exit != 0, let retry = record["retry"] {
      add(
        "retry", retry == .bool(true) ? "running it again may help" : "mend what failed first")
    }
    if let phases = record["phases"], case .object(let members) = phases {
      add(
        "time",
        members.map {
          // Held together by blanks at which no line is broken.
          "\(RunShowText.words($0.key))\u{A0}\(RunShowText.text($0.value))\u{A0}s"
        }.joined(separator: ", "))
    }
    if case .int(let process)? = record["process"] {
      add("process", "\(process) on \(record["host"].map(RunShowText.text) ?? "?")")
    }
    if run.status == .running, let process = ProcessIdentity(record: record),
      process.isGone == nil
    {
      add("", "Whether that process is alive cannot be told from this machine.")
    }
    if case .array(let attempts)? = record["attempts"], attempts.count > 1 {
      add("attempts", "\(attempts.count)")
    }
    if let spec = record["spec"] { add("spec", RunShowText.text(spec)) }
    if case .object(let params)? = record["params"], !params.isEmpty {
      add(
        "params",
        params.map { "\($0.key)=\(RunShowText.text($0.value))" }.joined(separator: "  "))
    }
  }

  private mutating func addRecords() {
    guard let records = details.record["records"] else { return }
    func number(_ key: String) -> String { RunShowText.number(records[key]) }
    add(
      "records",
      "\(number("read")) read = \(number("written")) written + \(number("deduplicated")) deduplicated + \(number("filtered")) filtered + \(number("quarantined")) quarantined"
    )
    guard case .array(let entries)? = details.record["quarantine"], !entries.isEmpty else { return }
    let parts = entries.map { entry in
      let field = entry["field"].flatMap { $0 == .null ? nil : " in \(RunShowText.text($0))" } ?? ""
      return
        "\(RunShowText.number(entry["count"])) \(RunShowText.text(entry["code"] ?? ""))\(field)"
    }
    add("quarantine", parts.joined(separator: ", "))
  }

  private mutating func addLedger() {
    guard let ledger = details.ledger else { return }
    let counts: [TextTable.Column] = [
      .right("IN", 11), .right("OUT", 11), .right("FILTERED", 10), .right("DEDUPED", 10),
      .right("QUARANT.", 10),
    ]
    if case .array(let stages)? = ledger["stages"] {
      addTable("ledger by stage", [.left("STAGE", 20)] + counts, stages) { stage in
        let out = [stage["out"], stage["aggregated"], stage["written"]].compactMap { value in
          if case .int(let count)? = value { Int(count) } else { nil }
        }.reduce(0, +)
        return [
          RunShowText.text(stage["stage"] ?? ""), RunShowText.number(stage["in"]), grouped(out),
          RunShowText.number(stage["filtered"]), RunShowText.number(stage["deduplicated"]),
          RunShowText.number(stage["quarantined"]),
        ]
      }
    }
    let outcomes: [TextTable.Column] = [
      .right("READ", 11), .right("WRITTEN", 11), .right("FILTERED", 10), .right("DEDUPED", 10),
      .right("QUARANT.", 10),
    ]
    func cells(_ name: String, _ records: JSONValue) -> [String] {
      [name]
        + ["read", "written", "filtered", "deduplicated", "quarantined"].map {
          RunShowText.number(records[$0])
        }
    }
    if case .array(let groups)? = ledger["by"], !groups.isEmpty {
      let fields = RunShowText.groupFields(groups[0])
      addTable(
        "ledger by \(printable(fields.joined(separator: ", ")))",
        [.left(fields.joined(separator: ", "), 20)] + outcomes, groups
      ) { group in
        cells(
          fields.map { RunShowText.text(group[$0] ?? .null) }.joined(separator: ", "),
          group["records"] ?? [:])
      }
    }
    let end = RunShowText.sharedEnd(details.shards.map(\.shard))
    addTable("ledger by shard", [.left("SHARD", 20)] + outcomes, details.shards) { shard in
      let name = String(String.UnicodeScalarView(shard.shard.unicodeScalars.dropLast(end)))
      return cells(RunShowText.tail(name + (end > 0 ? "…" : ""), 20), shard.records.json)
    }
    let tasks = details.record["task_counts"]
    if case .int(let done)? = tasks?["done"], case .int(let reused)? = tasks?["reused"],
      done + reused > 0
    {
      add(
        "tasks",
        "\(grouped(Int(done + reused))), of which \(grouped(Int(reused))) were done before")
    }
  }

  private mutating func addOutputs() {
    guard details.place != .none else { return }
    let state =
      switch details.place {
      case .inPlace: "in place"
      case .kept: "kept; a later run's are in place"
      case .pruned: "no longer kept; a later run's are in place"
      case .gone: "GONE, and no later run took their place"
      case .none: ""
      }
    lines += ["", "outputs in \(printable(details.summary.out))", "  (\(state))"]
    var table = TextTable(
      [.left("FILE", 46), .right("ROWS", 12), .right("BYTES", 16)], indent: "  ")
    for output in details.outputs.prefix(rows) {
      table.add([
        RunShowText.tail(output.path, 46), grouped(output.rows), grouped(output.bytes),
      ])
    }
    lines += table.lines
    addMore(details.outputs.count)
  }

  private mutating func addFindings() {
    guard case .object(let levels)? = details.record["findings"] else { return }
    let counts = levels.map { "\(RunShowText.number($0.value)) \($0.key)" }
    lines += ["", "findings: \(counts.joined(separator: ", "))"]
    guard let changes = details.changesSummary else { return }
    lines.append(
      "  "
        + changes.findings.map { "\(grouped($0.count)) \($0.state)" }.joined(separator: ", "))
    let news = details.findings.filter { entry in
      guard case .string(let state)? = entry["state"] else { return false }
      return !state.elementsEqual("ongoing".utf8)
    }
    for entry in news.prefix(rows) {
      add(
        RunShowText.text(entry["state"] ?? ""),
        "\(RunShowText.text(entry["level"] ?? "")): \(RunShowText.text(entry["headline"] ?? ""))")
    }
    addMore(news.count)
  }

  private mutating func addNotes() {
    guard case .array(let notes)? = details.record["notes"], !notes.isEmpty else { return }
    lines += ["", "notes"]
    for note in notes {
      lines += wrapped(RunShowText.text(note), to: RunsText.width - 2).map { "  " + $0 }
    }
  }

  // MARK: What it changed

  private mutating func addChanges() {
    guard let changes = details.changes, let summary = details.changesSummary,
      let sentence = summary.sentence
    else { return }
    lines += ["", "changed since \(summary.runBefore.map { "run \($0)" } ?? "the outputs before")"]
    lines += wrapped(sentence, to: RunsText.width - 2).map { "  " + $0 }
    if summary.estimatesMoved + summary.provisionalMoved > 0 {
      lines += wrapped(
        "besides \(counted(summary.estimatesMoved, "estimate")) that every new day moves, and \(counted(summary.provisionalMoved, "number")) of buckets that were open",
        to: RunsText.width - 2
      ).map { "  " + $0 }
    }
    if case .array(let shards)? = changes["shards"]?["list"], !shards.isEmpty {
      for shard in shards.prefix(rows) {
        add(
          RunShowText.text(shard["change"] ?? ""),
          "\(RunShowText.text(shard["source"] ?? "")): \(RunShowText.text(shard["shard"] ?? ""))")
      }
      addMore(shards.count)
      if summary.numbersMoved > 0, changes["exact"] != .bool(true) {
        lines.append("  Which of these shards moved which number is not told.")
      }
    }
    guard case .array(let tables)? = changes["tables"] else { return }
    for table in tables { addTable(table) }
  }

  private mutating func addTable(_ table: JSONValue) {
    guard case .array(let moves)? = table["moved"], !moves.isEmpty else { return }
    lines += [
      "",
      "\(RunShowText.text(table["path"] ?? "")): \(RunShowText.number(table["numbers_moved"])) numbers moved",
    ]
    for move in moves.prefix(rows) {
      var key: [String] = []
      if case .object(let members)? = move["key"] {
        key = members.map { RunShowText.text($0.value) }
      }
      let text =
        "\(key.joined(separator: " ")) \(RunShowText.text(move["column"] ?? "")): \(RunShowText.text(move["from"] ?? "")) -> \(RunShowText.text(move["to"] ?? ""))"
      for (i, line) in wrapped(text, to: RunsText.width - 4).enumerated() {
        lines.append((i == 0 ? "  " : "    ") + line)
      }
    }
    if case .int(let count)? = table["numbers_moved"] { addMore(Int(count)) }
  }

  // MARK: Values

  /// A value as text: strings without quotes.
  private static func text(_ value: JSONValue) -> String {
    value.asText ?? value.text
  }

  private static func number(_ value: JSONValue?) -> String {
    if case .int(let count)? = value { return grouped(Int(count)) }
    return value.map(text) ?? ""
  }

  private static func words(_ name: String) -> String {
    String(decoding: name.utf8.map { $0 == 0x5F ? 0x20 : $0 }, as: UTF8.self)
  }

  /// The end of a path that is too long: its beginning is the same in all.
  private static func tail(_ path: String, _ width: Int) -> String {
    let scalars = path.unicodeScalars
    guard scalars.count > width else { return path }
    return "…" + String(String.UnicodeScalarView(scalars.suffix(width - 1)))
  }

  /// How many characters at the end of long names say nothing, as they are the same in all: from a `/`
  /// on, such as `/part-00000.jsonl.zst`.
  private static func sharedEnd(_ names: [String]) -> Int {
    guard names.count > 1, let first = names.first,
      names.contains(where: { $0.unicodeScalars.count > 20 })
    else { return 0 }
    var end = Array(first.unicodeScalars.reversed())
    for name in names.dropFirst() {
      end = Array(zip(end, name.unicodeScalars.reversed()).prefix { $0 == $1 }.map(\.0))
    }
    guard let slash = end.lastIndex(of: "/") else { return 0 }
    return slash + 1
  }

  private static func groupFields(_ group: JSONValue) -> [String] {
    guard case .object(let members) = group else { return [] }
    return members.dropLast().map(\.key)
  }
}
