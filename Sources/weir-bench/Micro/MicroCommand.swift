import ArgumentParser
import Glibc
import WeirData

struct Micro: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure the parts of a pipeline one by one.",
    discussion: """
      Takes shards of decisions through the parts in one thread, from memory, and prints the CPU \
      time of each: ns a line, and MB of JSON text a second. Medians of the rounds.

      \(MicroStep.allCases.map { "\($0.rawValue): \($0.about)" }.joined(separator: "\n"))

      A step runs what it needs of the steps before it and prints what was asked for. To see where \
      its time goes: perf record weir-bench micro scan --rounds 50
      """)

  @Argument(
    help: ArgumentHelp(
      "Which: \(MicroStep.allCases.map(\.rawValue).joined(separator: ", "))."))
  var steps: [MicroStep] = MicroStep.allCases
  @Option(help: "A folder with date=*/*.jsonl.zst, as `weir-bench generate` makes them.")
  var data = "data-samples/decisions"
  @Option(help: "How often each is measured.") var rounds = 9
  @Option(help: "Only so many shards; dedupe and splice take them all.") var shards = 16

  func validate() throws {
    guard rounds >= 1 else { throw ValidationError("--rounds must be 1 or more") }
    guard shards >= 1 else { throw ValidationError("--shards must be 1 or more") }
  }

  func run() async throws {
    let data = absolutePath(data)
    let wanted = Set(steps)
    if !wanted.allSatisfy(\.isDifference) { try measureSteps(wanted, data) }
    for step in steps where step.isDifference { try await measureDifference(step, data) }
  }

  private func measureSteps(_ wanted: Set<MicroStep>, _ data: String) throws {
    let pipeline = try PipelineSteps(data: data, steps: wanted, shardsMax: shards)
    var warmUp = MicroTimes()
    try pipeline.round(into: &warmUp)
    var times = MicroTimes()
    for _ in 0..<rounds { try pipeline.round(into: &times) }
    for step in MicroStep.allCases where wanted.contains(step) {
      // Where only text is wanted no lines are counted.
      let lines = pipeline.lineCount > 0 ? pipeline.lineCount : nil
      show(step, times, lines: lines, bytes: pipeline.textBytes)
    }
  }

  private func measureDifference(_ step: MicroStep, _ data: String) async throws {
    var runs = RunDifference(data: data)
    var times = MicroTimes()
    for _ in 0..<rounds { try await runs.round(step, into: &times) }
    show(step, times, lines: runs.rows, bytes: nil)
  }

  private func show(_ step: MicroStep, _ times: MicroTimes, lines: Int?, bytes: Int?) {
    guard let seconds = times.summary(step) else { return }
    var columns = [left(step.rawValue, 10)]
    if let lines {
      let perLine = 1e9 / Double(lines)
      columns.append("\(right(seconds.median * perLine, 8)) ns a line")
      columns.append(
        "(\(right(seconds.least * perLine, 1)) to \(right(seconds.most * perLine, 1)))")
    } else {
      columns.append("\(right(seconds.median * 1e3, 8)) ms")
    }
    if let bytes { columns.append("\(right(Double(bytes) / 1e6 / seconds.median, 8)) MB/s") }
    print(columns.joined(separator: "  "))
  }

  private func left(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.utf8.count))
  }

  /// One decimal, right-aligned.
  private func right(_ value: Double, _ width: Int) -> String {
    let tenths = Int((value * 10).rounded())
    let text = "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
    return String(repeating: " ", count: max(0, width - text.utf8.count)) + text
  }
}

/// The path from the root.
private func absolutePath(_ path: String) -> String {
  guard !path.utf8.starts(with: "/".utf8), let here = getcwd(nil, 0) else { return path }
  defer { free(here) }
  return String(cString: here) + "/" + path
}
