import WeirData

/// One task: a pass over one shard.
///
/// Inside it a body, which computes, and a writer, which waits on the disk, joined by a bounded channel,
/// and a reader where the shard has to come from the disk too (``ShardPieces``). Where there are fewer
/// shards than workers the body's first steps become workers of their own (``WideReading``).
struct ShardTask: Sendable {
  let work: PassWork
  let state: ShardState
  /// Workers that have nothing else to do than to help with this shard, this one included; 0: there
  /// are other shards for them.
  let width: Int
  /// Takes what the task writes, where it is kept.
  var entry: EntryBuilder?
  /// What is in the shard, where that was read already.
  var file: CarriedBytes?

  struct Output: Sendable {
    var partials: [(node: Int, bytes: [UInt8])] = []
    var spool: ShardSpool?
  }

  var pass: Int { work.pass }
  var lane: Lane { work.plan.lanes[state.lane] }

  /// Whether this pass goes over the records of the shard.
  var works: Bool { reading != .none }

  /// What this pass needs of the shard.
  var reading: Lane.Reading { state.fault == nil ? lane.readings[pass] : .none }

  /// Runs the tasks of one worker, one after the other. Several are those of small shards.
  static func run(_ tasks: [ShardTask]) async throws -> [Output] {
    var outputs: [Output] = []
    for task in tasks {
      let isWhole = tasks.count > 1 && task.reading == .shard
      outputs.append(isWhole ? try task.passOverWhole() : try await task.run())
    }
    return outputs
  }

  func run() async throws -> Output {
    switch reading {
    case .none: return Output()
    case .shard: return try await passOverShard(state)
    case .retained:
      let partials = try replay()
      guard let quarantine = state.quarantines[pass], quarantine.count > 0 else {
        return Output(partials: partials)
      }
      return Output(partials: partials, spool: try await quarantineText(of: quarantine))
    }
  }

  /// Goes over the columns that pass 0 kept. No sink works here: sinks need the text. Blocks where
  /// columns or what a barrier collects are on the disk.
  func replay() throws -> [(node: Int, bytes: [UInt8])] {
    let kit = work.kits.take(state.lane)
    let worker = makeWorker(nil, kit, state, encoder: nil)
    // What the worker knows of coded strings is good as long as the readers.
    var readers: [ColumnChunkReader] = []
    defer { withExtendedLifetime(readers) {} }
    for node in state.retained.keys.sorted() {
      let retained = state.retained[node]!
      let reader = retained.makeReader(
        columnCount: lane.columnCount, others: lane.columnsWritten(below: node))
      readers.append(reader)
      try retained.replay(with: reader) { batch, selection in
        try Task.checkCancellation()
        worker.replay(barrier: node, &batch, selection)
        try setAside(worker)
      }
    }
    let partials = worker.finish()
    try setAside(worker)
    work.kits.give(kit, state.lane)
    return partials
  }

  /// Writes what is not to stay in memory.
  private func setAside(_ worker: LaneWorker) throws(FileError) {
    for item in worker.pending {
      guard case .chunk(let write) = item else {
        preconditionFailure("kept columns have no text that could be written")
      }
      try write.run()
    }
    worker.pending.removeAll(keepingCapacity: true)
  }

  /// Reads the shard once more for the text of what was refused on its kept columns.
  private func quarantineText(of known: ShardQuarantine) async throws -> ShardSpool? {
    let again = state.forQuarantine()
    var output = try await passOverShard(again)
    guard let found = again.quarantines[pass], found.places == known.places else {
      throw RunError(
        code: "ledger_imbalance",
        message: "\(state.shard.path) refuses other records when it is read again",
        fix: "this is a fault of Weir, and the outputs were withheld: report it with the spec")
    }
    // The first reading saw no text: its samples come from here.
    state.quarantines[pass] = found
    try output.spool?.dropRecords()
    return output.spool
  }

  private func passOverShard(_ state: ShardState) async throws -> Output {
    let kit = work.kits.take(state.lane)
    let writes = WriterQueue(encoders: width)
    let pieces = ShardPieces(of: self, state)
    let parts = try await together { group in
      group.addTask {
        await Result {
          try await pieces.readAhead()
          return Output()
        }
      }
      group.addTask { await Result { try await body(pieces, writes, kit, state) } }
      for index in writes.encoders {
        group.addTask {
          await Result {
            try await writes.encode(index, with: kit.encoder(index))
            return Output()
          }
        }
      }
      group.addTask(executorPreference: work.executor) { await Result { try await write(writes) } }
    }
    work.kits.give(kit, state.lane)
    return Output(
      partials: parts.flatMap(\.partials), spool: parts.compactMap(\.spool).first)
  }

