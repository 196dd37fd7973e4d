import WeirData

/// The bytes of a shard, piece by piece, for the worker that goes over them. What is in memory it reads
/// itself; from the first piece on that is not, a thread for the disk reads ahead of it.
final class ShardPieces: @unchecked Sendable {
  /// Bytes read at a time.
  static let pieceBytes = 256 * 1024
  private static let aheadDepth = 4

  private let task: ShardTask
  private let state: ShardState
  private let ahead = Channel<Bytes>(capacity: aheadDepth)
  /// Hands the file over to who reads ahead.
  private let handOver = Channel<Void>(capacity: 1)
  private var isAhead = false
  /// The worker's, but while it is handed over: until there is no more ahead.
  private var file: ShardFile?

  /// - Parameter state: of the shard; not that of the task where its records are only looked at again.
  init(of task: ShardTask, _ state: ShardState) {
    self.task = task
    self.state = state
  }

  /// The next piece; `nil` at the end, when the content is what it was.
  func next() async throws -> Bytes? {
    let file = try open()
    guard let piece = try await read(file) else {
      try state.note(file.contentHash())
      return nil
    }
    task.showBytes(piece.count)
    return piece
  }

  private func read(_ file: ShardFile) async throws -> Bytes? {
    if !isAhead {
      switch try file.readAtHand(upTo: ShardPieces.pieceBytes) {
      case .piece(let piece): return piece
      case .end: return nil
      case .notYet:
        isAhead = true
        try await handOver.send(())
      }
    }
    return try await ahead.receive()
  }

  private func open() throws(ShardError) -> ShardFile {
    if let file { return file }
    let file = try ShardFile(path: state.shard.path)
    state.look = ShardContents.Look(file.status)
    self.file = file
    return file
  }

  /// Waits until it is needed, and then reads ahead to the end, on a thread for the disk.
  func readAhead() async throws {
    try await ending(ahead) {
      guard try await handOver.receive() != nil, let file else { return }
      try await withTaskExecutorPreference(task.work.executor) {
        while let piece = try file.read(upTo: ShardPieces.pieceBytes) {
          try await ahead.send(piece)
        }
      }
    }
  }

  /// Says that nobody wants more, so that ``readAhead()`` ends.
  func finish() { handOver.finish() }

  /// The same where something failed.
  func cancel() {
    handOver.cancel()
    ahead.cancel()
  }
}
