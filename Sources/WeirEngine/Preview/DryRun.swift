import WeirData

/// Input that is given as text instead of as a file.
public struct DryShard: Sendable {
  /// Name of the source stage.
  public var source: String
  public var name: [UInt8]
  /// Decompressed.
  public var text: [UInt8]
  /// Values of the `key=value` directories, in the order of the source's scope.
  public var pathValues: [[UInt8]?]

  public init(source: String, name: String, text: [UInt8], pathValues: [[UInt8]?] = []) {
    self.source = source
    self.name = Array(name.utf8)
    self.text = text
    self.pathValues = pathValues
  }
}

/// A run in memory: the tasks, barriers, reduces, sinks and the ledger of the plan itself, over input
/// that is given. It opens no file and writes none, and what it makes is what a run over shards with
/// these bytes makes.
struct DryRun {
  let plan: Plan
  let shards: [DryShard]
  /// What of the plan looks at its input is told which shard comes.
  var place: Capture.Place?

  private final class Work {
    var items: [SpoolItem] = []
    var quarantine: [Int: [(place: ShardQuarantine.Place, text: [UInt8])]] = [:]
    var files: [Int: [String: (bytes: [UInt8], rows: Int)]] = [:]
  }

  func run() async throws -> DryResult {
    let executor = try BlockingExecutor(threads: 1)
    defer { executor.stop() }
    let memory = RunMemory(MemoryShares(workers: 1), directory: "")
    let states = makeStates(memory)
    let queues = plan.reduces.map { PartialQueue(plan.makeMerger($0), memory) }
    let kits = KitPool(lanes: plan.lanes)
    let work = Work()
    var removed: [Int: RowTable] = [:]
    var kept: [Int: Int] = [:]
    for pass in 0..<plan.passCount {
      let passWork = PassWork(
        plan: plan, pass: pass, executor: executor,
        hasher: SipHasher(secret: [UInt8](repeating: 0, count: 16)), spools: SpoolFolder(path: ""),
        progress: Progress(), options: RunOptions(workers: 1, workspace: Workspace(path: "")),
        kits: kits)
      for (state, text) in states {
        try Task.checkCancellation()
        place?.shard = state.ordinal
        place?.lane = state.lane
        try state.bringBack()
        let task = ShardTask(work: passWork, state: state, width: 0)
        let partials = try go(task, text, work)
        try plan.put([(state, partials)], pass: pass, shards: states.count, into: queues)
        if !plan.spec.errorBudgets.isEmpty {
          try state.countRefusals(inPass: pass, byGroup: plan.hasFieldBudgets)
        }
        try state.setAside()
      }
      for barrier in plan.barriers where barrier.depth == pass {
        kept[barrier.stage] = bytesKept(by: barrier, states.map(\.state))
        removed[barrier.stage] = try await BarrierDecision(
          plan: plan, barrier: barrier, states: states.map(\.state), workers: 1, memory: memory
        ).decide()
        memory.dropTuples(of: barrier.stage)
      }
    }
    return try finish(states.map(\.state), queues, removed, kept, work)
  }

  private func makeStates(_ memory: RunMemory) -> [(state: ShardState, text: [UInt8])] {
    var states: [(state: ShardState, text: [UInt8])] = []
    for (index, lane) in plan.lanes.enumerated() {
      let mine = shards.filter { same($0.source, plan.stage(lane.stage).name) }
        .sorted { $0.name.lexicographicallyPrecedes($1.name) }
      for shard in mine {
        let state = ShardState(
          lane: index, ordinal: states.count,
          shard: Shard(
            path: "the input", name: shard.name, size: shard.text.count,
            pathValues: shard.pathValues),
          nodes: lane.nodes.count, memory: memory)
        let hasher = ContentHasher()
        shard.text.withUnsafeBufferPointer { hasher.update($0) }
        state.contentHash = hasher.finish()
        states.append((state, shard.text))
      }
    }
    return states
  }

  /// One pass over one shard, as a task does it.
  private func go(
    _ task: ShardTask, _ text: [UInt8], _ work: Work
  ) throws -> [(node: Int, bytes: [UInt8])] {
    let (pass, state) = (task.pass, task.state)
    switch task.reading {
    case .none: return []
    case .shard:
      let (output, items) = try task.pass(over: Bytes(text))
      try take(items, state, pass, work)
      return output.partials
    case .retained:
      let partials = try task.replay()
      guard let found = state.quarantines[pass], found.count > 0 else { return partials }
      let again = state.forQuarantine()
      let (_, items) = try ShardTask(work: task.work, state: again, width: 0)
        .pass(over: Bytes(text))
      state.quarantines[pass] = again.quarantines[pass]
      try take(items.filter { if case .quarantine = $0 { true } else { false } }, state, pass, work)
      return partials
    }
  }

