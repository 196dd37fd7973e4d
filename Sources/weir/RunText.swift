import WeirEngine

/// What a person reads when a run ends.
enum RunText {
  static func summary(_ result: RunResult, pipeline: String) -> String {
    let r = result.ledger.records
    var lines = [
      "\(pipeline): done in \(fixed(result.seconds, 1)) s",
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
    }
    lines.append("  outputs     \(result.outDirectory)")
    for output in result.outputs.prefix(12) {
      lines.append("              \(output.path)  (\(grouped(output.rows)) rows, \(grouped(output.bytes)) bytes)")
    }
    if result.outputs.count > 12 {
      lines.append("              and \(grouped(result.outputs.count - 12)) more: see manifest.json")
    }
    return lines.joined(separator: "\n")
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
