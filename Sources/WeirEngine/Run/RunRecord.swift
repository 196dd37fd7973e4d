import Glibc
import WeirData

extension Plan {
  /// Where the outputs of a run stand.
  func outputPath(_ options: RunOptions) -> String {
    let parts = spec.partition.map { part -> String in
      var encoded: [UInt8] = []
      Array(part.text.utf8).withUnsafeBufferPointer { appendEncoded($0, to: &encoded) }
      return "\(part.name)=\(String(decoding: encoded, as: UTF8.self))"
    }
    let partition = parts.isEmpty ? "all" : parts.joined(separator: ",")
    guard let given = options.outDirectory else {
      return options.workspace.outputPath(pipeline: spec.name, partition: partition)
    }
    var path = Substring(given)
    while path.utf8.count > 1, path.utf8.last == UInt8(ascii: "/") { path = path.dropLast() }
    return String(path)
  }
}

/// The directory of one run in the workspace: what it is, how it ended, its ledger and quarantine.
///
/// It is the truth about the run: whatever answers questions about past runs is made from it. Unlike
/// the outputs it may hold what depends on the clock and the machine.
final class RunRecord {
  let id: String
  let directory: String
  let outDirectory: String
  /// The same from the root: two runs may name two places by one relative path.
  let absoluteOut: String
  let secret: [UInt8]
  let plan: Plan
  let options: RunOptions
  let startedAt: Timestamp
  let workspace: Workspace
  private let folder: RunClaim
  private var beginning: Task<[String], any Error>?
  /// The output that this run holds, once it does.
  var output: OutputDirectory?
  private(set) var notes: [String] = []
  /// What was tried again.
  let retries = AttemptLog()
  /// The run that held the output and died, as its lock says.
  private(set) var tookOver: String?
  private(set) var place: OutputDirectory.Place?

  var spoolDirectory: String { joinPath(directory, "spool") }
  private var path: String { joinPath(directory, RunRecordFile.record) }

  static func begin(plan: Plan, options: RunOptions) throws -> RunRecord {
    do {
      return try RunRecord(plan: plan, options: options)
    } catch {
      throw RunError(error)
    }
  }

  private init(plan: Plan, options: RunOptions) throws {
    self.plan = plan
    self.options = options
    workspace = options.workspace
    startedAt = .now
    id = RunRecord.makeID(startedAt)
    try makeDurableDirectories(workspace.path, mode: 0o700)
    secret = try workspace.secret()
    directory = workspace.runPath(id)
    outDirectory = plan.outputPath(options)
    absoluteOut = joinPath(absolutePath("."), outDirectory)
    folder = try RunClaim(making: directory)
    // That the names stay when the power goes is seen to beside the work: ``begin(telling:on:)``.
    let first = try FileDraft(of: path, text(.running))
    try first.flush()
    try first.place()
  }

