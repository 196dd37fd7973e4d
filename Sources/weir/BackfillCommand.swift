import ArgumentParser
import Glibc
import WeirCatalog
import WeirData
import WeirEngine

/// One run for each date of a range.
struct BackfillCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backfill",
    abstract: "Run a pipeline once for each date of a range.",
    discussion: """
      Each date is a run of its own, with its own output: the date goes into the parameter of type \
      date that the spec names under "partition". Dates whose outputs are in place and up to date are \
      passed over, so a backfill that was stopped goes on where it was when it is started again. A \
      date that fails does not stop the others.

      Exits 0 when every date is done, 1 when one failed, 78 when the spec is invalid.
      """)

  /// More runs than anybody wants.
  private static let datesMax = 10_000

  @Argument(help: "The pipeline spec.", completion: .file(extensions: ["json"]))
  var spec: String

  @Option(help: "The first date, as 2026-09-01.")
  var from: String

  @Option(help: "The last date.")
  var to: String

  @Option(help: "Days from one date to the next.")
  var step = 1

  @Option(help: "The parameter that takes the date, where \"partition\" names several.")
  var by: String?

  @Option(help: "Runs at once; they share the workers.")
  var jobs = 1

  @Flag(help: "Stop at the first date that fails.")
  var failFast = false

  @OptionGroup var common: RunSettings

  func validate() throws {
    guard step >= 1 else { throw ValidationError("--step wants 1 or more days") }
    guard (1...64).contains(jobs) else { throw ValidationError("--jobs wants 1 to 64") }
    guard common.out == nil else {
      throw ValidationError("--out names one output, and a backfill makes many: use --workspace")
    }
    _ = try dates()
  }

  private func dates() throws -> [CivilDate] {
    func day(_ text: String, _ option: String) throws -> CivilDate {
      guard let day = CivilDate(iso: text) else {
        throw ValidationError("\(option) wants a date such as 2026-09-01, this is '\(text)'")
      }
      return day
    }
    let (first, last) = (try day(from, "--from"), try day(to, "--to"))
    guard first <= last else { throw ValidationError("--from is after --to") }
    let days = Array(stride(from: first.daysSinceEpoch, through: last.daysSinceEpoch, by: step))
    guard days.count <= BackfillCommand.datesMax else {
      throw ValidationError(
        "\(days.count) dates are too many: the limit is \(BackfillCommand.datesMax)")
    }
    return days.map { CivilDate(daysSinceEpoch: $0) }
  }

  func run() async throws {
    let signals = SignalWatch()
    let given = try common.values.given()
    let dates = try dates()
    let name = try parameter()
    let plans = try dates.map { (date: $0, plan: try plan(given, name, $0)) }
    let work = Task { await runAll(plans, signals) }
    signals.onSignal { work.cancel() }
    let results = await work.value
    try report(results, signals.signal)
  }

  /// The parameter that takes the date.
  private func parameter() throws -> String {
    let (names, problems) = SpecLoading.partitionDates(spec)
    guard let dates = names else {
      tell(problems.text)
      throw ExitCode(problems.exit)
    }
    if let by {
      guard dates.contains(where: { same($0, by) }) else {
        throw ValidationError(
          "--by \(by): \"partition\" of the spec has no parameter of type date with that name\(dates.isEmpty ? "" : ": it has \(dates.joined(separator: ", "))")"
        )
      }
      return by
    }
    guard dates.count == 1 else {
      throw ValidationError(
        dates.isEmpty
          ? "\"partition\" of \(spec) names no parameter of type date: every date would write the same output"
          : "\"partition\" of \(spec) names several dates: say which with --by \(dates.joined(separator: " or --by "))"
      )
    }
    return dates[0]
  }

  private func plan(
    _ given: GivenParams, _ name: String, _ date: CivilDate
  ) throws -> Plan {
    var given = given
    given.list = given.list.filter { !same($0.name, name) } + [(name, date.iso)]
    let (plan, problems) = SpecLoading.plan(spec, given: given)
    guard let plan else {
      tell(problems.text)
      throw ExitCode(problems.exit)
    }
    return plan
  }

  // MARK: Running

  private struct Outcome: Sendable {
    var date: CivilDate
    var result: Result<RunResult, any Error>?
  }

  private func runAll(
    _ plans: [(date: CivilDate, plan: Plan)], _ signals: SignalWatch
  ) async -> [Outcome] {
    await withTaskGroup(of: (Int, Outcome).self) { group in
      var outcomes = plans.map { Outcome(date: $0.date) }
      var next = 0
      var isStopped = false
      func start() {
        guard next < plans.count, !isStopped else { return }
        let index = next
        next += 1
        let (date, plan) = plans[index]
        group.addTask {
          (index, Outcome(date: date, result: await runOne(plan)))
        }
      }
      for _ in 0..<jobs { start() }
      while let (index, outcome) = await group.next() {
        outcomes[index] = outcome
        if !common.quiet { tell(line(outcome)) }
        if case .failure? = outcome.result, failFast { isStopped = true }
        if Task.isCancelled { isStopped = true }
        start()
      }
      return outcomes
    }
  }

  private func runOne(_ plan: Plan) async -> Result<RunResult, any Error> {
    do {
      var options = try common.options(spec: spec)
      options.workers = max(1, options.workers / jobs)
      options.history = CatalogueHistory(options.workspace)
      return .success(try await plan.run(options, progress: Progress()))
    } catch {
      return .failure(error)
    }
  }

  // MARK: Saying what happened

  private func line(_ outcome: Outcome) -> String {
    switch outcome.result {
    case nil: return "\(outcome.date.iso)  not run"
    case .success(let result):
      if result.isUnchanged { return "\(outcome.date.iso)  nothing new" }
      return
        "\(outcome.date.iso)  done in \(fixed(result.seconds, 1)) s: \(grouped(result.ledger.records.read)) read, \(grouped(result.ledger.records.written)) written, \(grouped(result.ledger.records.quarantined)) quarantined"
    case .failure(let error): return "\(outcome.date.iso)  failed: \(message(error))"
    }
  }

  private func message(_ error: any Error) -> String {
    switch error {
    case let error as RunError: error.message
    case let error as LockHeld: "another run holds the output: \(error.holder)"
    case let error as OverBudget: "over budget: \(error.message)"
    case is RunInterrupted: "stopped"
    default: "\(error)"
    }
  }

  private func report(_ outcomes: [Outcome], _ signal: Int32) throws {
    var (done, unchanged, failed, left) = (0, 0, 0, 0)
    for outcome in outcomes {
      switch outcome.result {
      case nil: left += 1
      case .success(let result): if result.isUnchanged { unchanged += 1 } else { done += 1 }
      case .failure(let error): if error is RunInterrupted { left += 1 } else { failed += 1 }
      }
    }
    let exit: Int32 = signal == SIGTERM ? 143 : signal != 0 ? 130 : failed > 0 ? 1 : 0
    if common.json {
      try say(
        JSONValue.object([
          JSONMember("status", .text(exit == 0 ? "done" : failed > 0 ? "failed" : "interrupted")),
          JSONMember("exit", .int(Int(exit))), JSONMember("dates", .int(outcomes.count)),
          JSONMember("done", .int(done)), JSONMember("unchanged", .int(unchanged)),
          JSONMember("failed", .int(failed)), JSONMember("not_run", .int(left)),
          JSONMember("runs", .array(outcomes.map(json))),
        ]).text)
    } else if !common.quiet || exit != 0 {
      var text =
        "\(outcomes.count) dates: \(done) done, \(unchanged) with nothing new, \(failed) failed, \(left) not run"
      if exit != 0 {
        text += "\n  try: the same command: dates that are done are passed over"
      }
      try say(text)
    }
    if exit != 0 { throw ExitCode(exit) }
  }

  private func json(_ outcome: Outcome) -> JSONValue {
    var members = [JSONMember("date", .text(outcome.date.iso))]
    switch outcome.result {
    case nil: members.append(JSONMember("status", "not_run"))
    case .success(let result):
      members += [
        JSONMember("status", result.isUnchanged ? "unchanged" : "done"),
        JSONMember("run", .text(result.runID)), JSONMember("out", .text(result.outDirectory)),
        JSONMember("records", result.ledger.records.json),
        JSONMember("run_key", .text(result.runKey)),
      ]
    case .failure(let error):
      members += [
        JSONMember(
          "status",
          error is RunInterrupted ? "interrupted" : error is OverBudget ? "over_budget" : "failed"),
        JSONMember("message", .text(message(error))),
        JSONMember("retry", .bool((error as? RunError)?.isTransient ?? !(error is OverBudget))),
      ]
    }
    return .object(members)
  }
}
