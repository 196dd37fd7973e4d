import CLinux
import Glibc

/// One shard opened for reading from its first byte to its last. Blocks: use it where blocking is
/// allowed.
public final class ShardFile {
  public let path: String
  private let descriptor: Int32
  private let before: stat
  private var bytesRead = 0
  private static let readAheadFrom = 128 << 10
  private let hasher = ContentHasher()

  public init(path: String) throws(ShardError) {
    self.path = path
    // The system would stop at a zero byte and open another file.
    guard !path.utf8.contains(0) else { throw ShardFile.unreadable(path, ENOENT) }
    // A FIFO or a device must not make the run wait.
    descriptor = uninterrupted { open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
    guard descriptor >= 0 else { throw ShardFile.unreadable(path, errno) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw ShardFile.unreadable(path, code)
    }
    // Not yet `before`: an object that is whole closes the descriptor by itself, also where it is given up.
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw ShardError(
        code: .notRegular, path: path, byte: nil, message: "not a regular file",
        fix: "a shard is a file: narrow the glob, or copy the data into one")
    }
    before = status
    // One call less where one read is all there is.
    if status.st_size > ShardFile.readAheadFrom {
      posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    }
  }

  deinit { close(descriptor) }

  /// What the file was when it was opened.
  public var status: stat { before }

  /// Size on disk when it was opened, in bytes.
  public var size: Int { Int(before.st_size) }

  /// The next piece, at most `bytes` long, or `nil` at the end.
  public func read(upTo bytes: Int) throws(ShardError) -> Bytes? {
    var piece = Bytes(capacity: bytes)
    let got = uninterrupted { Glibc.read(descriptor, piece.base, bytes) }
    guard got >= 0 else { throw ShardFile.unreadable(path, errno, byte: bytesRead) }
    return try took(got, piece)
  }

  /// What there is of a shard without waiting.
  public enum AtHand: ~Copyable, Sendable {
    case piece(Bytes)
    case end
    /// It would have to come from the disk, or the file system cannot say: ``read(upTo:)`` gets it.
    case notYet
  }

  /// The next piece, at most `bytes` long, where it is in memory. Never waits for the disk.
  public func readAtHand(upTo bytes: Int) throws(ShardError) -> AtHand {
    var piece = Bytes(capacity: bytes)
    var room = iovec(iov_base: piece.base, iov_len: bytes)
    // -1: from where the last reading ended.
    let got = uninterrupted { preadv2(descriptor, &room, 1, -1, WEIR_RWF_NOWAIT) }
    if got < 0, errno == EAGAIN || errno == EOPNOTSUPP || errno == ENOSYS { return .notYet }
    guard got >= 0 else { throw ShardFile.unreadable(path, errno, byte: bytesRead) }
    guard let piece = try took(got, piece) else { return .end }
    return .piece(piece)
  }

  /// - Parameter piece: has `got` bytes.
  private func took(_ got: Int, _ piece: consuming Bytes) throws(ShardError) -> Bytes? {
    guard got > 0 else {
      try checkUnchanged()
      return nil
    }
    piece.count = got
    bytesRead += got
    hasher.update(piece.view)
    return piece
  }

  /// All of it in one piece: for small shards.
  public func readWhole() throws(ShardError) -> Bytes {
    // One byte more than there should be: a file that grew meanwhile is found out without another read.
    var piece = Bytes(capacity: size + 1)
    while piece.count <= size {
      let (base, room) = (piece.base + piece.count, piece.capacity - piece.count)
      let got = uninterrupted { Glibc.read(descriptor, base, room) }
      guard got >= 0 else { throw ShardFile.unreadable(path, errno, byte: bytesRead) }
      piece.count += got
      bytesRead += got
      if got == 0 || piece.count == size { break }
    }
    try checkUnchanged()
    hasher.update(piece.view)
    return piece
  }

  /// XXH3-128 of the bytes read: the identity of the content.
  public func contentHash() -> Hash128 { hasher.finish() }

  private func checkUnchanged() throws(ShardError) {
    var now = stat()
    guard fstat(descriptor, &now) == 0 else { throw ShardFile.unreadable(path, errno) }
    guard now.st_size == before.st_size, bytesRead == now.st_size,
      now.st_mtim.tv_sec == before.st_mtim.tv_sec, now.st_mtim.tv_nsec == before.st_mtim.tv_nsec
    else {
      throw ShardError(
        code: .changed, path: path, byte: bytesRead, message: "the file changed while it was read",
        fix: "wait until its writer is done, then run again", isTransient: true)
    }
  }

  private static func unreadable(_ path: String, _ code: Int32, byte: Int? = nil) -> ShardError {
    ShardError(
      code: .unreadable, path: path, byte: byte,
      message: "cannot be read: \(String(cString: strerror(code)))",
      fix: code == EACCES
        ? "give the user of this run the right to read it"
        : "see that the file is there and its disk is well",
      isTransient: isTransientError(code), systemCode: code)
  }
}
