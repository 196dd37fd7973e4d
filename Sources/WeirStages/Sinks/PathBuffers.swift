import Glibc
import WeirData
import WeirEngine

/// Collects the lines that one shard adds to its files and hands them on in pieces.
///
/// Where a piece ends depends on the lines and their paths alone, never on batches: a piece ends
/// before the line that would take it over ``pieceBytes``, and all end, in the order of their
/// paths, when they hold more than ``totalBytes`` together.
final class PathBuffers {
  /// Most bytes of text in a piece; a line that is longer is a piece by itself.
  ///
  /// A piece is a frame, and matches end where it does. Of 64 MB of decisions level 3 made 1/6.28 with
  /// frames of 256 KiB, 1/6.55 with 512 KiB, 1/6.62 with 1 MiB, 1/6.64 with 4 MiB and 1/6.64 in one
  /// frame; level 9 1/7.44 with 1 MiB and 1/7.50 in one. 1 MiB is among the fastest too: the text of
  /// a frame and the tables of the level stay in the cache of a core.
  static let pieceBytes = 1 << 20
  /// Most bytes of text that wait in all pieces together.
  static let totalBytes = 64 << 20
  /// Up to so many files begin with the memory that their last piece needed.
  private static let warmFiles = 16

  private struct File: ~Copyable {
    var text = TextBuffer()
    var rows = 0
  }
  /// What changes; behind a pointer, so that no row has to ask for access to it.
  private struct State: ~Copyable {
    var files: UnsafeMutablePointer<File>
    var fileCount = 0
    var fileCapacity = 16
    /// Bytes of text in all files.
    var waiting = 0

    init() { files = .allocate(capacity: fileCapacity) }

    deinit {
      files.deinitialize(count: fileCount)
      files.deallocate()
    }

    mutating func addFile() {
      if fileCount == fileCapacity {
        let larger = UnsafeMutablePointer<File>.allocate(capacity: fileCapacity * 2)
        larger.moveInitialize(from: files, count: fileCount)
        files.deallocate()
        files = larger
        fileCapacity *= 2
      }
      (files + fileCount).initialize(to: File())
      fileCount += 1
    }
  }
  private let encoding: PieceEncoding
  private let maxFiles: Int
  private let pieceBytes: Int
  private let totalBytes: Int
  private let paths = ByteDictionary()
  private let state: UnsafeMutablePointer<State>

  /// - Parameters:
  ///   - maxFiles: how many there may be in all.
  ///   - pieceBytes: other than that of the encoding only in tests, and so is `totalBytes`.
  init(
    encoding: PieceEncoding, maxFiles: Int = .max, pieceBytes: Int? = nil, totalBytes: Int? = nil
  ) {
    self.encoding = encoding
    self.maxFiles = maxFiles
    self.pieceBytes = pieceBytes ?? encoding.pieceBytes
    self.totalBytes = totalBytes ?? max(PathBuffers.totalBytes, encoding.pieceBytes)
    state = .allocate(capacity: 1)
    state.initialize(to: State())
  }

  deinit {
    state.deinitialize(count: 1)
    state.deallocate()
  }

  /// The number of the file at `path`.
  func file(_ path: UnsafeBufferPointer<UInt8>) throws(TooManyFiles) -> Int {
    let file = paths.code(of: path)
    if file == state.pointee.fileCount {
      guard file < maxFiles else { throw TooManyFiles() }
      state.pointee.addFile()
    }
    return file
  }

  /// How many bytes of lines can be added to a file in one go and make the same pieces as if they
  /// were added one by one: `whole`, and with its last line no line behind the first `before`.
  @inline(__always)
  func room(_ file: Int) -> (whole: Int, before: Int) {
    (
      pieceBytes &- state.pointee.files[file].text.count, totalBytes &- state.pointee.waiting
    )
  }

  /// Adds lines with their line ends: one, or as many as there is ``room(_:)`` for.
  func append(
    _ file: Int, _ lines: UnsafePointer<UInt8>, _ bytes: Int, rows: Int,
    _ emit: (SinkPiece) -> Void
  ) {
    memcpy(open(file, bytes, emit), lines, bytes)
    close(file, bytes, rows: rows, emit)
  }

  /// Where the caller writes one line of `bytes` with its line end; ``close(_:_:rows:_:)`` is called
  /// next.
  @inline(__always)
  func open(_ file: Int, _ bytes: Int, _ emit: (SinkPiece) -> Void) -> UnsafeMutablePointer<UInt8> {
    if state.pointee.files[file].text.count &+ bytes > pieceBytes { flush(file, emit) }
    return state.pointee.files[file].text.extend(by: bytes)
  }

  @inline(__always)
  func close(_ file: Int, _ bytes: Int, rows: Int, _ emit: (SinkPiece) -> Void) {
    state.pointee.files[file].rows &+= rows
    state.pointee.waiting &+= bytes
    if state.pointee.files[file].text.count >= pieceBytes { flush(file, emit) }
    if state.pointee.waiting > totalBytes { finish(emit) }
  }

  /// Hands on all that waits, in the order of the paths.
  func finish(_ emit: (SinkPiece) -> Void) {
    let filled = (0..<state.pointee.fileCount).filter { !state.pointee.files[$0].text.isEmpty }
    let ordered = filled.sorted {
      paths.bytes(of: $0).lexicographicallyPrecedes(paths.bytes(of: $1))
    }
    for file in ordered { flush(file, emit) }
  }

  private func flush(_ file: Int, _ emit: (SinkPiece) -> Void) {
    let bytes = state.pointee.files[file].text.count
    guard let text = state.pointee.files[file].text.takeText() else { return }
    emit(
      SinkPiece(
        path: String(decoding: paths.bytes(of: file), as: UTF8.self), text: text,
        encoding: encoding, rows: state.pointee.files[file].rows))
    state.pointee.waiting -= bytes
    state.pointee.files[file].rows = 0
    if state.pointee.fileCount <= PathBuffers.warmFiles, bytes * 2 > pieceBytes {
      state.pointee.files[file].text.firstBytes = pieceBytes
    }
  }
}

extension PieceEncoding {
  /// Of a file by the ending of its name: `.zst` is compressed.
  init(path: String, _ settings: ZstdSettings) {
    let isPacked = path.utf8.reversed().starts(with: ".zst".utf8.reversed())
    self = isPacked ? .zstd(settings) : .plain
  }

  /// Most bytes of a piece: with long-distance matching as far as it reaches.
  fileprivate var pieceBytes: Int {
    if case .zstd(let settings) = self, let long = settings.long { return 1 << long }
    return PathBuffers.pieceBytes
  }
}
