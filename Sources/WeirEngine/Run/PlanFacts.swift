import WeirData

// What a finished run can say about itself, gathered from its shards in their order.

extension Plan {
  func makeMerger(_ reduce: ReducePlan) -> any ReduceMerger {
    guard let stage = stage(reduce.stage).stage as? any ReduceStage else {
      preconditionFailure("a reduce is a ReduceStage")
    }
    return stage.makeMerger(reduce.instances)
  }

  /// - Parameter isPartial: the run stopped behind a pass, before its barriers were decided: what they
  ///   hold back is unfinished.
  func ledger(_ states: [ShardState], isPartial: Bool = false) -> Ledger {
    var ledger = Ledger()
    ledger.stages = spec.stages.map {
      Ledger.Stage(
        name: $0.name, type: $0.type, kind: $0.kind, counts: StageCounts(),
        takesRecords: $0.kind != .sink || $0.inputs.contains { $0.carries == .records })
    }
    for index in ledger.stages.indices {
      guard let node = firstNode(of: index) else { continue }
      ledger.stages[index].ports = node.ports.map { (name: $0, records: 0) }
      ledger.stages[index].checks = node.checks.map {
        Ledger.Check(name: $0.name, level: $0.level, failed: 0)
      }
    }
    let sources = lanes.map { stage($0.stage).name }
    var byNode = lanes.map { [StageCounts](repeating: StageCounts(), count: $0.nodes.count) }
    ledger.shards.reserveCapacity(states.count)
    for state in states {
      if let fault = state.fault {
        ledger.shardsSetAside.append(fault)
        continue
      }
      let records = state.records
      ledger.records += records
      ledger.shards.append(
        Ledger.ShardEntry(
          source: sources[state.lane], shard: state.shard.nameText,
          contentHash: state.contentHash?.hex ?? "", bytes: state.shard.size, records: records))
      for node in state.counts.indices { byNode[state.lane][node] += state.counts[node] }
      if !state.tallies.isEmpty { addTallies(state, to: &ledger) }
      // A source takes in every line that is not blank; what it gives out is what it did not refuse.
      let source = lanes[state.lane].stage
      let refused = (state.quarantines[0]?.tallies ?? [:]).reduce(0) {
        $1.key.stage == source ? $0 + $1.value.count : $0
      }
      ledger.stages[source].counts.in += records.read
      ledger.stages[source].counts.quarantined += refused
      ledger.stages[source].counts.out += records.read - refused
    }
    for (lane, counts) in zip(lanes, byNode) {
      for (node, counts) in zip(lane.nodes, counts) {
        var counts = counts
        if isPartial, case .barrier = node.work { counts.closePartial() }
        ledger.stages[node.stage].counts += counts
      }
    }
    ledger.edges = edges(states)
    group(states, isPartial, into: &ledger)
    return ledger
  }

  /// What nodes count for themselves: records by output, or by rule.
  private func addTallies(_ state: ShardState, to ledger: inout Ledger) {
    let lane = lanes[state.lane]
    for (index, node) in lane.nodes.enumerated() {
      guard let tallies = state.tallies[index] else { continue }
      for (i, _) in node.ports.enumerated() {
        ledger.stages[node.stage].ports[i].records += tallies[i].count
      }
      for (i, _) in node.checks.enumerated() where tallies[i].count > 0 {
        if ledger.stages[node.stage].checks[i].first == nil {
          ledger.stages[node.stage].checks[i].first = (
            source: stage(lane.stage).name, shard: state.shard.nameText,
            line: tallies[i].firstLine
          )
        }
        ledger.stages[node.stage].checks[i].failed += tallies[i].count
      }
    }
  }

  /// The node of a stage on the first way to it.
  private func firstNode(of stage: Int) -> Node? {
    lanes.lazy.compactMap { $0.nodes.first { $0.stage == stage } }.first
  }

  /// What each consumer took in from each producer, by its own count.
  private func edges(_ states: [ShardState]) -> [Ledger.Edge] {
    var byNode = lanes.map { [Int](repeating: 0, count: $0.nodes.count) }
    for state in states {
      for (node, counts) in state.counts.enumerated() { byNode[state.lane][node] += counts.in }
    }
    var taken: [[Int]: Int] = [:]
    for (lane, counts) in zip(lanes, byNode) {
      for (node, count) in zip(lane.nodes, counts) {
        let from = node.parent.map { lane.nodes[$0].stage } ?? lane.stage
        taken[[from, node.port, node.stage], default: 0] += count
      }
    }
    return spec.stages.indices.flatMap { to in
      spec.stages[to].inputs.filter { $0.carries == .records }.map { input in
        let port = firstNode(of: input.stage)?.ports.firstIndex { same($0, input.port) }
        return Ledger.Edge(
          from: stage(input.stage).name, port: input.port, to: stage(to).name,
          records: taken[[input.stage, port ?? 0, to]] ?? 0)
      }
    }
  }

  private func group(_ states: [ShardState], _ isPartial: Bool, into ledger: inout Ledger) {
    guard !spec.ledgerBy.isEmpty else { return }
    ledger.groupFields = spec.ledgerBy.map(\.text)
    var groups: [[UInt8]: RecordCounts] = [:]
    let noValues = (0..<spec.ledgerBy.count).flatMap { _ -> [UInt8] in
      var key: [UInt8] = []
      appendKey(.missing, to: &key)
      return key
    }
    for state in states {
      for (group, outcomes) in state.outcomesByGroup.enumerated() {
        let key = group == 0 ? noValues : Array(state.groups.bytes(of: group - 1))
        for outcome in Outcome.allCases where outcome != .blank {
          let count = outcomes[Int(outcome.rawValue)]
          guard count > 0 else { continue }
          groups[key, default: RecordCounts()].add(outcome, count)
          if isPartial, outcome == .read { groups[key]!.unfinished += count }
        }
      }
    }
    ledger.groups = groups.keys.sorted { $0.lexicographicallyPrecedes($1) }.map {
      Ledger.Group(
        values: $0.withUnsafeBufferPointer { keyTexts($0) }, records: groups[$0]!)
    }
  }

