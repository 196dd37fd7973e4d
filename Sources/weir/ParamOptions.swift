import ArgumentParser
import Glibc
import WeirEngine

/// The parameters of a spec on a command line.
struct ParamOptions: ParsableArguments {
  @Option(name: .customLong("param"), help: "A parameter as NAME=VALUE; may be given again.")
  var params: [String] = []

  @Option(
    name: .customLong("params"),
    help: ArgumentHelp(
      "A JSON object of parameters; --param goes before it.", valueName: "file"),
    completion: .file(extensions: ["json"]))
  var paramsFile: String?

  var isEmpty: Bool { params.isEmpty && paramsFile == nil }

  /// The parameters that were given.
  func given() throws -> GivenParams {
    var given = GivenParams(commandLine: try params.map(pair))
    guard let paramsFile else { return given }
    do throws(FileError) {
      given.file = SpecSource(
        name: paramsFile, bytes: try readWholeFile(paramsFile, limit: SpecLoading.bytesMax))
    } catch {
      tell(
        "--params: \(paramsFile) cannot be read: \(error.reason)\n  try: --param NAME=VALUE, or a JSON file with { \"NAME\": VALUE }"
      )
      throw ExitCode(78)
    }
    return given
  }

  private func pair(_ text: String) throws -> (name: String, value: String) {
    guard let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")), equals != text.startIndex
    else { throw ValidationError("--param wants NAME=VALUE, this is '\(text)'") }
    return (String(text[..<equals]), String(text[text.utf8.index(after: equals)...]))
  }
}

extension GivenParams {
  /// Those of a command line: paths are from the current directory.
  init(commandLine list: [(name: String, value: String)]) {
    self.init(list, currentDirectory: GivenParams.currentDirectory())
  }

  private static func currentDirectory() -> String {
    guard let path = getcwd(nil, 0) else { return "/" }
    defer { free(path) }
    return String(cString: path)
  }
}
