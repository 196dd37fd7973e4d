import WeirData

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

  /// The task of a small shard: reads it in one go, unless that was done, goes over it and writes in one go
  /// what it has for the disk, so that the shard costs no change of threads. Blocks.
  func passOverWhole() throws -> Output {
    try Task.checkCancellation()
    let bytes = try file?.take() ?? state.readWhole()
    showBytes(bytes.count)
    var (output, items) = try pass(over: bytes)
    output.spool = try write(items)
    return output
  }

  private func write(_ items: [SpoolItem]) throws -> ShardSpool? {
    guard !items.isEmpty else { return nil }
    let spool = work.spools.open(pass: pass, shard: state.ordinal)
    for item in items { try spool.write(item) }
    return try spool.finish()
  }
}
