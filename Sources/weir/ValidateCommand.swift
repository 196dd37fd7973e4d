import ArgumentParser
import WeirData
import WeirEngine

struct ValidateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Check specs without touching data: every problem, with its place and the fix.",
    discussion: "Exits 0 when all specs can run, 78 when one cannot.")

  @Argument(help: "Pipeline specs.", completion: .file(extensions: ["json"]))
  var specs: [String]

  @Option(name: .customLong("param"), help: "A parameter as NAME=VALUE; may be given again.")
  var params: [String] = []

  @Flag(help: "Print the problems as JSON: one object a spec.")
  var json = false

  func run() async throws {
    let given = try params.parameters()
    var exit: Int32 = 0
    for path in specs {
      let (plan, problems) = SpecLoading.plan(
        path, params: given, allowMissingParams: given.isEmpty)
      if problems.hasErrors { exit = max(exit, problems.exit) }
      if json {
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
    if exit != 0 { throw ExitCode(exit) }
  }
}
