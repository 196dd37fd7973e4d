import Glibc
import Synchronization
import WeirData

/// A file in the run's own directory that takes what memory has no room for. Written at places that are
/// given out beforehand, by any thread; read in any order; gone with this value.
final class SpillFile: @unchecked Sendable {
  let path: String
  private struct State {
    var descriptor: Int32 = -1
    var end = 0
  }
  private let state = Mutex(State())

  init(path: String) { self.path = path }

  deinit {
    state.withLock { state in
      guard state.descriptor >= 0 else { return }
      close(state.descriptor)
      // What stays is removed with the directory.
      unlink(path)
    }
  }

  /// Gives out a place for `count` bytes.
  func place(_ count: Int) -> Int {
    state.withLock { state in
      defer { state.end += count }
      return state.end
    }
  }

  /// Blocks.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
    let descriptor = try open()
    var written = 0
    while written < bytes.count {
      let count = uninterrupted {
        pwrite(
          descriptor, bytes.baseAddress! + written, bytes.count - written, off_t(offset + written))
      }
      guard count >= 0 else { throw fail(path, "write") }
      written += count
    }
  }

  /// Appends `count` bytes of the file to `out`. Blocks.
  func read(_ count: Int, at offset: Int, to out: inout RawBuffer) throws(FileError) {
    let descriptor = try open()
    out.reserve(count)
    try readExactly(descriptor, path, count, at: offset, to: out.base + out.count)
    out.count += count
  }

  private func open() throws(FileError) -> Int32 {
    try state.withLock { state throws(FileError) in
      if state.descriptor < 0 {
        state.descriptor = openFile(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
        guard state.descriptor >= 0 else { throw fail(path, "create") }
      }
      return state.descriptor
    }
  }
}

/// Bytes that have a place in a spill file and are not there yet.
final class SpillWrite: Sendable {
  private let file: SpillFile
  private let offset: Int
  private let bytes: [UInt8]

  init(_ bytes: UnsafeRawBufferPointer, to file: SpillFile) {
    self.file = file
    self.bytes = Array(bytes)
    offset = file.place(bytes.count)
  }

  var place: (offset: Int, count: Int) { (offset, bytes.count) }

  /// Blocks.
  func run() throws(FileError) {
    try bytes.withUnsafeBufferPointer { bytes throws(FileError) in
      try file.write(UnsafeRawBufferPointer(bytes), at: offset)
    }
  }
}

extension RunError {
  /// What was set aside is not what comes back.
  init(damagedSpill path: String, _ error: ChunkError) {
    self.init(
      code: "damaged_spill", message: "\(path): what was set aside there is damaged: \(error)",
      fix: "have that disk checked, and run again: with more --memory less is set aside",
      isTransient: true)
  }
}
