import WeirData
import WeirEngine

/// What a reader should know about the data before blaming people.
struct ReportNotes {
  let detail: TrendDetail
  /// What records are called, in the plural.
  let noun: String

  /// Gaps that have a note of their own.
  private static let gapsShown = 5

  func notes(_ facts: RunFacts) -> [ReportDataNote] {
    var notes = gaps
    if detail.buckets.isEmpty {
      notes.append(
        ReportDataNote(
          label: "Empty", place: "the whole report", effect: "No \(noun) reached the analysis",
          isProblem: true))
    }
    if detail.hasPartialStart {
      notes.append(
        ReportDataNote(
          label: "Partial", place: place(0...0),
          effect: "The data begin inside of it: shown, not compared", isProblem: false))
    }
    if let open = detail.openBucket {
      notes.append(
        ReportDataNote(
          label: "Open", place: place(open...open),
          effect: "Not complete yet: shown hollow, not compared", isProblem: false))
    }
    if detail.future > 0 { notes.append(future) }
    if detail.early > 0 {
      notes.append(
        ReportDataNote(
          label: "Early", place: "before the first \(unit)",
          effect: "Stray \(noun), counted but in no series: \(number(detail.early))",
          isProblem: true))
    }
    if facts.uncheckedShards > 0 {
      notes.append(
        ReportDataNote(
          label: "Unchecksummed", place: counted(facts.uncheckedShards, "shard"),
          effect: "Frames without a checksum: damage in them may go unseen", isProblem: true))
    }
    notes += setAside(facts.ledger.shardsSetAside)
    notes += overBudget(facts.overBudget)
    return notes
  }

  private func setAside(_ faults: [ShardFault]) -> [ReportDataNote] {
    var notes = faults.prefix(ReportNotes.gapsShown).map { fault in
      ReportDataNote(
        label: "Set aside", place: "\(fault.source) \(printable(fault.shard))",
        effect:
          "A bad shard (\(fault.code): \(fault.message)): none of its \(noun) is in this report",
        isProblem: true)
    }
    let rest = faults.count - notes.count
    if rest > 0 {
      notes.append(
        ReportDataNote(
          label: "Set aside", place: counted(rest, "more shard"),
          effect: "Bad shards: none of their \(noun) is in this report", isProblem: true))
    }
    return notes
  }

  private func overBudget(_ excesses: [BudgetExcess]) -> [ReportDataNote] {
    var notes = excesses.prefix(ReportNotes.gapsShown).map { excess in
      ReportDataNote(
        label: "Over budget",
        place: excess.stage.map { "stage \($0)" } ?? "the whole run",
        effect: "\(excess.text): shown all the same, as the spec says", isProblem: true)
    }
    let rest = excesses.count - notes.count
    if rest > 0 {
      notes.append(
        ReportDataNote(
          label: "Over budget", place: counted(rest, "more group"),
          effect: "See the record of the run", isProblem: true))
    }
    return notes
  }

  private var gaps: [ReportDataNote] {
    var notes = detail.gaps.prefix(ReportNotes.gapsShown).map { gap in
      ReportDataNote(
        label: "No data", place: place(gap),
        effect: "\(counted(gap.count, unit)) without any \(noun): not compared, and no drop",
        isProblem: true)
    }
    let rest = detail.gaps.dropFirst(ReportNotes.gapsShown)
    if let first = rest.first, let last = rest.last {
      notes.append(
        ReportDataNote(
          label: "No data", place: place(first.lowerBound...last.upperBound),
          effect: "\(counted(rest.reduce(0) { $0 + $1.count }, unit)) more, in "
            + "\(counted(rest.count, "gap")): not compared, and no drop", isProblem: true))
    }
    return notes
  }

  /// Records after a day that was asked for are as they should be; after the latest one they are odd.
  private var future: ReportDataNote {
    ReportDataNote(
      label: detail.through == nil ? "Future" : "Later",
      place: detail.through.map { "after \($0.short), the last day asked for" }
        ?? "after the last \(unit)",
      effect: "\(reportTitle(noun)) counted, but in no series: \(number(detail.future))",
      isProblem: detail.through == nil)
  }

  private var unit: String { detail.bucketDays == 7 ? "week" : "day" }

  /// `27 Sep`, `week of 28 Sep`, `27 Sep to 3 Oct`.
  private func place(_ range: ClosedRange<Int>) -> String {
    let first = detail.buckets[range.lowerBound]
    let end = detail.buckets[range.upperBound].daysSinceEpoch + detail.bucketDays - 1
    if range.count == 1 { return detail.bucketDays == 1 ? first.short : "week of \(first.short)" }
    return "\(first.short) to \(CivilDate(daysSinceEpoch: end).short)"
  }

  private func number(_ n: Int) -> String { ReportNumber.integer(n) }

  private func counted(_ n: Int, _ one: String) -> String {
    "\(number(n)) \(one)\(n == 1 ? "" : "s")"
  }
}
