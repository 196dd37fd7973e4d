import WeirData

/// A plan as a person can read it. Everything in it is read off the ``Plan`` that a run goes by.
public struct Explanation: Sendable {
  public struct Source: Sendable {
    public var stage: String
    public var type: String
    /// `nil` where the shards could not be found; then `problem` says why.
    public var shards: Int?
    public var bytes = 0
    public var problem: String?
    /// Going by the first lines.
    public var records: Int?
  }

  /// A stage in one of the ways to it.
  public struct Step: Sendable {
    public var id: String
    public var parent: String?
    public var stage: String
    public var type: String
    public var kind: StageKind
    /// The output of the parent that it reads, where that has several.
    public var port: String?
    /// Stages between it and what the task begins with.
    public var level: Int
    /// Worked on in an earlier pass already: counts nothing.
    public var isRepeated: Bool
    public var reads: [String]
    public var writes: [String]
    public var barrier: Barrier?
  }

  public struct Barrier: Sendable {
    public var key: [String]
    public var order: [String]
    public var keepsLast: Bool
    /// Where some of each key are drawn instead: how many, and the fields that are hashed for it.
    public var draw: (count: Int, fields: [String])?
    /// Maps in front of it that can drop a record whose later revision would have decided.
    public var filtersBefore: [String]
    /// Kept in memory for the passes behind it.
    public var columnsKept: [String]
  }

  public struct Reading: Sendable {
    public var source: String
    /// The shards are read; else the columns that were kept.
    public var readsShards: Bool
    /// Why they are read once more.
    public var reasons: [String]
    public var steps: [Step]
  }

  public struct Pass: Sendable {
    public var number: Int
    public var readings: [Reading]
    /// Barriers that are decided behind it.
    public var decides: [String]
  }

  public struct Result: Sendable {
    public var from: String
    public var port: String
    public var carries: EdgeKind
    public var sink: String
    public var type: String
  }

  /// What is kept from pass to pass, going by the first lines of the sources.
  public struct Kept: Sendable {
    public var barrier: String
    public var bytesPerRecord: Double
    public var bytes: Int
  }

  public var pipeline: String
  public var hash: String
  public var params: [(name: String, text: String)]
  public var sources: [Source]
  public var passes: [Pass]
  public var results: [Result]
  public var referencedFiles: [String]
  /// `nil` where no shard could be looked at.
  public var kept: [Kept]?
}

extension Plan {
  /// - Parameter linesSampled: of each source, to go by; 0: no shard is looked at.
  public func explain(linesSampled: Int = 20_000) async -> Explanation {
    var explanation = Explanation(
      pipeline: spec.name, hash: hexText(hash),
      params: spec.params.values.map { (name: $0.name, text: $0.value.text) }, sources: [],
      passes: (0..<passCount).map { explainPass($0) }, results: explainedResults,
      referencedFiles: referencedFiles.map(\.path), kept: nil)
    var shards: [DryShard] = []
    var factors: [Double] = []
    for index in lanes.indices {
      var source = Explanation.Source(
        stage: stage(lanes[index].stage).name, type: stage(lanes[index].stage).type)
      do {
        let sample = try ShardSample(self, lane: index)
        source.shards = sample.shards.count
        source.bytes = sample.bytesInAll
        let parts = linesSampled > 0 ? try sample.first(linesSampled) : []
        let read = parts.reduce(0) { $0 + $1.bytesRead }
        if read > 0 {
          let factor = Double(sample.bytesInAll) / Double(read)
          factors.append(factor)
          source.records = Int(Double(parts.reduce(0) { $0 + $1.lines }) * factor)
        }
        shards += parts.map {
          DryShard(
            source: source.stage, name: $0.shard.nameText, text: $0.text,
            pathValues: $0.shard.pathValues)
        }
      } catch {
        source.problem = RunError(error).message
      }
      explanation.sources.append(source)
    }
    // What cannot be tried now will say why when it is run.
    if factors.count == lanes.count, let result = try? await dryRun(shards) {
      explanation.kept = explainKept(result, factors.max() ?? 1)
    }
    return explanation
  }

  private func explainKept(_ result: DryResult, _ factor: Double) -> [Explanation.Kept] {
    barriers.map { barrier in
      let records = max(1, result.ledger.stages[barrier.stage].counts.in)
      let bytes = Double(result.bytesKept[barrier.stage] ?? 0)
      return Explanation.Kept(
        barrier: stage(barrier.stage).name, bytesPerRecord: bytes / Double(records),
        bytes: Int(bytes * factor))
    }
  }

