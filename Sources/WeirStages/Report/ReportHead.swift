import WeirData
import WeirStatistics

/// The head of the page: what it is about, and four tiles that say whether somebody must look.
struct ReportHead {
  var model: ReportModel

  private var page: ReportPage { model.page }

  /// The last day that the report compares, in words.
  private var through: String? {
    model.lastCompared.map { bucket in
      let days = page.buckets[bucket].daysSinceEpoch + max(1, page.bucketDays) - 1
      let date = CivilDate(daysSinceEpoch: days)
      let weekdays = [
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
      ]
      let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
      ]
      return "\(weekdays[date.weekday]) \(date.day)\u{A0}\(months[date.month - 1]) \(date.year)"
    }
  }

  private var heading: String {
    through.map { "\(page.pipeline), through \($0)" } ?? "\(page.pipeline), no complete day"
  }

  /// What stands in the browser's tab: the answer first.
  var title: String {
    let count = model.material.count
    return (count == 0 ? "No change" : count == 1 ? "1 change" : "\(count) changes")
      + ": " + heading
  }

  func bar() -> ReportMarkup {
    let links: [(String, String)] =
      [("changes", "What changed")]
      + (model.findings.isEmpty ? [] : [("findings", "Findings")])
      + (page.by.count == 2 && !model.series.isEmpty ? [("map", "Map")] : [])
      + (model.series.isEmpty ? [] : [("series", "All series")])
      + page.closingLinks
    return reportBar(links)
  }

  func markup() -> ReportMarkup {
    """
    <header><h1>\(heading)</h1><p class=sub>\(scope)</p>\
    \(when(!page.description.isEmpty, "<p class=sub>\(page.description)</p>"))\
    \(parameters)</header>
    <div class=tiles>\(findingsTile)\(dataTile)\(ledgerTile)\(quarantineTile)</div>
    """
  }

  private var scope: String {
    var words = page.scope
    let compared = page.buckets.indices.filter { t in
      model.series.contains { $0.isCompared(t) }
    }
    if let first = compared.first {
      words +=
        (words.isEmpty ? "" : ", ") + "\(compared.count) complete \(model.bucketWord)"
        + (compared.count == 1 ? "" : "s") + " from \(model.date(first))"
    }
    return words + (words.isEmpty ? "" : ", ") + "days in \(page.zone)"
  }

  private var parameters: ReportMarkup {
    if page.parameters.isEmpty { return "" }
    let items = page.parameters.map { parameter -> ReportMarkup in
      "<span>\(parameter.name) <code>\(parameter.value)</code></span>"
    }
    return "<p class=params>\(items.joined(" "))</p>"
  }

  // MARK: Tiles

  private func tile(
    _ target: ReportMarkup, _ name: ReportMarkup, _ state: ReportMarkup, _ sign: String,
    _ word: String, _ text: String
  ) -> ReportMarkup {
    """
    <a class=tile href="#\(target)"><span class=name>\(name)</span>\
    <span class="word \(state)"><span aria-hidden=true>\(sign)</span> \(word)</span>\
    <span class=more>\(text)</span></a>
    """
  }

  private var findingsTile: ReportMarkup {
    let material = model.material
    let tested = "\(ReportNumber.integer(model.tested)) series tested"
    guard !material.isEmpty else {
      let small = model.small.count
      return tile(
        "changes", "Findings", "good", "✓", "None",
        small == 0 ? "\(tested), no change" : "\(small) certain but small; \(tested)")
    }
    let levels = FindingLevel.allCases.reversed().compactMap { level -> String? in
      let count = material.count { $0.what.level == level }
      return count == 0
        ? nil : "\(count) \(level.name)" + (level == .critical || count == 1 ? "" : "s")
    }
    let isCritical = material.contains { $0.what.level == .critical }
    return tile(
      "changes", "Findings", isCritical ? "bad" : "warn", "!",
      material.count == 1 ? "1 needs a look" : "\(material.count) need a look",
      levels.joined(separator: ", ") + "; " + tested)
  }

  private var dataTile: ReportMarkup {
    let problems = page.notes.filter(\.isProblem)
    guard let first = problems.first else {
      let note = page.notes.first.map { "\($0.label): \($0.place)" }
      return tile("data", "Data", "good", "✓", "Complete", note ?? "Nothing is missing or late")
    }
    return tile(
      "data", "Data", "warn", "!", problems.count == 1 ? "1 problem" : "\(problems.count) problems",
      "\(first.label): \(first.place)")
  }

  private var ledgerTile: ReportMarkup {
    let totals = page.totals
    let isBalanced = page.ledger.allSatisfy(\.isBalanced) && totals.isBalanced
    return tile(
      "ledger", "Ledger", isBalanced ? "good" : "bad", isBalanced ? "✓" : "✗",
      isBalanced ? "Balanced" : "Does not balance", totals.sentence)
  }

  private var quarantineTile: ReportMarkup {
    let totals = page.totals
    let count = totals.quarantined
    if count == 0 {
      return tile("quarantine", "Quarantine", "good", "✓", "Empty", "Every record could be read")
    }
    let share = totals.read > 0 ? Double(count) / Double(totals.read) : 0
    let records = "\(ReportNumber.integer(count)) record\(count == 1 ? "" : "s") refused"
    guard let budget = page.quarantineBudget else {
      return tile(
        "quarantine", "Quarantine", "warn", "!", ReportNumber.percent(share), records)
    }
    let isWithin = share <= budget
    return tile(
      "quarantine", "Quarantine", isWithin ? "good" : "bad", isWithin ? "✓" : "✗",
      ReportNumber.percent(share),
      "\(records), \(isWithin ? "within" : "over") the budget of \(ReportNumber.chosenPercent(budget))"
    )
  }
}

/// The bar at the top of every page.
func reportBar(_ links: [(String, String)]) -> ReportMarkup {
  """
  <a class=skip href="#changes">Skip to what changed</a>\
  <div class=bar><div class=wrap><b>Weir</b><nav aria-label=Sections>\
  \(links.map { "<a href=\"#\(value: $0.0)\">\($0.1)</a>" as ReportMarkup }.joined())</nav>\
  <span class=tools hidden><button type=button id=theme>Theme</button>\
  <button type=button id=print>Print</button></span></div></div>
  """
}

extension ReportTotals {
  /// Every line read went to exactly one place.
  var isBalanced: Bool {
    let parts = [written, deduplicated, filtered, quarantined]
    var sum = 0
    for part in parts {
      let (next, overflow) = sum.addingReportingOverflow(part)
      if overflow { return false }
      sum = next
    }
    return sum == read
  }

  /// `3,919,153 read = 3,732,066 used + 186,529 duplicates + 558 quarantined`.
  var sentence: String {
    let parts = [
      (deduplicated, deduplicated == 1 ? "duplicate" : "duplicates"), (filtered, "filtered"),
      (quarantined, "quarantined"),
    ].filter { $0.0 != 0 }.map { " + \(ReportNumber.integer($0.0)) \($0.1)" }
    return "\(ReportNumber.integer(read)) read \(isBalanced ? "=" : "≠") "
      + "\(ReportNumber.integer(written)) used" + parts.joined()
  }
}
