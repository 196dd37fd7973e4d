import Testing
import WeirTesting

/// What the documents show of a terminal is what comes out: each line that begins with `$ ` is run, one
/// after the other in a folder with the pipelines and the sample data.
@Suite(
  .enabled(if: RunningBinary.weir != nil, "the binary is not beside the tests"),
  .timeLimit(.minutes(5)))
struct `A transcript in the documents` {
  private struct Step {
    var command: String
    var output: [String] = []
  }

  /// The commands of the blocks that begin with one, with the lines below each.
  private func steps(_ page: [String]) -> [Step] {
    var found: [Step] = []
    var isBlock = false
    var isTranscript = false
    for line in page {
      if line.hasPrefix("```") {
        isBlock.toggle()
        isTranscript = false
      } else if isBlock, line.hasPrefix("$ ") {
        isTranscript = true
        found.append(Step(command: String(line.dropFirst(2))))
      } else if isTranscript {
        found[found.count - 1].output.append(line)
      }
    }
    return found
  }

  @Test(arguments: ["docs/testing.md", "docs/spec.md"])
  func `is what comes out`(page: String) throws {
    let steps = steps(lines(of: try readFile("\(repository)/\(page)")))
    #expect(steps.count >= 2)
    try withTemporaryFolder { folder in
      // Some commands change pipelines; data is only read.
      let made = try RunningBinary.run(
        "sh",
        [
          "-c",
          "cp -R '\(repository)/pipelines' . && ln -s '\(repository)/data-samples' . && mkdir docs && cp -R '\(repository)/docs/schema' docs",
        ], in: folder.path)
      #expect(made.exit == 0, "\(made.errors)")
      let path = String(weir.dropLast("/weir".count))
      for step in steps {
        let outcome = try RunningBinary.run(
          "sh", ["-c", "PATH='\(path)':$PATH; \(step.command)"], in: folder.path)
        let shown = lines(of: outcome.stdout) + lines(of: outcome.stderr)
        #expect(shown == step.output, "$ \(step.command)")
      }
    }
  }
}
