import WeirCatalog
import WeirEngine

/// What a person reads when a run ends.
enum RunText {
  /// How much of the work was done before.
  private static func reuse(_ tasks: [TaskRecord]) -> String {
    let reused = tasks.count { $0.isReused }
    guard reused > 0 else { return "" }
    return "; \(grouped(reused)) of \(grouped(tasks.count)) tasks had been done before"
  }

  static func summary(
    _ result: RunResult, changes: ChangesSummary?, pipeline: String
  ) -> String {
    let r = result.ledger.records
    var lines = [
      result.isUnchanged
        ? "\(pipeline): nothing new: the outputs in place are of the same plan, parameters and input"
        : "\(pipeline): done in \(fixed(result.seconds, 1)) s" + reuse(result.tasks),
      "  records     \(grouped(r.read)) read = \(grouped(r.written)) written + \(grouped(r.deduplicated)) deduplicated + \(grouped(r.filtered)) filtered + \(grouped(r.quarantined)) quarantined",
    ]
    if r.quarantined > 0 {
      let codes = result.quarantine.byCode.map { "\(grouped($0.count)) \($0.code)" }
      lines.append("  quarantine  \(codes.joined(separator: ", "))")
      if !result.isUnchanged {
        lines.append("              \(result.runDirectory)/quarantine.jsonl.zst")
      }
    }
    lines += expectationLines(result.ledger)
    lines += setAsideLines(result.ledger.shardsSetAside)
    if !result.overBudget.isEmpty {
      lines += excessLines(result.overBudget, "  over budget ")
      lines.append(
        "              the outputs are in place: the spec says \"on_exceeded\": \"warn\"")
    }
    if !result.findings.isEmpty {
      let total = result.findings.reduce(0) { $0 + $1.count }
      let levels = result.findings.reversed().filter { $0.count > 0 }
        .map { "\($0.count) \($0.level)" }
      lines.append(
        "  findings    \(total)\(levels.isEmpty ? "" : ": " + levels.joined(separator: ", "))")
      if let changes, changes.hasBefore {
        let states = changes.findings.map { "\($0.count) \($0.state)" }
        lines.append("              \(states.joined(separator: ", "))")
      }
    }
    if let sentence = changes?.sentence { lines.append("  changed     \(sentence)") }
    lines.append("  outputs     \(result.outDirectory)")
    lines += outputLines(result.outputs)
    return lines.joined(separator: "\n")
  }

  /// Budgets that are shown one by one.
  static let excessesShown = 5

  private static func excessLines(_ excesses: [BudgetExcess], _ head: String) -> [String] {
    let margin = String(repeating: " ", count: head.utf8.count)
    var lines: [String] = []
    for excess in excesses.prefix(excessesShown) {
      lines.append((lines.isEmpty ? head : margin) + excess.text)
      guard excess.isOverRecords else { continue }
      let codes = excess.codes.prefix(4).map { "\(grouped($0.count)) \($0.code)" }
      let more = excess.codes.count > 4 ? ", ..." : ""
      lines.append("\(margin)  \(codes.joined(separator: ", "))\(more)")
      if let first = excess.sample {
        lines.append(
          "\(margin)  first \(printable(first.source)) \(printable(first.shard)):\(first.line) (\(first.code))"
        )
      }
    }
    if excesses.count > excessesShown {
      lines.append("\(margin)and \(grouped(excesses.count - excessesShown)) more")
    }
    return lines
  }

  /// What records did not meet; those that all met in one line.
  static func expectationLines(_ ledger: Ledger) -> [String] {
    let checks = ledger.checks
    guard !checks.isEmpty else { return [] }
    let failed = checks.filter { $0.check.failed > 0 }
    let met = checks.count - failed.count
    var lines = [
      "  expected    \(grouped(met)) of \(grouped(checks.count)) \(checks.count == 1 ? "rule" : "rules") met by all records"
    ]
    for (stage, check) in failed.prefix(excessesShown) {
      let share = BudgetExcess.percent(check.failed, of: stage.counts.in)
      lines.append(
        "              \(stage.name).\(printable(check.name)) (\(check.level)): \(grouped(check.failed)) of \(grouped(stage.counts.in)) do not meet it (\(share))"
      )
      if let first = check.first {
        lines.append(
          "                first \(printable(first.source)) \(printable(first.shard)):\(first.line)"
        )
      }
    }
    if failed.count > excessesShown {
      lines.append("              and \(grouped(failed.count - excessesShown)) more")
    }
    return lines
  }

