import WeirStatistics

/// The findings one by one.
struct ReportCards {
  var model: ReportModel
  var budget: ReportBudget

  func markup() -> ReportMarkup {
    if model.findings.isEmpty { return "" }
    var cards: ReportMarkup = ""
    var shown = 0
    for finding in model.findings.prefix(ReportBudget.cards)
    where cards.bytes.count < ReportBudget.cardBytes {
      cards += ReportCard(model: model, finding: finding).markup()
      shown += 1
    }
    let left = model.findings.count - shown
    let rest: ReportMarkup =
      left > 0
      ? """
      <p class=note>\(ReportNumber.integer(left)) more finding\(left == 1 ? " is" : "s are") in \
      <code>\(model.findingsFile)</code>.</p>
      """ : ""
    // Links to cards that are not shown still need a place to arrive at.
    let anchors = model.findings.dropFirst(shown).map { finding -> ReportMarkup in
      "<span id=\"\(value: finding.anchor)\"></span>"
    }
    return """
      <section id=findings><h2>The findings one by one</h2>\
      \(findingFilter("market, queue, type"))
      \(cards)\(rest)\(anchors.joined())</section>
      """
  }
}

/// One finding: what, how large, what was ruled out, and how it was tested.
struct ReportCard {
  var model: ReportModel
  var finding: ReportFinding

  private var what: TrendFinding { finding.what }
  private var series: ReportSeries { model.series(of: finding) }
  private var unit: ReportUnit { series.unit }
  private var noun: String { model.page.recordNoun }

  func markup() -> ReportMarkup {
    let chart = ReportChart(model, finding)
    return """
      <article class=card id="\(value: finding.anchor)" tabindex=-1><header>\
      <span class=number>\(finding.number)</span><div><h3>\(finding.text.headline)</h3>\
      \(when(!finding.text.detail.isEmpty, "<p class=sub>\(finding.text.detail)</p>"))</div>\
      <p class=badges><span class="badge \(finding.direction)">\
      <span aria-hidden=true>\(finding.arrow)</span> \(finding.typeWords)</span>\
      <span class="badge \(what.level.name)">\(what.level.name)</span></p></header>
      \(chart.markup())<p class=legend>\(chart.legend)</p>
      \(facts())
      <div class=under><div><h4>What was checked</h4><ul class=checks>\
      \(ReportChecks(model: model, finding: finding).markup())</ul></div>\
      <div>\(tested())</div></div>
      \(ReportEvidence(records: finding.evidence, id: finding.text.id, bucketWord: model.bucketWord).markup())</article>

      """
  }

  // MARK: Sizes

  private func fact(_ name: String, _ value: String, _ note: String) -> ReportMarkup {
    "<div><dt>\(name)</dt><dd>\(value)</dd><dd class=sub>\(note)</dd></div>"
  }

  private func facts() -> ReportMarkup {
    guard finding.hasSize else {
      let range = finding.window
      return """
        <dl class=facts>\(fact(
          what.type == .openBucket ? "Open" : "No data", model.length(range.count),
          model.dates(range)
            + (what.type == .openBucket ? ", not complete" : ", left out, not counted as zero")))</dl>
        """
    }
    let (before, after) = names
    let relative = what.relative
    let share =
      relative.isFinite && what.baseline.value > 0
      ? ", \(ReportNumber.signed(100 * relative, abs(relative) < 0.1 ? 1 : 0))\u{A0}%" : ""
    let slope = what.slopePerWeek.map { ", \(unit.change($0.value)) a week" } ?? ""
    return """
      <dl class=facts>\(fact(before, unit.level(what.baseline.value), unit.interval(what.baseline)))\
      \(fact(after, unit.level(what.observed.value), "\(unit.interval(what.observed))\(support)"))\
      \(fact("Change", unit.change(what.effect.value), "\(unit.changeInterval(what.effect))\(share)\(slope)"))\
      \(fact(
        unit.impactHasSign ? "Impact, \(noun)" : "Concerned, \(noun)",
        unit.impact(what.impact.value),
        "\(unit.impactInterval(what.impact)) in \(model.length(finding.window.count))"))</dl>
      """
  }

  private var support: String {
    guard what.n > 0, unit.kind != .count else { return "" }
    let records = ReportNumber.fixed(what.n, 0)
    return unit.kind == .rate
      ? "; \(ReportNumber.fixed(what.k, 0)) of \(records)" : "; \(records) \(noun)"
  }

  private var names: (String, String) {
    let each = unit.kind == .count ? ", a \(model.bucketWord)" : ""
    switch what.type {
    case .shift, .windowChange: return ("Before\(each)", "After\(each)")
    case .trend: return ("At the start\(each)", "At the end\(each)")
    case .spike, .dip: return ("Expected", model.date(finding.anchorBucket))
    case .burst: return ("Expected\(each)", "While it lasted\(each)")
    case .unconfirmedLevel: return ("Expected\(each)", "Since then\(each)")
    case .seasonBreak:
      // The weekday that changed most stands for all.
      return ("That weekday before", "Since \(model.date(finding.anchorBucket))")
    case .dataMissing, .openBucket: return ("Before", "After")
    }
  }

  // MARK: The test

  private func tested() -> ReportMarkup {
    let test = what.test
    var rows: [(String, String)] = [
      ("Series", series.name), ("Test", ReportChecks.testWords(test.name)),
    ]
    if finding.hasSize {
      rows += [
        ("Statistic", ReportNumber.fixed(test.statistic, 2)),
        ("p, this test", ReportNumber.smallProbability(test.p)),
        ("p, this series", ReportNumber.smallProbability(test.pFamily)),
        ("q, all series", ReportNumber.smallProbability(test.q)),
        (
          "Selected",
          "\(ReportNumber.integer(test.selected)) of \(ReportNumber.integer(test.families))"
        ),
        ("Autocorrelation φ", ReportNumber.fixed(test.phi, 2)),
        ("Variance inflation", ReportNumber.fixed(test.varianceInflation, 2)),
        ("Over-dispersion τ²", ReportNumber.plain(test.tau2)),
        ("Effective \(model.bucketWord)s", ReportNumber.fixed(test.effectiveBuckets, 1)),
      ]
      if what.type == .shift {
        rows.append(
          ("Begins", model.dates(finding.place)))
      }
    }
    let list = rows.map { "<dt>\($0.0)</dt><dd>\($0.1)</dd>" as ReportMarkup }
    return """
      <details><summary>How it was tested</summary><dl class=pairs>\(list.joined())</dl></details>\
      <p class=sub>Finding <code>\(finding.text.id)</code>. Intervals are 95\u{A0}%.</p>
      """
  }
}

/// The box that shows only some of the cards; the script of the page shows it where it can work.
///
/// - Parameter hint: what can be looked for, shown in the empty box.
func findingFilter(_ hint: String) -> ReportMarkup {
  """
  <p class=filter hidden><label>Show only <input id=filter type=search \
  placeholder="\(value: hint)"></label> <output id=shown></output></p>
  """
}
