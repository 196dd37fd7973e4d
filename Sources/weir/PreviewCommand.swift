import ArgumentParser
import Glibc
import WeirData
import WeirEngine
import WeirStages

struct PreviewCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "preview",
    abstract: "Show what a stage does to the first records that reach it, before and after.",
    discussion: """
      Reads as much of the shards as it needs, and writes nothing: no output, no run, no digest. \
      What it shows is what a run over the lines that were read would do. A dedupe compares those \
      records only, and a table counts them only.

        weir preview pipelines/nightly-trends.json --stage clean
        weir preview pipelines/nightly-trends.json --stage clean --by market --records 2
        weir preview pipelines/market-report.json --stage daily --param market=DE

      Exits 0 also where records are refused, 1 where the input cannot be read, 64 where there is no \
      such stage or field, 78 where the spec is invalid.
      """)

  @Argument(help: "The pipeline spec.", completion: .file(extensions: ["json"]))
  var spec: String

  @Option(help: ArgumentHelp("The stage to look at, or one of its outputs.", valueName: "name"))
  var stage: String

  @Option(
    help: ArgumentHelp(
      "Records that are to reach the stage (default: 10; 10000 for stages that compare or count records).",
      valueName: "n"))
  var records: Int?

  @Option(
    help: ArgumentHelp(
      "A field: that many records of each of its values, in front of the stage.",
      valueName: "field"))
  var by: String?

  @OptionGroup var values: ParamOptions

  @Option(help: ArgumentHelp("Lines read of a source at most.", valueName: "lines"))
  var limit = 1_000_000

  @Flag(help: "Show every field of a record, not only what changed and what the stage looks at.")
  var all = false

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    if let records, !(1...100_000).contains(records) {
      throw ValidationError("--records wants 1 to 100000")
    }
    guard (1...100_000_000).contains(limit) else {
      throw ValidationError("--limit wants 1 to 100000000")
    }
    if let by, FieldPath(text: by) == nil {
      throw ValidationError("--by wants a field, for example market or model.score")
    }
  }

  func run() async throws {
    let (plan, problems) = SpecLoading.plan(spec, given: try values.given(), secrets: .orStandIn)
    if !problems.isEmpty { tell(problems.text) }
    guard let plan else {
      if json { try say(ResultJSON.invalid(spec, problems)) }
      throw ExitCode(problems.exit)
    }
    let preview: Preview
    do {
      var request = Preview.Request(try StageReference(stage, in: plan.spec))
      request.records = records
      request.groupBy = by.flatMap { FieldPath(text: $0) }
      request.linesMax = limit
      preview = try await plan.preview(request, form: .lines)
    } catch {
      throw told(error, plan.spec.name)
    }
    if json {
      try say(PreviewJSON.value(preview).text)
    } else {
      try say(PreviewText(preview: preview, showsAll: all, paint: .onTerminal).text)
    }
  }
}
