import WeirStatistics

/// All series at a glance, each as a line on its own scale.
struct ReportGrid {
  var model: ReportModel
  var budget: ReportBudget

  func markup() -> ReportMarkup {
    if model.series.isEmpty { return "" }
    let layout = model.page.by.count == 2 ? ReportLayout(model) : nil
    var used = 0
    var drawn = 0
    var panels: [(name: String, markup: ReportMarkup)] = []
    for metric in model.metrics {
      var lines: [Int: ReportMarkup] = [:]
      for series in model.series where ReportKey(series.metric) == ReportKey(metric) {
        guard budget.drawn.contains(series.index), used < ReportBudget.sparklineBytes else {
          continue
        }
        let line = ReportSparkline(series: series).markup()
        used += line.bytes.count
        drawn += 1
        lines[series.index] = line
      }
      let body = layout.map { table(metric, $0, lines) } ?? list(metric, lines)
      panels.append((reportTitle(metric), body))
    }
    let left = model.series.count - drawn
    let rest = when(
      left > 0,
      """
      <p class=note>\(ReportNumber.integer(left)) series have no line here: those with most records \
      were drawn.</p>
      """)
    return """
      <section id=series><h2>All series at a glance</h2>\(ReportTabs(id: "s", panels: panels).markup())\
      \(rest)</section>
      """
  }

  private func caption(_ metric: String) -> String {
    let range =
      model.page.buckets.isEmpty
      ? "" : ", \(model.date(0)) to \(model.date(model.page.buckets.count - 1))"
    return
      "\(reportTitle(metric)) by \(model.bucketWord)\(range). Each on its own scale; the band is "
      + "the expected range. Framed: a finding."
  }

  private func table(
    _ metric: String, _ layout: ReportLayout, _ lines: [Int: ReportMarkup]
  ) -> ReportMarkup {
    let heads = layout.columns.map { "<th scope=col>\(name($0))</th>" as ReportMarkup }
    let rows = layout.rows.map { row -> ReportMarkup in
      let cells = layout.columns.map { column -> ReportMarkup in
        guard let index = layout.series(metric, row, column) else { return "<td></td>" }
        return cell(model.series[index], lines[index], "td")
      }
      return "<tr><th scope=row>\(name(row))</th>\(cells.joined())</tr>\n"
    }
    return """
      <div class=scroll><table class=grid><caption>\(caption(metric))\
      \(layout.leftOut(model.page.by))</caption><thead><tr><td></td>\(heads.joined())</tr></thead>\
      <tbody>
      \(rows.joined())</tbody></table></div>
      """
  }

  private func name(_ part: String?) -> ReportMarkup {
    part.map { reportBreakable($0) } ?? "<em>all</em>"
  }

  /// A list instead, where the keys do not make a table.
  private func list(_ metric: String, _ lines: [Int: ReportMarkup]) -> ReportMarkup {
    let items = model.series.filter { ReportKey($0.metric) == ReportKey(metric) }
      .compactMap { series -> ReportMarkup? in
        guard let line = lines[series.index] else { return nil }
        return "<li><span>\(series.group)</span>\(cell(series, line, "div"))</li>\n"
      }
    return """
      <p class=sub>\(caption(metric))</p><ul class=lines>\(items.joined())</ul>
      """
  }

  private func cell(
    _ series: ReportSeries, _ line: ReportMarkup?, _ element: ReportMarkup
  ) -> ReportMarkup {
    let reason: String? =
      switch series.verdict.status {
      case .insufficientVolume: "too few a \(model.bucketWord)"
      case .insufficientHistory: "too new"
      case .noEvents, .constant:
        series.verdict.overall.map { "always \(series.unit.level($0.value))" } ?? "constant"
      case .ok, .short: nil
      }
    let finding = series.findings.first.map { model.findings[$0] }
    let inner: ReportMarkup =
      if let reason, finding == nil {
        "<span class=why>\(reason)</span>"
      } else if let line, !line.bytes.isEmpty {
        line
      } else {
        "<span class=why>\(line == nil ? "not drawn" : "no data")</span>"
      }
    guard let finding else { return "<\(element)>\(inner)</\(element)>" }
    return """
      <\(element) class="framed \(finding.direction)"><a href="#\(value: finding.anchor)" \
      title="\(value: finding.text.headline)">\(inner)\
      <span class=hidden>\(finding.arrow) finding \(finding.number)</span></a></\(element)>
      """
  }
}

/// Why the quiet series are quiet.
struct ReportQuiet {
  var model: ReportModel

  func markup() -> ReportMarkup {
    if model.series.isEmpty { return "" }
    let quiet = model.series.filter(\.findings.isEmpty)
    let loud = model.series.count - quiet.count
    var rows: ReportMarkup = ""
    if loud > 0 {
      let words = "\(model.material.count) ranked, \(model.small.count) certain but small"
      rows += row("A finding", loud, words, "framed above")
    }
    let settings = model.page.settings
    let bucket = model.bucketWord
    let kinds: [(SeriesStatus, String, String)] = [
      (.ok, "Tested, nothing found", "No change beyond its own history"),
      (
        .short, "Short history",
        "Under \(settings.minHistory) compared \(bucket)s: single \(bucket)s were tested, trend and "
          + "shift were not"
      ),
      (
        .insufficientHistory, "Too new",
        "Under 5 compared \(bucket)s: nothing was tested"
      ),
      (
        .insufficientVolume, "Too few events",
        "Too few a \(bucket) to claim more than single \(bucket)s"
      ),
      (.noEvents, "No events", "Not one event, or nothing else, in the whole history"),
      (.constant, "Constant", "Every compared \(bucket) has the same value"),
    ]
    for (status, name, meaning) in kinds {
      let series = quiet.filter { $0.verdict.status == status }
      if series.isEmpty { continue }
      let which = status == .ok && loud + series.count > 24 ? "all the others" : names(series)
      rows += row(name, series.count, meaning, which)
    }
    return """
      <section id=quiet><h3>Quiet, and why</h3><div class=scroll><table><caption>\
      \(ReportNumber.integer(model.series.count)) series in all.</caption><thead><tr>\
      <th scope=col>Status</th><th scope=col class=n>Series</th><th scope=col>Means</th>\
      <th scope=col>Which</th></tr></thead><tbody>
      \(rows)</tbody></table></div></section>
      """
  }

  private func row(_ name: String, _ count: Int, _ meaning: String, _ which: String) -> ReportMarkup
  {
    """
    <tr><th scope=row>\(name)</th><td class=n>\(ReportNumber.integer(count))</td>\
    <td>\(meaning)</td><td class=sub>\(which)</td></tr>

    """
  }

  private func names(_ series: [ReportSeries]) -> String {
    let most = 8
    let shown = series.prefix(most).map { one -> String in
      let overall = one.verdict.overall.map { " (\(one.unit.interval($0)))" } ?? ""
      return one.name + overall
    }
    let rest = series.count > most ? ", and \(ReportNumber.integer(series.count - most)) more" : ""
    return shown.joined(separator: ", ") + rest
  }
}
