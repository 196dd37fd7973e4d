import ArgumentParser
import Glibc
import WeirData
import WeirEngine
import WeirStages

enum ExplainFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json, dot, mermaid
}

struct ExplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Show the plan that a run goes by: passes, fused stages, columns, memory.",
    discussion: """
      Reads the first lines of the sources to estimate records and memory (--sample 0: no line), and \
      writes nothing.

        weir explain pipelines/nightly-trends.json
        weir explain pipelines/flights.json --format mermaid
        weir explain pipelines/market-report.json --param market=DE --format json
      """)

  @Argument(help: "The pipeline spec.", completion: .file(extensions: ["json"]))
  var spec: String

  @OptionGroup var values: ParamOptions

  @Option(help: "text, json, dot (Graphviz) or mermaid.")
  var format = ExplainFormat.text

  @Option(help: "Lines of each source to go by for the estimates.")
  var sample = 20_000

  @Option(help: "Shards that a run works on at once (default: one a processor).")
  var workers: Int?

  @Option(
    help: ArgumentHelp("The memory that a run would have, as 256MB or 1GiB.", valueName: "size"))
  var memory: MemorySize?

  func validate() throws {
    guard (0...1_000_000).contains(sample) else {
      throw ValidationError("--sample wants 0 to 1000000")
    }
    if let workers, !(1...1024).contains(workers) {
      throw ValidationError("--workers wants 1 to 1024")
    }
    _ = try shares()
  }

  private func shares() throws -> MemoryShares {
    do throws(MemoryTooSmall) {
      return try MemoryShares(
        limit: memory?.bytes ?? MemoryShares.defaultLimit,
        workers: workers ?? max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))),
        batchBytes: 256 * 1024)
    } catch {
      throw ValidationError("--memory wants at least \(MemoryShares.text(error.smallest)) here")
    }
  }

  func run() async throws {
    let (plan, problems) = SpecLoading.plan(spec, given: try values.given(), secrets: .orStandIn)
    if !problems.isEmpty { tell(problems.text) }
    guard let plan else {
      if format == .json { try say(ResultJSON.invalid(spec, problems)) }
      throw ExitCode(problems.exit)
    }
    let explanation = await plan.explain(linesSampled: sample)
    switch format {
    case .text:
      try say(
        ExplainText(
          explanation: explanation, shares: try shares(),
          memory: memory?.bytes ?? MemoryShares.defaultLimit
        )
        .text)
    case .json: try say(ExplainJSON.value(explanation).text)
    case .dot: try say(ExplainGraph(explanation).dot)
    case .mermaid: try say(ExplainGraph(explanation).mermaid)
    }
  }
}
