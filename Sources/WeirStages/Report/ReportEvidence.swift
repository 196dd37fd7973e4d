import WeirEngine

/// The records behind a finding: where they stand, folded. What is in them is not in the report.
struct ReportEvidence {
  var records: [EvidenceRecord]
  /// Of the finding.
  var id: String
  /// What a bucket is called.
  var bucketWord: String
  /// Where its records and the controls are from, in words.
  var places = (exemplars: "of the window", controls: "from the time it is held against")

  func markup() -> ReportMarkup {
    guard !records.isEmpty else { return "" }
    let exemplars = records.count { $0.role == .exemplar }
    let controls = records.count - exemplars
    let rows = records.map { record -> ReportMarkup in
      """
      <tr><td>\(record.role == .exemplar ? "Example" : "Control")</td><td>\(record.date)</td>\
      <td><code>\(String(decoding: record.origin.shard, as: UTF8.self))</code></td>\
      <td>\(ReportNumber.integer(record.line))</td>\
      <td>\(ReportNumber.integer(record.byteOffset))</td>\
      <td>\(record.why)</td></tr>
      """
    }
    return """
      <details><summary>Evidence: \(counted(exemplars, "record")) \(places.exemplars) and \
      \(counted(controls, "control")) \(places.controls)</summary>\
      <p class=sub>Chosen by the smallest hash, so every run picks the same. The records themselves are \
      not in this report. Read them with <code>weir evidence \(id)</code></p>\
      <div class=scroll><table><thead><tr><th scope=col>Role</th><th scope=col>\
      \(reportTitle(bucketWord))</th><th scope=col>Shard</th><th scope=col>Line</th>\
      <th scope=col>Byte</th>\
      <th scope=col>Chosen as</th></tr></thead><tbody>\(rows.joined())\
      </tbody></table></div></details>
      """
  }

  private func counted(_ count: Int, _ noun: String) -> String {
    "\(ReportNumber.integer(count)) \(noun)\(count == 1 ? "" : "s")"
  }
}
