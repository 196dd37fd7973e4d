import Glibc
import Testing
import WeirData
import WeirEngine
import WeirStages
import WeirTesting

private let recipes = listFolder(repository + "/docs/recipes")
  .filter { $0.hasSuffix(".json") && $0 != "decisions.json" }

/// Runs a spec where it lies; nothing is written beside it.
private func run(_ path: String, _ text: [UInt8]) async throws -> (RunResult, files: [String]) {
  try await withTemporaryFolder { folder in
    var (spec, problems) = Spec.load(
      text, file: path, registry: .standard, currentDirectory: "/")
    #expect(problems.isEmpty, "\(problems.text)")
    let plan = spec.flatMap { Plan.make($0, problems: &problems) }
    spec = nil
    var options = RunOptions(workers: 2, workspace: Workspace(path: folder.file(".weir")))
    options.outDirectory = folder.file("out")
    let made = try #require(plan, "\(problems.text)")
    let result = try await made.run(options, progress: Progress())
    return (result, try filesBelow(folder.file("out")).keys.sorted())
  }
}

@Suite struct `The recipes` {
  @Test func `are ten, and each is on the page`() throws {
    let page = String(
      decoding: try readWholeFile(repository + "/docs/recipes.md", limit: 1 << 20), as: UTF8.self)
    #expect(recipes.count >= 10)
    for name in recipes { #expect(page.contains("recipes/" + name), "\(name)") }
  }

  @Test(arguments: recipes)
  func `answer with rows or findings on the samples`(name: String) async throws {
    let path = "\(repository)/docs/recipes/\(name)"
    let text = try readWholeFile(path, limit: 1 << 20)
    #expect(SpecFormat.format(text, file: path).text == text, "weir fmt \(path)")
    let (result, files) = try await run(path, text)
    #expect(result.ledger.records.written > 0)
    #expect(result.outputs.contains { $0.rows > 0 }, "\(files)")
  }
}

@Suite struct `The tutorial` {
  /// Every block of JSON in docs/spec.md is a whole spec, which stands in a file at the top of the checkout;
  /// one that begins with a path in its fence is the file that is included then.
  @Test func `has only snippets that run`() async throws {
    let page = String(
      decoding: try readWholeFile(repository + "/docs/spec.md", limit: 1 << 20), as: UTF8.self)
    let blocks = page.split(separator: "```json", omittingEmptySubsequences: false).dropFirst()
      .compactMap { $0.split(separator: "\n```", maxSplits: 1).first }
    #expect(blocks.count >= 7)
    try await withTemporaryFolder { folder in
      #expect(symlink(repository + "/data-samples", folder.file("data-samples")) == 0)
      for (index, block) in blocks.enumerated() {
        let parts = block.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        let text = Array(parts[1].utf8) + [0x0A]
        let name = String(parts[0].drop { $0 == " " })
        guard name.isEmpty else {
          try makeFolder(folder.path + "/" + String(name.prefix { $0 != "/" }))
          try writePage(text, at: folder.file(name))
          continue
        }
        let (result, files) = try await run(folder.file("step-\(index).json"), text)
        #expect(result.ledger.records.written > 0, "block \(index): \(files)")
      }
    }
  }
}
