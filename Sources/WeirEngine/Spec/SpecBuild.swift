/// What became of one declaration.
struct BuiltStage {
  let manual: StageManual?
  /// `nil` where something is wrong with it.
  let stage: (any Stage)?
  let options: Options?

  /// Of the stage itself if it was built: its ports may depend on its options.
  var outputs: [PortSpec]? { stage?.outputs ?? manual?.outputs }
}

extension Spec {
  func build(
    _ declaration: StageDeclaration, _ registry: StageRegistry, _ scope: SpecScope,
    _ problems: inout Problems
  ) -> BuiltStage {
    let nothing = BuiltStage(manual: nil, stage: nil, options: nil)
    guard let name = declaration.type else {
      if declaration.node.member("type") == nil {
        missingType(declaration, registry, &problems)
      }
      return nothing
    }
    let found = registry.types(named: name)
    let type =
      found.first { $0.manual.kind.section == declaration.section }
      ?? found.first { ($0.manual.kind == .source) == (declaration.inputsNode == nil) }
      ?? found.first
    guard let type else {
      unknownType(name, declaration, registry, &problems)
      return nothing
    }
    let manual = type.manual
    if declaration.section == .sources, manual.kind == .sink,
      declaration.node.member("inputs") == nil
    {
      problems.add(
        "unknown_type", at: declaration.typeNode,
        "there is no source type \(shown(name)): a sink of that type writes",
        expected: oneOf(registry.names(in: .sources), limit: 40),
        fix: pathsName(declaration, registry).map {
          "write \(quoted($0)), since \"paths\" names such files"
        }
          ?? "convert \(name) to a file with one JSON object a line, which a source of type jsonl reads"
      )
      return nothing
    }
    let isMisplaced = manual.kind.section != declaration.section
    if isMisplaced {
      problems.add(
        "wrong_section", at: declaration.typeNode,
        "\(shown(name)) is a \(manual.kind.section.singular), but stands among the "
          + declaration.section.rawValue,
        fix: "move \(shown(declaration.name)) to \"\(manual.kind.section.rawValue)\"")
    }
    if !isMisplaced, declaration.section == .sources,
      let given = declaration.node.member("inputs")
    {
      problems.add(
        "source_with_inputs", at: given.keyNode, "a source has no inputs: it reads no other stage",
        fix: "remove \"inputs\"")
    }
    var check = OptionCheck(scope)
    // A source with inputs has been told so.
    let hasInputs = declaration.node.member("inputs") != nil
    let section = isMisplaced || hasInputs ? .transforms : declaration.section
    let options = check.options(
      declaration.node, manual.options, common: StageDeclaration.commonKeys(section),
      of: shown(name))
    var optionProblems = check.problems
    nameFields(declaration.name, manual, registry, &optionProblems)
    problems.add(contentsOf: optionProblems)
    guard let options else { return BuiltStage(manual: manual, stage: nil, options: nil) }
    let before = problems.errorCount
    let stage = type.init(options, &problems)
    if stage == nil, problems.errorCount == before {
      problems.add(
        "refused", at: declaration.node.opening,
        "\(shown(name)) refused its options without saying why",
        fix: "report this: it is a mistake in Weir, not in the spec")
    }
    return BuiltStage(manual: manual, stage: stage, options: options)
  }

  /// Puts fields of the sources where a fix has a placeholder for one, if it is plain which, and paths of
  /// the kind that the stage takes.
  private func nameFields(
    _ stage: String, _ manual: StageManual, _ registry: StageRegistry, _ problems: inout Problems
  ) {
    problems.mend { problem in
      if same(problem.code, "unknown_key"), same(problem.fix ?? "", "remove it"),
        case .key(_, let key) = problem.pointer
      {
        let others = registry.manuals.filter { other in
          other.kind.section == manual.kind.section
            && other.options.contains { same($0.name, key) }
        }
        guard !others.isEmpty, others.count <= 4 else { return nil }
        return "remove it; \(quoted(key)) is an option of \(alternatives(others.map(\.type)))"
      }
      if same(problem.code, "wrong_type"), case .key(_, let key) = problem.pointer,
        case .map(.fieldType)? = manual.options.first(where: { same($0.name, key) })?.type
      {
        return stages.timeFields.reduce(problem.fix) { fix, time in
          fix?.replacing("\(quoted(time)): \"string\"", with: "\(quoted(time)): \"timestamp\"")
        }
      }
      if same(problem.code, "secret_not_taken"), case .key(_, let name) = problem.pointer,
        let option = manual.options.first(where: { same($0.name, name) && $0.type.isAnyPath })
      {
        return problem.fix?.replacing(
          option.type.sample, with: manual.exampleValue(of: option, for: stage))
      }
      guard same(problem.code, "missing_option"), let fix = problem.fix,
        let option = manual.options.first(where: {
          fix.utf8.starts(with: "\(quoted($0.name)):".utf8)
        })
      else { return nil }
      if option.type.isAnyPath {
        return "\(quoted(option.name)): \(manual.exampleValue(of: option, for: stage))"
      }
      let field =
        same(option.name, "time") ? onlyTime : same(option.name, "key") ? firstIdentifier : nil
      return field.map { fix.replacing(quoted(OptionType.fieldPlaceholder), with: quoted($0)) }
    }
  }