  private static func setAsideLines(_ faults: [ShardFault]) -> [String] {
    guard !faults.isEmpty else { return [] }
    var lines = [
      "  set aside   \(grouped(faults.count)) \(faults.count == 1 ? "shard" : "shards"): no record of \(faults.count == 1 ? "it" : "them") is in the outputs"
    ]
    lines += faults.prefix(excessesShown).map {
      "              \(printable($0.source)) \($0.text)"
    }
    if faults.count > excessesShown {
      lines.append("              and \(grouped(faults.count - excessesShown)) more")
    }
    return lines
  }

  private static func overBudget(_ over: OverBudget, pipeline: String) -> String {
    let r = over.ledger.records
    var lines = [
      "\(pipeline): over budget, the outputs are withheld"
        + (over.isComplete ? "" : "; the run stopped as soon as that was certain")
    ]
    lines += excessLines(over.excesses, "  budget      ")
    let unfinished = r.unfinished > 0 ? " + \(grouped(r.unfinished)) unfinished" : ""
    lines.append(
      "  records     \(grouped(r.read)) read = \(grouped(r.written)) written + \(grouped(r.deduplicated)) deduplicated + \(grouped(r.filtered)) filtered + \(grouped(r.quarantined)) quarantined\(unfinished)"
    )
    lines += expectationLines(over.ledger)
    lines += setAsideLines(over.ledger.shardsSetAside)
    if over.shardsLeft > 0 {
      let words = over.shardsLeft == 1 ? "shard was" : "shards were"
      lines.append("              \(grouped(over.shardsLeft)) \(words) not read any more")
    }
    if let directory = over.runDirectory {
      lines.append("  quarantine  \(directory)/quarantine.jsonl.zst")
    }
    lines.append("  try: \(over.fix)")
    lines.append(
      "  The outputs of the last run are untouched. Running again will end the same way until that is mended."
    )
    return lines.joined(separator: "\n")
  }

  /// One line a file, or one a sink that writes many.
  private static func outputLines(_ outputs: [OutputRecord]) -> [String] {
    var sinks: [String] = []
    for output in outputs where !sinks.contains(output.sink) { sinks.append(output.sink) }
    return sinks.flatMap { sink -> [String] in
      let files = outputs.filter { $0.sink == sink }
      guard files.count > 4 else {
        return files.map {
          "              \($0.path)  (\(grouped($0.rows)) rows, \(grouped($0.bytes)) bytes)"
        }
      }
      let rows = files.reduce(0) { $0 + $1.rows }
      let bytes = files.reduce(0) { $0 + $1.bytes }
      return [
        "              \(files[0].path) and \(grouped(files.count - 1)) more  (\(grouped(rows)) rows, \(grouped(bytes)) bytes)"
      ]
    }
  }

  static func failure(_ error: any Error, pipeline: String, exit: Int32) -> String {
    switch error {
    case let error as LockHeld:
      return """
        \(pipeline): another run holds this output: \(error.holder)
          try: wait until it is done, then run again
        """
    case let error as OverBudget: return overBudget(error, pipeline: pipeline)
    case let error as RunInterrupted:
      return """
        \(pipeline): stopped; the outputs of the last run are untouched
          try: the same command goes on where it was\(error.runID.map { ", and so does weir resume \($0)" } ?? "")
        """
    case let error as RunError:
      return """
        \(pipeline): failed: \(error.message)
          try: \(error.fix)
          The outputs of the last run are untouched. \(error.isTransient ? "Running again may help." : "Running again will fail the same way until that is mended.")
        """
    default:
      return "\(pipeline): failed: \(error)"
    }
  }
}
