import Glibc
import Synchronization
import WeirData

/// A file of digests: written once, by one task after the other of one worker, then read by anybody.
///
/// Nothing is flushed: what a crash cut off is not what its checksum says, and is made again.
final class PackFile: @unchecked Sendable {
  let id: UInt64
  let path: String
  private let descriptor: Int32
  /// What was given to ``append(_:)``, where this process writes the file.
  private(set) var count: Int
  /// Bytes that it may have, as far as the limit of all packs goes.
  var countMax = Int.max
  private var pending: [UInt8] = []
  /// Small parts are written together.
  private static let pendingMax = 256 * 1024
  /// A part of so many bytes is not copied first.
  private static let directBytes = 64 * 1024

  /// Opens a pack that somebody wrote; `nil` where it is not there any more.
  init?(reading path: String, id: UInt64) throws(FileError) {
    self.id = id
    self.path = path
    descriptor = openFile(path, O_RDONLY | O_NOFOLLOW)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw fail(path, "open")
    }
    count = 0
  }

  /// Makes a new one. It is locked while this process writes it, so that others know it is wanted.
  init(making path: String, id: UInt64) throws(FileError) {
    self.id = id
    self.path = path
    descriptor = openFile(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw fail(path, "create") }
    flock(descriptor, LOCK_SH | LOCK_NB)
    count = 0
  }

  deinit { close(descriptor) }

  /// Appends bytes; returns where they are. One task at a time. Blocks.
  @discardableResult
  func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) -> Int {
    let start = count
    if bytes.count >= PackFile.directBytes {
      try flush()
      try writeAll(bytes.bindMemory(to: UInt8.self), to: descriptor, path: path)
    } else {
      pending += bytes
      if pending.count >= PackFile.pendingMax { try flush() }
    }
    count += bytes.count
    return start
  }

  /// Writes what was held back.
  func flush() throws(FileError) {
    guard !pending.isEmpty else { return }
    try pending.withUnsafeBufferPointer { bytes throws(FileError) in
      try writeAll(bytes, to: descriptor, path: path)
    }
    pending.removeAll(keepingCapacity: true)
  }

  /// Takes back what was appended behind `count` bytes, and what a write that failed left there.
  func cut(to count: Int) throws(FileError) {
    let written = min(count, self.count - pending.count)
    pending.removeLast(self.count - max(count, self.count - pending.count))
    guard ftruncate(descriptor, off_t(written)) == 0 else { throw fail(path, "truncate") }
    guard lseek(descriptor, off_t(written), SEEK_SET) >= 0 else { throw fail(path, "seek") }
    self.count = count
  }

  /// Reads exactly `count` bytes to where there is room for them. Blocks.
  func read(_ count: Int, at offset: Int, to: UnsafeMutableRawPointer) throws(FileError) {
    try removingUnreadable { () throws(FileError) in
      try readExactly(descriptor, path, count, at: offset, to: to)
    }
  }

  /// Appends them to `out`.
  func read(_ count: Int, at offset: Int, to out: inout RawBuffer) throws(FileError) {
    out.reserve(count)
    try read(count, at: offset, to: out.base + out.count)
    out.count += count
  }

  /// The same as an array.
  func read(_ count: Int, at offset: Int) throws(FileError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    try bytes.withUnsafeMutableBufferPointer { buffer throws(FileError) in
      guard let base = buffer.baseAddress else { return }
      try read(count, at: offset, to: base)
    }
    return bytes
  }

  /// Hands on a range piece by piece. Blocks.
  func read(
    _ range: Range<Int>, _ body: (UnsafeBufferPointer<UInt8>) throws(FileError) -> Void
  ) throws(FileError) {
    try removingUnreadable { () throws(FileError) in
      try readRange(descriptor, path, range, body)
    }
  }

  /// What cannot be read is made again: it must not fail the next run too.
  private func removingUnreadable(_ body: () throws(FileError) -> Void) throws(FileError) {
    do throws(FileError) {
      try body()
    } catch {
      if error.path == path, error.operation == "read" { unlink(path) }
      throw error
    }
  }

  /// Says that it was used, for those who decide what goes first.
  func touch() { futimens(descriptor, nil) }
}
