/// Draws the edges of a spec and checks them: unknown inputs and ports, kinds, cycles, stages
/// that nobody uses.
struct SpecWiring {
  struct Edge {
    /// Index of the producer among the declarations.
    let from: Int
    let port: String
    /// `nil` where the producer is wrong itself.
    let carries: EdgeKind?
    let node: SpecNode
  }

  let stages: [StageDeclaration]
  let root: SpecNode
  let built: [BuiltStage]
  let registry: StageRegistry
  private(set) var edges: [[Edge]]
  private(set) var problems = Problems()
  var indices: [[UInt8]: Int] = [:]
  /// Stages that an edge names, or may have meant.
  var used: [Bool]

  init(spec: Spec, built: [BuiltStage], _ registry: StageRegistry) {
    self.registry = registry
    stages = spec.stages
    root = spec.root
    self.built = built
    edges = Array(repeating: [], count: stages.count)
    used = Array(repeating: false, count: stages.count)
    for (index, stage) in stages.enumerated() where indices[Array(stage.name.utf8)] == nil {
      indices[Array(stage.name.utf8)] = index
    }
  }

  /// The order in which every stage follows its inputs, ties in the order of the file; `nil`
  /// where there is a cycle.
  mutating func check() -> [Int]? {
    for index in stages.indices { draw(index) }
    // What stands in the wrong section reads its inputs all the same.
    for stage in stages where stage.section == .sources {
      for item in stage.node.member("inputs")?.value.array ?? [] {
        if let index = indices[Array((item.string ?? "").utf8)] { used[index] = true }
      }
    }
    sections()
    let order = order()
    unused()
    return order
  }

  // MARK: Edges

  private mutating func draw(_ consumer: Int) {
    let stage = stages[consumer]
    guard stage.section != .sources else { return }
    guard let inputsNode = stage.inputsNode, let key = stage.inputsKey else {
      return missingInputs(consumer)
    }
    if !same(key, "inputs") {
      // Where the type is known and has no such option, that has been reported.
      guard let manual = built[consumer].manual else { return missingInputs(consumer) }
      if manual.options.contains(where: { same($0.name, key) }) { return missingInputs(consumer) }
    }
    if case .array(let items) = inputsNode.kind, items.isEmpty {
      problems.add(
        "no_inputs", at: inputsNode,
        "the \(stage.section.singular) \(shown(stage.name)) has no input",
        expected: "the name of a stage",
        fix: likelyInput(of: consumer).map { "[\(quoted($0))]" })
    }
    let before = problems.errorCount
    for input in stage.inputs { draw(input, consumer) }
    if let manual = built[consumer].manual, !manual.fanIn, stage.inputs.count > 1,
      problems.errorCount == before
    {
      problems.add(
        "too_many_inputs", at: stage.inputs[1].node,
        "\(shown(manual.type)) takes one input, this is another",
        fix: "keep one of them")
    }
  }

  private mutating func missingInputs(_ consumer: Int) {
    let stage = stages[consumer]
    let sample = likelyInput(of: consumer) ?? "STAGE"
    problems.add(
      "no_inputs", at: stage.nameNode,
      "the \(stage.section.singular) \(shown(stage.name)) has no \"inputs\"",
      expected: "a list with the name of a stage", fix: "\"inputs\": [\(quoted(sample))]")
  }

  private mutating func draw(_ input: StageDeclaration.Input, _ consumer: Int) {
    guard let producer = indices[Array(input.stage.utf8)] else {
      return unknownInput(input, consumer)
    }
    used[producer] = true
    if stages[producer].section == .sinks {
      let accepts = built[consumer].manual?.accepts ?? []
      // What the sink reads, or else what fits.
      let meant = stages[producer].inputs.first { input in
        accepts.isEmpty || carried(by: input).map { accepts.contains($0) } ?? false
      }
      problems.add(
        "input_is_sink", at: input.node,
        "\(shown(input.stage)) is a sink, and a sink puts nothing out",
        expected: "a source or a transform"
          + (accepts.isEmpty
            ? "" : " that puts out \(alternatives(accepts.map(\.rawValue)))"),
        fix: (meant.flatMap(\.node.string) ?? likelyInput(of: consumer)).map { quoted($0) })
      return
    }
    let carries = port(input, producer)
    guard let carries, let manual = built[consumer].manual, !manual.accepts.isEmpty,
      !manual.accepts.contains(carries)
    else {
      edges[consumer].append(
        Edge(from: producer, port: input.port, carries: carries, node: input.node))
      return
    }
    // An edge that cannot be is not drawn: it could only close a cycle that is none.
    let fitting = (built[producer].outputs ?? []).first { manual.accepts.contains($0.carries) }
    problems.add(
      "wrong_edge", at: input.node,
      "\(shown(manual.type)) takes \(alternatives(manual.accepts.map(\.rawValue))), but "
        + "\(shown(input.node.string ?? "")) carries \(carries.rawValue)",
      expected: "an input that carries \(alternatives(manual.accepts.map(\.rawValue)))",
      fix: fitting.map { quoted(portText(input.stage, $0.name)) }
        ?? (stages[consumer].inputs.count > 1
          ? "remove it from \"inputs\"" : likelyInput(of: consumer).map { quoted($0) }))
  }

  /// What an input carries, where it is right.
  private func carried(by input: StageDeclaration.Input) -> EdgeKind? {
    guard let producer = indices[Array(input.stage.utf8)] else { return nil }
    return built[producer].outputs?.first { same($0.name, input.port) }?.carries
  }

  func portText(_ stage: String, _ port: String) -> String {
    port.utf8.isEmpty ? stage : "\(stage).\(port)"
  }

