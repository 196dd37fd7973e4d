import ArgumentParser
import WeirCatalog
import WeirData
import WeirEngine

struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs",
    abstract: "What ran, how it ended, and what it changed.",
    discussion: """
      The history of a workspace. The directory of a run (.weir/runs/ID) is the truth about it; the \
      catalogue (.weir/catalog.db) is made from these directories, and keeps the history of those that \
      were pruned.
      """,
    subcommands: [
      RunsListCommand.self, RunsShowCommand.self, RunsVerifyCommand.self, RunsPruneCommand.self,
    ],
    defaultSubcommand: RunsListCommand.self)
}

/// Which workspace, for the commands that ask about runs.
struct WorkspaceOptions: ParsableArguments {
  @Option(
    help: "The folder with the .weir workspace (default: the nearest one above this folder).")
  var workspace: String?

  /// The catalogue, with what a person should know about it told on stderr.
  func catalogue() throws -> Catalogue {
    do throws(CatalogueError) {
      // The workspace above a spec is the one above its folder; here there is only the folder.
      let catalogue = try Catalogue.open(Workspace.find(given: workspace, spec: "./spec"))
      for note in catalogue.notes { tell("note: \(note)") }
      return catalogue
    } catch {
      throw RunsProblem.exit(error)
    }
  }
}

/// Tells of a question that has no answer.
enum RunsProblem {
  static func exit(_ error: CatalogueError) -> ExitCode {
    tell("runs: \(error.message)\n  try: \(error.fix)")
    return ExitCode(1)
  }

  /// The value, or the way out with the problem told.
  static func answer<Value>(_ ask: () throws(CatalogueError) -> Value) throws -> Value {
    do throws(CatalogueError) {
      return try ask()
    } catch {
      throw exit(error)
    }
  }
}

struct RunsListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List runs, the newest first (what `weir runs` does).")

  @OptionGroup var options: WorkspaceOptions

  @Option(help: "Only runs of this pipeline.")
  var pipeline: String?

  @Option(
    help: ArgumentHelp(
      "Only runs that began then or later: 2026-11-27, 2026-11-27T02:00:00Z, or 12h, 7d, 4w ago.",
      valueName: "when"))
  var since: Since?

  @Option(
    help:
      "Only runs of this status: running, done, failed, over_budget, interrupted, locked_out, abandoned or damaged."
  )
  var status: StatusName?

  @Option(help: "At most so many (default: 20; 0: all).")
  var limit = 20

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    guard limit >= 0 else { throw ValidationError("--limit wants 0 or more") }
  }

  func run() throws {
    let catalogue = try options.catalogue()
    let filter = RunFilter(
      pipeline: pipeline, since: since?.time, status: status?.status,
      // One more than is shown: to know whether there are more.
      limit: limit == 0 ? nil : limit + 1)
    let (runs, pipelines) = try RunsProblem.answer { () throws(CatalogueError) in
      (try catalogue.runs(filter), try catalogue.pipelines())
    }
    if let pipeline, !pipelines.contains(where: { same($0, pipeline) }) {
      throw RunsProblem.exit(
        CatalogueError(
          code: "unknown_pipeline", message: "no pipeline \(pipeline) ran in this workspace",
          fix: pipelines.isEmpty
            ? "nothing ran here yet: weir run SPEC"
            : "one of \(pipelines.joined(separator: ", ")); or another workspace with --workspace"))
    }
    let shown = limit == 0 ? runs : Array(runs.prefix(limit))
    if json {
      try say(
        JSONValue.object([
          JSONMember("runs", .array(shown.map(\.json))),
          JSONMember("more", .bool(shown.count < runs.count)),
          JSONMember("notes", .array(catalogue.notes.map { .text($0) })),
        ]).text)
    } else {
      try say(RunsText.list(shown, hasMore: shown.count < runs.count))
    }
  }
}

/// A point in time, or how long ago.
struct Since: ExpressibleByArgument {
  let time: Timestamp

  init?(argument: String) {
    if let day = CivilDate(iso: argument) {
      time = Timestamp(microseconds: Int64(day.daysSinceEpoch) * 86_400_000_000)
    } else if let time = Timestamp(rfc3339: argument) {
      self.time = time
    } else {
      let units: [UInt8: Int64] = [
        UInt8(ascii: "m"): 60, UInt8(ascii: "h"): 3_600, UInt8(ascii: "d"): 86_400,
        UInt8(ascii: "w"): 604_800,
      ]
      guard let unit = argument.utf8.last.flatMap({ units[$0] }),
        let count = Int64(argument.dropLast()), (0...100_000).contains(count)
      else { return nil }
      time = Timestamp(microseconds: Timestamp.now.microseconds - count * unit * 1_000_000)
    }
  }
}

struct StatusName: ExpressibleByArgument {
  let status: RunStatus
  static let allValueStrings = RunStatus.allCases.filter { $0 != .placing }.map(\.rawValue)

  init?(argument: String) {
    guard let status = RunStatus(rawValue: argument), status != .placing else { return nil }
    self.status = status
  }
}