  private var explainedResults: [Explanation.Result] {
    resultSinks.flatMap { index in
      stage(index).inputs.filter { $0.carries != .records }.map {
        Explanation.Result(
          from: stage($0.stage).name, port: $0.port, carries: $0.carries,
          sink: stage(index).name, type: stage(index).type)
      }
    }
  }

  private func explainPass(_ pass: Int) -> Explanation.Pass {
    var readings: [Explanation.Reading] = []
    for lane in lanes where pass < lane.readings.count && lane.readings[pass] != .none {
      let readsShards = lane.readings[pass] == .shard
      readings.append(
        Explanation.Reading(
          source: stage(lane.stage).name, readsShards: readsShards,
          reasons: readsShards && pass > 0 ? lane.reasons(pass, self) : [],
          steps: lane.steps(pass, readsShards: readsShards, self)))
    }
    return Explanation.Pass(
      number: pass + 1, readings: readings,
      decides: barriers.filter { $0.depth == pass }.map { stage($0.stage).name })
  }
}

extension Lane {
  /// Why the shards are read once more in a pass.
  fileprivate func reasons(_ pass: Int, _ plan: Plan) -> [String] {
    var said: Set<Int> = []
    return nodes.indices.filter { nodes[$0].depth == pass }.compactMap { index in
      let stage = plan.stage(nodes[index].stage)
      if case .sink = nodes[index].work {
        guard said.insert(nodes[index].stage).inserted else { return nil }
        return "`\(stage.name)` (\(stage.type)) writes the records, whose text is not kept"
      }
      guard !nodes.hasBarrier(above: index), said.insert(nodes[index].stage).inserted else {
        return nil
      }
      return "`\(stage.name)` waits for a barrier on another way, and none kept these records"
    }
  }

  /// The names of columns, as the stage that looks at them knows them.
  private func names(_ columns: [Int], _ scopes: [Scope]) -> [String] {
    var names: [String] = []
    for column in Set(columns).sorted() {
      for scope in scopes {
        guard let field = scope.fields.first(where: { $0.column == column }) else { continue }
        if !names.contains(where: { same($0, field.path.text) }) { names.append(field.path.text) }
        break
      }
    }
    return names
  }

  fileprivate func steps(_ pass: Int, readsShards: Bool, _ plan: Plan) -> [Explanation.Step] {
    var steps: [Explanation.Step] = []
    func add(_ index: Int, _ level: Int, _ parent: String?) {
      guard activePasses[index].contains(where: { $0 >= pass }) else { return }
      let node = nodes[index]
      // Behind a barrier that is decided later, nothing happens yet.
      guard node.depth <= pass, node.depth == pass || activePasses[index].contains(pass) else {
        return
      }
      let stage = plan.stage(node.stage)
      let behind = node.children.map { nodes[$0].scope }
      let id = "\(stage.name)#\(node.instance)"
      steps.append(
        Explanation.Step(
          id: id, parent: parent, stage: stage.name, type: stage.type, kind: stage.kind,
          port: port(of: node), level: level, isRepeated: node.depth < pass,
          reads: names(node.columnsRead, [node.scope]),
          writes: names(node.columnsWritten, behind), barrier: barrier(index, plan)))
      if case .barrier = node.work, node.depth == pass { return }
      for child in node.children { add(child, level + 1, id) }
    }
    // The columns that were kept begin behind the first barriers.
    let first = readsShards ? roots : retained.keys.sorted()
    for index in first { add(index, 0, nil) }
    return steps
  }

  private func port(of node: Node) -> String? {
    guard let ports = node.parent.map({ nodes[$0].ports }), !ports.isEmpty else { return nil }
    return ports[node.port]
  }

  private func barrier(_ index: Int, _ plan: Plan) -> Explanation.Barrier? {
    guard case .barrier(let rule) = nodes[index].work else { return nil }
    var filters: [String] = []
    var at = nodes[index].parent
    while let parent = at {
      if case .map(let map) = nodes[parent].work, map.filters {
        filters.append(plan.stage(nodes[parent].stage).name)
      }
      at = nodes[parent].parent
    }
    return Explanation.Barrier(
      key: rule.key.map(\.field.text), order: rule.order.map(\.field.text),
      keepsLast: rule.keepsLast,
      draw: rule.draw.map { ($0.count, names($0.columns.map(\.column), [nodes[index].scope])) },
      filtersBefore: rule.draw == nil ? filters.reversed() : [],
      columnsKept: names(retained[index] ?? [], [nodes[index].scope]))
  }
}
