import WeirData
import WeirEngine

/// A plan as a graph: a box a pass, in the languages of two programs that draw.
struct ExplainGraph {
  private struct Node {
    var id: String
    var label: String
    var kind: StageKind
  }
  private struct Edge {
    var from: String
    var to: String
    var label: String
    /// Records flow along it in one pass.
    var isFlow = false
  }
  private let title: String
  private var groups: [(title: String, nodes: [Node])] = []
  private var edges: [Edge] = []
  private var ids: [String: String] = [:]

  init(_ explanation: Explanation) {
    title = explanation.pipeline
    for pass in explanation.passes where !pass.readings.isEmpty {
      var nodes: [Node] = []
      for reading in pass.readings {
        let name = "\(reading.source)/\(pass.number)"
        nodes.append(
          Node(
            id: id(name),
            label: reading.source
              + (reading.readsShards
                ? (pass.number == 1 ? "\nreads the shards" : "\nreads the shards again")
                : "\nkept columns"),
            kind: .source))
        for step in reading.steps {
          let own = "\(step.id)/\(pass.number)"
          nodes.append(
            Node(
              id: id(own),
              label: "\(step.stage)\n\(step.type)\(step.isRepeated ? " (again)" : "")",
              kind: step.kind))
          edges.append(
            Edge(
              from: id(step.parent.map { "\($0)/\(pass.number)" } ?? name), to: id(own),
              label: step.port ?? "", isFlow: true))
          if step.kind == .reduce { ids[step.stage] = id(own) }
          if step.kind == .barrier, !step.isRepeated { ids[step.stage] = id(own) }
          if step.kind == .barrier, step.isRepeated, let before = ids[step.stage] {
            edges.append(Edge(from: before, to: id(own), label: "decided"))
          }
        }
      }
      groups.append(("pass \(pass.number)", nodes))
    }
    var sinks: [Node] = []
    for result in explanation.results {
      let name = "\(result.sink)/end"
      sinks.append(Node(id: id(name), label: "\(result.sink)\n\(result.type)", kind: .sink))
      if let from = ids[result.from] {
        edges.append(
          Edge(
            from: from, to: id(name),
            label: result.port.utf8.isEmpty ? result.carries.rawValue : result.port))
      }
    }
    if !sinks.isEmpty { groups.append(("at the end", sinks)) }
  }

  private mutating func id(_ name: String) -> String {
    if let known = ids["id of " + name] { return known }
    let id = "n\(ids.count)"
    ids["id of " + name] = id
    return id
  }

  /// For `dot` of Graphviz.
  var dot: String {
    func quoted(_ text: String) -> String { JSONValue.text(text).text }
    var lines = [
      "digraph \(quoted(title)) {", "  rankdir=LR;", "  node [shape=box, fontname=\"sans-serif\"];",
    ]
    for (index, group) in groups.enumerated() {
      lines.append("  subgraph cluster_\(index) {")
      lines.append("    label=\(quoted(group.title));")
      for node in group.nodes {
        let shape =
          switch node.kind {
          case .source: "cylinder"
          case .barrier: "hexagon"
          case .reduce: "trapezium"
          case .sink: "note"
          case .map: "box"
          }
        lines.append("    \(node.id) [label=\(quoted(node.label)), shape=\(shape)];")
      }
      lines.append("  }")
    }
    for edge in edges {
      lines.append(
        "  \(edge.from) -> \(edge.to)\(edge.label.utf8.isEmpty ? "" : " [label=\(quoted(edge.label))\(edge.isFlow ? "" : ", style=dashed")]");"
      )
    }
    return (lines + ["}"]).joined(separator: "\n")
  }

