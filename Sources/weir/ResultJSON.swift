import WeirCatalog
import WeirData
import WeirEngine

/// The one JSON object that a scheduler reads.
enum ResultJSON {
  static func done(
    _ result: RunResult, changes: ChangesSummary?, plan: Plan, exit: Int32,
    _ more: [JSONMember] = []
  ) -> String {
    var members = head(result.runID, plan, status: "done", exit: exit, retry: false)
    members += [
      JSONMember("records", result.ledger.records.json),
      JSONMember("blank", .int(result.ledger.records.blank)),
      quarantine(result.quarantine),
      JSONMember("out", .text(result.outDirectory)),
      JSONMember("outputs", .array(result.outputs.map(\.json))),
    ]
    if !result.findings.isEmpty {
      let total = result.findings.reduce(0) { $0 + $1.count }
      members.append(
        JSONMember(
          "findings",
          .object(
            [JSONMember("total", .int(total))]
              + result.findings.reversed().map { JSONMember($0.level, .int($0.count)) }
              + (changes?.findings ?? []).map { JSONMember($0.state, .int($0.count)) })))
    }
    members += result.ledger.expectations
    if !result.ledger.shardsSetAside.isEmpty {
      members += ShardFault.members(result.ledger.shardsSetAside)
    }
    if !result.overBudget.isEmpty { members += BudgetExcess.members(result.overBudget) }
    members.append(JSONMember("unchanged", .bool(result.isUnchanged)))
    members.append(JSONMember("reused", .int(result.tasks.count { $0.isReused })))
    members.append(JSONMember("tasks", .int(result.tasks.count)))
    if let changes, changes.hasBefore { members.append(JSONMember("changes", changes.json)) }
    members.append(JSONMember("run_key", .text(result.runKey)))
    members.append(JSONMember("seconds", .number((result.seconds * 1000).rounded() / 1000)))
    return JSONValue.object(members + more).text
  }

  private static func quarantine(_ summary: QuarantineSummary) -> JSONMember {
    JSONMember(
      "quarantine", .object(summary.byCode.map { JSONMember($0.code, .int($0.count)) }))
  }

  /// The outputs were withheld: what was refused, and which budgets that was too much for.
  private static func overBudget(
    _ over: OverBudget, plan: Plan, exit: Int32, _ more: [JSONMember]
  ) -> String {
    var members = head(over.runID, plan, status: "over_budget", exit: exit, retry: false)
    members += [
      JSONMember("complete", .bool(over.isComplete)),
      JSONMember("records", over.ledger.records.json),
      JSONMember("blank", .int(over.ledger.records.blank)), quarantine(over.quarantine),
    ]
    members += over.ledger.expectations
    if !over.ledger.shardsSetAside.isEmpty {
      members += ShardFault.members(over.ledger.shardsSetAside)
    }
    members += BudgetExcess.members(over.excesses)
    members.append(
      JSONMember(
        "error",
        [
          "code": "over_budget", "message": .text(over.message), "fix": .text(over.fix),
        ]))
    return JSONValue.object(members + more).text
  }

  static func failed(
    _ error: any Error, plan: Plan, exit: Int32, _ more: [JSONMember] = []
  ) -> String {
    if let over = error as? OverBudget { return overBudget(over, plan: plan, exit: exit, more) }
    var retry = false
    var details: [JSONMember] = []
    var status = "failed"
    var run: String?
    switch error {
    case let error as RunError:
      run = error.runID
      retry = error.isTransient
      details = [
        JSONMember("code", .text(error.code)), JSONMember("message", .text(error.message)),
        JSONMember("fix", .text(error.fix)),
      ]
    case let error as LockHeld:
      run = error.runID
      retry = true
      status = "locked"
      details = [
        JSONMember("code", "locked"), JSONMember("message", .text("held by \(error.holder)")),
      ]
    case let error as RunInterrupted:
      run = error.runID
      retry = true
      status = "interrupted"
      details = [JSONMember("code", "interrupted"), JSONMember("message", "stopped by a signal")]
    default:
      details = [JSONMember("code", "internal"), JSONMember("message", .text("\(error)"))]
    }
    return JSONValue.object(
      head(run, plan, status: status, exit: exit, retry: retry)
        + [JSONMember("error", .object(details))]
    ).text
  }

  static func invalid(_ spec: String, _ problems: Problems) -> String {
    var members = [
      JSONMember("spec", .text(spec)),
      JSONMember("status", problems.mayPass ? "failed" : "invalid"),
      JSONMember("exit", .int(Int64(problems.exit))), JSONMember("retry", .bool(problems.mayPass)),
    ]
    if problems.mayPass, let first = problems.sorted.first(where: \.isTransient) {
      members.append(
        JSONMember(
          "error",
          [
            "code": .text(first.code), "message": .text(first.message),
            "fix": .text(first.fix ?? ""),
          ]))
    }
    return withProblems(members, problems)
  }

  /// An object that ends with the members `problems`, `errors` and `more` of a spec's problems.
  static func withProblems(_ members: [JSONMember], _ problems: Problems) -> String {
    "\(JSONValue.object(members).text.dropLast()),\(problems.json.dropFirst())"
  }

  private static func head(
    _ run: String?, _ plan: Plan, status: String, exit: Int32, retry: Bool
  ) -> [JSONMember] {
    var members: [JSONMember] = []
    if let run { members.append(JSONMember("run", .text(run))) }
    return members + [
      JSONMember("pipeline", .text(plan.spec.name)), JSONMember("status", .text(status)),
      JSONMember("exit", .int(Int(exit))), JSONMember("retry", .bool(retry)),
      JSONMember(
        "params",
        .object(plan.spec.params.values.map { JSONMember($0.name, .text($0.value.text)) })),
    ]
  }
}
