import ArgumentParser
import WeirEngine

struct FmtCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fmt",
    abstract: "Put specs into the one layout; keys keep their order.",
    discussion: """
      Writes each file in place where that changes it. A file that is no JSON is left alone, and its \
      problems are shown. Test files (NAME.test.json) are passed over: \
      `weir test --update` writes those.

      Exits 0 when all is well, 1 when --check found a file in another layout or a file cannot be \
      written, 78 when a file is no JSON.
      """)

  @Argument(help: "Pipeline specs.", completion: .file(extensions: ["json"]))
  var specs: [String]

  @Flag(help: "Write nothing; name the files that are in another layout.")
  var check = false

  func run() throws {
    var exit: Int32 = 0
    // `weir fmt pipelines/*.json` names the test files too, which `weir test` lays out.
    for path in specs where !TestFile.isOne(path) {
      let (read, unreadable) = SpecLoading.read(path)
      guard let bytes = read else {
        tell(unreadable.text)
        exit = 78
        continue
      }
      let (text, problems) = SpecFormat.format(bytes, file: path)
      guard let text else {
        tell(problems.text)
        exit = 78
        continue
      }
      guard text != bytes else { continue }
      if check {
        try say("\(path): not in the layout of weir fmt")
        exit = max(exit, 1)
        continue
      }
      do {
        try writePage(text, at: path)
        try say("\(path): written anew")
      } catch {
        tell("\(path): \(error)")
        exit = max(exit, 1)
      }
    }
    if exit != 0 { throw ExitCode(exit) }
  }
}
