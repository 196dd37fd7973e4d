import WeirData
import WeirStatistics

/// The page for relations and comparisons: the same head, ledger and care as that for trends.
///
/// At most 100 findings have a card; the page says what it leaves to the data files. The same page and
/// detail give the same bytes.
func renderRelations(
  _ page: ReportPage, _ detail: RelationDetail, sha256: ([UInt8]) -> [UInt8]
) -> [UInt8] {
  let relations = RelationPage(model: ReportModel(page), detail: detail)
  return reportDocument(
    title: relations.title, bar: relations.bar(), body: relations.markup(), version: page.version,
    sha256: sha256)
}

struct RelationPage {
  var model: ReportModel
  var detail: RelationDetail

  private static let cards = 100
  private static let rows = 200

  private var page: ReportPage { model.page }
  private var ranked: [RelationItem] { detail.items.filter(\.isMaterial) }
  private var what: String {
    detail.what == .correlate ? "What moves together" : "What differs"
  }

  var title: String {
    let noun = detail.what == .correlate ? "relation" : "difference"
    let count = ranked.count
    return (count == 0 ? "No \(noun)" : count == 1 ? "1 \(noun)" : "\(count) \(noun)s")
      + ": " + page.pipeline
  }

  func bar() -> ReportMarkup {
    let links: [(String, String)] =
      [("changes", what)] + (detail.items.isEmpty ? [] : [("findings", "Findings")])
      + page.closingLinks
    return reportBar(links)
  }

  func markup() -> ReportMarkup {
    """
    <header><h1>\(page.pipeline)</h1><p class=sub>\(scope)</p>\
    \(when(!page.description.isEmpty, "<p class=sub>\(page.description)</p>"))</header>
    <main>
    \(table())
    \(cards())
    <section id=data><h2>Data: what is open or missing</h2>\(ReportData(model: model).notes())</section>
    \(ReportLedger(model: model).markup())\(ReportExpectations(page: page).markup())
    \(ReportQuarantine(model: model).markup())
    \(method())
    </main>
    """
  }

  private var scope: String {
    guard let from = page.buckets.first, let to = page.buckets.last else { return detail.scope }
    let last = CivilDate(daysSinceEpoch: to.daysSinceEpoch + page.bucketDays - 1)
    return
      "\(detail.scope), \(from.short) \(from.year) to \(last.short) \(last.year), days in \(detail.coverage.zone)"
  }

  private func tested() -> String {
    "\(ReportNumber.integer(detail.tested)) \(detail.unit)\(detail.tested == 1 ? "" : "s") tested"
  }

  // MARK: The list

  private func table() -> ReportMarkup {
    let silent = detail.silent.map { "\(ReportNumber.integer($0.count)) \($0.reason)" }
    let quiet = when(
      !silent.isEmpty, "<p class=note>Not tested: \(silent.joined(separator: "; ")).</p>")
    guard !detail.items.isEmpty else {
      return """
        <section id=changes><h2>\(what)</h2><div class=calm>\
        <h3><span class=good aria-hidden=true>✓</span> Nothing that is more than chance</h3>\
        <p>\(tested()); with so many looked at, none stands out by more than chance would let some \
        stand out. That does not say that there is nothing: the interval of each is in the data files.</p></div>\
        \(quiet)</section>
        """
    }
    let rows = detail.items.prefix(Self.rows).enumerated().map { i, item in row(i, item) }
    let more = detail.items.count - rows.count
    let rest = when(
      more > 0,
      "<p class=note>\(ReportNumber.integer(more)) more are in <code>\(model.findingsFile)</code>.</p>"
    )
    return """
      <section id=changes><h2>\(what)</h2><p class=lead>\(ReportNumber.integer(detail.items.count)) of \
      \(tested()), of which about \(ReportNumber.chosenPercent(detail.q)) may be chance.</p>\
      <div class=scroll><table class=ranked><thead><tr><th scope=col class=n>#</th>\
      <th scope=col>Finding</th><th scope=col class=n>Size</th><th scope=col>Level</th></tr></thead>\
      <tbody>\(rows.joined())</tbody></table></div>\(rest)\(quiet)</section>
      """
  }

  private func sizeFact(_ item: RelationItem) -> RelationFact? {
    item.facts.first { $0.name.utf8.elementsEqual("Difference".utf8) } ?? item.facts.first
  }