  private func body(
    _ pieces: ShardPieces, _ writes: WriterQueue, _ kit: TaskKit, _ state: ShardState
  ) async throws -> Output {
    do {
      let worker = makeWorker(
        scanner(0, kit), kit, state, encoder: width > 0 ? nil : kit.encoder(0))
      var sent = 0
      if width > 0 {
        try await WideReading(task: self, kit: kit, state: state)
          .scan(pieces, with: worker) { try await handOn(worker, to: writes, &sent) }
      } else {
        try await scan(pieces, scanner(0, kit), with: worker, state) {
          try await handOn(worker, to: writes, &sent)
        }
      }
      pieces.finish()
      let partials = worker.finish()
      try await handOn(worker, to: writes, &sent)
      writes.finish()
      return Output(partials: partials)
    } catch {
      pieces.cancel()
      writes.cancel()
      throw error
    }
  }

  /// Decompresses, parses and runs the stages.
  private func scan(
    _ pieces: ShardPieces, _ scanner: any BatchScanner, with worker: LaneWorker,
    _ state: ShardState, handOn: () async throws -> Void
  ) async throws {
    var decoder = ShardDecoder(path: state.shard.path, limits: limits)
    while let piece = try await pieces.next() {
      decoder.feed(piece)
      try take(&decoder, scanner, worker)
      try await handOn()
    }
    decoder.feedEnd()
    try take(&decoder, scanner, worker)
    if pass == 0 { state.uncheckedFrames = decoder.uncheckedFrames }
  }

  /// Takes all blocks that there are.
  func take(
    _ decoder: inout ShardDecoder, _ scanner: any BatchScanner, _ worker: LaneWorker
  ) throws {
    while let block = try decoder.next() {
      try Task.checkCancellation()
      var scanned = scanner.scan(block, of: state.shard)
      try process(&scanned, worker)
    }
  }

  func process(_ scanned: inout ScannedBatch, _ worker: LaneWorker) throws(RunError) {
    let rows = scanned.batch.rowCount
    worker.process(&scanned)
    if let failure = worker.failure { throw failure }
    if pass == 0 {
      work.progress.addRows(rows)
      self.state.shownRows += rows
    }
  }

  /// Adds to the progress what was read of the shard for the first time.
  func showBytes(_ count: Int) {
    guard pass == 0 else { return }
    work.progress.addBytes(count)
    state.shownBytes += count
  }

  /// A scanner of the kit, ready for this pass.
  func scanner(_ index: Int, _ kit: TaskKit) -> any BatchScanner {
    let scanner = kit.scanner(index)
    scanner.keepsPlaces = lane.nodes.contains { node in
      guard node.depth == pass, case .sink(let sink) = node.work else { return false }
      return sink.needsPlaces
    }
    return scanner
  }

  var limits: ShardLimits {
    var limits = lane.source.limits
    limits.batchBytes = work.batchBytes
    return limits
  }

  func makeWorker(
    _ scanner: (any BatchScanner)?, _ kit: TaskKit, _ state: ShardState, encoder: PieceEncoder?
  ) -> LaneWorker {
    // What a second reading for the quarantine collects is not part of the entry.
    LaneWorker(
      lane: lane, pass: pass, state: state, stageNames: work.stageNames, hasher: work.hasher,
      wantsRemoved: work.wantsRemoved, scanner: scanner, kit: kit, encoder: encoder,
      groupedNodes: work.groupedNodes[state.lane], entry: state === self.state ? entry : nil)
  }

  private func handOn(
    _ worker: LaneWorker, to writes: WriterQueue, _ sent: inout Int
  ) async throws {
    let items = worker.pending
    worker.pending = []
    for item in items { try await writes.send(item, &sent) }
  }

  /// Writes what the body hands on.
  private func write(_ writes: WriterQueue) async throws -> Output {
    let spool = work.spools.open(pass: pass, shard: state.ordinal, entry: entry)
    var count = 0
    while let item = try await writes.receive(&count) { try spool.write(item) }
    return Output(spool: try spool.finish())
  }
}

/// Runs one side of a channel: its end is said when the work is done, and where it fails the other
/// side is woken.
func ending<Element: ~Copyable & Sendable, Value: Sendable>(
  _ channel: Channel<Element>, _ work: () async throws -> Value
) async throws -> Value {
  do {
    let value = try await work()
    channel.finish()
    return value
  } catch {
    channel.cancel()
    throw error
  }
}
