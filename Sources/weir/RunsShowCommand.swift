import ArgumentParser
import WeirCatalog
import WeirData
import WeirEngine

struct RunsShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "All about one run: ledger, timings, outputs, findings, and what it changed.")

  @Argument(
    help: ArgumentHelp("The id of a run, the beginning of one, or `last`.", valueName: "run"))
  var id: String

  @OptionGroup var options: WorkspaceOptions

  @Flag(help: "Show all rows of long tables, not the first ones.")
  var all = false

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let catalogue = try options.catalogue()
    let details = try RunsProblem.answer { () throws(CatalogueError) in
      try catalogue.details(try catalogue.run(id))
    }
    if json {
      try say(details.json.text)
    } else {
      try say(RunShowText(details, rows: all ? .max : RunShowText.rowsShown).text)
    }
  }
}

struct RunsVerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check that the outputs of a run are still what it wrote.",
    discussion: """
      Reads every output file again: its size and SHA-256 must be those of the run, and nothing else \
      may lie beside them. Exits 0 when that is so, or when the outputs were pruned after later runs; \
      1 with every difference otherwise.
      """)

  @Argument(
    help: ArgumentHelp("The id of a run, the beginning of one, or `last`.", valueName: "run"))
  var id: String

  @OptionGroup var options: WorkspaceOptions

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let catalogue = try options.catalogue()
    let check = try RunsProblem.answer { () throws(CatalogueError) in
      try catalogue.verify(try catalogue.run(id))
    }
    if json {
      try say(
        JSONValue.object([
          JSONMember("run", .text(check.run.id)),
          JSONMember("outputs_state", .text(check.place.rawValue)),
          JSONMember("verified", .bool(check.isGood && check.place != .pruned)),
          JSONMember("files", .int(check.files)), JSONMember("bytes", .int(check.bytes)),
          JSONMember("differences", .array(check.differences.map(\.json))),
        ]).text)
    } else {
      try say(RunsText.verified(check))
    }
    if !check.isGood { throw ExitCode(1) }
  }
}

struct RunsPruneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune",
    abstract: "Remove the directories of old runs.",
    discussion: """
      Removes what lies in .weir/runs: record, ledger, quarantine. Outputs are not touched (`weir run \
      --keep` sees to those), and the history stays in the catalogue. A run that may still go on, and \
      the one whose outputs are in place, are never removed.
      """)

  @Option(help: "How many of the newest runs of each pipeline stay.")
  var keep: Int

  @Option(help: "Only runs of this pipeline.")
  var pipeline: String?

  @OptionGroup var options: WorkspaceOptions

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    guard keep >= 0 else { throw ValidationError("--keep wants 0 or more") }
  }

  func run() throws {
    let catalogue = try options.catalogue()
    let result = try RunsProblem.answer { () throws(CatalogueError) in
      try catalogue.prune(keep: keep, pipeline: pipeline)
    }
    if json {
      try say(
        JSONValue.object([
          JSONMember("removed", .array(result.removed.map { .text($0) })),
          JSONMember("bytes", .int(result.bytes)),
          JSONMember(
            "spared",
            .array(
              result.spared.map { ["run": .text($0.run), "reason": .text($0.reason)] })),
        ]).text)
    } else {
      try say(RunsText.pruned(result))
    }
  }
}