  private mutating func unknownInput(_ input: StageDeclaration.Input, _ consumer: Int) {
    if problems.countsOnly() || hasLostSection { return }
    let names = stages.enumerated().filter { $0.offset != consumer && $0.element.section != .sinks }
      .map(\.element.name)
    let near = problems.suggestion(for: input.stage, among: names)
    if let near, let index = indices[Array(near.utf8)] { used[index] = true }
    problems.add(
      "unknown_input", at: input.node, "there is no stage \(shown(input.stage))",
      expected: names.isEmpty ? "a stage; there is none" : oneOf(names),
      fix: near.map { quoted(portText($0, input.port)) })
  }

  /// What the named output carries.
  private mutating func port(_ input: StageDeclaration.Input, _ producer: Int) -> EdgeKind? {
    guard let ports = built[producer].outputs else { return nil }
    if let port = ports.first(where: { same($0.name, input.port) }) { return port.carries }
    // The ports of a stage that could not be built may depend on what is wrong with it.
    guard built[producer].stage != nil else { return nil }
    let names = ports.map { portText(input.stage, $0.name) }
    let near = nearest(to: input.port, among: ports.map(\.name).filter { !$0.utf8.isEmpty })
    problems.add(
      "unknown_output", at: input.node,
      input.port.utf8.isEmpty
        ? "\(shown(input.stage)) has several outputs: say which one"
        : "\(shown(input.stage)) has no output \(shown(input.port))",
      expected: names.isEmpty ? "nothing: it has no output" : oneOf(names),
      fix: (near.map { portText(input.stage, $0) } ?? names.first).map { quoted($0) })
    return nil
  }

  /// Whether a section could not be read: what it holds is not known.
  private var hasLostSection: Bool {
    SpecSection.allCases.contains { section in
      root.member(section.rawValue).map { $0.value.object == nil } ?? false
    } || !stages.contains { $0.section == .sources }
  }

  // MARK: The whole

  private mutating func sections() {
    for section in [SpecSection.sources, .sinks]
    where !stages.contains(where: { $0.section == section }) {
      let member = root.member(section.rawValue)
      // A section of the wrong type, or with a stage that is none, has been reported.
      if let member, member.value.object?.isEmpty != true { continue }
      let near = root.object?.contains { other in
        !Spec.keys.contains { same($0, other.key) }
          && same(nearest(to: other.key, among: Spec.keys) ?? "", section.rawValue)
      }
      if near == true { continue }
      problems.add(
        "no_\(section.rawValue)", at: member?.keyNode ?? root.opening,
        section == .sources
          ? "the spec reads nothing: it has no source"
          : "the spec writes nothing: it has no sink",
        expected: "a \(section.singular) of type \(alternatives(registry.names(in: section)))",
        fix: example(of: section))
    }
  }

  private mutating func unused() {
    // Without a sink every last stage would be reported, to no use.
    guard stages.contains(where: { $0.section == .sinks }) else { return }
    for (index, stage) in stages.enumerated()
    where !used[index] && stage.section != .sinks && indices[Array(stage.name.utf8)] == index {
      // What a stage in the wrong section is used for is not plain.
      if let manual = built[index].manual, manual.kind == .sink { continue }
      problems.add(
        "unused_stage", at: stage.nameNode,
        "no stage reads the \(stage.section.singular) \(shown(stage.name))",
        expected: "its name in the \"inputs\" of another stage",
        fix: "write \(quoted(stage.name)) into the \"inputs\" of another stage, or remove it")
    }
  }

  private mutating func order() -> [Int]? {
    var waiting = edges.map { Set($0.map(\.from)) }
    var done = [Bool](repeating: false, count: stages.count)
    var order: [Int] = []
    while let next = stages.indices.first(where: { !done[$0] && waiting[$0].isEmpty }) {
      done[next] = true
      order.append(next)
      for index in stages.indices { waiting[index].remove(next) }
    }
    guard order.count < stages.count else { return order }
    var seen = done
    for start in stages.indices where !seen[start] { cycle(from: start, &seen, done) }
    return nil
  }

  /// Walks against the edges from a stage that waits until a stage comes again: what lies
  /// between is a cycle, and is reported once.
  private mutating func cycle(from start: Int, _ seen: inout [Bool], _ done: [Bool]) {
    var path: [Int] = []
    var at = start
    while !seen[at] {
      seen[at] = true
      path.append(at)
      guard let edge = edges[at].first(where: { !done[$0.from] }) else { return }
      at = edge.from
    }
    guard let first = path.firstIndex(of: at) else { return }
    // Told in the direction of the data, from the stage that stands first in the file.
    var names = path[first...].reversed().map { $0 }
    if let least = names.min(), let place = names.firstIndex(of: least) {
      names = Array(names[place...] + names[..<place])
    }
    let last = names[names.count - 1]
    let node = edges[names[0]].first { $0.from == last }?.node ?? stages[names[0]].nameNode
    let others = edges[names[0]].contains { $0.from != last }
    let other = others ? nil : likelyInput(of: names[0])
    let shownNames = (names + [names[0]]).map { printable(stages[$0].name.unicodeScalars) }
    problems.add(
      "cycle", at: node,
      names.count == 1
        ? "\(shown(stages[names[0]].name)) reads its own output"
        : "these stages wait for each other: "
          + (shownNames.count > 12 ? shownNames.prefix(11) + ["..."] : shownNames)
          .joined(separator: " -> "),
      expected: "data that flows from the sources to the sinks",
      fix: other.map { quoted($0) }
        ?? (others
          ? "take \(shown(stages[last].name)) out of the \"inputs\" of \(shown(stages[names[0]].name))"
          : "let \(shown(stages[names[0]].name)) read another stage than "
            + shown(stages[last].name)))
  }
}
