import ArgumentParser

@main
struct Weir: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weir",
    abstract: "Run moderation-quality pipelines over zstd JSONL shards.",
    version: "0.1.0")
}
