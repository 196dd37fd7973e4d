import WeirCatalog
import WeirEngine

/// What a person reads when a run ends.
enum RunText {
  static func summary(
    _ result: RunResult, changes: ChangesSummary?, pipeline: String
  ) -> String {
    let r = result.ledger.records
    var lines = [
      result.isUnchanged
        ? "\(pipeline): nothing new: the outputs in place are of the same plan, parameters and input"
        : "\(pipeline): done in \(fixed(result.seconds, 1)) s",
      "  records     \(grouped(r.read)) read = \(grouped(r.written)) written + \(grouped(r.deduplicated)) deduplicated + \(grouped(r.filtered)) filtered + \(grouped(r.quarantined)) quarantined",
    ]
    if r.quarantined > 0 {
      let codes = result.quarantine.byCode.map { "\(grouped($0.count)) \($0.code)" }
      lines.append("  quarantine  \(codes.joined(separator: ", "))")
      lines.append("              \(result.runDirectory)/quarantine.jsonl.zst")
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

  static func failure(_ error: any Error, pipeline: String, spec: String, exit: Int32) -> String {
    switch error {
    case let error as LockHeld:
      return """
        \(pipeline): another run holds this output: \(error.holder)
          try: wait until it is done, then run again
        """
    case is RunInterrupted:
      return """
        \(pipeline): stopped; the outputs of the last run are untouched
          try: weir run \(spec)
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