  /// The type of a source whose files the paths name: `jsonl` for `*.jsonl.zst`.
  private func pathsName(_ source: StageDeclaration, _ registry: StageRegistry) -> String? {
    let paths = source.node.member("paths")?.value.array?.compactMap(\.string) ?? []
    return registry.names(in: .sources).first { type in
      !paths.isEmpty
        && paths.allSatisfy { path in
          path.utf8.split(separator: UInt8(ascii: ".")).dropFirst()
            .contains { $0.elementsEqual(type.utf8) }
        }
    }
  }

  /// The fields that sources declare, with their types, as they are written.
  private var declaredFields: [(name: String, type: String)] {
    stages.filter { $0.section == .sources }.flatMap { source in
      (source.node.member("fields")?.value.object ?? []).compactMap { member in
        member.value.string.map { (member.key, $0) }
      }
    }
  }

  private var onlyTime: String? {
    let times = declaredFields.filter { $0.type.utf8.starts(with: "timestamp".utf8) }
    return times.count == 1 ? times[0].name : nil
  }

  private var firstIdentifier: String? {
    declaredFields.first { field in
      same(field.name, "id") || field.name.utf8.suffix(3).elementsEqual("_id".utf8)
    }?.name
  }

  private func missingType(
    _ declaration: StageDeclaration, _ registry: StageRegistry, _ problems: inout Problems
  ) {
    let names = registry.names(in: declaration.section)
    let section = declaration.section.singular
    if let other = declaration.node.object?.first(where: { member in
      Synonyms.option(member.key, among: ["type"]) != nil
        || same(nearest(to: member.key, among: ["type"]) ?? "", "type")
        || (same(member.key, "format")
          && names.contains { same($0, member.value.string ?? "") })
    }) {
      problems.add(
        "unknown_key", at: other.keyNode, "the type of a stage stands under \"type\"",
        fix: "\"type\"")
      return
    }
    problems.add(
      "missing_type", at: declaration.nameNode,
      "the \(section) \(shown(declaration.name)) has no type",
      expected: oneOf(names, limit: 40),
      fix: likeliestType(declaration, registry).map { "\"type\": \(quoted($0))" })
  }

  /// The type that has most of the keys that were written; the one that the name of the stage
  /// resembles where no key tells.
  private func likeliestType(
    _ declaration: StageDeclaration, _ registry: StageRegistry
  ) -> String? {
    let keys = (declaration.node.object ?? []).prefix(20).map(\.key)
    var best: (type: String, score: Int)?
    for manual in registry.manuals where manual.kind.section == declaration.section {
      let score = manual.options.count { option in keys.contains { same($0, option.name) } }
      if score > best?.score ?? 0 { best = (manual.type, score) }
    }
    let names = registry.names(in: declaration.section)
    return best?.type ?? nearest(to: declaration.name, among: names) ?? names.first
  }

  private func unknownType(
    _ name: String, _ declaration: StageDeclaration, _ registry: StageRegistry,
    _ problems: inout Problems
  ) {
    let here = registry.names(in: declaration.section)
    let all = registry.types.map { $0.manual.type }
    let section = declaration.section.singular
    problems.add(
      "unknown_type", at: declaration.typeNode,
      "there is no \(section) type \(shown(name))",
      expected: oneOf(here, limit: 40),
      fix: (problems.suggestion(for: name, among: here)
        ?? registry.type(alsoCalled: name, in: declaration.section)
        ?? problems.suggestion(for: name, among: all)).map { quoted($0) })
  }

  /// Puts the stages in order; `nil` where one could not be built.
  func assemble(
    _ built: [BuiltStage], _ edges: [[SpecWiring.Edge]], _ order: [Int],
    _ params: ResolvedParams, _ budgets: [ErrorBudget]
  ) -> CheckedSpec? {
    var position = [Int](repeating: 0, count: order.count)
    for (place, index) in order.enumerated() { position[index] = place }
    var checked: [CheckedStage] = []
    for index in order {
      let declaration = stages[index]
      guard let stage = built[index].stage, let options = built[index].options,
        let manual = built[index].manual
      else { return nil }
      var inputs: [CheckedStage.Input] = []
      for edge in edges[index] {
        guard let carries = edge.carries else { return nil }
        inputs.append(
          .init(stage: position[edge.from], port: edge.port, carries: carries, node: edge.node))
      }
      checked.append(
        CheckedStage(
          name: declaration.name, section: declaration.section, type: manual.type,
          kind: stage.kind, description: declaration.description, inputs: inputs, stage: stage,
          options: options, isInFragment: declaration.fragment != nil, node: declaration.node,
          nameNode: declaration.nameNode))
    }
    var partitionTexts: [(name: String, text: String)] = []
    for (name, _) in partition {
      guard let value = params[name] else { return nil }
      partitionTexts.append((name, value.text))
    }
    return CheckedSpec(
      name: name, description: description, partition: partitionTexts, ledgerFields: ledgerFields,
      errorBudgets: budgets
        + checked.enumerated().flatMap { index, stage in
          stage.stage.checkLimits.map { ErrorBudget(stage: index, $0) }
        },
      params: params, stages: checked, source: source, fragments: fragments.map(\.source),
      baseDirectory: directory(of: source.name), zone: zone)
  }
}
