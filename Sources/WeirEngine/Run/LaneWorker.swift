import WeirData

/// Takes the batches of one shard through the nodes of its lane, in one pass.
///
/// Nodes of a smaller depth only repeat what they did before: they count nothing and refuse nothing.
final class LaneWorker {
  private let lane: Lane
  private let pass: Int
  private let state: ShardState
  private let stageNames: [String]
  /// Whether the batches have the text that the quarantine keeps.
  private let hasText: Bool
  /// What works at one node; `nil` where it does nothing of that kind in this pass.
  private struct Slot {
    var map: (any MapWorker)?
    /// The same, where it sends records to several outputs, and where it holds them against rules.
    var router: (any RoutingWorker)?
    var checker: (any CheckingWorker)?
    var collector: BarrierCollector?
    var partial: (any ReducePartial)?
    var writer: (any RecordWriter)?
  }
  /// By node.
  private var slots: [Slot]
  /// Sinks that several ways lead to: what they got of the batch in hand, by stage.
  private var joinedStages: Set<Int> = []
  private var joined: [Int: [(node: Int, selection: Selection)]] = [:]
  private let grouper: LineGrouper
  private var quarantine = ShardQuarantine()
  /// Refusals of the batch in hand.
  private var refused: [(stage: Int, refusal: Refusal)] = []
  /// Bytes for the disk that the caller takes after every batch.
  var pending: [SpoolItem] = []
  /// Why the run cannot go on; the caller looks after every batch.
  private(set) var failure: RunError?
  /// Encodes pieces as they come; `nil`: the caller sees to it.
  private let encoder: PieceEncoder?
  private let kit: TaskKit
  /// What the task makes for another night.
  private let entry: EntryBuilder?
  private var tally: GroupTally

  init(
    lane: Lane, pass: Int, state: ShardState, stageNames: [String], hasher: SipHasher,
    wantsRemoved: Set<Int>, scanner: (any BatchScanner)?, kit: TaskKit,
    encoder: PieceEncoder?, groupedNodes: Set<Int>, entry: EntryBuilder?
  ) {
    self.entry = entry
    self.encoder = encoder
    self.kit = kit
    tally = GroupTally(nodes: groupedNodes)
    self.lane = lane
    self.pass = pass
    self.state = state
    hasText = scanner != nil
    grouper = LineGrouper(lane.ledgerColumns)
    self.stageNames = stageNames
    slots = Array(repeating: Slot(), count: lane.nodes.count)
    for (i, node) in lane.nodes.enumerated()
    where lane.activePasses[i].contains(where: { $0 >= pass }) {
      switch node.work {
      case .map: break
      case .barrier(let rule) where node.depth == pass:
        slots[i].collector = makeCollector(i, rule, hasher, wantsRemoved: wantsRemoved)
      case .barrier: break
      case .reduce(let reduce) where node.depth == pass:
        slots[i].partial = kit.partial(of: i, reduce)
      case .sink(let sink) where node.depth == pass:
        guard hasText else { preconditionFailure("a record sink needs the text") }
        let sibling = slots.indices.first {
          slots[$0].writer != nil && lane.nodes[$0].stage == node.stage
        }
        if sibling != nil { joinedStages.insert(node.stage) }
        slots[i].writer = sink.makeWriter(beside: sibling.flatMap { slots[$0].writer })
      case .reduce, .sink: break
      }
    }
  }

  // MARK: Batches

  /// A batch from the source.
  func process(_ scanned: inout ScannedBatch) {
    if pass == 0 {
      account(for: scanned)
      for refusal in scanned.refusals { refuse(refusal, by: lane.stage) }
    }
    run(children: lane.roots, &scanned.batch, scanned.selection)
    writeJoined(scanned.batch)
    if pass == 0, !lane.ledgerColumns.isEmpty {
      grouper.group(scanned.batch, state.groups, into: &state.lineGroups)
    }
    settle(scanned.batch)
  }

  /// The kept columns of a barrier, as they came to it.
  func replay(barrier node: Int, _ batch: inout Batch, _ selection: Selection) {
    run(node, &batch, selection)
    settle(batch)
  }

