import Glibc
import WeirData
import WeirTesting

// What must be so after every case. Each gives what is not, in words.

extension Scenario {
  /// Which of the two versions stands at the output: anything else is torn.
  enum Version { case old, new, torn }

  func version(in folder: CaseFolder) -> (version: Version, complaints: [String]) {
    do {
      let found = try folder.outputs()
      if found == new { return (.new, []) }
      if found == old { return (.old, []) }
      let names = found.map { $0.keys.sorted().joined(separator: ", ") } ?? "nothing"
      return (.torn, ["the outputs are neither the old nor the new ones: \(names)"])
    } catch {
      return (.torn, ["the outputs cannot be read: \(error)"])
    }
  }

  /// The same command again, undisturbed: it goes well, the outputs are the new ones, the books balance
  /// and nothing else stays.
  func recovered(_ folder: CaseFolder) -> [String] {
    recovered(folder, folder.weir(arguments))
  }

  /// The same where the next run was done already.
  ///
  /// - Parameter other: another workspace, whose run may have made the outputs.
  func recovered(
    _ folder: CaseFolder, _ outcome: RunningBinary.Outcome, other: CaseFolder? = nil
  ) -> [String] {
    var complaints: [String] = []
    if outcome.exit != 0 {
      complaints.append("the next run failed: \(outcome.exitText): \(outcome.errors)")
    }
    let (version, torn) = version(in: folder)
    complaints += torn
    if version == .old { complaints.append("the next run left the old outputs") }
    guard complaints.isEmpty else { return complaints }
    var missing = books(folder)
    if let other, !missing.isEmpty { missing = books(other) }
    complaints += missing + strays(folder) + records(folder) + inputs(folder)
    // What the run said helps to see why.
    let said = outcome.errors.split(separator: "\n").map { "  it said: \($0)" }
    return complaints.isEmpty ? [] : complaints + said
  }

  /// The run that made the outputs has the ledger and the quarantine of one that nobody disturbed: it
  /// may be the last one, or one before that was killed when all was done but to say so.
  func books(_ folder: CaseFolder) -> [String] {
    let isKept = folder.runs.contains { run in
      let path = "\(folder.path)/.weir/runs/\(run)/"
      guard let found = try? readFile(path + "ledger.json"),
        let packed = try? readFile(path + "quarantine.jsonl.zst")
      else { return false }
      return found == ledger && (try? decodedText(packed)) == quarantine
    }
    return isKept ? [] : ["no run has the ledger and the quarantine of these outputs"]
  }

  /// What lies in the folder and has no business there: only what is named here has.
  func strays(_ folder: CaseFolder) -> [String] {
    var complaints: [String] = []
    let kept = listFolder(folder.path + "/out/night").filter { $0.hasPrefix(".all@") }
    let keep = arguments.contains("--keep") ? 1 : 3
    if kept.count > keep { complaints.append("\(kept.count) runs are kept: \(kept)") }
    for name in listFolder(folder.path + "/out/night")
    where name != "all" && name != ".all.lock" && !isRunKey(name.dropFirst(5)) {
      complaints.append("out/night/\(name) stays behind")
    }
    for name in listFolder(folder.path + "/.weir") where !Scenario.workspaceNames.contains(name) {
      complaints.append(".weir/\(name) stays behind")
    }
    for name in listFolder(folder.path + "/.weir/digests")
    where !name.hasSuffix(".pack") && name != "tasks.log" && name != "contents.log" {
      complaints.append(".weir/digests/\(name) stays behind")
    }
    return complaints + locks(folder)
  }

  /// No record of a run that is over says that it runs, and nothing that it worked with is left.
  func records(_ folder: CaseFolder) -> [String] {
    var complaints: [String] = []
    for run in folder.runs {
      for name in listFolder(folder.path + "/.weir/runs/" + run)
      where !Scenario.runNames.contains(name) {
        complaints.append(".weir/runs/\(run)/\(name) stays behind")
      }
      let state = folder.runState(run)?["status"]?.string
      if state == nil || state == "running" {
        complaints.append("the record of run \(run) says \(state ?? "nothing")")
      }
    }
    return complaints
  }

  /// A catalogue that was damaged, or was taken for it, is set aside for somebody to look at.
  private static let workspaceNames = [
    "runs", "secret", "digests", "catalog.db", "catalog.lock", "catalog.db.damaged",
    "catalog.db.damaged-journal",
  ]
  private static let runNames = ["run.json", "ledger.json", "quarantine.jsonl.zst", "changes.json"]

  private func isRunKey(_ text: Substring) -> Bool {
    text.utf8.count >= 16
      && text.utf8.prefix(16).allSatisfy { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 }
  }

  private func locks(_ folder: CaseFolder) -> [String] {
    let path = folder.path + "/out/night/.all.lock"
    let descriptor = open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { return ["the lock file is not there"] }
    defer { close(descriptor) }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0 { return ["the lock is held"] }
    let text = (try? readFile(path)) ?? []
    let hasEnded = text.isEmpty || text.suffix(6) == Array("\nended".utf8)[...]
    return hasEnded ? [] : ["the lock names a holder"]
  }

  private func inputs(_ folder: CaseFolder) -> [String] {
    template.entries.compactMap { path, entry, _ in
      guard path == "p.json" || path.hasPrefix("data/"), case .file(let bytes) = entry else {
        return nil
      }
      let found = try? readFile(folder.path + "/" + path)
      return found == bytes ? nil : "the input \(path) was changed"
    }
  }

  /// The undisturbed run itself, held against what was worked out without Weir.
  func truthComplaints() throws -> [String] {
    var complaints: [String] = []
    for (path, text) in truth.files.sorted(by: { $0.key < $1.key }) {
      guard let bytes = new[path] else {
        complaints.append("\(path) is not there")
        continue
      }
      let found = path.hasSuffix(".zst") ? try decodedText(bytes) : bytes
      if found != Array(text.utf8) { complaints.append("\(path) is not what it must be") }
    }
    let records = JSONValue(parsing: ledger)?["records"]
    let expected = [
      "read": truth.read, "written": truth.written, "filtered": truth.filtered,
      "deduplicated": truth.deduplicated, "quarantined": truth.quarantined,
    ]
    for (key, count) in expected.sorted(by: { $0.key < $1.key })
    where records?[key]?.integer != count {
      complaints.append("\(key) is \(records?[key]?.text ?? "nothing"), and must be \(count)")
    }
    if lines(of: quarantine).count != truth.quarantined {
      complaints.append("the quarantine has \(lines(of: quarantine).count) records")
    }
    return complaints
  }
}

extension RunningBinary.Outcome {
  var exitText: String { exit.map { "exit \($0)" } ?? "signal \(signal ?? 0)" }

  var json: JSONValue? { JSONValue(parsing: lastLine) }
}
