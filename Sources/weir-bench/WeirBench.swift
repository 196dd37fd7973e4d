import ArgumentParser

@main
struct WeirBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weir-bench",
    abstract: "Make data to test and measure Weir with.",
    subcommands: [Generate.self])
}
