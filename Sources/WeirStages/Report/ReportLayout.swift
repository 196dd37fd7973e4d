import WeirStatistics

/// Where the series of two `by` fields stand in a table: roll-ups first, then names by their bytes.
struct ReportLayout {
  static let rowsMost = 40
  static let columnsMost = 16

  /// `nil` stands for the roll-up over all of them.
  var rows: [String?]
  var columns: [String?]
  /// Names that found no room.
  var rowsLeftOut: Int
  var columnsLeftOut: Int
  private var places: [Place: Int] = [:]

  private struct Place: Hashable {
    var metric: ReportKey
    var row: ReportKey?
    var column: ReportKey?
  }

  init(_ model: ReportModel) {
    let paired = model.series.filter { $0.key.count == 2 }
    let rowNames = ReportLayout.names(paired, 0, model)
    let columnNames = ReportLayout.names(paired, 1, model)
    rows = ReportLayout.chosen(rowNames, most: Self.rowsMost)
    columns = ReportLayout.chosen(columnNames, most: Self.columnsMost)
    rowsLeftOut = rowNames.count - rows.count
    columnsLeftOut = columnNames.count - columns.count
    for series in paired {
      let place = Place(
        metric: ReportKey(series.metric), row: series.key[0].map { ReportKey($0) },
        column: series.key[1].map { ReportKey($0) })
      if places[place] == nil { places[place] = series.index }
    }
  }

  func series(_ metric: String, _ row: String?, _ column: String?) -> Int? {
    places[
      Place(
        metric: ReportKey(metric), row: row.map { ReportKey($0) },
        column: column.map { ReportKey($0) })]
  }

  private struct Name {
    var text: String?
    var key: ReportKey?
    var hasFinding = false
    var records = 0.0
  }

  private static func names(_ series: [ReportSeries], _ part: Int, _ model: ReportModel) -> [Name] {
    var found: [Name] = []
    var index: [ReportKey?: Int] = [:]
    for one in series {
      let key = one.key[part].map { ReportKey($0) }
      let place = index[key] ?? found.count
      if place == found.count {
        index[key] = place
        found.append(Name(text: one.key[part], key: key))
      }
      found[place].hasFinding = found[place].hasFinding || !one.findings.isEmpty
      found[place].records = max(found[place].records, one.records)
    }
    return found
  }

  /// Roll-up, then what has findings, then what has most records, as far as there is room; in the
  /// order of the names.
  private static func chosen(_ names: [Name], most: Int) -> [String?] {
    func precedes(_ a: Name, _ b: Name) -> Bool {
      guard let x = a.key, let y = b.key else { return a.key == nil && b.key != nil }
      return x < y
    }
    let ranked = names.sorted { a, b in
      if (a.key == nil) != (b.key == nil) { return a.key == nil }
      if a.hasFinding != b.hasFinding { return a.hasFinding }
      return a.records != b.records ? a.records > b.records : precedes(a, b)
    }
    return ranked.prefix(most).sorted(by: precedes).map(\.text)
  }

  /// What was left out, in words; nothing where all is shown.
  func leftOut(_ by: [String]) -> String {
    let parts = [(rowsLeftOut, by.first), (columnsLeftOut, by.last)].compactMap { part in
      part.0 > 0 ? "\(ReportNumber.integer(part.0)) more of \(reportWords(part.1 ?? "key"))" : nil
    }
    return parts.isEmpty ? "" : " Not shown: \(parts.joined(separator: ", "))."
  }
}

/// One panel for each metric, chosen by radio buttons that need no script.
struct ReportTabs {
  /// Prefix of the ids, unique in the page.
  var id: String
  var panels: [(name: String, markup: ReportMarkup)]

  /// The style sheet has rules for so many; more are shown one below the other.
  static let most = 6

  func markup() -> ReportMarkup {
    guard panels.count > 1 else { return panels.first?.markup ?? "" }
    guard panels.count <= Self.most else {
      return panels.map { "<h3>\($0.name)</h3><div>\($0.markup)</div>" as ReportMarkup }.joined()
    }
    let inputs = panels.indices.map { i -> ReportMarkup in
      """
      <input class=hidden type=radio name="\(value: id)" id="\(value: id)-\(i)"\
      \(when(i == 0, " checked"))>
      """
    }
    let labels = panels.indices.map { i -> ReportMarkup in
      "<label for=\"\(value: id)-\(i)\">\(panels[i].name)</label>"
    }
    let bodies = panels.map { panel -> ReportMarkup in
      "<div class=tab><h3 class=onpaper>\(panel.name)</h3>\(panel.markup)</div>"
    }
    return """
      <div class=tabbed>\(inputs.joined())<p class=tabs>\(labels.joined())</p>\(bodies.joined())</div>
      """
  }
}

/// A name from the records, with places where a line may break.
func reportBreakable(_ name: String) -> ReportMarkup {
  let parts = name.utf8.split(separator: UInt8(ascii: "_"), omittingEmptySubsequences: false)
  return parts.map { "\(Array($0))" as ReportMarkup }.joined("_<wbr>")
}
