import WeirData

/// One task: a pass over one shard. Inside it a reader, which waits on the disk, a body, which
/// computes, and a writer, which waits on the disk again, joined by bounded channels.
struct ShardTask: Sendable {
  /// Bytes asked from the disk at a time.
  static let pieceBytes = 256 * 1024
  /// Pieces that may wait between two workers.
  static let channelDepth = 4

  let plan: Plan
  let pass: Int
  let state: ShardState
  let executor: BlockingExecutor
  let hasher: SipHasher
  let spoolPath: String
  let progress: Progress
  let stageNames: [String]
  let batchBytes: Int

  struct Output: Sendable {
    var partials: [(node: Int, bytes: [UInt8])] = []
    var spool: ShardSpool?
  }

  private var lane: Lane { plan.lanes[state.lane] }

  func run() async throws -> Output {
    let writes = Channel<SpoolItem>(capacity: ShardTask.channelDepth)
    let parts: [Output]
    switch lane.readings[pass] {
    case .none: return Output()
    case .shard: parts = try await passOverShard(writes, state)
    case .retained:
      parts = try await together { group in
        group.addTask {
          await Result { try await ending(writes) { try await replay(into: writes) } }
        }
        group.addTask(executorPreference: executor) { await Result { try await write(writes) } }
      }
      if let quarantine = state.quarantines[pass], quarantine.count > 0 {
        return Output(
          partials: parts.flatMap(\.partials), spool: try await quarantineText(of: quarantine))
      }
    }
    return Output(
      partials: parts.flatMap(\.partials), spool: parts.compactMap(\.spool).first)
  }

  /// Reads the shard once more for the text of what was refused on its kept columns.
  private func quarantineText(of known: ShardQuarantine) async throws -> ShardSpool? {
    let again = state.forQuarantine()
    let parts = try await passOverShard(Channel(capacity: ShardTask.channelDepth), again)
    guard let found = again.quarantines[pass], found.places == known.places else {
      throw RunError(
        code: "ledger_imbalance",
        message: "\(state.shard.path) refuses other records when it is read again",
        fix: "this is a fault of Weir, and the outputs were withheld: report it with the spec")
    }
    // The first reading saw no text: its samples come from here.
    state.quarantines[pass] = found
    guard var spool = parts.compactMap(\.spool).first else { return nil }
    spool.pieces.removeAll { $0.stage != nil }
    return spool
  }

  private func passOverShard(
    _ writes: Channel<SpoolItem>, _ state: ShardState
  ) async throws -> [Output] {
    let pieces = Channel<Bytes>(capacity: ShardTask.channelDepth)
    return try await together { group in
      group.addTask(executorPreference: executor) {
        await Result {
          try await ending(pieces) { try await read(into: pieces, state) }
          return Output()
        }
      }
      group.addTask {
        await Result { try await ending(writes) { try await scan(pieces, into: writes, state) } }
      }
      group.addTask(executorPreference: executor) { await Result { try await write(writes) } }
    }
  }

  /// Reads the shard from the disk.
  private func read(into pieces: Channel<Bytes>, _ state: ShardState) async throws {
    let file = try ShardFile(path: state.shard.path)
    while let piece = try file.read(upTo: ShardTask.pieceBytes) {
      if pass == 0 { progress.addBytes(piece.count) }
      try await pieces.send(piece)
    }
    let hash = file.contentHash()
    if let before = state.contentHash, before != hash {
      throw ShardError(
        code: .changed, path: state.shard.path, byte: nil,
        message: "the file is not the one that this run read before",
        fix: "wait until its writer is done, then run again")
    }
    state.contentHash = hash
  }

  /// Decompresses, parses and runs the stages.
  private func scan(
    _ pieces: Channel<Bytes>, into writes: Channel<SpoolItem>, _ state: ShardState
  ) async throws -> Output {
    let decoder = lane.source.makeDecoder(state.shard, batchBytes: batchBytes)
    let worker = makeWorker(decoder, state)
    func take(_ scanned: inout ScannedBatch) throws {
      try Task.checkCancellation()
      let rows = scanned.batch.rowCount
      worker.process(&scanned)
      if pass == 0 { progress.addRows(rows) }
    }
    while let piece = try await pieces.receive() {
      try decoder.consume(piece, emit: take)
      try await handOn(worker, to: writes)
    }
    try decoder.finish(emit: take)
    if pass == 0 { state.uncheckedFrames = decoder.uncheckedFrames }
    return try await end(worker, writes)
  }

  /// Goes over the columns that pass 0 kept.
  private func replay(into writes: Channel<SpoolItem>) async throws -> Output {
    let worker = makeWorker(nil, state)
    // What the worker knows of coded strings is good as long as the readers.
    var readers: [ColumnChunkReader] = []
    for node in state.retained.keys.sorted() {
      let retained = state.retained[node]!
      let reader = retained.makeReader(
        columnCount: lane.columnCount, others: lane.columnsWritten(below: node))
      readers.append(reader)
      try retained.replay(with: reader) { batch, selection in
        try Task.checkCancellation()
        worker.replay(barrier: node, &batch, selection)
      }
      try await handOn(worker, to: writes)
    }
    defer { withExtendedLifetime(readers) {} }
    return try await end(worker, writes)
  }

  private func makeWorker(_ decoder: (any BatchDecoder)?, _ state: ShardState) -> LaneWorker {
    LaneWorker(
      lane: lane, pass: pass, state: state, stageNames: stageNames, hasher: hasher,
      wantsRemoved: Set(plan.barriers.filter(\.wantsRemoved).map(\.stage)), decoder: decoder)
  }

  private func end(_ worker: LaneWorker, _ writes: Channel<SpoolItem>) async throws -> Output {
    let partials = worker.finish()
    try await handOn(worker, to: writes)
    return Output(partials: partials)
  }

  private func handOn(_ worker: LaneWorker, to writes: Channel<SpoolItem>) async throws {
    let items = worker.pending
    worker.pending = []
    for item in items { try await writes.send(item) }
  }

  /// Writes what the body hands on.
  private func write(_ writes: Channel<SpoolItem>) async throws -> Output {
    let file = SpoolFile(path: spoolPath)
    while let item = try await writes.receive() { try file.write(item) }
    return Output(
      spool: file.pieces.isEmpty
        ? nil : ShardSpool(pass: pass, shard: state.ordinal, path: spoolPath, pieces: file.pieces))
  }
}

/// Runs one side of a channel: its end is said when the work is done, and where it fails the other
/// side is woken.
private func ending<Element: ~Copyable & Sendable, Value: Sendable>(
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
