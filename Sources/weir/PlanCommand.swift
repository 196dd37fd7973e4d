import ArgumentParser
import WeirCatalog
import WeirData
import WeirEngine

/// What a run would do, before it is done.
struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Say what a run would do: what is new, changed or gone, and what is read.",
    discussion: """
      Compares the shards with those that the outputs in place were made of, and with the digests of \
      earlier runs. Writes nothing and takes no lock.
      """)

  /// Names shown of each sort; --all shows every one.
  private static let shown = 10

  @Argument(help: "The pipeline spec.", completion: .file(extensions: ["json"]))
  var spec: String

  @Flag(help: "List every shard.")
  var all = false

  @OptionGroup var common: RunSettings

  func run() async throws {
    let (plan, problems) = SpecLoading.plan(spec, given: try common.values.given())
    guard let plan else {
      tell(problems.text)
      throw ExitCode(problems.exit)
    }
    let forecast: RunForecast
    let options = try common.options(spec: spec)
    do {
      forecast = try plan.forecast(options)
    } catch {
      let error = RunError(error)
      tell("\(plan.spec.name): \(error.message)\n  try: \(error.fix)")
      throw ExitCode(1)
    }
    let pace = pace(plan, options.workspace)
    try say(common.json ? json(forecast, pace, plan).text : text(forecast, pace, plan))
  }

  /// How fast it ran here before; a workspace without runs, or with a catalogue that cannot be read, has
  /// nothing to say.
  private func pace(_ plan: Plan, _ workspace: Workspace) -> RunPace? {
    guard workspace.isThere else { return nil }
    do throws(CatalogueError) {
      return try Catalogue.open(workspace).pace(of: plan.spec.name)
    } catch {
      tell("note: no time is estimated: \(error.message)")
      return nil
    }
  }

  private func text(_ forecast: RunForecast, _ pace: RunPace?, _ plan: Plan) -> String {
    let shards = forecast.shards
    var lines: [String] = []
    if forecast.isUnchanged {
      lines.append("\(plan.spec.name): nothing new; a run would do nothing")
    } else {
      lines.append("\(plan.spec.name): a run would make \(forecast.outDirectory) anew")
    }
    if !forecast.hasOutputs {
      lines.append("  there are no outputs yet")
    } else if !forecast.isSamePlan {
      lines.append("  the spec, a parameter or a file that it names is not what it was")
    }
    func part(_ name: String, _ names: [String], bytes: Int?) {
      guard !names.isEmpty else { return }
      let size = bytes.map { ", \(megabytes($0))" } ?? ""
      lines.append("  \(name)  \(counted(names.count, "shard"))\(size)")
      guard name.utf8.first != UInt8(ascii: "s") || all else { return }
      for shard in all ? names[...] : names.prefix(PlanCommand.shown) {
        lines.append("           \(shard)")
      }
      let rest = names.count - PlanCommand.shown
      if !all, rest > 0 { lines.append("           and \(grouped(rest)) more (--all)") }
    }
    for change in [RunForecast.Change.new, .changed, .same] {
      let mine = shards.filter { $0.change == change }
      part(
        (change.rawValue + "      ").prefix7, mine.map(\.name),
        bytes: mine.reduce(0) { $0 + $1.bytes })
    }
    part("gone   ", forecast.gone.map(\.name), bytes: nil)
    if !forecast.isUnchanged {
      let unknown = shards.filter { !$0.isKnown }
      let again = shards.filter(\.isReadAgain)
      lines.append(
        "  to read  \(megabytes(forecast.bytesToRead)): \(grouped(unknown.count)) of \(grouped(shards.count)) shards have no digest"
      )
      if !again.isEmpty {
        lines.append(
          "           \(megabytes(forecast.bytesToReadAgain)) more for the records of \(counted(again.count, "shard")), at most"
        )
      }
      if let pace {
        let seconds = pace.seconds(
          bytes: forecast.bytesToRead, bytesAgain: forecast.bytesToReadAgain)
        lines.append("  time     about \(RunsText.duration(seconds)), going by run \(pace.run)")
      }
    }
    return lines.joined(separator: "\n")
  }

  private func megabytes(_ bytes: Int) -> String {
    bytes < 1_000_000
      ? "\(grouped((bytes + 999) / 1_000)) kB" : "\(fixed(Double(bytes) / 1e6, 1)) MB"
  }

  private func json(_ forecast: RunForecast, _ pace: RunPace?, _ plan: Plan) -> JSONValue {
    [
      "pipeline": .text(plan.spec.name), "out": .text(forecast.outDirectory),
      "unchanged": .bool(forecast.isUnchanged), "has_outputs": .bool(forecast.hasOutputs),
      "same_plan": .bool(forecast.isSamePlan), "bytes_to_read": .int(forecast.bytesToRead),
      "bytes_to_read_again": .int(forecast.bytesToReadAgain),
      "seconds": pace.map {
        .number(
          forecast.isUnchanged
            ? 0 : $0.seconds(bytes: forecast.bytesToRead, bytesAgain: forecast.bytesToReadAgain))
      } ?? .null,
      "shards": .array(
        forecast.shards.map {
          [
            "source": .text($0.source), "shard": .text($0.name), "bytes": .int($0.bytes),
            "change": .text($0.change.rawValue), "known": .bool($0.isKnown),
            "read_again": .bool($0.isReadAgain),
          ]
        }),
      "gone": .array(
        forecast.gone.map { ["source": .text($0.source), "shard": .text($0.name)] }),
    ]
  }
}

extension String {
  fileprivate var prefix7: String { String(decoding: utf8.prefix(7), as: UTF8.self) }
}
