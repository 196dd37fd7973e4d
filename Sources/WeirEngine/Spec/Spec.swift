import WeirData

/// A spec whose sections and wiring words were read, before the types of its stages are known.
public struct Spec: Sendable {
  public static let stageLimit = 500
  public static let paramLimit = 500

  public let source: SpecSource
  public let root: SpecNode
  public let name: String
  public let description: String
  /// Names of parameters.
  let partition: [(name: String, node: SpecNode)]
  let ledgerFields: [(path: FieldPath, node: SpecNode)]
  public let params: [ParamDeclaration]
  /// The names of all parameters, also of those whose declaration is wrong.
  let paramNames: [String]
  /// In which days begin: `today` of a date. `nil`: UTC.
  let zone: SpecNode?
  let fragments: [SpecFragment]
  /// In the order of the file; those of fragments after them.
  public let stages: [StageDeclaration]

  public var ledgerBy: [FieldPath] { ledgerFields.map(\.path) }

  /// The parameters of type date that are part of the name of the output.
  public var partitionDates: [String] {
    params.filter { param in
      param.type == .date && partition.contains { $0.name.utf8.elementsEqual(param.name.utf8) }
    }.map(\.name)
  }

  static let keys = [
    "$schema", "name", "description", "zone", "partition", "ledger_by", ErrorBudget.key, "params",
    "include", "sources", "transforms", "sinks",
  ]

  private static let skeleton =
    "{ \"name\": ..., \"sources\": { ... }, \"transforms\": { ... }, \"sinks\": { ... } }"

  /// Reads a spec as far as that needs no stage type. `nil` where the text is no JSON object;
  /// with errors in the problems it can still be checked for more of them.
  public static func parse(_ bytes: [UInt8], file: String) -> (Spec?, Problems) {
    var problems = Problems()
    let source = SpecSource(name: file, bytes: bytes)
    if bytes.count <= SpecLimits().bytes,
      bytes.allSatisfy({ [0x20, 0x09, 0x0A, 0x0D].contains($0) })
    {
      problems.add(
        SpecProblem(
          code: "empty", severity: .error, source: source, range: 0..<0, pointer: .root,
          message: "there is nothing in this file", expected: skeleton,
          fix: "weir init FOLDER, which writes a spec that works, with data to try it on",
          related: []))
      return (nil, problems)
    }
    guard let root = SpecJSON.parse(source, problems: &problems) else { return (nil, problems) }
    guard root.object != nil else {
      problems.add(
        "wrong_type", at: root.opening, "a spec is an object, this is \(root.kindText)",
        expected: skeleton,
        fix: root.array.map { $0.count == 1 && $0[0].object != nil } == true
          ? "remove the [ and ] around the object" : nil)
      return (nil, problems)
    }
    var parsing = SpecParsing(problems: problems)
    let spec = parsing.spec(root)
    return (spec, parsing.problems)
  }
}

/// One stage as it was written.
public struct StageDeclaration: Sendable {
  /// One entry of `inputs`.
  struct Input: Sendable {
    let stage: String
    /// `""` is the default output.
    let port: String
    let node: SpecNode
  }

  public let name: String
  /// The name, to point at.
  public let nameNode: SpecNode
  public let section: SpecSection
  public let type: String?
  /// The value of `type`, or the object that lacks it.
  let typeNode: SpecNode
  let inputs: [Input]
  /// `nil` where the declaration has none.
  let inputsNode: SpecNode?
  /// `inputs`, or the misspelling that was read for it.
  let inputsKey: String?
  let description: String
  /// Index of the fragment that it stands in; `nil`: in the spec itself.
  let fragment: Int?
  /// The whole declaration.
  public let node: SpecNode

  /// The members that belong to every stage.
  static func commonKeys(_ section: SpecSection) -> [String] {
    (section == .sources ? ["type"] : ["type", "inputs"]) + ["description", ErrorBudget.key]
  }
}
