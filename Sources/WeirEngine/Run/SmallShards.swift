import WeirData

/// A run of small shards in one task: all are read in one go, and what they write is written in one
/// go, so that a shard costs no change of threads.
struct SmallShards: Sendable {
  let tasks: [ShardTask]

  func run() async throws -> [ShardTask.Output] {
    let executor = tasks[0].work.executor
    let readings = tasks.map(\.reading)
    let files = try await withTaskExecutorPreference(executor) {
      try zip(tasks, readings).map { task, reading in
        guard reading == .shard else { return nil as WholeShard? }
        if let file = task.file, file.isThere { return file }
        return WholeShard(try task.state.readWhole())
      }
    }
    var outputs: [ShardTask.Output] = []
    var items: [[SpoolItem]] = []
    for (index, task) in tasks.enumerated() {
      guard let file = files[index] else {
        outputs.append(try await task.run())
        items.append([])
        continue
      }
      try Task.checkCancellation()
      let bytes = file.takeBytes()
      task.showBytes(bytes.count)
      let (output, written) = try task.pass(over: bytes)
      outputs.append(output)
      items.append(written)
    }
    guard items.contains(where: { !$0.isEmpty }) else { return outputs }
    let spools = try await withTaskExecutorPreference(executor) { [items] in
      try zip(tasks, items).map { task, items in try task.write(items) }
    }
    for (index, spool) in spools.enumerated() where spool != nil { outputs[index].spool = spool }
    return outputs
  }
}

/// Carries the bytes of a shard from the thread that read them.
final class WholeShard: @unchecked Sendable {
  private var bytes: Bytes?

  init(_ bytes: consuming Bytes) { self.bytes = consume bytes }

  /// Whether nobody took the bytes.
  var isThere: Bool { bytes != nil }

  /// Once.
  func takeBytes() -> Bytes { bytes.take()! }
}

extension ShardState {
  /// All bytes of the shard. Blocks.
  ///
  /// - Throws: `ShardError`, also where an earlier reading found another content.
  func readWhole() throws(ShardError) -> Bytes {
    let file = try ShardFile(path: shard.path)
    look = ShardContents.Look(file.status)
    let bytes = try file.readWhole()
    try note(file.contentHash())
    return bytes
  }
}

extension ShardTask {
  /// Goes over the whole bytes of the shard.
  func pass(over file: consuming Bytes) throws -> (Output, [SpoolItem]) {
    let kit = work.kits.take(state.lane)
    let scanner = self.scanner(0, kit)
    let worker = makeWorker(scanner, kit, state, encoder: kit.encoder(0))
    var decoder = ShardDecoder(path: state.shard.path, limits: limits)
    decoder.feed(file)
    try take(&decoder, scanner, worker)
    decoder.feedEnd()
    try take(&decoder, scanner, worker)
    if pass == 0 { state.uncheckedFrames = decoder.uncheckedFrames }
    let output = Output(partials: worker.finish())
    work.kits.give(kit, state.lane)
    return (output, worker.pending)
  }

  fileprivate func write(_ items: [SpoolItem]) throws -> ShardSpool? {
    guard !items.isEmpty else { return nil }
    let spool = work.spools.open(pass: pass, shard: state.ordinal)
    for item in items { try spool.write(item) }
    return try spool.finish()
  }
}
