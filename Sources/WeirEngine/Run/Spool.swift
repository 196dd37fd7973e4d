import Glibc
import WeirData

/// Bytes that one shard hands to the disk.
enum SpoolItem: Sendable {
  /// Of a record sink: the stage, and the piece.
  case piece(Int, SinkPiece)
  /// Encoded quarantine lines, not yet compressed.
  case quarantine([UInt8])
  /// What memory has no room for.
  case spill(SpillWrite)
}

/// Where a piece lies in the spool until its file is put together.
struct SpooledPiece: Sendable {
  /// `nil` for the quarantine.
  var stage: Int?
  var path: String
  var offset: Int
  var length: Int
  var rows: Int
}

/// The file that takes what one shard writes in one pass. Blocks.
final class SpoolFile {
  let path: String
  private var descriptor: Int32 = -1
  private var offset = 0
  private(set) var pieces: [SpooledPiece] = []
  private let encoder = ZstdEncoder(level: 3)

  init(path: String) { self.path = path }

  deinit { if descriptor >= 0 { close(descriptor) } }

  func write(_ item: SpoolItem) throws(FileError) {
    switch item {
    case .piece(let stage, let piece):
      try append(
        piece.bytes,
        SpooledPiece(
          stage: stage, path: piece.path, offset: offset, length: piece.bytes.count,
          rows: piece.rows))
    case .spill(let write): try write.run()
    case .quarantine(let lines):
      let frame = encoder.frame(lines)
      try append(
        frame,
        SpooledPiece(
          stage: nil, path: "", offset: offset, length: frame.count, rows: 0))
    }
  }

  private func append(_ bytes: [UInt8], _ piece: SpooledPiece) throws(FileError) {
    if descriptor < 0 {
      descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { throw fail(path, "create") }
    }
    try bytes.withUnsafeBufferPointer { bytes throws(FileError) in
      try writeAll(bytes, to: descriptor, path: path)
    }
    offset += bytes.count
    pieces.append(piece)
  }
}

/// What one shard wrote in one pass.
struct ShardSpool: Sendable {
  var pass: Int
  /// Ordinal of the shard.
  var shard: Int
  var path: String
  var pieces: [SpooledPiece]
}
