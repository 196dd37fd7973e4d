import ArgumentParser
import WeirData
import WeirEngine

enum ProblemFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json, sarif
}

struct ValidateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Check specs without touching data: every problem, with its place and the fix.",
    discussion: "Exits 0 when all specs can run, 78 when one cannot.")

  @Argument(help: "Pipeline specs.", completion: .file(extensions: ["json"]))
  var specs: [String]

  @OptionGroup var values: ParamOptions

  @Flag(help: "The same as --format json.")
  var json = false

  @Option(
    help:
      "text; json: one object a spec and line; or sarif: one SARIF 2.1.0 log of all specs, as code hosts read it."
  )
  var format: ProblemFormat?

  func validate() throws {
    if json, let format, format != .json {
      throw ValidationError("--json and --format \(format.rawValue) contradict each other")
    }
  }

  func run() async throws {
    let given = try values.given()
    let format = json ? .json : format ?? .text
    var exit: Int32 = 0
    var found: [Problems] = []
    for path in specs {
      let (plan, problems) = SpecLoading.plan(
        path, given: given, allowMissingParams: given.isEmpty, secrets: .orStandIn)
      if problems.hasErrors { exit = max(exit, problems.exit) }
      if format == .sarif {
        found.append(problems)
      } else if format == .json {
        try say(
          ResultJSON.withProblems(
            [JSONMember("spec", .text(path)), JSONMember("valid", .bool(!problems.hasErrors))],
            problems))
      } else if problems.isEmpty {
        let stages = plan.map { ": \($0.spec.stages.count) stages" } ?? ""
        try say("\(path): valid\(stages)")
      } else {
        try say(problems.text)
        if !problems.hasErrors { try say("\(path): valid, with warnings") }
      }
    }
    if format == .sarif { try say(Problems.sarif(found)) }
    if exit != 0 { throw ExitCode(exit) }
  }
}