  /// Notes every line of the batch as read.
  private func account(for scanned: borrowing ScannedBatch) {
    state.blank += scanned.blank
    state.outcomes.raiseAll(of: scanned.batch, to: .read)
    for refusal in scanned.refusals { state.outcomes.extend(to: refusal.line) }
  }

  private func run(children: [Int], _ batch: inout Batch, _ selection: Selection) {
    for child in children { run(child, &batch, selection) }
  }

  private func run(_ index: Int, _ batch: inout Batch, _ selection: Selection) {
    guard lane.activePasses[index].contains(where: { $0 >= pass }) else { return }
    // Not a copy of the node, which has a dozen references.
    let isActive = lane.nodes[index].depth == pass
    switch lane.nodes[index].work {
    case .map:
      map(index, isActive: isActive, &batch, selection)
    case .barrier:
      if isActive {
        collect(index, batch, selection)
      } else {
        pass(index, &batch, selection)
      }
    case .reduce:
      guard isActive, let partial = slots[index].partial else { return }
      var refusals: [Refusal] = []
      partial.add(batch, selection, &refusals)
      take(index, batch, selection, refusals)
    case .sink:
      guard isActive else { return }
      let stage = lane.nodes[index].stage
      if joinedStages.contains(stage) {
        joined[stage, default: []].append((index, selection))
      } else {
        write(index, batch, selection)
      }
    }
  }

  private func write(_ index: Int, _ batch: borrowing Batch, _ selection: Selection) {
    guard let writer = slots[index].writer else { return }
    let stage = lane.nodes[index].stage
    var refusals: [Refusal] = []
    do throws(TooManyFiles) {
      try writer.add(batch, selection, &refusals) { handOn($0, of: stage) }
    } catch {
      if case .sink(let sink) = lane.nodes[index].work {
        failure = RunError(tooManyFilesOf: stageNames[stage], limit: sink.maxFiles)
      }
    }
    take(index, batch, selection, refusals)
  }

  private func handOn(_ piece: SinkPiece, of stage: Int) {
    let item = SpoolItem.piece(stage, piece)
    pending.append(encoder?.encode(item) ?? item)
  }

  /// Writes what came to a sink over several ways in the order of its lines: where one way ends and
  /// the other begins must not depend on where a batch does.
  private func writeJoined(_ batch: borrowing Batch) {
    for stage in joined.keys.sorted() {
      let parts = joined[stage]!.sorted { $0.node < $1.node }
      var next = [Int](repeating: 0, count: parts.count)
      func row(_ part: Int) -> UInt32 {
        next[part] < parts[part].selection.count ? parts[part].selection.rows[next[part]] : .max
      }
      while true {
        // Of equal rows the one of the first way.
        var first = 0
        for part in parts.indices where row(part) < row(first) { first = part }
        guard row(first) != .max else { break }
        var run = Selection()
        repeat {
          run.rows.append(row(first))
          next[first] += 1
        } while row(first) != .max
          && parts.indices.allSatisfy {
            $0 == first || ($0 < first ? row(first) < row($0) : row(first) <= row($0))
          }
        write(parts[first].node, batch, run)
      }
    }
    joined.removeAll(keepingCapacity: true)
  }

  private func map(
    _ index: Int, isActive: Bool, _ batch: inout Batch, _ selection: Selection
  ) {
    guard let worker = mapWorker(index) else { return }
    var rest = selection
    var refusals: [Refusal] = []
    let filtered = worker.apply(&batch, &rest, &refusals)
    if isActive {
      tally.note(index, selection)
      state.counts[index].in += selection.count
      state.counts[index].filtered += filtered
      state.counts[index].quarantined += refusals.count
      state.counts[index].out += rest.count
      if rest.count < selection.count { markFiltered(batch, from: selection, to: rest) }
      for refusal in refusals { refuse(refusal, by: lane.nodes[index].stage) }
      if let checker = slots[index].checker { note(checker.failures, of: index, batch) }
    }
    if let router = slots[index].router {
      route(index, router.routes, isActive: isActive, &batch)
    } else {
      run(children: lane.nodes[index].children, &batch, rest)
    }
  }

