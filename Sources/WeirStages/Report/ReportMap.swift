import WeirStatistics

/// Where: the two `by` fields against each other. A colour stands only where a finding does, because
/// a colour on noise is a false alarm.
struct ReportMap {
  var model: ReportModel

  /// Buckets at the end that a cell compares with what was expected of them.
  private var span: Int { model.page.bucketDays == 1 ? 7 : 4 }

  func markup() -> ReportMarkup {
    let by = model.page.by
    guard by.count == 2, !model.series.isEmpty else { return "" }
    let layout = ReportLayout(model)
    let panels = model.metrics.map { metric in
      (name: reportTitle(metric), markup: table(metric, layout))
    }
    return """
      <section id=map><h2>Where: \(reportWords(by[0])) by \(reportWords(by[1]))</h2>\
      \(ReportTabs(id: "m", panels: panels).markup())\
      <p class=key><span><i class=up2></i>▲ rose, critical</span><span><i class=up1></i>▲ rose</span>\
      <span><i class=down1></i>▼ fell</span><span><i class=down2></i>▼ fell, critical</span>\
      <span><i></i>no finding</span><span>△ ▽ a finding that is over</span>\
      <span><i class=few></i>too few to say</span></p></section>
      """
  }

  private func table(_ metric: String, _ layout: ReportLayout) -> ReportMarkup {
    let kind = model.series.first { ReportKey($0.metric) == ReportKey(metric) }?.unit.kind
    let unit = kind == .rate ? "in percentage points" : "in %"
    let by = model.page.by
    let heads = layout.columns.map { "<th scope=col>\(name($0))</th>" as ReportMarkup }
    let rows = layout.rows.map { row -> ReportMarkup in
      let cells = layout.columns.map { column -> ReportMarkup in
        layout.series(metric, row, column).map { cell(model.series[$0]) }
          ?? "<td class=few>–</td>"
      }
      return "<tr><th scope=row>\(name(row))</th>\(cells.joined())</tr>\n"
    }
    return """
      <div class=scroll><table class=map><caption>\(reportTitle(metric)): the last \(span) complete \
      \(model.bucketWord)s against what was expected of them, \(unit). \
      Coloured only where a finding stands that is not over.\(layout.leftOut(by))</caption>\
      <thead><tr><td></td>\(heads.joined())</tr></thead><tbody>
      \(rows.joined())</tbody></table></div>
      """
  }

  private func name(_ part: String?) -> ReportMarkup {
    part.map { reportBreakable($0) } ?? "<em>all</em>"
  }

  private func cell(_ series: ReportSeries) -> ReportMarkup {
    let findings = series.findings.map { model.findings[$0] }
    if let finding = findings.first(where: { model.lasts($0) && $0.hasSize }) {
      let strength = finding.what.level == .critical ? 2 : 1
      return """
        <td class=\(finding.direction)\(strength)><a href="#\(value: finding.anchor)">\
        \(finding.arrow) \(difference(series) ?? finding.typeWords)</a></td>
        """
    }
    let text = difference(series)
    if let finding = findings.first(where: \.hasSize) {
      let sign = finding.what.direction == .up ? "△" : "▽"
      return """
        <td><a href="#\(value: finding.anchor)">\(sign) \(text ?? "over")</a></td>
        """
    }
    switch series.verdict.status {
    case .insufficientVolume: return "<td class=few>low n</td>"
    case .insufficientHistory: return "<td class=few>too new</td>"
    case .noEvents, .constant:
      let level = series.verdict.overall.map { series.unit.level($0.value) } ?? "constant"
      return "<td class=few>\(level)</td>"
    case .ok, .short: return text.map { "<td>\($0)</td>" } ?? "<td class=few>–</td>"
    }
  }

  /// The last compared buckets against what was expected of them: in points for a rate, in per cent
  /// of it for anything else.
  private func difference(_ series: ReportSeries) -> String? {
    let compared = series.states.indices.filter {
      series.isCompared($0) && series.values[$0] != nil && series.expected[$0] != nil
    }
    var observed = 0.0
    var expected = 0.0
    var weights = 0.0
    for t in compared.suffix(span) {
      guard let value = series.values[t], let e = series.expected[t] else { continue }
      let weight = series.unit.kind == .rate ? series.sizes[t] : 1
      observed += weight * value
      expected += weight * e.value
      weights += weight
    }
    if series.unit.kind == .rate {
      return weights > 0 ? ReportNumber.signed(100 * (observed - expected) / weights, 1) : nil
    }
    guard expected > 0 else { return nil }
    let percent = 100 * (observed / expected - 1)
    return ReportNumber.signed(percent, 0)
  }
}
