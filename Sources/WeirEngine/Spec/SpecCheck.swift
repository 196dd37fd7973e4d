extension Spec {
  /// Checks the spec against the stage types and the given parameters, without touching data.
  ///
  /// - Parameters:
  ///   - given: the `--param` of the command line, in its order.
  ///   - currentDirectory: absolute; paths of the command line are read against it.
  ///   - allowMissingParams: validates a spec by itself: what needs a parameter that has no value
  ///     is passed over, and the answer is `nil` without an error.
  ///   - problems: those of `parse` go in, all of them come out.
  /// - Returns: `nil` where there is any error.
  public func check(
    _ registry: StageRegistry, given: [(name: String, value: String)] = [],
    currentDirectory: String = "/", allowMissingParams: Bool = false,
    problems: inout Problems
  ) -> CheckedSpec? {
    let resolution = ParamResolution(
      declarations: params, names: paramNames, currentDirectory: currentDirectory,
      allowMissing: allowMissingParams)
    let resolved = resolution.resolve(given, &problems)
    checkReferences(&problems)

    var built: [BuiltStage] = []
    for declaration in stages {
      built.append(build(declaration, registry, resolved, &problems))
    }
    var wiring = SpecWiring(spec: self, built: built)
    let order = wiring.check()
    problems.add(contentsOf: wiring.problems)
    let edges = wiring.edges
    let budgets = errorBudgets(
      resolved, order ?? Array(stages.indices),
      takesRecords: { index in
        // Where the type or the edges of a stage are wrong, that has been said.
        guard built[index].manual?.kind == .sink, !edges[index].isEmpty else { return true }
        return edges[index].contains { $0.carries == .records || $0.carries == nil }
      }, &problems)
    guard !problems.hasErrors, let order,
      let checked = assemble(built, edges, order, resolved, budgets)
    else { return nil }
    return checked
  }

  /// Parses and checks in one step.
  public static func load(
    _ bytes: [UInt8], file: String, registry: StageRegistry,
    given: [(name: String, value: String)] = [], currentDirectory: String = "/",
    allowMissingParams: Bool = false
  ) -> (CheckedSpec?, Problems) {
    var (spec, problems) = parse(bytes, file: file)
    let checked = spec?.check(
      registry, given: given, currentDirectory: currentDirectory,
      allowMissingParams: allowMissingParams, problems: &problems)
    return (checked, problems)
  }

  // MARK: References to parameters

  /// `${...}` that names no parameter, and parameters that nothing reads.
  private func checkReferences(_ problems: inout Problems) {
    let known = Set(paramNames.map { Array($0.utf8) })
    var used = Set(partition.map { Array($0.name.utf8) })
    if let budget = root.member(ErrorBudget.key) {
      checkReferences(budget.value, known, &used, &problems)
    }
    for stage in stages {
      let plain = StageDeclaration.commonKeys(stage.section)
        .filter { !same($0, ErrorBudget.key) }
      for member in stage.node.object ?? [] where !plain.contains(where: { same($0, member.key) }) {
        checkReferences(member.value, known, &used, &problems)
      }
    }
    for param in params where !used.contains(Array(param.name.utf8)) {
      problems.add(
        "unused_param", at: param.nameNode,
        "nothing reads the parameter \(shown(param.name)): a value for it would be ignored",
        fix: "use \"${param.\(param.name)}\" in an option or params.\(param.name) in an "
          + "expression, or remove it")
    }
  }

  private func checkReferences(
    _ node: SpecNode, _ known: Set<[UInt8]>, _ used: inout Set<[UInt8]>, _ problems: inout Problems
  ) {
    // As deep as the parser allows, which is 64.
    switch node.kind {
    case .array(let items): for item in items { checkReferences(item, known, &used, &problems) }
    case .object(let members):
      for member in members {
        if ParamReferences.parts(member.key).contains(where: { $0.isReference }) {
          problems.add(
            "param_in_key", at: member.keyNode, "a parameter cannot stand in a key",
            fix: "write the key out")
        }
        checkReferences(member.value, known, &used, &problems)
      }
    case .string(let text):
      for name in ParamReferences.namesInExpression(text) { used.insert(Array(name.utf8)) }
      guard ParamReferences.mayContain(text) else { return }
      for part in ParamReferences.parts(text) {
        switch part {
        case .text: continue
        case .malformed(let range): malformed(node, range, &used, &problems)
        case .reference(let name, let range):
          used.insert(Array(name.utf8))
          guard !known.contains(Array(name.utf8)), !problems.countsOnly() else { continue }
          let near = problems.suggestion(for: name, among: paramNames)
          if let near { used.insert(Array(near.utf8)) }
          problems.add(
            "unknown_param", at: node, within: range, "there is no parameter \(shown(name))",
            expected: paramNames.isEmpty
              ? "a parameter; the spec declares none" : "one of \(alternatives(paramNames))",
            fix: near.map { "${param.\($0)}" }
              ?? "declare \(quoted(name)) under \"params\"")
        }
      }
    default: return
    }
  }

  private func malformed(
    _ node: SpecNode, _ range: Range<Int>, _ used: inout Set<[UInt8]>, _ problems: inout Problems
  ) {
    let bytes = Array((node.string ?? "").utf8)[range]
    let text = String(decoding: bytes, as: UTF8.self)
    let isClosed = bytes.last == UInt8(ascii: "}")
    let inner = String(decoding: bytes.dropFirst(2).dropLast(isClosed ? 1 : 0), as: UTF8.self)
    let word =
      inner.utf8.split(separator: UInt8(ascii: ".")).last.map {
        String(decoding: $0, as: UTF8.self)
      } ?? inner
    let known =
      paramNames.first { same($0, word) } ?? problems.suggestion(for: word, among: paramNames)
    // What was meant is not unused as well.
    if let known { used.insert(Array(known.utf8)) }
    problems.add(
      "bad_reference", at: node, within: range,
      isClosed
        ? "\(shown(text)) names no parameter (environment variables are not read)"
        : "\(shown(text)) is not closed",
      expected: "${param.NAME}; $${ stands for ${ itself",
      fix: "${param.\(known ?? (mendedName(word, separator: "_")))}")
  }
}

extension ParamReferences.Part {
  fileprivate var isReference: Bool { if case .reference = self { true } else { false } }
}
