/// The stage types that a spec may name, in the order that `weir stages` lists them.
///
/// A source, a transform and a sink may share a name, as `jsonl` does: the section tells them
/// apart.
public struct StageRegistry: Sendable {
  public let types: [any Stage.Type]

  public init(_ types: [any Stage.Type]) {
    self.types = types
  }

  public var manuals: [StageManual] { types.map { $0.manual } }

  /// All types of this name, at most one for each section.
  public func types(named name: String) -> [any Stage.Type] {
    types.filter { same($0.manual.type, name) }
  }

  /// The names of the types that may stand in a section.
  public func names(in section: SpecSection) -> [String] {
    manuals.filter { $0.kind.section == section }.map { $0.type }
  }

  /// The type that other tools call so.
  func type(alsoCalled word: String, in section: SpecSection) -> String? {
    let folded = String(
      decoding: word.utf8.compactMap { byte -> UInt8? in
        switch byte {
        case UInt8(ascii: "_"), UInt8(ascii: "-"), 0x20: nil
        case 0x41...0x5A: byte | 0x20
        default: byte
        }
      }, as: UTF8.self)
    return manuals.first { manual in
      manual.kind.section == section && manual.synonyms.contains { same($0, folded) }
    }?.type
  }

  /// What is wrong with the manuals themselves: names used twice, defaults that their own type
  /// refuses, examples that do not check. Empty in a release; a test asks.
  public func faults() -> [String] {
    var faults: [String] = []
    for (index, type) in types.enumerated() {
      let manual = type.manual
      let title = "\(manual.kind.section.singular) '\(manual.type)'"
      let hasTwin = types[..<index].contains {
        same($0.manual.type, manual.type) && $0.manual.kind.section == manual.kind.section
      }
      if hasTwin { faults.append("\(title): the name is used twice") }
      if manual.accepts.isEmpty != (manual.kind == .source) {
        faults.append("\(title): a source accepts nothing, any other stage something")
      }
      if manual.outputs.isEmpty != (manual.kind == .sink) {
        faults.append("\(title): a sink has no output, any other stage has one")
      }
      faults += optionFaults(manual.options, title, StageDeclaration.commonKeys(.transforms))
      faults += exampleFaults(type, title)
    }
    return faults
  }

  private func optionFaults(
    _ options: [OptionSpec], _ title: String, _ taken: [String]
  ) -> [String] {
    var faults: [String] = []
    for (index, option) in options.enumerated() {
      if taken.contains(where: { same($0, option.name) })
        || options[..<index].contains(where: { same($0.name, option.name) })
      {
        faults.append("\(title): the option '\(option.name)' is named twice")
      }
      if option.summary.utf8.isEmpty {
        faults.append("\(title): the option '\(option.name)' has no summary")
      }
      if case .default(let text) = option.presence {
        var check = OptionCheck(.empty)
        let source = SpecSource(
          name: "\(title), default of '\(option.name)'", bytes: Array(text.utf8))
        if let node = SpecJSON.parse(source, problems: &check.problems) {
          _ = check.value(node, option.type, of: quoted(option.name))
        }
        faults += check.problems.sorted.map(\.text)
      }
      faults += nestedFaults(option.type, "\(title), '\(option.name)'")
    }
    return faults
  }

  private func nestedFaults(_ type: OptionType, _ title: String) -> [String] {
    switch type {
    case .object(let options): optionFaults(options, title, [])
    case .list(let element), .map(let element): nestedFaults(element, title)
    case .anyOf(let types): types.flatMap { nestedFaults($0, title) }
    default: []
    }
  }

  private func exampleFaults(_ type: any Stage.Type, _ title: String) -> [String] {
    let manual = type.manual
    var problems = Problems()
    let paramsSource = SpecSource(
      name: "\(title), exampleParams", bytes: Array(manual.exampleParams.utf8))
    var params = ParamParsing()
    if let node = SpecJSON.parse(paramsSource, problems: &problems) {
      let declared = params.parse(node)
      problems.add(contentsOf: params.problems)
      let resolution = ParamResolution(
        declarations: declared, names: params.names, allowMissing: false,
        today: SpecScope.empty.today)
      let resolved = resolution.resolve([], &problems)
      checkExample(type, title, resolved, &problems)
    }
    return problems.sorted.map(\.text)
  }

  private func checkExample(
    _ type: any Stage.Type, _ title: String, _ params: ResolvedParams, _ problems: inout Problems
  ) {
    let manual = type.manual
    let source = SpecSource(name: "\(title), example", bytes: Array(manual.example.utf8))
    guard let node = SpecJSON.parse(source, problems: &problems) else { return }
    if !same(node.member("type")?.value.string ?? "", manual.type) {
      problems.add("bad_manual", at: node, "the example is not of type '\(manual.type)'")
    }
    if (node.member("inputs") == nil) != (manual.kind == .source) {
      problems.add("bad_manual", at: node, "every example but a source's has inputs")
    }
    var check = OptionCheck(params: params)
    let options = check.options(
      node, manual.options, common: StageDeclaration.commonKeys(manual.kind.section), of: title)
    problems.add(contentsOf: check.problems)
    if let options {
      if type.init(options, &problems) == nil, !problems.hasErrors {
        problems.add("bad_manual", at: node, "the stage refuses its own example")
      }
    } else if !check.problems.hasErrors {
      problems.add("bad_manual", at: node, "the example uses a parameter without value")
    }
  }
}
