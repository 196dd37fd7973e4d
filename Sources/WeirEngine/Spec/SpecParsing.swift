import WeirData
import WeirExpressions

/// Reads the top level of a spec.
struct SpecParsing {
  var problems: Problems

  /// Reads a spec. A misspelt section is reported, and read as the one that it means.
  mutating func spec(_ root: SpecNode) -> Spec? {
    let root = reportUnknownKeys(root)
    _ = text(root, "$schema")
    let description = text(root, "description") ?? ""
    let name = specName(root)
    var params = ParamParsing()
    var declarations: [ParamDeclaration] = []
    if let member = root.member("params") {
      if let count = member.value.object?.count, count > Spec.paramLimit {
        problems.add(
          "too_many_params", at: member.keyNode,
          "\(count) parameters; at most \(Spec.paramLimit) are allowed")
        return nil
      }
      declarations = params.parse(member.value)
      problems.add(contentsOf: params.problems)
    }
    guard var stages = stages(root) else { return nil }
    var reading = FragmentReading(root: directory(of: root.source.name), problems: Problems())
    reading.read(root, folder: "", parent: nil, chain: [lastComponent(of: root.source.name)])
    problems.add(contentsOf: reading.problems)
    stages += reading.stages
    guard stages.count <= Spec.stageLimit else {
      tooManyStages(stages.count, at: root.opening)
      return nil
    }
    duplicateNames(stages)
    if let zone = root.member("zone")?.value, zone.string == nil {
      problems.add(
        "wrong_type", at: zone, "\"zone\" is \(zone.kindText)", expected: CivilZone.expectation)
    }
    return Spec(
      source: root.source, root: root, name: name, description: description,
      partition: partition(root, params.names), ledgerFields: ledgerBy(root), params: declarations,
      paramNames: params.names, zone: root.member("zone")?.value, fragments: reading.fragments,
      stages: stages)
  }

  private mutating func reportUnknownKeys(_ root: SpecNode) -> SpecNode {
    let known = Spec.keys
    let synonyms = [
      ("inputs", "sources"), ("source", "sources"), ("stages", "transforms"),
      ("steps", "transforms"), ("processors", "transforms"), ("pipeline", "transforms"),
      ("outputs", "sinks"), ("output", "sinks"), ("parameters", "params"), ("vars", "params"),
      ("variables", "params"), ("schema", "$schema"),
    ]
    var members = root.object ?? []
    var free = known.filter { key in !members.contains { same($0.key, key) } }
    for (index, member) in members.enumerated()
    where !known.contains(where: { same($0, member.key) }) {
      if problems.countsOnly() { continue }
      let meant = synonyms.first { same($0.0, member.key) }?.1
      let fix = meant ?? problems.suggestion(for: member.key, among: known)
      problems.add(
        "unknown_key", at: member.keyNode, "a spec has no key \(shown(member.key))",
        expected: oneOf(known, limit: 40),
        fix: fix.map { quoted($0) } ?? "remove it")
      if let fix, let place = free.firstIndex(where: { same($0, fix) }) {
        members[index].key = free.remove(at: place)
      }
    }
    var result = root
    result.kind = .object(members)
    return result
  }

  private mutating func text(_ node: SpecNode, _ key: String) -> String? {
    guard let value = node.member(key)?.value else { return nil }
    if value.string == nil {
      problems.add(
        "wrong_type", at: value, "\(quoted(key)) is \(value.kindText)", expected: "a string",
        fix: OptionType.string.fix(for: value))
    }
    return value.string
  }

