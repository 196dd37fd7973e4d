import WeirStatistics

/// What changed: one line a finding, the loudest first, then the largest sure impact; or that nothing
/// did.
struct ReportChanges {
  var model: ReportModel
  var budget: ReportBudget

  private var noun: String { model.page.recordNoun }

  func markup() -> ReportMarkup {
    let ranked = model.material
    return """
      <section id=changes><h2>What changed</h2>\
      \(ranked.isEmpty ? nothing() : table(ranked))\
      \(list(model.small, "Certain but small, so not ranked"))\
      \(list(model.gaps, "Not compared"))</section>
      """
  }

  // MARK: Something

  private func table(_ ranked: [ReportFinding]) -> ReportMarkup {
    let shown = ranked.prefix(ReportBudget.rankedRows)
    let most =
      shown.filter(\.hasSize).flatMap { finding -> [Double] in
        let impact = finding.what.impact
        return [abs(impact.value), abs(impact.lo), abs(impact.hi)].filter(\.isFinite)
      }.max() ?? 0
    let more = ReportNumber.integer(ranked.count - shown.count)
    let rest = when(
      ranked.count > shown.count,
      "<p class=note>\(more) more are in <code>\(model.findingsFile)</code>.</p>")
    return """
      <p class=lead>\(lead(ranked.count))</p><div class=scroll><table class=ranked>\
      <caption>Impact: \(noun) above or below what was expected, while the change lasted. Inside a \
      level the order goes by the end of the 95\u{A0}% interval that is nearest to zero, so that what is \
      large but uncertain does not lead.</caption>\
      <thead><tr><th scope=col class=n><span class=hidden>Rank</span></th>\
      <th scope=col>What changed</th>\
      <th scope=col class=wide>\(model.length(model.page.buckets.count))</th>\
      <th scope=col class=n>Impact, \(noun)</th>\
      <th scope=col class=wide><span class=hidden>Impact on one scale</span></th>\
      <th scope=col class="n wide">Lasts</th></tr></thead><tbody>
      \(rows(Array(shown), most).joined("\n"))
      </tbody></table></div>\(rest)
      """
  }

  private func lead(_ count: Int) -> String {
    let need = count == 1 ? "1 change needs a look." : "\(count) changes need a look."
    if model.tested == 0 { return need }
    return need
      + " Nothing else among \(ReportNumber.integer(model.tested)) tested series moved beyond what "
      + "its own history explains."
  }

  /// The rows, with a heading where a level begins.
  private func rows(_ findings: [ReportFinding], _ most: Double) -> [ReportMarkup] {
    var rows: [ReportMarkup] = []
    var level: FindingLevel?
    for finding in findings {
      if finding.what.level != level {
        level = finding.what.level
        rows.append(heading(finding.what.level))
      }
      rows.append(row(finding, most))
    }
    return rows
  }

  private func heading(_ level: FindingLevel) -> ReportMarkup {
    let meaning =
      switch level {
      case .critical: "surely large: look today"
      case .warning: "large enough to matter"
      case .notice: "worth knowing"
      }
    return """
      <tr class=level><th colspan=6 scope=colgroup><span class=\(level.name)>\(level.name)</span> \
      \(meaning)</th></tr>
      """
  }

  private func row(_ finding: ReportFinding, _ most: Double) -> ReportMarkup {
    let series = model.series(of: finding)
    return """
      <tr><td class=n>\(finding.number)</td>\
      <th scope=row><span class=\(finding.direction) aria-hidden=true>\(finding.arrow)</span> \
      <a href="#\(value: finding.anchor)">\(finding.text.headline)</a>\
      <span class=sub>\(finding.typeWords)</span></th>\
      <td class=wide>\(ReportSparkline(series: series).markup())</td>\
      \(impact(finding, series.unit))\
      <td class=wide>\(finding.hasSize ? bar(finding.what.impact, most) : "")</td>\
      <td class="n wide">\(model.length(finding.window.count))\
      <span class=sub>\(ending(finding))</span></td></tr>
      """
  }

  private func impact(_ finding: ReportFinding, _ unit: ReportUnit) -> ReportMarkup {
    guard finding.hasSize else { return "<td class=n>\(ReportNumber.none)</td>" }
    return """
      <td class=n>\(unit.impact(finding.what.impact.value))\
      <span class=sub>\(unit.impactInterval(finding.what.impact))\
      \(unit.impactHasSign ? "" : " concerned")</span></td>
      """
  }

  private func ending(_ finding: ReportFinding) -> String {
    if finding.window.count == 1 { return "on \(model.date(finding.window.upperBound))" }
    return model.lasts(finding) ? "not over" : "until \(model.date(finding.window.upperBound))"
  }

