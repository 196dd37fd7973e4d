import ArgumentParser
import WeirData
import WeirEngine

struct EvidenceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evidence",
    abstract: "The raw records behind a finding, read back from the shards.",
    discussion: """
      FINDING is the id of a finding, as the report and the findings name it, or its beginning. Up to \
      ten exemplars lie in the window of the finding (of a comparison: are of the side that is compared), up \
      to five controls are of what it is held against. They were chosen by a hash, and are the same in every run over the same input.

      A record is printed only where its shard is, byte for byte, the one that the run read, and its line \
      begins at the byte that the finding names. Exit status: 0 all records were printed, 1 some could not be had (it says which, and why).
      """)

  @Argument(help: "The finding: its id, or the beginning of it.")
  var finding: String

  @Option(
    name: .customLong("run"),
    help: "The run: its id, the beginning of it, or last (default: the latest that has it).")
  var runID: String?

  @Option(help: "The folder with the .weir workspace (default: the nearest one from here upwards).")
  var workspace: String?

  @Flag(help: "Print one JSON object on stdout.")
  var json = false

  func run() throws {
    try failing(json: json) {
      let (folder, entry) = try found()
      var texts = [EvidenceText?](repeating: nil, count: entry.records.count)
      for shard in entry.shards {
        let mine = entry.records.indices.filter { entry.records[$0].origin == shard.origin }
        for (i, text) in zip(mine, shard.read(mine.map { entry.records[$0] })) { texts[i] = text }
      }
      let shown = zip(entry.records, texts.compactMap { $0 }).map { ($0, $1) }
      try say(json ? EvidenceOutput.json(folder, entry, shown) : EvidenceOutput.text(entry, shown))
      let lost = shown.count { if case .unavailable = $0.1 { true } else { false } }
      if lost > 0 {
        tell("\(lost) of \(shown.count) records cannot be had")
        throw ExitCode(1)
      }
    }
  }

  private func found() throws -> (RunFolder, EvidenceFile.Entry) {
    // The workspace is looked for as that of a spec that lies here.
    let place = Workspace.find(given: workspace, spec: "spec")
    var hit: EvidenceFile.Entry?
    var failure: (any Error)?
    let folder = try place.run(
      named: runID ?? "last",
      last: { folder in
        do {
          hit = try EvidenceFile(folder).find(finding)
        } catch {
          failure = error
          return true
        }
        return hit != nil
      }, "has evidence of a finding \(finding)")
    if let failure { throw failure }
    if let entry = try hit ?? EvidenceFile(folder).find(finding) { return (folder, entry) }
    throw RunError(
      code: "no_such_finding",
      message: "run \(folder.id) has no evidence of a finding \(finding)",
      fix: EvidenceFile(folder).isThere
        ? "take an id from the report or the findings of that run"
        : "a run that found nothing new to do keeps none: leave out --run")
  }
}

/// What `weir evidence` prints.
enum EvidenceOutput {
  typealias Shown = (record: EvidenceRecord, text: EvidenceText)

  static func text(_ entry: EvidenceFile.Entry, _ shown: [Shown]) -> String {
    var lines = ["\(printable(entry.headline)) (\(entry.findingID))"]
    for role in [EvidenceRecord.Role.exemplar, .control] {
      let mine = shown.filter { $0.record.role == role }
      guard !mine.isEmpty else { continue }
      lines.append("")
      lines.append("\(mine.count) \(role.rawValue)\(mine.count == 1 ? "" : "s")")
      for (record, text) in mine {
        let shard = String(decoding: record.origin.shard, as: UTF8.self)
        let place = "\(record.origin.source) \(shard):\(record.line) byte \(record.byteOffset)"
        lines.append(printable("  \(place)  \(record.date)  \(record.why)"))
        switch text {
        case .record(let bytes, _):
          lines.append("    " + printable(String(decoding: bytes, as: UTF8.self)))
        case .unavailable(_, let reason): lines.append("    not available: \(printable(reason))")
        }
      }
    }
    return lines.joined(separator: "\n")
  }

  static func json(_ run: RunFolder, _ entry: EvidenceFile.Entry, _ shown: [Shown]) -> String {
    let records = shown.map { record, text -> JSONValue in
      guard case .object(var members) = record.json else { return record.json }
      switch text {
      case .record(let bytes, _): members.append(JSONMember("record", .string(bytes)))
      case .unavailable(let code, let reason):
        members += [
          JSONMember("record", .null),
          JSONMember("error", ["code": .text(code), "message": .text(reason)]),
        ]
      }
      return .object(members)
    }
    return QuarantineJSON.escaped(
      JSONValue.object([
        JSONMember("run", .text(run.id)), JSONMember("pipeline", .text(run.pipeline)),
        JSONMember("finding_id", .text(entry.findingID)),
        JSONMember("headline", .text(entry.headline)), JSONMember("records", .array(records)),
      ]).text)
  }
}
