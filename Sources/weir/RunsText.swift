import WeirCatalog
import WeirData
import WeirEngine

/// What a person reads about runs, on 80 columns.
enum RunsText {
  static let width = 80

  static func list(_ runs: [RunSummary], hasMore: Bool) -> String {
    guard !runs.isEmpty else { return "no such runs" }
    var table = TextTable([
      .left("RUN", 25), .left("PIPELINE", 16), .left("STATUS", 11), .right("TOOK", 8),
      .right("READ", 13),
    ])
    for run in runs {
      table.add([
        run.id, run.pipeline,
        (run.isUnchanged ? "unchanged" : run.status.rawValue) + (run.isPresent ? "" : "*"),
        run.seconds.map(duration) ?? "", run.read.map(grouped) ?? "",
      ])
    }
    var lines = table.lines
    if runs.contains(where: { !$0.isPresent }) {
      lines.append("* pruned: its directory is gone, its history is kept")
    }
    if hasMore { lines.append("and older ones: --limit 0 shows all") }
    return lines.joined(separator: "\n")
  }

  static func verified(_ check: OutputCheck) -> String {
    let run = "run \(check.run.id) of \(printable(check.run.pipeline))"
    if check.place == .pruned {
      return """
        \(run): its outputs are no longer kept, later runs took their place
          Nothing was checked. How many are kept says `weir run --keep`.
        """
    }
    let what = "\(counted(check.files, "file")), \(grouped(check.bytes)) bytes"
    guard !check.isGood else {
      let now = check.place == .inPlace ? "in place" : "kept, a later run's are in place"
      return "\(run): the outputs are what it wrote: \(what) (\(now))"
    }
    var lines = ["\(run): the outputs are NOT what it wrote (\(what) read)"]
    for difference in check.differences {
      let path = difference.path.isEmpty ? "" : "\(printable(difference.path)): "
      lines.append("  \(path)\(printable(difference.message))")
    }
    lines.append("  try: run the pipeline again with --force: equal inputs give equal outputs")
    return lines.joined(separator: "\n")
  }

  static func pruned(_ result: PruneResult) -> String {
    var lines = [
      result.removed.isEmpty
        ? "nothing to remove"
        : "removed \(counted(result.removed.count, "run")), \(grouped(result.bytes)) bytes"
    ]
    lines += result.removed.map { "  \($0)" }
    lines += result.spared.map { "  kept \($0.run): \($0.reason)" }
    return lines.joined(separator: "\n")
  }

  /// `0.34 s`, `12.1 s`, `4 min 12 s`, `2 h 05 min`.
  static func duration(_ seconds: Double) -> String {
    if seconds < 10 { return "\(fixed(seconds, 2)) s" }
    if seconds < 60 { return "\(fixed(seconds, 1)) s" }
    let whole = Int(seconds.rounded())
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    if whole < 3_600 { return "\(whole / 60) min \(two(whole % 60)) s" }
    return "\(whole / 3_600) h \(two(whole / 60 % 60)) min"
  }
}

/// A table with a head; cells that are too long are cut.
struct TextTable {
  enum Column {
    case left(String, Int)
    case right(String, Int)

    var title: String {
      switch self {
      case .left(let title, _), .right(let title, _): title
      }
    }
    var width: Int {
      switch self {
      case .left(_, let width), .right(_, let width): width
      }
    }

    func pad(_ text: String) -> String {
      let scalars = text.unicodeScalars
      var shown = text
      if scalars.count > width {
        shown = String(String.UnicodeScalarView(scalars.prefix(max(1, width - 1)))) + "…"
      }
      let space = String(repeating: " ", count: max(0, width - shown.unicodeScalars.count))
      if case .left = self { return shown + space }
      return space + shown
    }
  }

  private let columns: [Column]
  private(set) var lines: [String] = []
  private let indent: String

  init(_ columns: [Column], indent: String = "") {
    self.columns = columns
    self.indent = indent
    add(columns.map(\.title))
  }

  mutating func add(_ cells: [String]) {
    let line = zip(columns, cells).map { $0.pad(printable($1)) }.joined(separator: " ")
    var text = (indent + line)[...]
    while text.utf8.last == 0x20 { text = text.dropLast() }
    lines.append(String(text))
  }
}
