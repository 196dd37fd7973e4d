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

  /// A whole stage, with its name: a sink reads what no stage reads yet.
  func example(of section: SpecSection) -> String {
    let manuals = registry.manuals.filter { $0.kind.section == section }
    let unread = stages.indices.last { index in
      stages[index].section != .sinks && !used[index] && built[index].outputs?.isEmpty == false
    }
    let port = unread.flatMap { built[$0].outputs?.first }
    // The one that takes least besides is made for it.
    let fitting = manuals.filter { manual in
      port.map { manual.accepts.contains($0.carries) } ?? true
    }
    .min { $0.accepts.count < $1.accepts.count }
    guard let manual = fitting ?? manuals.first else { return "\"NAME\": { \"type\": ... }" }
    // What is read from it already, or what it may be called.
    let name =
      section == .sources
      ? stages.flatMap(\.inputs).first { indices[Array($0.stage.utf8)] == nil }?.stage ?? "events"
      : indices[Array(manual.type.utf8)] == nil ? manual.type : "out"
    var members = ["\"type\": \(quoted(manual.type))"]
    if section != .sources {
      let input = unread.map { portText(stages[$0].name, port?.name ?? "") } ?? "STAGE"
      members.append("\"inputs\": [\(quoted(input))]")
    }
    for option in manual.options {
      if case .required = option.presence {
        members.append("\(quoted(option.name)): \(manual.exampleValue(of: option, for: name))")
      }
    }
    return "\(quoted(name)): { \(members.joined(separator: ", ")) }"
  }
}