  private func row(_ i: Int, _ item: RelationItem) -> ReportMarkup {
    let fact = sizeFact(item)
    let target: ReportMarkup = i < Self.cards ? "f-\(i + 1)" : "findings"
    return """
      <tr><td class=n>\(i + 1)</td><th scope=row>\(arrow(item)) \
      <a href="#\(target)">\(item.text.headline)</a><span class=sub>\(item.badge)\
      \(item.isMaterial ? "" : ", listed low")</span></th>\
      <td class=n>\(fact?.value ?? "")<span class=sub>\(fact?.note ?? "")</span></td>\
      <td><span class="badge \(item.level.name)">\(item.level.name)</span></td></tr>
      """
  }

  private func arrow(_ item: RelationItem) -> ReportMarkup {
    item.isUp
      ? "<span class=up aria-hidden=true>▲</span>" : "<span class=down aria-hidden=true>▼</span>"
  }

  // MARK: One by one

  private func cards() -> ReportMarkup {
    guard !detail.items.isEmpty else { return "" }
    let cards = detail.items.prefix(Self.cards).enumerated().map { i, item in card(i, item) }
    return """
      <section id=findings><h2>The findings one by one</h2>\
      \(findingFilter("market, queue, metric"))
      \(cards.joined())</section>
      """
  }

  private func card(_ i: Int, _ item: RelationItem) -> ReportMarkup {
    let direction: ReportMarkup = item.isUp ? "up" : "down"
    let facts = item.facts.map { fact -> ReportMarkup in
      "<div><dt>\(fact.name)</dt><dd>\(fact.value)</dd><dd class=sub>\(fact.note)</dd></div>"
    }
    return """
      <article class=card id=f-\(i + 1) tabindex=-1><header><span class=number>\(i + 1)</span>\
      <div><h3>\(item.text.headline)</h3><p class=sub>\(item.text.detail)</p></div>\
      <p class=badges><span class="badge \(direction)">\(arrow(item)) \(item.badge)</span>\
      <span class="badge \(item.level.name)">\(item.level.name)</span></p></header>
      \(RelationDrawing(picture: item.picture).markup())
      <dl class=facts>\(facts.joined())</dl>
      \(item.table.map(contributions) ?? "")\
      \(evidence(item))\
      <p class=sub>Finding <code>\(item.text.id)</code>. Intervals are 95\u{A0}%.</p></article>

      """
  }

  private func evidence(_ item: RelationItem) -> ReportMarkup {
    ReportEvidence(
      records: item.evidence, id: item.text.id, bucketWord: model.bucketWord,
      places: ("of what is compared", "of what it is compared with")
    ).markup()
  }

  private func contributions(_ table: RelationTable) -> ReportMarkup {
    let head = table.columns.enumerated().map { i, name -> ReportMarkup in
      i == 0 ? "<th scope=col>\(name)</th>" : "<th scope=col class=n>\(name)</th>"
    }
    let rows = table.rows.map { row -> ReportMarkup in
      let cells = row.enumerated().map { i, text -> ReportMarkup in
        i == 0 ? "<th scope=row>\(text)</th>" : "<td class=n>\(text)</td>"
      }
      return "<tr>\(cells.joined())</tr>"
    }
    return """
      <div class=scroll><table><caption>\(table.caption)</caption><thead><tr>\(head.joined())</tr></thead>\
      <tbody>\(rows.joined())</tbody></table></div>
      """
  }

  // MARK: Method

  private func method() -> ReportMarkup {
    let words: [(String, String)] =
      detail.what == .correlate
      ? [
        (
          "r",
          "The correlation of what is left of two series when weekday, slow level and memory are taken out of both: from −1 to 1."
        ),
        ("Lag", "How much later the second series moves; 0 is the same day."),
        ("Cause", "A relation is none. A third thing may move both."),
      ]
      : [
        (
          "Interval",
          "Days are what chance draws, not records: it allows for unlike days and for days that resemble the day before."
        ),
        (
          "Own level, mix",
          "How much of a difference the values' own levels make, and how much their shares of the records. They add up exactly."
        ),
        ("Cause", "That a value carries a difference is no proof that it causes it."),
      ]
    let shared = [
      ("q", "The share of false findings to expect if everything up to this one is taken as real.")
    ]
    return """
      <section id=method><h2>How to read it, and how to get the same again</h2><div class=under>\
      <dl class=pairs>\((words + shared).map { "<dt>\($0.0)</dt><dd>\($0.1)</dd>" as ReportMarkup }.joined())\
      </dl><div>\(ReportMethod(model: model).identityList())</div></div></section>
      """
  }
}
