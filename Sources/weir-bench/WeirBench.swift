import ArgumentParser

@main
struct WeirBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weir-bench",
    abstract: "Make data to test and measure Weir with, and measure its parts.",
    subcommands: [Generate.self, Micro.self, Accuracy.self, RelationsCommand.self])
}
