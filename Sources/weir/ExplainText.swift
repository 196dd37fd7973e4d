import WeirData
import WeirEngine

/// A plan for people: 100 columns wide.
struct ExplainText {
  let explanation: Explanation
  let shares: MemoryShares
  let memory: Int

  var text: String {
    let passes = explanation.passes.filter { !$0.readings.isEmpty }
    var lines = [
      "\(explanation.pipeline): \(passes.count == 1 ? "one pass" : "\(passes.count) passes") over the records"
    ]
    if !explanation.params.isEmpty {
      lines.append(
        "  with "
          + explanation.params.map { "\($0.name)=\(printable($0.text))" }.joined(separator: ", "))
    }
    lines.append("")
    for source in explanation.sources { lines.append(self.source(source)) }
    for pass in passes { lines += [""] + self.pass(pass) }
    if !explanation.results.isEmpty {
      lines += ["", "at the end"]
      for result in explanation.results {
        let from = result.port.utf8.isEmpty ? result.from : "\(result.from).\(result.port)"
        lines.append("  \(from) -> \(result.sink) (\(result.type))  \(result.carries.rawValue)")
      }
    }
    lines += [""] + memoryLines
    return lines.joined(separator: "\n")
  }

  private func source(_ source: Explanation.Source) -> String {
    var line = "source \(source.stage) (\(source.type)): "
    guard let shards = source.shards else { return line + printable(source.problem ?? "") }
    line += "\(counted(shards, "shard")), \(ExplainText.size(source.bytes))"
    if let records = source.records { line += ", about \(ExplainText.rounded(records)) records" }
    if let problem = source.problem { line += "; \(printable(problem))" }
    return line
  }

  private func pass(_ pass: Explanation.Pass) -> [String] {
    var lines: [String] = []
    for reading in pass.readings {
      let what: String
      if !reading.readsShards {
        what = "goes over the columns that were kept of `\(reading.source)`; reads no shard"
      } else if pass.number == 1 {
        what = "reads each shard of `\(reading.source)`: one task a shard, batch by batch"
      } else {
        what = "reads each shard of `\(reading.source)` again"
      }
      lines.append("pass \(pass.number)  \(what)")
      for reason in reading.reasons { lines += Columns.wrapped("        because \(reason)", 16) }
      for step in reading.steps { lines += self.step(step) }
    }
    if !pass.decides.isEmpty {
      lines.append(
        "        then `\(pass.decides.joined(separator: "`, `"))` "
          + "\(pass.decides.count == 1 ? "is" : "are") decided over all shards, in 64 parts by key")
    }
    return lines
  }

  private func step(_ step: Explanation.Step) -> [String] {
    let indent = String(repeating: "  ", count: step.level)
    let way = step.port.map { "\($0) -> " } ?? ""
    var line = "  \(indent)-> \(way)\(step.stage) (\(step.type))"
    if step.isRepeated {
      return [
        line + (step.kind == .barrier ? "  lets pass what it kept" : "  again, counts nothing")
      ]
    }
    if let barrier = step.barrier {
      if let draw = barrier.draw {
        let of = barrier.key.isEmpty ? "" : " of each \(barrier.key.joined(separator: ", "))"
        line +=
          "  \(grouped(draw.count))\(of) stay: those with the lowest hash of \(draw.fields.joined(separator: ", "))"
      } else {
        let order =
          barrier.order.isEmpty
          ? "in the order of the input" : "by \(barrier.order.joined(separator: ", "))"
        line +=
          "  key \(barrier.key.joined(separator: ", ")); the \(barrier.keepsLast ? "last" : "first") \(order) stays"
      }
      var lines = Columns.wrapped(line, step.level * 2 + 8)
      let start = "  \(indent)     "
      if !barrier.columnsKept.isEmpty {
        lines += Columns.wrapped(
          start + "keeps for later passes: \(barrier.columnsKept.joined(separator: ", "))",
          start.utf8.count + 2)
      }
      for filter in barrier.filtersBefore {
        lines += Columns.wrapped(
          start
            + "danger: `\(filter)` filters in front of it: a record can stay although a later revision of it was filtered out",
          start.utf8.count + 2)
      }
      return lines
    }
    var parts: [String] = []
    if !step.reads.isEmpty { parts.append("reads \(step.reads.joined(separator: ", "))") }
    if !step.writes.isEmpty { parts.append("writes \(step.writes.joined(separator: ", "))") }
    if !parts.isEmpty { line += "  " + parts.joined(separator: "; ") }
    return Columns.wrapped(line, step.level * 2 + 8)
  }

  private var memoryLines: [String] {
    var lines = [
      "memory \(ExplainText.size(memory)) (--memory), \(counted(shares.workers, "worker")): \(ExplainText.size(shares.kept)) are left to keep records in"
    ]
    guard let kept = explanation.kept else {
      return lines + ["  what is kept cannot be estimated: no line could be read"]
    }
    var sum = 0
    for part in kept {
      sum += part.bytes
      lines.append(
        "  \(part.barrier)  about \(fixed(part.bytesPerRecord, 1)) bytes a record, \(ExplainText.size(part.bytes)) in all"
      )
    }
    if kept.isEmpty { return lines + ["  nothing is kept from pass to pass"] }
    lines.append(
      sum <= shares.kept
        ? "  fits: no files are needed but digests"
        : "  without digests about \(ExplainText.size(sum - shares.kept)) go to files meanwhile: --memory of \(ExplainText.size(sum + memory - shares.kept)) has room for all"
    )
    return lines
  }

  // MARK: Words

  static func size(_ bytes: Int) -> String {
    switch bytes {
    case ..<1_000_000: "\(grouped((bytes + 999) / 1_000)) kB"
    case ..<1_000_000_000: "\(fixed(Double(bytes) / 1e6, 1)) MB"
    default: "\(fixed(Double(bytes) / 1e9, 2)) GB"
    }
  }

  /// Three digits say what is known.
  static func rounded(_ count: Int) -> String {
    var unit = 1
    while count / unit >= 1_000 { unit *= 10 }
    return grouped((count + unit / 2) / unit * unit)
  }
}
