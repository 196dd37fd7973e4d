/// A value for a parameter that does not come from its declaration.
struct GivenParam {
  let name: String
  let nameNode: SpecNode
  let value: SpecNode
  /// Whether the value is text to be read by the type of the parameter, as on a command line; else it is
  /// JSON.
  let isText: Bool
  /// Reads a path, which stands in the file or on the command line that the value came from.
  let path: @Sendable (String) -> String
}

/// The values that a run is given for parameters.
public struct GivenParams: Sendable {
  /// The `--param` of a command line, in their order.
  public var list: [(name: String, value: String)]
  /// A JSON object of values (`--params FILE`). What the command line says as well goes before it.
  public var file: SpecSource?
  /// Against which paths of the command line are read; absolute.
  public var currentDirectory: String

  public init(
    _ list: [(name: String, value: String)] = [], file: SpecSource? = nil,
    currentDirectory: String = "/"
  ) {
    self.list = list
    self.file = file
    self.currentDirectory = currentDirectory
  }

  public var isEmpty: Bool { list.isEmpty && file == nil }

  /// Those of the file first.
  func read(_ problems: inout Problems) -> [GivenParam] {
    fromFile(&problems) + fromCommandLine(&problems)
  }

  private func fromFile(_ problems: inout Problems) -> [GivenParam] {
    guard let file, let root = SpecJSON.parse(file, problems: &problems) else { return [] }
    guard let members = root.object else {
      problems.add(
        "wrong_type", at: root.opening,
        "a file of parameters is an object, this is \(root.kindText)",
        expected: "{ \"market\": \"DE\" }")
      return []
    }
    let folder = absolute(directory(of: file.name))
    return members.map { member in
      GivenParam(
        name: member.key, nameNode: member.keyNode, value: member.value, isText: false,
        path: { SpecScope.path($0, in: folder) })
    }
  }

  private func fromCommandLine(_ problems: inout Problems) -> [GivenParam] {
    var given: [GivenParam] = []
    for (name, text) in list {
      let bytes = Array("\(name)=\(text)".utf8)
      let source = SpecSource(name: "--param", bytes: bytes)
      func place(_ range: Range<Int>, _ text: String) -> SpecNode {
        SpecNode(
          kind: .string(text), range: range, pointer: .key(.key(.root, "params"), name),
          source: source)
      }
      let key = place(0..<name.utf8.count, name)
      if given.contains(where: { same($0.name, name) }) {
        problems.add(
          "duplicate_param", at: key, "the parameter \(shown(name)) is given twice",
          fix: "give it once")
        continue
      }
      given.append(
        GivenParam(
          name: name, nameNode: key,
          value: place(min(name.utf8.count + 1, bytes.count)..<bytes.count, text), isText: true,
          path: { [self] in absolute($0) }))
    }
    return given
  }

  private func absolute(_ path: String) -> String {
    SpecScope.path(path, in: currentDirectory)
  }
}