  private static func makeID(_ time: Timestamp) -> String {
    let text = Timestamp(microseconds: time.microseconds / 1_000_000 * 1_000_000).rfc3339
    let compact = text.utf8.filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: ":") }
    let suffix = UInt32.random(in: 0...UInt32.max)
    return String(decoding: compact, as: UTF8.self) + "-"
      + hexText(withUnsafeBytes(of: suffix) { Array($0) })
  }

  /// What a second run is told about this one.
  var holderText: String {
    let here = ProcessIdentity.current
    return
      "run \(id), process \(here.process) on \(here.host), started \(startedAt.rfc3339), workspace \(absolutePath(workspace.path))"
  }

  func note(_ texts: [String]) { notes += texts }

  /// Makes the beginning of the run durable and tells of it, beside what the run does meanwhile.
  func begin(telling history: (any RunHistory)?, on executor: BlockingExecutor) {
    let (id, directory) = (id, directory)
    beginning = Task(executorPreference: executor) {
      try flushDirectory(directory)
      try flushDirectory(WeirEngine.directory(of: directory))
      return history?.began(id, directory: directory) ?? []
    }
  }

  /// Waits until that is done. Nothing may be put in place, and no other record written, before.
  func hasBegun() async throws {
    guard let beginning = beginning.take() else { return }
    note(try await beginning.value)
  }

  /// Clears up behind runs that died while they held this output, and makes the spool of this one.
  ///
  /// Called under the lock. A run has a spool only from here on, so one that waits for the lock has
  /// none, and one that has a spool for this output and is not this one is dead.
  func takeOver(_ output: OutputDirectory) throws {
    if let dead = output.lock.deadHolder {
      tookOver = dead
      note(["took the output over from a run that died: \(dead)"])
    }
    try clearAbandoned(output)
    try makeDirectories(spoolDirectory, mode: 0o700)
    if tookOver != nil { try replaceFile(path, text(.running)) }
  }

  private func clearAbandoned(_ output: OutputDirectory) throws {
    let runs = joinPath(workspace.path, "runs")
    for name in try directoryEntries(runs) {
      let other = joinPath(runs, String(decoding: name, as: UTF8.self))
      guard other != directory else { continue }
      guard RunRecordFile.mayBeOpen(other) else {
        try RunClaim.removeWithoutRecord(other)
        continue
      }
      let found: RunRecordFile
      do throws(UnreadableRecord) {
        guard let record = try RunRecordFile(directory: other), !record.isOver else { continue }
        found = record
      } catch {
        // A record that cannot be read says nothing of this output.
        continue
      }
      guard found.out == absoluteOut, found.holdsOrHeld || found.process?.isGone == true
      else { continue }
      try removeTree(joinPath(other, "spool"))
      // What it was writing when it died.
      for draft in try directoryEntries(other) where draft.suffix(4).elementsEqual(".new".utf8) {
        try removeTree(joinPath(other, String(decoding: draft, as: UTF8.self)))
      }
      try found.close(
        as: found.status == .placing && found.isInPlace(output.current) ? .done : .abandoned)
    }
  }

  // MARK: The end of a run

  /// The outputs that it would make are in place already.
  func found(in directory: String?) {
    place = directory.map { OutputDirectory.Place(before: $0, now: $0, directory: $0) }
  }

  /// What the run came to, to be written down before its outputs are swapped in; the record last.
  func drafts(
    _ result: RunResult, ledger: [UInt8], changes: JSONValue?, in place: OutputDirectory.Place
  ) throws(FileError) -> [FileDraft] {
    self.place = place
    var drafts: [FileDraft] = []
    if let changes {
      drafts.append(try draft(RunRecordFile.changes, changes.bytes(indented: true) + [0x0A]))
    }
    drafts.append(try draft(RunRecordFile.ledger, ledger))
    drafts.append(try draft(RunRecordFile.record, text(.placing(result))))
    return drafts
  }

  private func draft(_ name: String, _ bytes: [UInt8]) throws(FileError) -> FileDraft {
    try FileDraft(of: joinPath(directory, name), bytes)
  }

  /// The outputs are in place: what cannot be noted must not make them a failure.
  func finish(_ result: inout RunResult) {
    do {
      result.notes = notes
      try removeTree(spoolDirectory)
      // The record that stands there says the same to whoever looks at the outputs: should the power go
      // now, either of the two will do.
      let last = try FileDraft(of: path, text(.done(result)))
      try last.flush()
      try last.place()
    } catch {
      note(["the record of the run is not complete: \(error)"])
      result.notes = notes
    }
  }

  /// Notes how the run failed, and returns the error to report.
  func fail(_ error: any Error) -> any Error {
    let reported: any Error
    switch error {
    case is CancellationError, is RunInterrupted:
      reported = RunInterrupted(runID: id)
    case var held as LockHeld:
      held.runID = id
      reported = held
    case var over as OverBudget:
      over.runID = id
      over.runDirectory = directory
      reported = over
    default:
      var failure = RunError(error)
      failure.runID = id
      reported = failure
    }
    do {
      try removeTree(spoolDirectory)
      for name in [RunRecordFile.changes, RunRecordFile.ledger] {
        try removeTree(joinPath(directory, name + ".new"))
      }
      // It compares outputs that did not come.
      try removeTree(joinPath(directory, RunRecordFile.changes))
      if let over = reported as? OverBudget {
        try replaceFile(joinPath(directory, RunRecordFile.ledger), over.ledger.fileText)
      }
      try replaceFile(path, text(.failed(reported)))
    } catch {
      note(["the record of the run is not complete: \(error)"])
    }
    return reported
  }
}

extension Timestamp {
  /// The time of the machine: for records of runs, never for outputs.
  public static var now: Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
  }
}
