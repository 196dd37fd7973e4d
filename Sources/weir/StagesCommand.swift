import ArgumentParser
import Glibc
import WeirEngine
import WeirStages

struct StagesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stages",
    abstract: "The manual of every stage.",
    discussion: "Without a type: one line a stage. --schema prints the JSON Schema of specs.")

  @Argument(help: "A stage type, for example dedupe.")
  var type: String?

  @Flag(help: "Print the JSON Schema (draft 2020-12) of a pipeline spec.")
  var schema = false

  @Option(help: "Write the docs pages and the schema below this folder (docs).")
  var write: String?

  func run() throws {
    let registry = StageRegistry.standard
    if let write {
      for page in Documentation.pages(registry) {
        try Documentation.save(page.text, at: joinPath(write, page.path))
      }
      return
    }
    if schema {
      try emit(pipelineSchema(registry), to: STDOUT_FILENO)
      return
    }
    guard let type else {
      let width = registry.types.map { $0.manual.type.count }.max() ?? 0
      for stage in registry.types {
        let manual = stage.manual
        let padding = String(repeating: " ", count: width - manual.type.count)
        try say("\(manual.kind.rawValue.padded(to: 8))\(manual.type)\(padding)  \(manual.summary)")
      }
      return
    }
    let found = registry.types.filter { $0.manual.type.utf8.elementsEqual(type.utf8) }
    guard !found.isEmpty else {
      let names = registry.types.map { $0.manual.type }.joined(separator: ", ")
      throw ValidationError("there is no stage '\(type)': the types are \(names)")
    }
    for stage in found { try emit(stageText(stage.manual, width: 80), to: STDOUT_FILENO) }
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, width - count))
  }
}
