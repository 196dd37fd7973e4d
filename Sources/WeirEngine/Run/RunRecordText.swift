import WeirData

/// How far a run is, as its `run.json` says.
public enum RunStatus: String, Sendable, CaseIterable {
  /// It works, or waits for its lock.
  case running
  /// All is written; the outputs are being swapped in.
  case placing
  case done
  case failed
  /// It refused more records than its error budget allows: its outputs were withheld.
  case overBudget = "over_budget"
  /// Stopped by a signal.
  case interrupted
  /// Another run held the output.
  case lockedOut = "locked_out"
  /// It died: nobody ended it.
  case abandoned
  /// Its record cannot be read; none says this of itself.
  case damaged
}

// What `run.json` says: all that there is to know about a run, so that an index of runs can be made
// again from it.
extension RunRecord {
  enum State {
    case running
    case placing(RunResult)
    case done(RunResult)
    case failed(any Error)
  }

  func text(_ state: State) -> [UInt8] {
    JSONValue.object(members(state)).bytes(indented: true) + [0x0A]
  }

  private func members(_ state: State) -> [JSONMember] {
    let ending = ending(state)
    var members: [JSONMember] = [
      JSONMember("run", .text(id)), JSONMember("pipeline", .text(plan.spec.name)),
      JSONMember("status", .text(ending.status.rawValue)),
    ]
    if let exit = ending.exit {
      members += [
        JSONMember("exit", .int(Int(exit))), JSONMember("retry", .bool(ending.isTransient)),
      ]
    }
    members += [
      JSONMember("out", .text(absoluteOut)), JSONMember("spec", .text(plan.spec.source.name)),
      JSONMember("spec_path", .text(joinPath(absolutePath("."), plan.spec.source.name))),
      JSONMember("weir", .text(weirVersion)), JSONMember("plan_sha256", .text(hexText(plan.hash))),
      JSONMember(
        "params",
        .object(plan.spec.params.values.map { JSONMember($0.name, .text($0.value.text)) })),
    ]
    members += [
      JSONMember("params_given", .array(plan.spec.params.given.map { .text($0) })),
      JSONMember("keep", .int(options.keep)),
    ]
    members += ProcessIdentity.current.members
    members.append(JSONMember("started", .text(startedAt.rfc3339)))
    let ended = Timestamp.now
    if ending.exit != nil { members.append(JSONMember("ended", .text(ended.rfc3339))) }
    members.append(JSONMember("attempts", .array([attempt(ending.status, ended)])))
    if let tookOver { members.append(JSONMember("took_over", .text(tookOver))) }
    if !ending.error.isEmpty { members.append(JSONMember("error", .object(ending.error))) }
    switch state {
    case .placing(let result), .done(let result): members += came(to: result)
    case .failed(let over as OverBudget): members += came(to: over)
    case .running, .failed: break
    }
    if !retries.isEmpty { members.append(JSONMember("retries", retries.json)) }
    if !notes.isEmpty { members.append(JSONMember("notes", .array(notes.map { .text($0) }))) }
    return members
  }

  private func attempt(_ status: RunStatus, _ ended: Timestamp) -> JSONValue {
    let here = ProcessIdentity.current
    var members: [JSONMember] = [
      JSONMember("attempt", 1), JSONMember("process", .int(here.process)),
      JSONMember("host", .text(here.host)), JSONMember("started", .text(startedAt.rfc3339)),
    ]
    if status != .running, status != .placing {
      members.append(JSONMember("ended", .text(ended.rfc3339)))
    }
    return .object(members + [JSONMember("status", .text(status.rawValue))])
  }

  private struct Ending {
    var status: RunStatus
    var exit: Int32?
    var isTransient = false
    var error: [JSONMember] = []
  }

