import WeirEngine

/// A rule that records were held against, and how many did not meet it.
public struct ReportExpectation: Sendable {
  /// Name of the stage that has the rule.
  public var stage: String
  public var rule: String
  /// What becomes of a record that does not meet it: `warn` or `fail`.
  public var level: String
  /// Records that were held against it.
  public var checked: Int
  public var failed: Int
  /// Name of the shard of the first that failed, as bytes; empty where none did.
  public var shard: [UInt8]
  /// Line of that one, from 1; 0 where there is none.
  public var line: Int

  init(_ stage: Ledger.Stage, _ check: Ledger.Check) {
    self.stage = stage.name
    rule = check.name
    level = check.level
    checked = stage.counts.in
    failed = check.failed
    shard = Array((check.first?.shard ?? "").utf8)
    line = check.first?.line ?? 0
  }
}

/// The rules of the pipeline, and how many records do not meet each.
struct ReportExpectations {
  var page: ReportPage

  /// Nothing where there is no rule.
  func markup() -> ReportMarkup {
    let rules = page.expectations
    guard !rules.isEmpty else { return "" }
    let met = rules.count { $0.failed == 0 }
    return """

      <section id=expectations><h2>Expectations: \(ReportNumber.integer(met)) of \
      \(ReportNumber.integer(rules.count)) rules met by all records</h2>\
      <p class=lead>A record that does not meet a rule of level warn is counted and goes on; one that \
      does not meet a rule of level fail is quarantined.</p><div class=scroll><table><thead><tr>\
      <th scope=col>Rule</th><th scope=col>Level</th><th scope=col class=n>Checked</th>\
      <th scope=col class=n>Failed</th><th scope=col class=n>Rate</th><th scope=col>First seen</th>\
      </tr></thead><tbody>
      \(rules.map(row).joined())</tbody></table></div></section>
      """
  }

  private func row(_ rule: ReportExpectation) -> ReportMarkup {
    let rate =
      rule.checked > 0
      ? ReportNumber.percent(Double(rule.failed) / Double(rule.checked)) : ReportNumber.none
    let failed: ReportMarkup =
      rule.failed == 0
      ? "<td class=\"n none\">0</td>" : "<td class=n>\(ReportNumber.integer(rule.failed))</td>"
    let place: ReportMarkup =
      rule.failed == 0
      ? "<td><span class=good><span aria-hidden=true>✓</span> met by all</span></td>"
      : """
      <td class=place><code>\(rule.shard, limit: 200)</code><span class=sub>line \
      \(ReportNumber.integer(rule.line))</span></td>
      """
    return """
      <tr><th scope=row>\(rule.rule)<span class=sub>\(rule.stage)</span></th><td>\(rule.level)</td>\
      <td class=n>\(ReportNumber.integer(rule.checked))</td>\(failed)<td class=n>\(rate)</td>\(place)</tr>

      """
  }
}

extension ReportPage {
  /// The sections that every report ends with, for the bar.
  var closingLinks: [(String, String)] {
    [("data", "Data"), ("ledger", "Ledger")]
      + (expectations.isEmpty ? [] : [("expectations", "Expectations")])
      + [("quarantine", "Quarantine"), ("method", "Method")]
  }
}
