import Glibc
import WeirData

/// The directory of one run in the workspace: what it is, how it ended, its ledger and quarantine.
///
/// Unlike the outputs it may hold what depends on the clock and the machine.
final class RunRecord {
  let id: String
  let directory: String
  let outDirectory: String
  /// The same from the root: two runs may name two places by one relative path.
  private let absoluteOut: String
  let secret: [UInt8]
  private let plan: Plan
  private let startedAt: Timestamp
  private let workspace: Workspace
  private let keep: Int
  private(set) var notes: [String] = []
  /// What was tried again.
  let attempts = AttemptLog()

  var spoolDirectory: String { joinPath(directory, "spool") }

  static func begin(plan: Plan, options: RunOptions) throws -> RunRecord {
    do {
      return try RunRecord(plan: plan, options: options)
    } catch {
      throw RunError(error)
    }
  }

  private init(plan: Plan, options: RunOptions) throws {
    self.plan = plan
    workspace = options.workspace
    keep = options.keep
    startedAt = .now
    id = RunRecord.makeID(startedAt)
    try makeDirectories(workspace.path, mode: 0o700)
    secret = try workspace.secret()
    directory = workspace.runPath(id)
    let parts = plan.spec.partition.map { part -> String in
      var encoded: [UInt8] = []
      Array(part.text.utf8).withUnsafeBufferPointer { appendEncoded($0, to: &encoded) }
      return "\(part.name)=\(String(decoding: encoded, as: UTF8.self))"
    }
    let partition = parts.isEmpty ? "all" : parts.joined(separator: ",")
    outDirectory =
      options.outDirectory.map(RunRecord.withoutEndSlash)
      ?? workspace.outputPath(pipeline: plan.spec.name, partition: partition)
    absoluteOut = joinPath(absolutePath("."), outDirectory)
    try makeDirectories(directory, mode: 0o700)
    try write(status: "running", error: nil, result: nil)
  }

