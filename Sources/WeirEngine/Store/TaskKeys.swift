import Glibc
import WeirData

/// Names the result of a task by all that it is made of: the program, what the plan does with the lane
/// up to that pass, the shard, and what barriers of earlier passes keep from passing.
struct TaskKeys: Sendable {
  /// Of the entries.
  static let format = 3

  /// By lane and pass.
  private let parts: [[[UInt8]]]
  /// By lane and pass: the nodes of earlier passes, with their numbers.
  private let before: [[[(rank: Int, node: Int)]]]

  init(_ plan: Plan, secret: [UInt8]) {
    let head =
      Array("weir \(weirVersion) zstd \(zstdVersion) entry \(TaskKeys.format)\n".utf8)
      + TaskKeys.program + sha256(secret)
    parts = plan.lanes.map { lane in
      (0..<plan.passCount).map { sha256(head + plan.identity(of: lane, pass: $0)) }
    }
    before = plan.lanes.map { lane in
      (0..<plan.passCount).map { pass in
        lane.nodes(upTo: pass).enumerated().filter { lane.nodes[$0.element].depth < pass }
          .map { (rank: $0.offset, node: $0.element) }
      }
    }
  }

  /// - Parameter state: of a shard whose content is known.
  func key(_ state: ShardState, _ content: Hash128, pass: Int, _ lane: Lane) -> Hash128 {
    let hasher = SHA256Hasher()
    hasher.update(parts[state.lane][pass])
    var text = EntryWriter(capacity: 128)
    text.put([content.high, content.low])
    text.put(state.shard.name)
    text.put(list: state.shard.pathValues) { $0.put($1.map { [1] + $0 } ?? [0]) }
    // What a barrier blocked is a function of many shards.
    for (rank, node) in before[state.lane][pass] {
      guard let blocked = state.blocked[node] else { continue }
      text.put(rank)
      text.put(blocked.trimmedWords)
    }
    hasher.update(text.bytes)
    return TaskKeys.key(hasher)
  }

  /// Of what a barrier decides, whatever the shards.
  func decision(of barrier: BarrierPlan, _ plan: Plan) -> Hash128 {
    let hasher = SHA256Hasher()
    var text = EntryWriter()
    text.put("decision")
    text.put(plan.stage(barrier.stage).name)
    text.put(list: parts) { $0.put($1[barrier.depth]) }
    hasher.update(text.bytes)
    return TaskKeys.key(hasher)
  }

  private static func key(_ hasher: SHA256Hasher) -> Hash128 {
    let digest = hasher.finish()
    var words: [UInt64] = []
    for at in [0, 8] {
      words.append(digest[at..<(at + 8)].reduce(0) { $0 << 8 | UInt64($1) })
    }
    return Hash128(high: words[0], low: words[1])
  }

  /// This very program: another build of the same version may do things differently.
  private static var program: [UInt8] {
    var status = stat()
    guard stat("/proc/self/exe", &status) == 0 else { return [] }
    return Array("\(status.st_size) \(status.st_mtim.tv_sec) \(status.st_mtim.tv_nsec)\n".utf8)
  }
}

extension Plan {
  /// Everything of a lane that the result of a pass depends on, apart from the data.
  fileprivate func identity(of lane: Lane, pass: Int) -> [UInt8] {
    let nodes = lane.nodes(upTo: pass)
    let columns = lane.columnNames(nodes)
    var text = EntryWriter()
    text.put(spec.identity(ofStage: lane.stage, files: referencedFiles))
    text.put("\(lane.readings.prefix(pass + 1))")
    text.put(list: zip(spec.ledgerBy, lane.ledgerColumns).map { ($0, $1) }) { text, field in
      text.put(field.0.text)
      // A later pass has columns of its own that nothing stands in yet.
      text.put(list: field.1.compactMap { columns[$0] }) { $0.put($1) }
    }
    let grouped = groupedNodes(ofLane: lanes.firstIndex { $0.stage == lane.stage } ?? 0)
    text.put(list: nodes) { text, index in
      let node = lane.nodes[index]
      text.put(nodes.firstIndex { $0 == node.parent } ?? -1)
      text.put(node.depth)
      text.put(node.port)
      text.put(list: Set(node.children.map { lane.nodes[$0].port }).sorted()) { $0.put($1) }
      text.put(spec.identity(ofStage: node.stage, files: referencedFiles))
      text.put(node.children.isEmpty ? 1 : 0)
      text.put(grouped.contains(index) ? 1 : 0)
      text.put(list: lane.retained[index] ?? []) { $0.put(columns[$1] ?? []) }
      text.put(lane.retainsOffsets.contains(index) ? 1 : 0)
      text.put(barriers.contains { $0.stage == node.stage && $0.wantsRemoved } ? 1 : 0)
    }
    return text.bytes
  }
}

extension Lane {
  /// The nodes that work in a pass or before, in order. Their places in this list do not depend on
  /// what stands behind.
  func nodes(upTo pass: Int) -> [Int] { nodes.indices.filter { nodes[$0].depth <= pass } }

  /// Columns by what fills them: their numbers change when something is added elsewhere.
  fileprivate func columnNames(_ nodes: [Int]) -> [Int: [UInt8]] {
    var names: [Int: [UInt8]] = [:]
    for field in source.scope.fields {
      names[field.column] = Array("source \(field.path.text)".utf8)
    }
    for (rank, node) in nodes.enumerated() {
      for (i, column) in self.nodes[node].columnsWritten.enumerated() {
        names[column] = Array("\(rank) \(i)".utf8)
      }
    }
    return names
  }
}
