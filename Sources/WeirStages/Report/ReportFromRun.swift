import WeirData
import WeirEngine
import WeirStatistics

extension ReportPage {
  /// The page of one finished run.
  init(
    _ detail: TrendDetail, _ facts: RunFacts, title: String?, recordNoun: String, path: String
  ) {
    let ledger = facts.ledger
    let records = ledger.records
    self.init(
      pipeline: title ?? facts.pipeline, description: facts.description,
      specFile: "\(facts.pipeline).json",
      parameters: facts.params.map { ReportNamed($0.name, $0.text) }, scope: detail.scope,
      by: detail.by, buckets: detail.buckets, bucketDays: detail.bucketDays, zone: detail.zone,
      recordNoun: recordNoun, trend: detail.report, settings: detail.settings,
      texts: detail.texts,
      ledger: ledger.stages.filter { $0.counts.in > 0 || $0.kind != .sink }.map {
        ReportLedgerRow(
          stage: $0.name, type: $0.type, read: $0.counts.in, out: $0.counts.out,
          filtered: $0.counts.filtered, deduplicated: $0.counts.deduplicated,
          quarantined: $0.counts.quarantined, kept: $0.counts.taken,
          isBalanced: $0.counts.isBalanced)
      },
      totals: ReportTotals(
        read: records.read, written: records.written, deduplicated: records.deduplicated,
        filtered: records.filtered, quarantined: records.quarantined, blank: records.blank),
      quarantine: reportQuarantine(facts.quarantine, read: records.read),
      quarantineBudget: facts.refusalRateMax,
      notes: ReportNotes(detail: detail, noun: recordNoun).notes(facts),
      inputs: ReportInputs(
        shards: ledger.shards.count, bytes: ledger.shards.reduce(0) { $0 + $1.bytes },
        hash: shortHash(inputHash(ledger))),
      hashes: [
        ReportNamed("Spec", shortHash(facts.specHash)),
        ReportNamed("Plan", shortHash(facts.planHash)),
        ReportNamed("Run", shortHash(facts.runKey)),
      ],
      version: weirVersion, dataFiles: reportFiles(facts.outputs, without: path))
    evidence = detail.evidence
    annotations = detail.annotations
    expectations = ledger.checks.map { ReportExpectation($0.stage, $0.check) }
  }
}

private func shortHash(_ hex: String) -> String {
  String(decoding: hex.utf8.prefix(12), as: UTF8.self)
}

/// SHA-256 of source, name and content hash of every shard.
private func inputHash(_ ledger: Ledger) -> String {
  let hasher = SHA256Hasher()
  for shard in ledger.shards {
    for part in [shard.source, shard.shard, shard.contentHash] {
      hasher.update(sha256(Array(part.utf8)))
    }
  }
  return hexText(hasher.finish())
}

/// The other files of the run; the page names the first as the one with all findings, so the files
/// that are called so come first.
private func reportFiles(_ outputs: [String], without path: String) -> [String] {
  let others = outputs.filter { !$0.utf8.elementsEqual(path.utf8) }
  func isFindings(_ name: String) -> Bool {
    let words = Array("finding".utf8)
    let bytes = Array(name.utf8)
    guard bytes.count >= words.count else { return false }
    return (0...(bytes.count - words.count)).contains {
      bytes[$0..<($0 + words.count)].elementsEqual(words)
    }
  }
  return others.filter(isFindings) + others.filter { !isFindings($0) }
}

/// One row a code, most records first; the record that is shown is the first of the input's.
private func reportQuarantine(
  _ summary: QuarantineSummary, read: Int
) -> [ReportQuarantineRow] {
  summary.byCode.map { code, count -> ReportQuarantineRow in
    let first = summary.entries.first { $0.code.utf8.elementsEqual(code.utf8) }
    let words = RefusalWords.of(code)
    let stage = first.map { " (\($0.stage): \($0.message))" } ?? ""
    return ReportQuarantineRow(
      code: code, meaning: words.meaning + stage, count: count,
      share: read > 0 ? Double(count) / Double(read) : 0, shard: Array((first?.shard ?? "").utf8),
      line: first?.line ?? 0, bytes: first?.sample ?? [], remedy: words.remedy)
  }.sorted { a, b in
    a.count != b.count ? a.count > b.count : a.code.utf8.lexicographicallyPrecedes(b.code.utf8)
  }
}
