import ArgumentParser
import WeirData
import WeirEngine

/// Goes on with a run that did not come to its end.
struct ResumeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume",
    abstract: "Go on with a run that was stopped, killed, or failed.",
    discussion: """
      Starts the pipeline again with the spec, the parameters and the output of that run; tasks that it \
      had finished are not repeated. `weir run` with the same arguments does the same. The outputs are \
      those of a run that was never stopped.
      """)

  @Argument(
    help: ArgumentHelp(
      "The id of a run, the beginning of one, or `last`: the latest that did not come to its end.",
      valueName: "run"))
  var id = "last"

  @Option(
    help: "The folder with the .weir workspace (default: the nearest one above this folder).")
  var workspace: String?

  @Option(help: "Shards worked on at once (default: one a processor).")
  var workers: Int?

  @Option(help: ArgumentHelp("Memory to work in, as for weir run.", valueName: "size"))
  var memory: String?

  @Option(help: "How to show progress on stderr: auto, bar, json or none.")
  var progress = ProgressStyle.auto

  @Flag(help: "Print one JSON object with the result as the last line on stdout.")
  var json = false

  @Flag(help: "Print nothing when all is well.")
  var quiet = false

  func run() async throws {
    let run = try find()
    switch run.record.seenStatus {
    case .running, .placing:
      tell("run \(run.id) is still running")
      throw ExitCode(75)
    case .done:
      tell("run \(run.id) is done: there is nothing to go on with")
      return
    case .failed, .interrupted, .lockedOut, .abandoned, .overBudget, .damaged: break
    }
    guard var arguments = run.arguments else {
      throw problem(
        "run \(run.id) did not note its spec and its output",
        fix: "weir run SPEC with its parameters: tasks that it finished are not repeated")
    }
    arguments.append("--progress=\(progress.rawValue)")
    if let workers { arguments.append("--workers=\(workers)") }
    if let memory { arguments.append("--memory=\(memory)") }
    if json { arguments.append("--json") }
    if quiet { arguments.append("--quiet") }
    if !quiet { tell("going on with run \(run.id)") }
    try await RunCommand.parse(arguments).run()
  }

  private func find() throws -> RunFolder {
    // Outputs that a later run has made, which nobody needs to go on with; asked from the latest on.
    var made: Set<[UInt8]> = []
    do {
      return try Workspace.find(given: workspace, spec: "./spec").run(
        named: id,
        last: { run in
          let out = Array((run.out ?? "").utf8)
          if run.record.seenStatus == .done { made.insert(out) }
          return ![.done, .lockedOut].contains(run.record.seenStatus) && !made.contains(out)
        }, "was stopped before its end")
    } catch {
      let error = RunError(error)
      throw problem(error.message, fix: error.fix)
    }
  }

  private func problem(_ message: String, fix: String) -> ExitCode {
    tell("resume: \(message)\n  try: \(fix)")
    return ExitCode(1)
  }
}