  /// Made when the first batch comes: a pass over kept columns does not go through all nodes.
  private func mapWorker(_ index: Int) -> (any MapWorker)? {
    if let worker = slots[index].map { return worker }
    guard case .map(let map) = lane.nodes[index].work else { return nil }
    // Codes of kept columns are others in each shard: what a worker knows would be of no use again.
    let worker = hasText ? kit.worker(of: index, map) : map.makeWorker()
    slots[index].map = worker
    if !map.ports.isEmpty { slots[index].router = worker as? any RoutingWorker }
    if !map.checks.isEmpty { slots[index].checker = worker as? any CheckingWorker }
    return worker
  }

  private func note(
    _ failures: [(count: Int, first: Int)], of index: Int, _ batch: borrowing Batch
  ) {
    for (i, failure) in failures.enumerated() where failure.count > 0 {
      state.tallies[index, default: Array(repeating: NodeTally(), count: failures.count)][i]
        .add(failure.count, firstLine: Int(batch.lines[failure.first].number))
    }
  }

  /// Each row goes to those who read its output; where nobody does, it is filtered.
  private func route(
    _ index: Int, _ routes: [Selection], isActive: Bool, _ batch: inout Batch
  ) {
    let children = lane.nodes[index].children
    if isActive {
      for (port, route) in routes.enumerated() {
        if children.contains(where: { lane.nodes[$0].port == port }) {
          state.tallies[index, default: Array(repeating: NodeTally(), count: routes.count)][port]
            .count += route.count
        } else {
          state.counts[index].out -= route.count
          state.counts[index].filtered += route.count
          state.outcomes.raise(route, of: batch, to: .filtered)
        }
      }
    }
    for child in children { run(child, &batch, routes[lane.nodes[child].port]) }
  }

  /// Rows that left are filtered, unless a refusal says more.
  private func markFiltered(_ batch: borrowing Batch, from before: Selection, to after: Selection) {
    var gone = Selection()
    gone.rows.reserveCapacity(before.count - after.count)
    var next = 0
    before.rows.withUnsafeBufferPointer { before in
      after.rows.withUnsafeBufferPointer { after in
        for row in before {
          if next < after.count, after[next] == row {
            next &+= 1
          } else {
            gone.rows.append(row)
          }
        }
      }
    }
    state.outcomes.raise(gone, of: batch, to: .filtered)
  }

  private func makeCollector(
    _ index: Int, _ rule: BarrierRule, _ hasher: SipHasher, wantsRemoved: Set<Int>
  ) -> BarrierCollector {
    let node = lane.nodes[index]
    let tuples = BarrierTuples(
      store: state.memory.tuples(of: node.stage), shard: state.ordinal, instance: node.instance,
      entry: entry)
    state.tuples[index] = tuples
    if wantsRemoved.contains(node.stage) {
      state.keys[index] = RetainedColumns(
        columns: rule.key.map(\.column), entry: entry, memory: state.memory)
    }
    if let columns = lane.retained[index] {
      state.retained[index] = RetainedColumns(
        columns: columns, keepsOffsets: lane.retainsOffsets.contains(index), entry: entry,
        memory: state.memory)
    }
    if node.children.isEmpty { state.arrived[index] = LineBitmap() }
    return BarrierCollector(
      rule: rule, hasher: hasher, tuples: tuples, stage: state.memory.takeTupleStage())
  }

  private func collect(_ index: Int, _ batch: borrowing Batch, _ selection: Selection) {
    guard let collector = slots[index].collector else { return }
    var missing: [(row: Int, column: BarrierRule.Column)] = []
    let kept = collector.collect(batch, selection) { missing.append(($0, $1)) }
    tally.note(index, selection)
    state.counts[index].in += selection.count
    state.counts[index].quarantined += missing.count
    for (row, column) in missing {
      refuse(
        Refusal(
          row: row, of: batch, code: "missing_key", field: column.field,
          message: "`\(column.field.text)` is part of the key, and has no value here"),
        by: lane.nodes[index].stage)
      state.blocked[index, default: LineBitmap()].insert(batch.lines[row].number)
    }
    spill(collector)
    state.retained[index]?.append(batch, kept) { pending.append(.chunk($0)) }
    state.keys[index]?.append(batch, kept) { pending.append(.chunk($0)) }
    if state.arrived[index] != nil {
      for row in kept.rows { state.arrived[index]!.insert(batch.lines[Int(row)].number) }
    }
  }