  func quarantineSummary(_ states: [ShardState]) -> QuarantineSummary {
    var entries: [ShardQuarantine.Key: QuarantineSummary.Entry] = [:]
    for state in states {
      let source = stage(lanes[state.lane].stage).name
      for pass in state.quarantines.keys.sorted() {
        for (key, tally) in state.quarantines[pass]!.tallies {
          if entries[key] == nil {
            entries[key] = QuarantineSummary.Entry(
              stage: stage(key.stage).name, code: key.code, field: key.field, count: 0,
              source: source, shard: state.shard.nameText, line: tally.line,
              message: tally.message, sample: tally.sample)
          }
          entries[key]!.count += tally.count
        }
      }
    }
    let keys = entries.keys.sorted {
      ($0.stage, $0.code, $0.field ?? "") < ($1.stage, $1.code, $1.field ?? "")
    }
    var summary = QuarantineSummary()
    summary.entries = keys.map { entries[$0]! }
    return summary
  }

  /// The identity of a run: equal plan, parameters and input bytes give equal outputs.
  func runKey(_ states: [ShardState]) -> String {
    let hasher = SHA256Hasher()
    hasher.update(hash)
    // Of every part, so that none runs into the next.
    let part = SHA256Hasher()
    let sources = lanes.map { sha256(Array(stage($0.stage).name.utf8)) }
    for state in states {
      hasher.update(sources[state.lane])
      part.update(state.shard.name)
      hasher.update(part.finishAndBegin())
      part.update(Array((state.contentHash?.hex ?? "").utf8))
      hasher.update(part.finishAndBegin())
    }
    return hexText(hasher.finish())
  }

  func facts(
    ledger: Ledger, quarantine: QuarantineSummary, states: [ShardState], runKey: String
  ) -> RunFacts {
    var facts = RunFacts(
      pipeline: spec.name, description: spec.description,
      params: spec.params.values.map { (name: $0.name, text: $0.value.text) }, input: "",
      ledger: ledger, quarantine: quarantine,
      uncheckedShards: states.count { $0.uncheckedFrames > 0 },
      specHash: hexText(sha256(spec.specBytes)), planHash: hexText(hash), runKey: runKey,
      outputs: spec.stages.compactMap { ($0.stage as? any SinkStage)?.staticPath })
    facts.refusalRateMax =
      spec.errorBudgets.first {
        $0.stage == nil && $0.grouping == .none && $0.rate != nil
          && ledger.records.read >= $0.minRecords
      }?.rate
    return facts
  }

  /// Things that went well enough, and should be known.
  func notes(_ states: [ShardState]) -> [String] {
    var notes: [String] = []
    let unchecked = states.count { $0.uncheckedFrames > 0 }
    if unchecked > 0 {
      notes.append(
        "\(unchecked) of \(states.count) shards carry no checksum: damage in them may go unseen")
    }
    return notes
  }

  /// The text of the manifest.
  func manifest(_ facts: RunFacts, _ states: [ShardState], _ files: [OutputRecord]) -> [UInt8] {
    let inputs = states.lazy.map { state -> JSONValue in
      [
        "source": .text(stage(lanes[state.lane].stage).name),
        "shard": .string(state.shard.name), "bytes": .int(state.shard.size),
        "content": .text(state.contentHash?.hex ?? ""),
      ]
    }
    let manifest: JSONValue = [
      "weir": .text(weirVersion), "zstd": .text(zstdVersion), "pipeline": .text(spec.name),
      "run_key": .text(facts.runKey), "spec_sha256": .text(facts.specHash),
      "plan_sha256": .text(facts.planHash),
      "params": .object(facts.params.map { JSONMember($0.name, .text($0.text)) }),
      "referenced_files": .array(
        referencedFiles.map { ["path": .text($0.path), "sha256": .text(hexText($0.sha256))] }),
      "inputs": [],
      "records": facts.ledger.records.json, "blank": .int(facts.ledger.records.blank),
      "quarantine": .object(
        facts.quarantine.byCode.map { JSONMember($0.code, .int($0.count)) }),
      "findings": .object(facts.findings.map { JSONMember($0.level, .int($0.count)) }),
      "shards_set_aside": .array(facts.ledger.shardsSetAside.map(\.json)),
      "expectations": .array(facts.ledger.expectationValues),
      "over_budget": .array(facts.overBudget.map { .text($0.text) }),
      "files": .array(files.map(\.manifestJSON)),
    ]
    return manifest.indentedBytes(filling: "inputs", with: inputs) + [0x0A]
  }
}

extension StageCounts {
  /// What is not accounted for is held back.
  fileprivate mutating func closePartial() {
    unfinished = `in` - out - filtered - deduplicated - quarantined - taken
  }
}

extension RecordCounts {
  fileprivate mutating func add(_ outcome: Outcome, _ count: Int) {
    read += count
    switch outcome {
    case .written: written += count
    case .filtered: filtered += count
    case .deduplicated: deduplicated += count
    case .quarantined: quarantined += count
    case .blank, .read: break
    }
  }
}
