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

  @Option(name: .customLong("param"), help: "A parameter as NAME=VALUE; may be given again.")
  var params: [String] = []

  @Option(help: "The output directory itself (default: out/NAME/PARTITION beside the workspace).")
  var out: String?

  @Option(
    help:
      "The folder with the .weir workspace (default: the nearest one above the spec, else here).")
  var workspace: String?

  @Option(help: "Shards worked on at once (default: one a processor).")
  var workers: Int?

  @Option(
    help: ArgumentHelp(
      "Memory to work in, as 256MB, 1GiB or 4g; what needs more is put on the disk meanwhile (default: a quarter of the machine's).",
      valueName: "size"))
  var memory: MemorySize?

  @Option(help: "Target size of a batch in KiB; changes speed and memory, never a result.")
  var batchKib = 256

  @Option(help: "Runs whose outputs are kept, this one included.")
  var keep = 3

  @Option(
    help:
      "Times that reading a shard is tried again where a network file system does not answer (EAGAIN, EINTR, EIO, ESTALE, ETIMEDOUT)."
  )
  var retries = 2

  @Option(
    help: ArgumentHelp(
      "Disk that digests may take in the workspace, as 20GB, or 0 for none: with them a shard is read once, and a run that was stopped goes on where it was (default: a fifth of what is free).",
      valueName: "size"))
  var digests: DigestSize?

  @Flag(
    help:
      "Run also where nothing is new; without it a run that would make the outputs in place does nothing."
  )
  var force = false

  @Flag(help: "Exit with 99 when there was nothing new to do.")
  var skipCode = false

  @Option(help: "Exit with 3 when there are findings of this level or above.")
  var alert: AlertLevel?

  @Option(help: "How to show progress on stderr: auto, bar, json or none.")
  var progress = ProgressStyle.auto

  @Flag(help: "Print one JSON object with the result as the last line on stdout.")
  var json = false

  @Flag(help: "Print nothing when all is well.")
  var quiet = false

  func validate() throws {
    if let workers, !(1...1024).contains(workers) {
      throw ValidationError("--workers wants 1 to 1024")
    }
    guard (1...65_536).contains(batchKib) else {
      throw ValidationError("--batch-kib wants 1 to 65536")
    }
    _ = try shares()
    if let out, out.utf8.isEmpty { throw ValidationError("--out wants a directory") }
    guard (0...100).contains(retries) else { throw ValidationError("--retries wants 0 to 100") }
    guard keep >= 1 else { throw ValidationError("--keep wants 1 or more") }
  }

  /// - Throws: `ValidationError` where the memory is not enough for one worker.
  private func shares() throws -> MemoryShares {
    let workers = workers ?? max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    do throws(MemoryTooSmall) {
      return try MemoryShares(
        limit: memory?.bytes ?? MemoryShares.defaultLimit, workers: workers,
        batchBytes: batchKib * 1024)
    } catch {
      throw ValidationError(
        "--memory wants at least \(MemoryShares.text(error.smallest)) here: less is not enough for one worker"
      )
    }
  }

  func run() async throws { try await run(thenSay: nil) }

  /// - Parameter more: what else is to be said about a run that has a ledger, by the path of its record.
  func run(thenSay more: ((RunResultDirectory) throws -> RunAddition)?) async throws {
    let signals = SignalWatch()
    let (plan, problems) = SpecLoading.plan(spec, params: try params.parameters())
    if !problems.isEmpty, !(quiet && !problems.hasErrors) { tell(problems.text) }
    guard let plan else {
      if json { try say(ResultJSON.invalid(spec, problems)) }
      throw ExitCode(78)
    }
    let shares = try shares()
    var options = RunOptions(
      workers: shares.workers, workspace: Workspace.find(given: workspace, spec: spec))
    options.memory = shares
    options.batchBytes = batchKib * 1024
    options.outDirectory = out
    options.keep = keep
    options.retries.limit = retries
    options.digestBytes = digests?.bytes
    options.isForced = force
    let history = CatalogueHistory(options.workspace)
    options.history = history
    options.exitStatus = { [self] in exitStatus($0, signals.signal) }
    let outcome = await execute(plan, options, signals)
    try report(outcome, plan, history, signals.signal, more)
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
    _ signal: Int32, _ more: ((RunResultDirectory) throws -> RunAddition)?
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
      do {
        if !quiet, !json {
          try say(RunText.summary(result, changes: changes, pipeline: plan.spec.name))
          if let addition { try say(addition.text) }
        }
        if json {
          try say(
            ResultJSON.done(
              result, changes: changes, plan: plan, exit: exit, addition?.members ?? []))
        }
      } catch {
        tell(
          "\(plan.spec.name): the run is done and its outputs are in place, but the result could not be written to stdout: see \(result.runDirectory)/run.json"
        )
        throw error
      }
      if exit != 0 { throw ExitCode(exit) }
    case .failure(let error):
      tell(RunText.failure(error, pipeline: plan.spec.name, spec: spec, exit: exit))
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