  /// For Mermaid, as pages of Markdown show it.
  var mermaid: String {
    // Names of stages have no quotes.
    func label(_ text: String) -> String {
      "\""
        + text.utf8.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
        .joined(separator: "<br>") + "\""
    }
    var lines = ["flowchart LR"]
    for (index, group) in groups.enumerated() {
      lines.append("  subgraph g\(index)[\(label(group.title))]")
      for node in group.nodes {
        let text = label(node.label)
        let shape =
          switch node.kind {
          case .source: "[(\(text))]"
          case .barrier: "{{\(text)}}"
          case .reduce: "[/\(text)\\]"
          case .sink: ">\(text)]"
          case .map: "[\(text)]"
          }
        lines.append("    \(node.id)\(shape)")
      }
      lines.append("  end")
    }
    for edge in edges {
      lines.append(
        edge.label.utf8.isEmpty
          ? "  \(edge.from) --> \(edge.to)"
          : "  \(edge.from) \(edge.isFlow ? "-->" : "-.->")|\(edge.label)| \(edge.to)")
    }
    return lines.joined(separator: "\n")
  }
}

/// A plan for programs.
enum ExplainJSON {
  static func value(_ explanation: Explanation) -> JSONValue {
    [
      "pipeline": .text(explanation.pipeline), "plan_sha256": .text(explanation.hash),
      "params": .object(explanation.params.map { JSONMember($0.name, .text($0.text)) }),
      "sources": .array(
        explanation.sources.map {
          [
            "source": .text($0.stage), "type": .text($0.type),
            "shards": $0.shards.map { .int($0) } ?? .null, "bytes": .int($0.bytes),
            "records": $0.records.map { .int($0) } ?? .null,
            "problem": $0.problem.map { .text($0) } ?? .null,
          ]
        }),
      "passes": .array(explanation.passes.filter { !$0.readings.isEmpty }.map(pass)),
      "results": .array(
        explanation.results.map {
          [
            "from": .text($0.from), "port": .text($0.port), "carries": .text($0.carries.rawValue),
            "sink": .text($0.sink), "type": .text($0.type),
          ]
        }),
      "files": .array(explanation.referencedFiles.map { .text($0) }),
      "kept": explanation.kept.map { kept in
        .array(
          kept.map {
            [
              "barrier": .text($0.barrier), "bytes_per_record": .number($0.bytesPerRecord),
              "bytes": .int($0.bytes),
            ]
          })
      } ?? .null,
    ]
  }

  private static func texts(_ texts: [String]) -> JSONValue { .array(texts.map { .text($0) }) }

  private static func pass(_ pass: Explanation.Pass) -> JSONValue {
    [
      "pass": .int(pass.number), "decides": texts(pass.decides),
      "readings": .array(
        pass.readings.map { reading in
          [
            "source": .text(reading.source), "reads_shards": .bool(reading.readsShards),
            "because": texts(reading.reasons), "steps": .array(reading.steps.map(step)),
          ]
        }),
    ]
  }

  private static func step(_ step: Explanation.Step) -> JSONValue {
    var members: [JSONMember] = [
      JSONMember("id", .text(step.id)),
      JSONMember("parent", step.parent.map { .text($0) } ?? .null),
      JSONMember("stage", .text(step.stage)), JSONMember("type", .text(step.type)),
      JSONMember("kind", .text(step.kind.rawValue)), JSONMember("repeated", .bool(step.isRepeated)),
      JSONMember("reads", texts(step.reads)), JSONMember("writes", texts(step.writes)),
    ]
    if let port = step.port { members.append(JSONMember("port", .text(port))) }
    if let draw = step.barrier?.draw {
      members.append(
        JSONMember("draws", ["count": .int(draw.count), "by": texts(draw.fields)]))
    }
    if let barrier = step.barrier {
      members += [
        JSONMember("key", texts(barrier.key)), JSONMember("order", texts(barrier.order)),
        JSONMember("keeps", .text(barrier.keepsLast ? "last" : "first")),
        JSONMember("filters_before", texts(barrier.filtersBefore)),
        JSONMember("columns_kept", texts(barrier.columnsKept)),
      ]
    }
    return .object(members)
  }
}
