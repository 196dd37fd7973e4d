import ArgumentParser
import Glibc
import WeirCatalog
import WeirData
import WeirEngine

enum AlertLevel: String, ExpressibleByArgument, CaseIterable {
  case notice, warning, critical
}

struct MemorySize: ExpressibleByArgument {
  var bytes: Int

  init?(argument: String) {
    guard let bytes = MemoryShares.bytes(argument) else { return nil }
    self.bytes = bytes
  }
}

/// Where the record of a run lies: `.weir/runs/ID`.
typealias RunResultDirectory = String

/// What a command that runs a pipeline for its own ends says beyond the result.
struct RunAddition {
  var text: String
  /// Of the JSON result.
  var members: [JSONMember]
}

struct DigestSize: ExpressibleByArgument {
  var bytes: Int

  init?(argument: String) {
    guard let bytes = argument == "0" ? 0 : MemoryShares.bytes(argument) else { return nil }
    self.bytes = bytes
  }
}

struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a pipeline.",
    discussion: """
      The outputs are swapped in when all of them are complete: a run that fails or is stopped \
      leaves those of the last run untouched, and can be started again at any time.
      """)

  @Argument(help: "The pipeline spec.", completion: .file(extensions: ["json"]))
  var spec: String

  @OptionGroup var settings: RunSettings

  @Flag(help: "Exit with 99 when there was nothing new to do.")
  var skipCode = false

  @Option(help: "Exit with 3 when there are findings of this level or above.")
  var alert: AlertLevel?

  @Option(help: "How to show progress on stderr: auto, bar, json or none.")
  var progress = ProgressStyle.auto

  @Option(
    help: ArgumentHelp(
      "A name for this request: sent again with it, a request that was done is not done again, and the result is the one of the first time.",
      valueName: "key"))
  var idempotencyKey: String?

  private var json: Bool { settings.json }
  private var quiet: Bool { settings.quiet }

  func validate() throws {
    if let idempotencyKey, idempotencyKey.utf8.isEmpty {
      throw ValidationError("--idempotency-key wants a key")
    }
  }

  func run() async throws { try await run(thenSay: nil) }

  /// - Parameter more: what else is to be said about a run that has a ledger, by the path of its record.
  func run(thenSay more: ((RunResultDirectory) throws -> RunAddition)?) async throws {
    let signals = SignalWatch()
    let (plan, problems) = SpecLoading.plan(spec, given: try settings.values.given())
    if !problems.isEmpty, !(quiet && !problems.hasErrors) { tell(problems.text) }
    guard let plan else {
      if json { try say(ResultJSON.invalid(spec, problems)) }
      throw ExitCode(problems.exit)
    }
    var options = try settings.options(spec: spec)
    options.endsProcess = true
    let key = idempotencyKey.map {
      IdempotencyKey($0, plan: plan, workspace: options.workspace)
    }
    if let key, try answerAgain(key, plan) { return }
    let history = CatalogueHistory(options.workspace)
    options.history = history
    options.exitStatus = { [self] in exitStatus($0, signals.signal) }
    let outcome = await execute(plan, options, signals)
    try report(outcome, plan, history, signals.signal, more, key)
  }

  /// Says once more what came of a request that was done before.
  ///
  /// - Returns: false where it was not.
  private func answerAgain(_ key: IdempotencyKey, _ plan: Plan) throws -> Bool {
    let answer: IdempotencyKey.Answer?
    do {
      answer = try key.recall()
    } catch {
      let error = RunError(error)
      tell(RunText.failure(error, pipeline: plan.spec.name, exit: 1))
      if json { try say(ResultJSON.failed(error, plan: plan, exit: 1)) }
      throw ExitCode(1)
    }
    guard let answer else { return false }
    if json {
      try say(answer.line)
    } else if !quiet {
      try say("\(plan.spec.name): this request was done by run \(answer.run)")
    }
    if answer.exit != 0 { throw ExitCode(answer.exit) }
    return true
  }

  private func execute(
    _ plan: Plan, _ options: RunOptions, _ signals: SignalWatch
  ) async -> Result<RunResult, any Error> {
    let counter = Progress()
    let display = ProgressDisplay(style: quiet ? .none : progress, progress: counter)
    let shown = Task { await display.run() }
    let task = Task { try await plan.run(options, progress: counter) }
    signals.onSignal { task.cancel() }
    let outcome = await task.result
    shown.cancel()
    await shown.value
    return outcome
  }

  private func report(
    _ outcome: Result<RunResult, any Error>, _ plan: Plan, _ history: CatalogueHistory,
    _ signal: Int32, _ more: ((RunResultDirectory) throws -> RunAddition)?, _ key: IdempotencyKey?
  ) throws {
    let exit = exitStatus(outcome, signal)
    switch outcome {
    case .success(let result):
      let changes = history.changes
      for fault in result.ledger.shardsSetAside.prefix(RunText.excessesShown) {
        tell("\(plan.spec.name): warning: shard set aside: \(fault.text)")
      }
      for excess in result.overBudget.prefix(RunText.excessesShown) {
        tell("\(plan.spec.name): warning: over budget: \(excess.text)")
      }
      for note in result.notes where !quiet { tell("note: \(note)") }
      let addition = self.addition(more, result.runDirectory)
      let line = ResultJSON.done(
        result, changes: changes, plan: plan, exit: exit, addition?.members ?? [])
      do {
        try key?.remember(line: line, exit: exit, run: result.runID)
      } catch {
        tell("note: the request was done, but that could not be noted: \(error)")
      }
      do {
        if !quiet, !json {
          try say(RunText.summary(result, changes: changes, pipeline: plan.spec.name))
          if let addition { try say(addition.text) }
        }
        if json { try say(line) }
      } catch {
        tell(
          "\(plan.spec.name): the run is done and its outputs are in place, but the result could not be written to stdout: see \(result.runDirectory)/run.json"
        )
        throw error
      }
      if exit != 0 { throw ExitCode(exit) }
    case .failure(let error):
      tell(RunText.failure(error, pipeline: plan.spec.name, exit: exit))
      var addition: RunAddition?
      if let over = error as? OverBudget, over.isComplete, let directory = over.runDirectory {
        addition = self.addition(more, directory)
      }
      if let addition { tell(addition.text) }
      if json {
        try say(ResultJSON.failed(error, plan: plan, exit: exit, addition?.members ?? []))
      }
      throw ExitCode(exit)
    }
  }

  /// What was to be found out besides: that it could not be changes nothing about the run.
  private func addition(
    _ more: ((RunResultDirectory) throws -> RunAddition)?, _ directory: String
  ) -> RunAddition? {
    do {
      return try more?(directory)
    } catch {
      tell("note: this run could not be compared: \(printable(RunError(error).message))")
      return nil
    }
  }

  private func exitStatus(_ outcome: Result<RunResult, any Error>, _ signal: Int32) -> Int32 {
    switch outcome {
    case .success(let result): result.isUnchanged && skipCode ? 99 : alertExit(result)
    case .failure(is LockHeld): 75
    case .failure(is OverBudget): 2
    case .failure(is RunInterrupted): signal == SIGTERM ? 143 : 130
    case .failure: 1
    }
  }

  private func alertExit(_ result: RunResult) -> Int32 {
    guard let alert else { return 0 }
    let loud = AlertLevel.allCases.drop { $0 != alert }.map(\.rawValue)
    return result.findings.contains { loud.contains($0.level) && $0.count > 0 } ? 3 : 0
  }
}
