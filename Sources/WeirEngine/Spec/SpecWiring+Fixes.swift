/// What wiring proposes where an input, or a whole stage, is missing.
extension SpecWiring {
  /// The output that a stage without a good input most likely should read: one that it takes, best of a
  /// stage that nobody reads and that stands before it. Then that stage does not count as unused.
  mutating func likelyInput(of consumer: Int) -> String? {
    let accepts = built[consumer].manual?.accepts ?? []
    var best: (index: Int, text: String, score: Int)?
    for (index, stage) in stages.enumerated()
    where index != consumer && stage.section != .sinks && !reaches(from: consumer, to: index) {
      let ports = built[index].outputs ?? []
      guard
        let port = ports.first(where: { accepts.isEmpty || accepts.contains($0.carries) })
          ?? (ports.isEmpty ? PortSpec(carries: .records, "") : nil)
      else { continue }
      let isRead = stages.contains { $0.inputs.contains { same($0.stage, stage.name) } }
      let isBefore = stage.node.range.lowerBound < stages[consumer].node.range.lowerBound
      let score = (isRead ? 0 : 4) + (isBefore ? 2 : 0) + (stage.section == .transforms ? 1 : 0)
      if score >= best?.score ?? 0 { best = (index, portText(stage.name, port.name), score) }
    }
    if let best { used[best.index] = true }
    return best?.text
  }

  /// Whether what leaves one stage comes to another, by the names under `inputs`.
  private func reaches(from start: Int, to goal: Int) -> Bool {
    var rest = [goal]
    var seen: Set<Int> = [goal]
    while let at = rest.popLast() {
      if at == start { return true }
      for input in stages[at].inputs {
        if let next = indices[Array(input.stage.utf8)], seen.insert(next).inserted {
          rest.append(next)
        }
      }
    }
    return false
  }

  /// Whole stages, with their names, for a section that has none, and what is to be filled in.
  func example(of section: SpecSection) -> String {
    let key = quoted(section.rawValue)
    guard section == .sinks else {
      return
        "\(key): { \(exampleSource()) }, with every field that the stages use in the place of FIELD, and its type: string, int, number, bool, timestamp or any, with ? if it may be null"
    }
    let ports = unreadPorts()
    guard !ports.isEmpty else {
      let manual = registry.manuals.first { $0.kind.section == .sinks }
      return "\(key): { \(example(manual, manual?.type ?? "NAME", reading: "STAGE")) }"
    }
    var names: [String] = []
    var sinks: [String] = []
    for port in ports.prefix(6) {
      let (name, manual) = sink(for: port, names)
      names.append(name)
      sinks.append(
        example(
          manual, name, reading: port.text, file: mendedName(port.text, separator: "_")))
    }
    return "\(key): { \(sinks.joined(separator: ", ")) }"
  }

  private struct UnreadPort {
    let text: String
    let carries: EdgeKind
  }

  /// What no stage reads yet: of a stage without a default output all.
  private func unreadPorts() -> [UnreadPort] {
    stages.indices.filter { stages[$0].section != .sinks && !used[$0] }.flatMap { index in
      let ports = built[index].outputs ?? []
      let needed = ports.first { $0.name.utf8.isEmpty }.map { [$0] } ?? ports
      return needed.map {
        UnreadPort(text: portText(stages[index].name, $0.name), carries: $0.carries)
      }
    }
  }

  /// The type that takes least besides is made for it. Of those that take as much, records go where a
  /// source can read them again, and rows to another.
  private func sink(for port: UnreadPort, _ taken: [String]) -> (String, StageManual?) {
    let sources = registry.names(in: .sources)
    let manual = registry.manuals
      .filter { $0.kind.section == .sinks && $0.accepts.contains(port.carries) }
      .min { a, b in
        func rank(_ manual: StageManual) -> (Int, Int) {
          let isRead = sources.contains { same($0, manual.type) }
          return (manual.accepts.count, isRead == (port.carries == .records) ? 0 : 1)
        }
        return rank(a) < rank(b)
      }
    let type = manual?.type ?? "out"
    func isFree(_ name: String) -> Bool {
      indices[Array(name.utf8)] == nil && !taken.contains { same($0, name) }
    }
    if isFree(type) { return (type, manual) }
    let name = mendedName("\(port.text)_\(type)", separator: "_")
    return (isFree(name) ? name : name + "_2", manual)
  }

  private func exampleSource() -> String {
    // What is read from it already, or what it may be called.
    let name =
      stages.flatMap(\.inputs).first { indices[Array($0.stage.utf8)] == nil }?.stage ?? "events"
    return example(
      registry.manuals.first { $0.kind.section == .sources }, name, reading: nil)
  }

  private func example(
    _ manual: StageManual?, _ name: String, reading input: String?, file: String? = nil
  ) -> String {
    guard let manual else { return "\(quoted(name)): { \"type\": ... }" }
    var members = ["\"type\": \(quoted(manual.type))"]
    if let input { members.append("\"inputs\": [\(quoted(input))]") }
    for option in manual.options {
      guard case .required = option.presence else { continue }
      var value = manual.exampleValue(of: option, for: file ?? name)
      if case .map(.fieldType) = option.type {
        let times = stages.timeFields.map { "\(quoted($0)): \"timestamp\"" }
        let field = "\(quoted(OptionType.fieldPlaceholder)): \"string\""
        value = "{ \((times + [field]).joined(separator: ", ")) }"
      }
      members.append("\(quoted(option.name)): \(value)")
    }
    return "\(quoted(name)): { \(members.joined(separator: ", ")) }"
  }
}

extension [StageDeclaration] {
  /// The fields that stages take the time from, each once.
  var timeFields: [String] {
    var names: [String] = []
    for stage in self where stage.section == .transforms {
      guard let name = stage.node.member("time")?.value.string,
        !names.contains(where: { same($0, name) })
      else { continue }
      names.append(name)
    }
    return names
  }
}