  private func ending(_ state: State) -> Ending {
    switch state {
    case .running: return Ending(status: .running)
    case .placing: return Ending(status: .placing)
    case .done(let result): return Ending(status: .done, exit: options.exitStatus(.success(result)))
    case .failed(let error):
      let exit = options.exitStatus(.failure(error))
      func described(_ code: String, _ message: String, _ fix: String) -> [JSONMember] {
        [
          JSONMember("code", .text(code)), JSONMember("message", .text(message)),
          JSONMember("fix", .text(fix)),
        ]
      }
      switch error {
      case let error as RunError:
        return Ending(
          status: .failed, exit: exit, isTransient: error.isTransient,
          error: described(error.code, error.message, error.fix))
      case let error as LockHeld:
        return Ending(
          status: .lockedOut, exit: exit, isTransient: true,
          error: described("locked", "held by \(error.holder)", "run again when that run is done"))
      case let error as OverBudget:
        return Ending(
          status: .overBudget, exit: exit,
          error: described("over_budget", error.message, error.fix))
      case is RunInterrupted:
        return Ending(
          status: .interrupted, exit: exit, isTransient: true,
          error: described("interrupted", "stopped by a signal", "run it again"))
      default:
        let error = RunError(error)
        return Ending(
          status: .failed, exit: exit, isTransient: error.isTransient,
          error: described(error.code, error.message, error.fix))
      }
    }
  }

  private func came(to over: OverBudget) -> [JSONMember] {
    var members: [JSONMember] = [
      JSONMember("complete", .bool(over.isComplete)),
      JSONMember("shards_left", .int(over.shardsLeft)),
      JSONMember("records", over.ledger.records.json),
      JSONMember("blank", .int(over.ledger.records.blank)),
      JSONMember("ledger_by", .array(over.ledger.groupFields.map { .text($0) })),
      quarantine(over.quarantine),
    ]
    members += over.ledger.expectations
    members += BudgetExcess.members(over.excesses)
    if !over.ledger.shardsSetAside.isEmpty {
      members += ShardFault.members(over.ledger.shardsSetAside)
    }
    return members
  }

  private func quarantine(_ summary: QuarantineSummary) -> JSONMember {
    JSONMember(
      "quarantine",
      .array(
        summary.entries.map {
          [
            "stage": .text($0.stage), "code": .text($0.code),
            "field": $0.field.map { .text($0) } ?? .null, "count": .int($0.count),
          ]
        }))
  }

  private func came(to result: RunResult) -> [JSONMember] {
    var members: [JSONMember] = [
      JSONMember("run_key", .text(result.runKey)),
      JSONMember("seconds", .number(milliseconds(result.seconds))),
      JSONMember(
        "phases",
        .object(
          result.phases.map {
            JSONMember($0.name.rawValue, .number(milliseconds($0.seconds)))
          })),
    ]
    if result.isUnchanged { members.append(JSONMember("unchanged", true)) }
    if let place {
      members.append(JSONMember("directory", .text(joinPath(absolutePath("."), place.directory))))
      if let before = place.before {
        members.append(JSONMember("replaced", .text(joinPath(absolutePath("."), before))))
      }
    }
    members += [
      JSONMember("records", result.ledger.records.json),
      JSONMember("blank", .int(result.ledger.records.blank)),
      JSONMember("ledger_by", .array(result.ledger.groupFields.map { .text($0) })),
      quarantine(result.quarantine),
    ]
    if !result.findings.isEmpty {
      members.append(
        JSONMember(
          "findings",
          .object(result.findings.reversed().map { JSONMember($0.level, .int($0.count)) })))
    }
    members += result.ledger.expectations
    if !result.ledger.shardsSetAside.isEmpty {
      members += ShardFault.members(result.ledger.shardsSetAside)
    }
    if !result.overBudget.isEmpty { members += BudgetExcess.members(result.overBudget) }
    return members + [
      JSONMember("outputs", .array(result.outputs.map(\.json))),
      JSONMember(
        "task_counts",
        [
          "done": .int(result.tasks.count { !$0.isReused }),
          "reused": .int(result.tasks.count { $0.isReused }),
        ]),
      JSONMember("tasks", .array(result.tasks.prefix(RunRecord.tasksMax).map(\.json))),
    ]
  }

  /// Of more tasks than these only the counts are noted: nobody reads so long a list.
  private static let tasksMax = 2_000
}