  private func take(
    _ items: [SpoolItem], _ state: ShardState, _ pass: Int, _ work: Work
  ) throws {
    var refused: [UInt8] = []
    func append(_ stage: Int, _ path: String, _ bytes: some Sequence<UInt8>, _ rows: Int) throws {
      if work.files[stage]?[path] == nil {
        let sink = plan.recordSink(stage)
        guard work.files[stage, default: [:]].count < sink.maxFiles else {
          throw RunError(tooManyFilesOf: plan.stage(stage).name, limit: sink.maxFiles)
        }
        work.files[stage, default: [:]][path] = (sink.fileHead, 0)
      }
      work.files[stage]![path]!.bytes.append(contentsOf: bytes)
      work.files[stage]![path]!.rows += rows
    }
    for item in items {
      switch item {
      case .piece(let stage, let piece):
        try append(stage, piece.path, piece.text.view, piece.rows)
      case .frame(let piece): try append(piece.stage, piece.path, piece.bytes, piece.rows)
      case .quarantine(let lines): refused += lines
      case .chunk: preconditionFailure("there is memory for everything")
      }
    }
    let lines = refused.split(separator: 0x0A).map { Array($0) }
    work.quarantine[state.ordinal, default: []] += zip(
      state.quarantines[pass]?.places ?? [], lines
    ).map { ($0, $1) }
  }

  /// Bytes that a barrier and the passes behind it keep of the records.
  private func bytesKept(by barrier: BarrierPlan, _ states: [ShardState]) -> Int {
    var bytes = 0
    for state in states {
      let nodes = plan.lanes[state.lane].nodes
      for node in nodes.indices where nodes[node].stage == barrier.stage {
        bytes += state.tuples[node]?.blocks.reduce(0) { $0 + $1.chunk.count } ?? 0
        bytes += state.retained[node]?.chunks.reduce(0) { $0 + $1.count } ?? 0
        bytes += state.keys[node]?.chunks.reduce(0) { $0 + $1.count } ?? 0
      }
    }
    return bytes
  }

  // MARK: The end

  private func finish(
    _ states: [ShardState], _ queues: [PartialQueue], _ removed: [Int: RowTable],
    _ kept: [Int: Int], _ work: Work
  ) throws -> DryResult {
    for state in states { try state.settle() }
    let ledger = plan.ledger(states)
    try ledger.check()
    var facts = plan.facts(
      ledger: ledger, quarantine: plan.quarantineSummary(states), states: states,
      runKey: plan.runKey(states))
    var tally = BudgetTally(plan, at: .end)
    if !tally.isIdle {
      for state in states { tally.add(state) }
      facts.overBudget = tally.excesses()
    }
    var made: [Int: [String: StageOutput]] = [:]
    for (queue, reduce) in zip(queues, plan.reduces) {
      made[reduce.stage] = try queue.finish(slots: plan.passCount * states.count).outputs
    }
    for (stage, table) in removed { made[stage] = ["removed": .rows(table)] }
    facts.findings = plan.levels(made)
    var files: [DryFile] = []
    try plan.writeResults(made, facts) { sink, file in
      files.append(DryFile(sink: sink, path: file.path, bytes: file.bytes, rows: file.rows))
    }
    for index in plan.spec.stages.indices {
      guard let sink = plan.recordSinkIfAny(index) else { continue }
      var mine = work.files[index] ?? [:]
      if let empty = sink.emptyFile, mine[empty.path] == nil { mine[empty.path] = (empty.bytes, 0) }
      for (path, file) in mine {
        files.append(
          DryFile(sink: plan.stage(index).name, path: path, bytes: file.bytes, rows: file.rows))
      }
    }
    files.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    var quarantine: [[UInt8]] = []
    for shard in states.indices {
      quarantine += (work.quarantine[shard] ?? []).sorted { $0.place < $1.place }.map(\.text)
    }
    return DryResult(
      ledger: ledger, quarantine: quarantine, files: files, made: made,
      overBudget: facts.overBudget, findings: facts.findings, bytesKept: kept)
  }
}

extension Plan {
  /// The record sink of a stage, in one of its ways.
  func recordSinkIfAny(_ stage: Int) -> (any BoundRecordSink)? {
    for node in lanes.lazy.flatMap(\.nodes) where node.stage == stage {
      if case .sink(let sink) = node.work { return sink }
    }
    return nil
  }

  fileprivate func recordSink(_ stage: Int) -> any BoundRecordSink {
    guard let sink = recordSinkIfAny(stage) else {
      preconditionFailure("`\(self.stage(stage).name)` writes no records")
    }
    return sink
  }
}