  /// The size of an impact with its interval; all bars of the table share the scale.
  private func bar(_ impact: Estimate, _ most: Double) -> ReportMarkup {
    guard most > 0 else { return "" }
    func x(_ value: Double) -> Double {
      2 + (value.isFinite ? 156 * min(abs(value), most) / most : 0)
    }
    let crosses = impact.lo < 0 && impact.hi > 0
    let from = crosses ? 2 : min(x(impact.lo), x(impact.hi))
    let to = max(x(impact.lo), x(impact.hi))
    return """
      <svg class=impact width=160 height=20 viewBox="0 0 160 20" aria-hidden=true>\
      <rect x=2 y=6 width="\(at: x(impact.value) - 2)" height=8 />\
      <path d="M\(at: from) 5v10M\(at: from) 10H\(at: to)M\(at: to) 5v10"/></svg>
      """
  }

  /// Findings that are said without a rank.
  private func list(_ findings: [ReportFinding], _ title: ReportMarkup) -> ReportMarkup {
    if findings.isEmpty { return "" }
    let most = 12
    let shown = findings.prefix(most).map { finding -> ReportMarkup in
      let reason = finding.what.materialityReason
      return """
        <li><span class=\(finding.direction) aria-hidden=true>\(finding.arrow)</span> \
        <a href="#\(value: finding.anchor)">\(finding.text.headline)</a>\
        \(reason.isEmpty ? "" : " (\(reason))")</li>
        """
    }
    let rest = when(
      findings.count > most,
      "<li>\(findings.count - most) more in <code>\(model.findingsFile)</code></li>")
    return "<h3 class=minor>\(title)</h3><ul class=small>\(shown.joined())\(rest)</ul>"
  }

  // MARK: Nothing

  private func nothing() -> ReportMarkup {
    if model.series.isEmpty {
      return """
        <div class=calm><h3>Nothing to compare</h3><p>No record reached this report, so there is no \
        series to test. The ledger says where the records went.</p></div>
        """
    }
    if model.tested == 0 {
      return """
        <div class=calm><h3>Nothing could be tested yet</h3><p>None of \
        \(ReportNumber.integer(model.series.count)) series has enough complete \
        \(model.bucketWord)s or records; \(model.page.settings.minHistory) are needed before a \
        trend or a shift can be told from chance. The table <a href="#quiet">Quiet, and why</a> \
        says what each one lacks.</p></div>
        """
    }
    return """
      <div class=calm><h3><span class=good aria-hidden=true>✓</span> Nothing changed that a person \
      should see</h3><p>\(ReportNumber.integer(model.tested)) of \
      \(ReportNumber.integer(model.series.count)) series were tested and \
      \(model.small.isEmpty ? "none moved" : "no other than the small ones below moved") beyond \
      what its own history explains, with the false discovery rate held at \
      \(ReportNumber.chosenPercent(model.page.settings.falseDiscoveryRate)). A change that is too small \
      for the noise of its series can be there and cannot be told from chance.</p></div>\(misses())
      """
  }

  private struct Miss {
    var q: Double
    var p: Double
    var series: ReportSeries
  }

  /// The three series that came closest to the line.
  private func misses() -> ReportMarkup {
    let quiet = model.series.filter { $0.findings.isEmpty && $0.verdict.q != nil }
    let candidates = quiet.map { Miss(q: $0.verdict.q ?? 1, p: $0.verdict.p ?? 1, series: $0) }
      .sorted { a, b in
        if a.q != b.q { return a.q < b.q }
        return a.p != b.p ? a.p < b.p : a.series.index < b.series.index
      }
    if candidates.isEmpty { return "" }
    let rows = candidates.prefix(3).map { miss -> ReportMarkup in
      let unit = miss.series.unit
      let level = miss.series.verdict.overall.map {
        "\(unit.level($0.value)) (\(unit.interval($0)))"
      }
      return """
        <tr><th scope=row>\(miss.series.name)</th>\
        <td>\(ReportSparkline(series: miss.series).markup())</td>\
        <td class=n>\(level ?? ReportNumber.none)</td>\
        <td class=n>\(ReportNumber.probability(miss.p))</td>\
        <td class=n>\(ReportNumber.probability(miss.q))</td></tr>
        """
    }
    return """
      <div class=scroll><table class=misses><caption>Closest to the line, for context only. None \
      of these is a finding.</caption><thead><tr><th scope=col>Series</th>\
      <th scope=col><span class=hidden>Course</span></th><th scope=col class=n>Overall</th>\
      <th scope=col class=n>p</th><th scope=col class=n>q</th></tr></thead>\
      <tbody>\(rows.joined())</tbody></table></div>
      """
  }
}
