import ArgumentParser
import WeirEngine

@main
struct Weir: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weir",
    abstract: "Run moderation-quality pipelines over zstd JSONL shards.",
    discussion: """
      A pipeline is a JSON spec of sources, transforms and sinks. Every record that is read is \
      written, deduplicated, filtered or quarantined, and a run that does not add up fails.

      Exit status: 0 done, 1 failed (outputs untouched), 2 over an error budget \
      (outputs withheld), 3 findings at or above --alert, \
      64 wrong command line, 75 another run holds the output, 78 the spec or a parameter is \
      invalid, 130 interrupted, 143 terminated.
      """,
    version: weirVersion,
    subcommands: [
      RunCommand.self, ValidateCommand.self, StagesCommand.self, RunsCommand.self,
      QuarantineCommand.self, EvalCommand.self, InitCommand.self, FmtCommand.self,
      PlanCommand.self, BackfillCommand.self, ResumeCommand.self, PreviewCommand.self,
      ExplainCommand.self, TestCommand.self, EvidenceCommand.self,
    ])
}
