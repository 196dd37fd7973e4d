import WeirData

/// Makes pieces what they are to stand as on disk. Serves one worker at a time.
final class PieceEncoder: @unchecked Sendable {
  private var encoders: [ZstdSettings: ZstdEncoder] = [:]

  func encode(_ item: SpoolItem) -> SpoolItem {
    guard case .piece(let stage, let piece) = item, case .zstd(let settings) = piece.encoding else {
      return item
    }
    return .frame(
      EncodedPiece(
        stage: stage, path: piece.path, bytes: encoder(settings).frame(piece.text.view),
        rows: piece.rows))
  }

  /// Lines for the quarantine as a frame.
  func frame(_ lines: [UInt8]) -> [UInt8] { encoder(ZstdSettings(level: 3)).frame(lines) }

  private func encoder(_ settings: ZstdSettings) -> ZstdEncoder {
    if let encoder = encoders[settings] { return encoder }
    let encoder = ZstdEncoder(settings)
    encoders[settings] = encoder
    return encoder
  }
}

/// A piece as it is to stand on disk.
struct EncodedPiece: Sendable {
  var stage: Int
  var path: String
  var bytes: [UInt8]
  var rows: Int
}

/// What the body of a task hands to its writer. Where the task has workers to spare they encode side by
/// side; the writer takes from them in the order in which the pieces came.
struct WriterQueue: Sendable {
  private static let depth = 4

  /// What waits for each encoder; empty where the body encodes itself.
  private let waiting: [Channel<SpoolItem>]
  private let ready: [Channel<SpoolItem>]

  /// - Parameter encoders: workers that encode; 0: what is sent is encoded already.
  init(encoders: Int) {
    waiting = (0..<encoders).map { _ in Channel(capacity: 1) }
    ready = (0..<max(1, encoders)).map { _ in Channel(capacity: WriterQueue.depth) }
  }

  private var entrance: [Channel<SpoolItem>] { waiting.isEmpty ? ready : waiting }

  /// - Parameter count: how many were sent before; counted on.
  func send(_ item: SpoolItem, _ count: inout Int) async throws {
    try await entrance[count % entrance.count].send(item)
    count += 1
  }

  /// Says that nothing more will be sent.
  func finish() { for channel in entrance { channel.finish() } }

  /// Wakes the encoders and the writer with a `CancellationError`.
  func cancel() { for channel in entrance { channel.cancel() } }

  /// The indices of the encoders.
  var encoders: Range<Int> { waiting.indices }

  /// The work of one encoder.
  func encode(_ index: Int, with encoder: PieceEncoder) async throws {
    try await ending(ready[index]) {
      while let item = try await waiting[index].receive() {
        try await ready[index].send(encoder.encode(item))
      }
    }
  }

  /// The next item in the order in which they were sent, or `nil` at the end.
  ///
  /// - Parameter count: how many were received before; counted on.
  func receive(_ count: inout Int) async throws -> SpoolItem? {
    defer { count += 1 }
    return try await ready[count % ready.count].receive()
  }
}
