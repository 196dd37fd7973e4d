/// Where every record went.
struct ReportLedger {
  var model: ReportModel

  func markup() -> ReportMarkup {
    let totals = model.page.totals
    let rows = model.page.ledger.map { row -> ReportMarkup in
      let state: ReportMarkup =
        row.isBalanced
        ? "<span class=good><span aria-hidden=true>✓</span> balanced</span>"
        : "<span class=bad><span aria-hidden=true>✗</span> not balanced</span>"
      return """
        <tr><th scope=row>\(row.stage)</th><td>\(row.type)</td>\(number(row.read))\
        \(number(row.filtered))\(number(row.deduplicated))\(number(row.quarantined))\
        \(number(row.out))\(number(row.kept))<td>\(state)</td></tr>

        """
    }
    let blank =
      totals.blank == 0
      ? "" : " \(ReportNumber.integer(totals.blank)) blank lines are not counted as read."
    return """
      <section id=ledger><h2>Ledger: every record is accounted for</h2>\
      <p class=lead>\(totals.sentence).\(blank)</p><div class=scroll><table><caption>Each row: in = \
      filtered + deduplicated + quarantined + out or used. Used: taken up by an analysis or written \
      by a sink.</caption><thead><tr><th scope=col>Stage</th><th scope=col>Type</th>\
      <th scope=col class=n>In</th><th scope=col class=n>Filtered</th>\
      <th scope=col class=n>Deduplicated</th><th scope=col class=n>Quarantined</th>\
      <th scope=col class=n>Out</th><th scope=col class=n>Used</th><th scope=col>Check</th></tr></thead>\
      <tbody>
      \(rows.joined())</tbody></table></div></section>
      """
  }

  private func number(_ value: Int) -> ReportMarkup {
    value == 0
      ? "<td class=\"n none\">0</td>" : "<td class=n>\(ReportNumber.integer(value))</td>"
  }
}

/// What was refused, why, and what to do about it.
struct ReportQuarantine {
  var model: ReportModel

  /// Raw bytes shown of a record.
  private static let rawMost = 80

  func markup() -> ReportMarkup {
    let rows = model.page.quarantine
    let count = model.page.totals.quarantined
    guard !rows.isEmpty || count > 0 else {
      return """
        <section id=quarantine><h2>Quarantine</h2><p>Empty: every record could be used.</p></section>
        """
    }
    let read = model.page.totals.read
    let share = read > 0 ? ReportNumber.percent(Double(count) / Double(read)) : ReportNumber.none
    let budget =
      model.page.quarantineBudget.map { "; the budget is \(ReportNumber.chosenPercent($0))" } ?? ""
    return """
      <section id=quarantine><h2>Quarantine: \(ReportNumber.integer(count)) record\
      \(count == 1 ? "" : "s") refused</h2><p class=lead>\(share) of \(ReportNumber.integer(read)) \
      read\(budget). Bytes are shown escaped; what cannot be seen is shown by its number.</p>\
      <div class=scroll><table class=refused><thead><tr><th scope=col>Code</th>\
      <th scope=col class=n>Records</th><th scope=col class=n>Of all read</th>\
      <th scope=col>First seen</th><th scope=col>First bytes</th><th scope=col>What to do</th></tr>\
      </thead><tbody>
      \(rows.map(row).joined())</tbody></table></div></section>
      """
  }

  private func row(_ row: ReportQuarantineRow) -> ReportMarkup {
    """
    <tr><th scope=row><code>\(row.code)</code><span class=sub>\(row.meaning)</span></th>\
    <td class=n>\(ReportNumber.integer(row.count))</td>\
    <td class=n>\(ReportNumber.percent(row.share))</td>\
    <td class=place><code>\(row.shard, limit: 200)</code>\
    <span class=sub>line \(ReportNumber.integer(row.line))</span></td>\
    <td>\(when(!row.bytes.isEmpty, "<code class=raw>\(row.bytes, limit: Self.rawMost)</code>"))</td>\
    <td class=sub>\(row.remedy)</td></tr>

    """
  }
}