  private static func withoutEndSlash(_ path: String) -> String {
    var path = Substring(path)
    while path.utf8.count > 1, path.utf8.last == UInt8(ascii: "/") { path = path.dropLast() }
    return String(path)
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
    var host = [CChar](repeating: 0, count: 256)
    gethostname(&host, host.count - 1)
    let name = String(
      decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return "run \(id), process \(getpid()) on \(name), started \(startedAt.rfc3339)"
  }

  func note(_ text: String) { notes.append(text) }

  /// Clears up behind runs that died while they held this output, and makes the spool of this one.
  ///
  /// Called under the lock. A run has a spool only from here on, so one that waits for the lock has
  /// none, and one that has a spool for this output and is not this one is dead.
  func takeOver() throws {
    try clearAbandoned()
    try makeDirectories(spoolDirectory, mode: 0o700)
  }

  private func clearAbandoned() throws {
    let runs = joinPath(workspace.path, "runs")
    for name in try directoryEntries(runs) {
      let other = joinPath(runs, String(decoding: name, as: UTF8.self))
      guard other != directory, exists(joinPath(other, "spool")) else { continue }
      let state = joinPath(other, "run.json")
      guard exists(state) else { continue }
      let bytes = try readWholeFile(state, limit: 1 << 20)
      guard contains(bytes, "\"status\": \"running\""),
        contains(bytes, "\"out\": \(JSONValue.text(absoluteOut).text)")
      else { continue }
      try removeTree(joinPath(other, "spool"))
      try replaceFile(state, replacing("\"running\"", with: "\"abandoned\"", in: bytes))
    }
  }

  // MARK: The end of a run

  func finish(_ result: RunResult) throws {
    do {
      try removeTree(spoolDirectory)
      try writeLedger(result.ledger)
      try write(status: "done", error: nil, result: result)
    } catch {
      // The outputs are in place: what could not be noted must not make them a failure.
      note("the record of the run is not complete: \(error)")
    }
  }

  private func writeLedger(_ ledger: Ledger) throws(FileError) {
    try replaceFile(
      joinPath(directory, "ledger.json"), ledger.json.bytes(indented: true) + [0x0A])
  }

  /// Notes how the run failed, and returns the error to report.
  func fail(_ error: any Error) -> any Error {
    let reported: any Error
    var status = "failed"
    switch error {
    case is CancellationError, is RunInterrupted:
      reported = RunInterrupted(runID: id)
      status = "interrupted"
    case var held as LockHeld:
      held.runID = id
      reported = held
      status = "locked_out"
    case var over as OverBudget:
      over.runID = id
      over.runDirectory = directory
      reported = over
      status = "over_budget"
    default:
      var failure = RunError(error)
      failure.runID = id
      reported = failure
    }
    do {
      try removeTree(spoolDirectory)
      if let over = reported as? OverBudget { try writeLedger(over.ledger) }
      try write(status: status, error: reported, result: nil)
    } catch {
      note("the record of the run is not complete: \(error)")
    }
    return reported
  }

  private func write(status: String, error: (any Error)?, result: RunResult?) throws {
    var members: [JSONMember] = [
      JSONMember("run", .text(id)), JSONMember("pipeline", .text(plan.spec.name)),
      JSONMember("status", .text(status)), JSONMember("out", .text(absoluteOut)),
      JSONMember("spec", .text(plan.spec.source.name)),
      JSONMember("spec_path", .text(joinPath(absolutePath("."), plan.spec.source.name))),
      JSONMember("plan_sha256", .text(hexText(plan.hash))),
      JSONMember(
        "params",
        .object(plan.spec.params.values.map { JSONMember($0.name, .text($0.value.text)) })),
      JSONMember("params_given", .array(plan.spec.params.given.map { .text($0) })),
      JSONMember("keep", .int(keep)),
      JSONMember("process", .int(Int(getpid()))), JSONMember("started", .text(startedAt.rfc3339)),
    ]
    if status != "running" { members.append(JSONMember("ended", .text(Timestamp.now.rfc3339))) }
    if let error = error as? RunError {
      members.append(
        JSONMember(
          "error",
          [
            "code": .text(error.code), "message": .text(error.message), "fix": .text(error.fix),
            "retry": .bool(error.isTransient),
          ]))
    }
    if let over = error as? OverBudget {
      members += [
        JSONMember("complete", .bool(over.isComplete)),
        JSONMember("shards_left", .int(over.shardsLeft)),
        JSONMember("records", over.ledger.records.json),
      ]
      members += BudgetExcess.members(over.excesses)
      if !over.ledger.shardsSetAside.isEmpty {
        members += ShardFault.members(over.ledger.shardsSetAside)
      }
    }
    if let result {
      members += [
        JSONMember("run_key", .text(result.runKey)),
        JSONMember("seconds", .number(result.seconds)),
        JSONMember("records", result.ledger.records.json),
        JSONMember("outputs", .array(result.outputs.map(\.json))),
      ]
      if !result.ledger.shardsSetAside.isEmpty {
        members += ShardFault.members(result.ledger.shardsSetAside)
      }
      if !result.overBudget.isEmpty {
        members += BudgetExcess.members(result.overBudget)
      }
    }
    if !attempts.isEmpty { members.append(JSONMember("retries", attempts.json)) }
    if !notes.isEmpty { members.append(JSONMember("notes", .array(notes.map { .text($0) }))) }
    let bytes = JSONValue.object(members).bytes(indented: true) + [0x0A]
    let path = joinPath(directory, "run.json")
    if status == "running" { try writeNewFile(path, bytes) } else { try replaceFile(path, bytes) }
  }
}

private func contains(_ bytes: [UInt8], _ text: String) -> Bool {
  find(Array(text.utf8), in: bytes) != nil
}

private func replacing(_ text: String, with other: String, in bytes: [UInt8]) -> [UInt8] {
  let old = Array(text.utf8)
  guard let at = find(old, in: bytes) else { return bytes }
  return Array(bytes[..<at]) + Array(other.utf8) + Array(bytes[(at + old.count)...])
}

private func find(_ needle: [UInt8], in bytes: [UInt8]) -> Int? {
  guard bytes.count >= needle.count else { return nil }
  return (0...(bytes.count - needle.count)).first { bytes[$0...].starts(with: needle) }
}

extension Timestamp {
  /// The time of the machine: for records of runs, never for outputs.
  static var now: Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
  }
}
