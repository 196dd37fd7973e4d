import WeirData

/// One shard for several workers: unpacking, cutting into lines, parsing and the stages are steps of
/// their own, joined by bounded channels, so that they run at the same time; frames are unpacked, and
/// blocks parsed, by several workers in turn.
///
/// Whoever takes from several workers takes from them in the order in which the work was given out, so
/// the batches come as they would from one.
struct WideReading: Sendable {
  /// Decompressed bytes handed on at a time.
  private static let chunkBytes = 256 * 1024

  /// Bytes for one unpacker.
  private struct Segment: ~Copyable, Sendable {
    var bytes: Bytes
    /// Where they begin in the file.
    var offset: Int
  }
  /// What an unpacker made of a segment: pieces of text, `nil` where there is no more of it.
  private struct Chunk: ~Copyable, Sendable {
    var text: Bytes?
  }

  let task: ShardTask
  let kit: TaskKit
  let state: ShardState

  private var workers: Int { task.width }

  /// - Parameter handOn: called after each batch.
  func scan(
    _ pieces: ShardPieces, with worker: LaneWorker, handOn: () async throws -> Void
  ) async throws {
    let segments = (0..<workers).map { _ in Channel<Segment>(capacity: 2) }
    let chunks = (0..<workers).map { _ in Channel<Chunk>(capacity: 8) }
    let turns = Channel<Int>(capacity: 64)
    let blocks = (0..<workers).map { _ in Channel<LineBlock>(capacity: 2) }
    let batches = (0..<workers).map { _ in Channel<ScannedBatch>(capacity: 2) }
    try await withTaskGroup(of: Result<Int, any Error>.self) { group in
      group.addTask {
        await Result {
          try await ending(segments, turns) { try await deal(pieces, segments, turns) }
          return 0
        }
      }
      for i in 0..<workers {
        group.addTask {
          await Result {
            try await ending(chunks[i]) {
              try await unpack(segments[i], chunks[i], isFirst: i == 0)
            }
          }
        }
        group.addTask {
          await Result {
            try await ending(batches[i]) { try await parse(blocks[i], batches[i], i) }
            return 0
          }
        }
      }
      group.addTask {
        await Result {
          try await ending(blocks) { try await frame(turns, chunks, blocks) }
          return 0
        }
      }
      let body = await Result {
        try await process(batches, worker, handOn)
        return 0
      }
      var failure: (any Error)?
      func take(_ result: Result<Int, any Error>) {
        switch result {
        case .success(let unchecked): if task.pass == 0 { state.uncheckedFrames += unchecked }
        case .failure(let error):
          failure = worse(failure, error)
          group.cancelAll()
          for channel in batches { channel.cancel() }
        }
      }
      take(body)
      for await result in group { take(result) }
      return failure.map { .failure($0) } ?? Result<Void, any Error>.success(())
    }.get()
  }

  /// Gives the frames of the file out in turn.
  private func deal(
    _ pieces: ShardPieces, _ segments: [Channel<Segment>], _ turns: Channel<Int>
  ) async throws {
    var frames = ZstdFrames()
    var turn = 0
    var given = 0
    var offset = 0
    func give(_ bytes: consuming Bytes) async throws {
      let count = bytes.count
      try await turns.send(turn)
      try await segments[turn].send(Segment(bytes: bytes, offset: offset))
      offset += count
      given += count
    }
    while let piece = try await pieces.next() {
      var from = 0
      var at = 0
      while let end = advance(&frames, piece, at) {
        at += end
        guard given + at - from >= task.work.turnBytes else { continue }
        try await give(Bytes(piece.view[from..<at]))
        from = at
        turn = (turn + 1) % workers
        given = 0
      }
      if from == 0 {
        try await give(piece)
      } else if from < piece.count {
        try await give(Bytes(piece.view[from...]))
      }
    }
  }

  private func advance(_ frames: inout ZstdFrames, _ piece: borrowing Bytes, _ at: Int) -> Int? {
    frames.advance(UnsafeBufferPointer(rebasing: piece.view[at...]))
  }

  /// - Returns: the frames without a checksum.
  private func unpack(
    _ segments: Channel<Segment>, _ chunks: Channel<Chunk>, isFirst: Bool
  ) async throws -> Int {
    // Only the frames of a zstd file are given to others than the first.
    var unpacker = ShardUnpacker(
      path: state.shard.path, limits: task.limits, format: isFirst ? nil : .zstd)
    var isFed = false
    while let segment = try await segments.receive() {
      isFed = true
      let offset = segment.offset
      unpacker.feed(segment.bytes, at: offset)
      try await send(&unpacker, chunks)
    }
    guard isFed else { return 0 }
    unpacker.feedEnd()
    try await send(&unpacker, chunks)
    return unpacker.uncheckedFrames
  }

  private func send(
    _ unpacker: inout ShardUnpacker, _ chunks: Channel<Chunk>
  ) async throws {
    while true {
      try Task.checkCancellation()
      var text = Bytes(capacity: WideReading.chunkBytes)
      text.count = try unpacker.unpack(into: text.base, capacity: text.capacity)
      guard text.count > 0 else { break }
      try await chunks.send(Chunk(text: text))
    }
    try await chunks.send(Chunk(text: nil))
  }

  /// Cuts the text into blocks of lines and gives them out in turn.
  private func frame(
    _ turns: Channel<Int>, _ chunks: [Channel<Chunk>], _ blocks: [Channel<LineBlock>]
  ) async throws {
    var framer = LineFramer(path: state.shard.path, limits: task.limits)
    var count = 0
    func give(_ block: consuming LineBlock) async throws {
      try await blocks[count % workers].send(block)
      count += 1
    }
    /// The text of one segment.
    func take(_ chunks: Channel<Chunk>) async throws {
      while let chunk = try await chunks.receive(), let text = chunk.text {
        var at = 0
        while at < text.count {
          if let block = try framer.add(text.view, at: &at) { try await give(block) }
        }
      }
    }
    while let turn = try await turns.receive() { try await take(chunks[turn]) }
    // What the unpackers have to say at the end of the file.
    for channel in chunks { try await take(channel) }
    if let block = framer.finish() { try await give(block) }
  }

  private func parse(
    _ blocks: Channel<LineBlock>, _ batches: Channel<ScannedBatch>, _ index: Int
  ) async throws {
    let scanner = task.scanner(index, kit)
    while let block = try await blocks.receive() {
      try await batches.send(scanner.scan(block, of: state.shard))
    }
  }

  private func process(
    _ batches: [Channel<ScannedBatch>], _ worker: LaneWorker, _ handOn: () async throws -> Void
  ) async throws {
    var count = 0
    while var batch = try await batches[count % workers].receive() {
      try task.process(&batch, worker)
      try await handOn()
      count += 1
    }
  }
}

/// The same for the sender of several channels.
private func ending<Element: ~Copyable & Sendable>(
  _ channels: [Channel<Element>], _ work: () async throws -> Void
) async throws {
  do {
    try await work()
    for channel in channels { channel.finish() }
  } catch {
    for channel in channels { channel.cancel() }
    throw error
  }
}

private func ending<Element: ~Copyable & Sendable>(
  _ channels: [Channel<Element>], _ other: Channel<Int>, _ work: () async throws -> Void
) async throws {
  try await ending(other) { try await ending(channels, work) }
}
