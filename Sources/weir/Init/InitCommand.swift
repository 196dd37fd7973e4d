import ArgumentParser
import Glibc
import WeirEngine

struct InitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Make a folder with a pipeline that runs: a spec, data, a test, a README.",
    discussion: """
      The data is made up, with one change planted in it, so that the report has something to show. \
      The folder is made as a whole or not at all; one that has anything in it is left alone.

        weir init decisions
        weir run decisions/pipeline.json

      Exits 0 when the folder is made, 1 when it is not.
      """)

  @Argument(help: "The folder to make.", completion: .directory)
  var folder: String

  func validate() throws {
    let last = lastComponent(of: normalizedPath(folder))
    if last.utf8.isEmpty || same(last, ".") || same(last, "..") {
      throw ValidationError("name the folder to make, for example decisions")
    }
  }

  func run() throws {
    let folder = normalizedPath(folder)
    let draft = folder + ".draft-\(getpid())"
    do throws(FileError) {
      for file in InitFiles.all(name: InitFiles.name(for: folder)) {
        try writePage(file.bytes, at: joinPath(draft, file.path))
      }
      // It takes the place of an empty folder, and of nothing else.
      guard rename(draft, folder) == 0 else {
        throw FileError(path: folder, operation: "rename", code: errno)
      }
    } catch {
      if [ENOTEMPTY, EEXIST, ENOTDIR].contains(error.code), error.operation == "rename" {
        tell("Error: \(folder) is there already\n  try: the name of a folder that is not there")
      } else {
        tell("Error: \(folder) cannot be made: \(error)")
      }
      discard(draft)
      throw ExitCode(1)
    }
    try say(
      """
      \(folder): a pipeline over six weeks of made-up decisions
        next  weir run \(folder)/pipeline.json
              weir test \(folder)/pipeline.json
              then read \(folder)/README.md
      """)
  }

  private func discard(_ draft: String) {
    do throws(FileError) {
      try removeTree(draft)
    } catch {
      if !error.isNotThere { tell("\(draft) is left: \(error)") }
    }
  }
}