  private func spill(_ collector: BarrierCollector) {
    guard !collector.spills.isEmpty else { return }
    for write in collector.spills { pending.append(.chunk(write)) }
    collector.spills = []
  }

  /// Lets the records pass that a decided barrier keeps.
  private func pass(_ index: Int, _ batch: inout Batch, _ selection: Selection) {
    var rest = selection
    if let blocked = state.blocked[index] {
      let lines = batch.lines
      var kept = 0
      rest.rows.withUnsafeMutableBufferPointer { rows in
        for row in rows where !blocked.contains(lines[Int(row)].number) {
          rows[kept] = row
          kept &+= 1
        }
      }
      rest.rows.removeLast(rest.count - kept)
    }
    if firstPass(after: lane.nodes[index].depth) == pass { state.counts[index].out += rest.count }
    run(children: lane.nodes[index].children, &batch, rest)
  }

  /// The next pass that goes over the records of this lane: there may be passes for others only.
  private func firstPass(after depth: Int) -> Int? {
    lane.readings.indices.first { index in
      guard index > depth else { return false }
      if case .none = lane.readings[index] { return false }
      return true
    }
  }

  /// The rows that a reduce or a sink took for good.
  private func take(
    _ index: Int, _ batch: borrowing Batch, _ selection: Selection, _ refusals: [Refusal]
  ) {
    tally.note(index, selection)
    state.counts[index].in += selection.count
    state.counts[index].quarantined += refusals.count
    state.counts[index].taken += selection.count - refusals.count
    if refusals.isEmpty {
      state.outcomes.raise(selection, of: batch, to: .written)
    } else {
      let refusedLines = Set(refusals.map { UInt32($0.line) })
      var taken = selection
      taken.rows.removeAll { refusedLines.contains(batch.lines[Int($0)].number) }
      state.outcomes.raise(taken, of: batch, to: .written)
      for refusal in refusals { refuse(refusal, by: lane.nodes[index].stage) }
    }
  }

  // MARK: Refusals

  /// `nil` where there is no text that the quarantine could keep.
  private var names: QuarantineNames? {
    guard hasText else { return nil }
    return QuarantineNames(
      source: stageNames[lane.stage], shard: state.shard.nameText, stages: stageNames)
  }

  private func refuse(_ refusal: Refusal, by stage: Int) {
    state.outcomes.raise(refusal.line, to: .quarantined)
    refused.append((stage, refusal))
  }

  /// Hands the refusals of the batch on, in the order of line and stage, once all its lines have their
  /// groups.
  private func settle(_ batch: borrowing Batch) {
    tally.settle(
      batch, state.lineGroups, groups: state.groups.count, into: &state.refusals.taken)
    guard !refused.isEmpty else { return }
    refused.sort { ($0.refusal.line, $0.stage) < ($1.refusal.line, $1.stage) }
    quarantine.add(refused, names: names) { pending.append(.quarantine($0)) }
    refused.removeAll(keepingCapacity: true)
  }

  // MARK: The end

  /// Closes what works in this pass; the partials by node.
  func finish() -> [(node: Int, bytes: [UInt8])] {
    for (index, slot) in slots.enumerated() {
      let stage = lane.nodes[index].stage
      slot.writer?.finish { handOn($0, of: stage) }
    }
    quarantine.flush { pending.append(.quarantine($0)) }
    if quarantine.count > 0 || state.quarantines[pass] != nil {
      state.quarantines[pass] = quarantine
    }
    for (index, slot) in slots.enumerated() {
      guard let collector = slot.collector else { continue }
      collector.finish()
      spill(collector)
      state.memory.give(collector.stage)
      state.retained[index]?.finish { pending.append(.chunk($0)) }
      state.keys[index]?.finish { pending.append(.chunk($0)) }
    }
    var encoded: [(node: Int, bytes: [UInt8])] = []
    for index in slots.indices {
      guard let partial = slots[index].partial else { continue }
      encoded.append((index, partial.encode()))
      slots[index].partial = nil
      kit.give(partial, of: index)
    }
    return encoded
  }
}
