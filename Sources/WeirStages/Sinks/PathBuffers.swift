import WeirData
import WeirEngine

/// Collects the lines that one shard adds to its files and hands them on in pieces of about 1 MiB.
///
/// Where a piece ends depends on the lines and their paths alone, never on batches: a piece ends
/// before the line that would take it over ``pieceBytes``, and all end, in the order of their
/// paths, when they hold more than ``totalBytes`` together.
final class PathBuffers {
  /// Most bytes of text in a piece; a line that is longer is a piece by itself.
  static let pieceBytes = 1 << 20
  /// Most bytes of text that wait in all pieces together.
  static let totalBytes = 64 << 20
  /// Up to so many files keep their memory from one piece to the next.
  private static let warmFiles = 16

  private struct Buffer {
    var bytes: [UInt8] = []
    var rows = 0
  }
  private let encoder: ZstdEncoder?
  private let pieceBytes: Int
  private let totalBytes: Int
  private let paths = ByteDictionary()
  private var buffers: [Buffer] = []
  /// Bytes of text in all buffers.
  private var waiting = 0

  /// - Parameters:
  ///   - encoder: makes every piece a zstd frame; `nil`: text as it is.
  ///   - pieceBytes: other than the standard only in tests, and so is `totalBytes`.
  init(
    encoder: ZstdEncoder?, pieceBytes: Int = PathBuffers.pieceBytes,
    totalBytes: Int = PathBuffers.totalBytes
  ) {
    self.encoder = encoder
    self.pieceBytes = pieceBytes
    self.totalBytes = totalBytes
  }

  /// Adds text to the file at `path`.
  ///
  /// - Parameters:
  ///   - line: whole lines with their line ends.
  ///   - rows: how many records they are.
  func append(
    path: UnsafeBufferPointer<UInt8>, line: UnsafeBufferPointer<UInt8>, rows: Int = 1,
    _ emit: (SinkPiece) -> Void
  ) {
    let code = paths.code(of: path)
    if code == buffers.count { buffers.append(Buffer()) }
    if buffers[code].bytes.count + line.count > pieceBytes { flush(code, emit) }
    buffers[code].bytes.append(contentsOf: line)
    buffers[code].rows += rows
    waiting += line.count
    if buffers[code].bytes.count >= pieceBytes { flush(code, emit) }
    if waiting > totalBytes { finish(emit) }
  }

  /// The same for bytes in arrays.
  func append(path: [UInt8], line: [UInt8], rows: Int = 1, _ emit: (SinkPiece) -> Void) {
    path.withUnsafeBufferPointer { path in
      line.withUnsafeBufferPointer { append(path: path, line: $0, rows: rows, emit) }
    }
  }

  /// Hands on all that waits, in the order of the paths.
  func finish(_ emit: (SinkPiece) -> Void) {
    let filled = buffers.indices.filter { !buffers[$0].bytes.isEmpty }
    let ordered = filled.sorted {
      paths.bytes(of: $0).lexicographicallyPrecedes(paths.bytes(of: $1))
    }
    for code in ordered { flush(code, emit) }
  }

  private func flush(_ code: Int, _ emit: (SinkPiece) -> Void) {
    guard !buffers[code].bytes.isEmpty else { return }
    let bytes = encoder?.frame(buffers[code].bytes) ?? buffers[code].bytes
    emit(
      SinkPiece(
        path: String(decoding: paths.bytes(of: code), as: UTF8.self), bytes: bytes,
        rows: buffers[code].rows))
    waiting -= buffers[code].bytes.count
    buffers[code].rows = 0
    buffers[code].bytes.removeAll(keepingCapacity: buffers.count <= PathBuffers.warmFiles)
  }
}

/// A zstd encoder where the name of the file asks for one: it ends in `.zst`.
///
/// - Parameter level: 1 to 19.
func sinkEncoder(path: String, level: Int) -> ZstdEncoder? {
  path.utf8.reversed().starts(with: ".zst".utf8.reversed()) ? ZstdEncoder(level: level) : nil
}