  private mutating func specName(_ root: SpecNode) -> String {
    guard let member = root.member("name") else {
      problems.add(
        "missing_key", at: root.opening, "the spec has no name",
        expected: "lowercase letters, digits and -",
        fix: "\"name\": \(quoted(fileStem(root.source.name)))")
      return ""
    }
    guard let name = text(root, "name") else { return "" }
    let isRight = name.utf8.allSatisfy {
      (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-")
    }
    if !isRight || name.utf8.isEmpty || name.utf8.count > 100 {
      problems.add(
        "bad_name", at: member.value, "\(shown(name)) cannot be the name of a spec",
        expected: "1 to 100 lowercase letters, digits and -",
        fix: quoted(
          name.utf8.isEmpty
            ? fileStem(root.source.name) : mendedName(name, separator: "-", lowercase: true)))
    }
    return name
  }

  private func fileStem(_ path: String) -> String {
    let file = path.utf8.split(separator: UInt8(ascii: "/")).last ?? path.utf8[...]
    let stem = file.prefix { $0 != UInt8(ascii: ".") }
    return mendedName(String(decoding: stem, as: UTF8.self), separator: "-", lowercase: true)
  }

  /// The strings of a list, or of a single string that should have been one.
  private mutating func strings(_ node: SpecNode, _ key: String) -> [SpecNode] {
    guard let value = node.member(key)?.value else { return [] }
    guard let items = value.array else {
      problems.add(
        "wrong_type", at: value, "\(quoted(key)) is \(value.kindText)",
        expected: "a list of strings",
        fix: value.string == nil ? nil : "[\(value.sourceText)]")
      return value.string == nil ? [] : [value]
    }
    return items.compactMap { item in
      if item.string != nil { return item }
      // `["x"]` and `{"stage": "x"}` for `"x"`.
      let inner = item.array.map { $0.filter { $0.string != nil } } ?? item.object?.map(\.value)
      let meant = inner?.count == 1 ? inner?.first : nil
      problems.add(
        "wrong_type", at: item, "an entry of \(quoted(key)) is \(item.kindText)",
        expected: "a string", fix: meant?.string.map { quoted($0) })
      return meant?.string == nil ? nil : meant
    }
  }

  private mutating func partition(
    _ root: SpecNode, _ names: [String]
  ) -> [(name: String, node: SpecNode)] {
    var found: [(name: String, node: SpecNode)] = []
    for node in strings(root, "partition") {
      let name = node.string ?? ""
      if !names.contains(where: { same($0, name) }) {
        problems.add(
          "unknown_param", at: node, "\"partition\" names \(shown(name)), which is no parameter",
          expected: names.isEmpty
            ? "a parameter; the spec declares none" : oneOf(names),
          fix: problems.suggestion(for: name, among: names).map { quoted($0) }
            ?? "take it out; for a file for each value of a field write {FIELD} in the \"path\" of a sink of records; to choose it for each run, declare \(quoted(name)) under \"params\""
        )
      } else if found.contains(where: { same($0.name, name) }) {
        problems.add(
          "duplicate_entry", at: node, "\(shown(name)) stands twice in \"partition\"",
          fix: "remove one of them")
      } else {
        found.append((name, node))
      }
    }
    return found
  }

  private mutating func ledgerBy(_ root: SpecNode) -> [(path: FieldPath, node: SpecNode)] {
    strings(root, "ledger_by").compactMap { node in
      if let path = FieldPath(text: node.string ?? "") { return (path, node) }
      problems.add(
        "bad_field", at: node, "\(shown(node.string ?? "")) is no field",
        expected: OptionType.fieldPath.expectation, fix: OptionType.fieldPath.fix(for: node))
      return nil
    }
  }

  // MARK: Stages

  /// - Parameter fragment: the one that they stand in; it has no sinks.
  mutating func stages(_ root: SpecNode, fragment: Int? = nil) -> [StageDeclaration]? {
    var declarations: [StageDeclaration] = []
    for member in root.object ?? [] {
      guard let section = SpecSection.allCases.first(where: { same($0.rawValue, member.key) }),
        fragment == nil || section != .sinks
      else { continue }
      guard let members = member.value.object else {
        problems.add(
          "wrong_type", at: member.value, "\"\(section.rawValue)\" is \(member.value.kindText)",
          expected: "an object: the name of each \(section.singular) and its declaration",
          fix:
            "\"\(section.rawValue)\": { \(quoted(likelyName(of: section, root))): { \"type\": ... } }"
        )
        continue
      }
      if declarations.count + members.count > Spec.stageLimit {
        tooManyStages(declarations.count + members.count, at: member.keyNode)
        return nil
      }
      for entry in members {
        if let stage = stage(entry, section, fragment) { declarations.append(stage) }
      }
    }
    return declarations
  }

  /// A source's name as a stage reads it, where the sources themselves have none.
  private func likelyName(of section: SpecSection, _ root: SpecNode) -> String {
    let transforms = root.member("transforms")?.value.object ?? []
    let inputs = transforms.flatMap { $0.value.member("inputs")?.value.array ?? [] }
      .compactMap(\.string)
    let unknown = inputs.first { input in !transforms.contains { same($0.key, input) } }
    return section == .sources ? unknown ?? "NAME" : "NAME"
  }

  private mutating func tooManyStages(_ count: Int, at node: SpecNode) {
    problems.add(
      "too_many_stages", at: node,
      "\(count) stages; at most \(Spec.stageLimit) are allowed")
  }

  private mutating func duplicateNames(_ stages: [StageDeclaration]) {
    for (index, stage) in stages.enumerated() {
      guard let first = stages[..<index].first(where: { same($0.name, stage.name) }) else {
        continue
      }
      problems.add(
        "duplicate_name", at: stage.nameNode,
        "\(shown(stage.name)) is the name of a \(first.section.singular) already",
        expected: "a name that no other stage has",
        fix: freeName(for: stage, first, stages),
        related: [.init("first here", at: first.nameNode)])
    }
  }

  /// Another name for a stage, and where it has to be written as well.
  private func freeName(
    for stage: StageDeclaration, _ first: StageDeclaration, _ stages: [StageDeclaration]
  ) -> String {
    var name = "\(stage.name)_\(stage.section.singular)"
    var number = 2
    if first.section == stage.section { name = "\(stage.name)_2" }
    while stages.contains(where: { same($0.name, name) }) {
      number += 1
      name = "\(stage.name)_\(number)"
    }
    return stage.section == .sinks
      ? quoted(name)
      : "write \(quoted(name)), and the same in the \"inputs\" of the stage that is to read it"
  }

  private mutating func stage(
    _ member: SpecMember, _ section: SpecSection, _ fragment: Int?
  ) -> StageDeclaration? {
    let name = member.key
    if !isStageName(name) {
      problems.add(
        "bad_name", at: member.keyNode, "\(shown(name)) cannot be the name of a stage",
        expected: name.utf8.contains(0x20)
          ? "1 to 64 letters, digits, _ and -; no spaces"
          : "1 to 64 letters, digits, _ and -; not a dot, which names an output",
        fix: quoted(mendedName(name, separator: "_")))
    }
    let node = member.value
    guard node.object != nil else {
      problems.add(
        "wrong_type", at: node, "a \(section.singular) is \(node.kindText)",
        expected: "an object with \"type\"",
        fix: node.string == nil ? nil : "{ \"type\": \(node.sourceText) }")
      return nil
    }
    let type = text(node, "type")
    let typeNode = node.member("type")?.value ?? node.opening
    let inputsKey = section == .sources ? nil : inputsKey(node)
    return StageDeclaration(
      name: name, nameNode: member.keyNode, section: section, type: type, typeNode: typeNode,
      inputs: inputsKey.map { inputs(node, $0) } ?? [],
      inputsNode: inputsKey.flatMap { node.member($0)?.value }, inputsKey: inputsKey,
      description: text(node, "description") ?? "", fragment: fragment, node: node)
  }

  /// `inputs`, or a misspelling of it, so that the stages it names do not seem unused.
  private func inputsKey(_ node: SpecNode) -> String? {
    if node.member("inputs") != nil { return "inputs" }
    return node.object?.first { member in
      let meant =
        nearest(to: member.key, among: ["inputs"]) ?? Synonyms.option(member.key, among: ["inputs"])
      return meant != nil
    }?.key
  }

  private mutating func inputs(_ node: SpecNode, _ key: String) -> [StageDeclaration.Input] {
    var seen: Set<[UInt8]> = []
    // A key of another name may be an option after all.
    let isMisspelt = !same(key, "inputs")
    if isMisspelt, let value = node.member(key)?.value, value.array == nil, value.string == nil {
      return []
    }
    let single = isMisspelt ? node.member(key)?.value : nil
    return (single?.string == nil ? strings(node, key) : [single!]).compactMap { item in
      let bytes = Array((item.string ?? "").utf8)
      guard seen.insert(bytes).inserted else {
        problems.add(
          "duplicate_entry", at: item, "\(shown(item.string ?? "")) stands twice in \"inputs\"",
          fix: "remove one of them")
        return nil
      }
      guard let dot = bytes.firstIndex(of: UInt8(ascii: ".")) else {
        return .init(stage: item.string ?? "", port: "", node: item)
      }
      return .init(
        stage: String(decoding: bytes[..<dot], as: UTF8.self),
        port: String(decoding: bytes[(dot + 1)...], as: UTF8.self), node: item)
    }
  }
}

private func isStageName(_ name: String) -> Bool {
  isPlainName(name) && name.utf8.first != UInt8(ascii: "-") && name.utf8.count <= 64
}
