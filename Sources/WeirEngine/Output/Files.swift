import Glibc
import WeirData

/// A call to the file system that failed: what was done, to what, and why.
public struct FileError: Error, Sendable, CustomStringConvertible {
  public var path: String
  public var operation: String
  public var code: Int32

  public init(path: String, operation: String, code: Int32) {
    self.path = path
    self.operation = operation
    self.code = code
  }

  public var reason: String { String(cString: strerror(code)) }
  /// Whether there is nothing at that path.
  public var isNotThere: Bool { code == ENOENT || code == ENOTDIR }
  public var description: String { "\(path): \(operation) failed: \(reason)" }

  /// Whether the file ended before all was read that should be there.
  var isCutShort: Bool { operation == FileError.readToItsEnd }
  private static let readToItsEnd = "read to its end"

  init(cutShort path: String) {
    self.init(path: path, operation: FileError.readToItsEnd, code: EIO)
  }

  /// Whether the same call may work later without anything being changed.
  public var isTransient: Bool { isTransientError(code) }

  /// What somebody can do about it.
  public var fix: String {
    switch code {
    case ENOSPC, EDQUOT: "free some space on that disk, then run again"
    case EACCES, EPERM: "give the user of this run the right to do it"
    case EROFS: "that disk can only be read: write somewhere else"
    case EMFILE, ENFILE: "raise the limit of open files (ulimit -n)"
    default: "see what is wrong with that path or its disk, then run again"
    }
  }
}

func fail(_ path: String, _ operation: String) -> FileError {
  FileError(path: path, operation: operation, code: errno)
}

/// Opens a file, again where a signal came in between; below 0 and `errno` where it cannot be.
func openFile(_ path: String, _ flags: Int32, _ mode: mode_t = 0) -> Int32 {
  uninterrupted { open(path, flags | O_CLOEXEC, mode) }
}

/// Gives a descriptor back. It is gone whatever comes of it, also where a signal came in between (close(2)
/// on Linux): so that is no failure, and whoever must be sure of the bytes flushes them.
func closeFile(_ descriptor: Int32, _ path: String) throws(FileError) {
  guard close(descriptor) == 0 || errno == EINTR else { throw fail(path, "close") }
}

/// `b` below `a`, or `b` where it is absolute.
public func joinPath(_ a: String, _ b: String) -> String {
  if b.utf8.first == UInt8(ascii: "/") || a.isEmpty { return b }
  return a.utf8.last == UInt8(ascii: "/") ? a + b : a + "/" + b
}

/// Everything before the last component; `.` where there is none.
public func directory(of path: String) -> String {
  guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
  return slash == path.utf8.startIndex ? "/" : String(path[..<slash])
}

/// The last component.
public func lastComponent(of path: String) -> String {
  guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
  return String(path[path.utf8.index(after: slash)...])
}

/// The path without links; `nil` where there is nothing.
func realPath(_ path: String) -> String? {
  guard let resolved = realpath(path, nil) else { return nil }
  defer { free(resolved) }
  return String(cString: resolved)
}

/// Whether a path leads out of a folder once links are followed; `nil` where one of the two is not there.
func leadsOut(of folder: String, _ path: String) -> Bool? {
  guard let real = realPath(path), let top = realPath(folder) else { return nil }
  return !real.utf8.starts(with: (top.utf8.last == UInt8(ascii: "/") ? top : top + "/").utf8)
}

/// All bytes of a regular file.
public func readWholeFile(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
  let descriptor = openFile(path, O_RDONLY | O_NONBLOCK)
  guard descriptor >= 0 else { throw fail(path, "open") }
  defer { close(descriptor) }
  var status = stat()
  guard fstat(descriptor, &status) == 0 else { throw fail(path, "stat") }
  guard status.st_mode & S_IFMT == S_IFREG else {
    throw FileError(path: path, operation: "read", code: EISDIR)
  }
  guard Int(status.st_size) <= limit else {
    throw FileError(path: path, operation: "read", code: EFBIG)
  }
  var bytes: [UInt8] = []
  bytes.reserveCapacity(Int(status.st_size))
  var buffer = [UInt8](repeating: 0, count: 64 << 10)
  while true {
    let got = uninterrupted { read(descriptor, &buffer, buffer.count) }
    if got == 0 { return bytes }
    guard got > 0 else { throw fail(path, "read") }
    bytes.append(contentsOf: buffer[..<got])
    guard bytes.count <= limit else {
      throw FileError(path: path, operation: "read", code: EFBIG)
    }
  }
}

/// Writes all of `bytes` to an open file.
func writeAll(
  _ bytes: UnsafeBufferPointer<UInt8>, to descriptor: Int32, path: String
) throws(FileError) {
  var written = 0
  while written < bytes.count {
    let count = uninterrupted {
      write(descriptor, bytes.baseAddress! + written, bytes.count - written)
    }
    guard count >= 0 else { throw fail(path, "write") }
    written += count
  }
}

/// Makes a file with these bytes. It must not exist.
///
/// - Parameter flushed: whether it is on the disk then.
func writeNewFile(
  _ path: String, _ bytes: [UInt8], mode: mode_t = 0o644, flushed: Bool = true
) throws(FileError) {
  let descriptor = openFile(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode)
  guard descriptor >= 0 else { throw fail(path, "create") }
  do throws(FileError) {
    try bytes.withUnsafeBufferPointer { bytes throws(FileError) in
      try writeAll(bytes, to: descriptor, path: path)
    }
    if flushed { try flush(descriptor, path) }
  } catch {
    close(descriptor)
    throw error
  }
  try closeFile(descriptor, path)
}

/// Puts these bytes at `path` in one step: a reader sees the old file or the new one.
public func replaceFile(_ path: String, _ bytes: [UInt8]) throws(FileError) {
  let draft = try FileDraft(of: path, bytes)
  try draft.flush()
  try draft.place()
  try flushDirectory(directory(of: path))
}

/// The next content of a file, beside it until it takes its place: so several files can be flushed at
/// once. Not durable before ``flush()``, and its name not before the directory is flushed.
struct FileDraft: Sendable {
  let path: String
  var draft: String { path + ".new" }

  init(of path: String, _ bytes: [UInt8]) throws(FileError) {
    self.path = path
    unlink(draft)
    do throws(FileError) {
      try writeNewFile(draft, bytes, flushed: false)
    } catch {
      discard()
      throw error
    }
  }

  func flush() throws(FileError) {
    do throws(FileError) {
      try flushFile(draft)
    } catch {
      discard()
      throw error
    }
  }

  /// A reader sees the old file or the new one.
  func place() throws(FileError) {
    guard rename(draft, path) == 0 else {
      let error = fail(path, "rename")
      discard()
      throw error
    }
  }

  func discard() { unlink(draft) }
}

/// Makes a directory and those above it.
func makeDirectories(_ path: String, mode: mode_t = 0o755) throws(FileError) {
  if mkdir(path, mode) == 0 { return }
  if errno == EEXIST {
    guard isDirectory(path) else { throw FileError(path: path, operation: "mkdir", code: ENOTDIR) }
    return
  }
  guard errno == ENOENT else { throw fail(path, "mkdir") }
  try makeDirectories(directory(of: path), mode: mode)
  guard mkdir(path, mode) == 0 || errno == EEXIST else { throw fail(path, "mkdir") }
}

/// The same, and whatever it makes is still there when the power goes: a name is, once the directory
/// that it stands in is flushed.
func makeDurableDirectories(_ path: String, mode: mode_t = 0o755) throws(FileError) {
  if isDirectory(path) { return }
  let parent = directory(of: path)
  if !isDirectory(parent) { try makeDurableDirectories(parent, mode: mode) }
  try makeDirectories(path, mode: mode)
  try flushDirectory(parent)
}

/// Makes what was written to an open file durable.
func flush(_ descriptor: Int32, _ path: String) throws(FileError) {
  guard uninterrupted({ fsync(descriptor) }) == 0 else { throw fail(path, "fsync") }
}

/// Makes the content of a file durable.
func flushFile(_ path: String) throws(FileError) {
  let descriptor = openFile(path, O_RDONLY | O_NOFOLLOW)
  guard descriptor >= 0 else { throw fail(path, "open") }
  defer { close(descriptor) }
  try flush(descriptor, path)
}

/// Makes names in a directory durable.
func flushDirectory(_ path: String) throws(FileError) {
  let descriptor = openFile(path, O_RDONLY | O_DIRECTORY)
  guard descriptor >= 0 else { throw fail(path, "open") }
  defer { close(descriptor) }
  try flush(descriptor, path)
}

public func isDirectory(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// Whether something stands there, be it a dangling link.
public func exists(_ path: String) -> Bool {
  var status = stat()
  return lstat(path, &status) == 0
}

/// The names in a directory, without `.` and `..`, sorted by their bytes.
public func directoryEntries(_ path: String) throws(FileError) -> [[UInt8]] {
  try OpenDirectory(path).names
}

/// The path of a file beside one that is not there, whose name is near; in the words of `written`.
///
/// - Parameter path: `written`, from where it is read.
func nearestFile(to path: String, written: String) -> String? {
  // Of two files that end the same, the stems tell how near they are.
  func halves(_ name: some StringProtocol) -> (stem: String, end: String) {
    let dot = name.utf8.firstIndex(of: UInt8(ascii: ".")) ?? name.utf8.endIndex
    return (String(name[..<dot]), String(name[dot...]))
  }
  let wanted = halves(lastComponent(of: path))
  guard let entries = try? directoryEntries(directory(of: path)) else { return nil }
  let stems = entries.prefix(1_000).map { halves(String(decoding: $0, as: UTF8.self)) }
    .filter { same($0.end, wanted.end) }.map(\.stem)
  return nearest(to: wanted.stem, among: stems).map { $0 + wanted.end }.map {
    String(decoding: written.utf8.dropLast(lastComponent(of: written).utf8.count), as: UTF8.self)
      + $0
  }
}

/// Removes a file, a link or a whole tree; links are not followed. What is not there is no error.
public func removeTree(_ path: String) throws(FileError) {
  var status = stat()
  guard lstat(path, &status) == 0 else {
    if errno == ENOENT { return }
    throw fail(path, "stat")
  }
  guard status.st_mode & S_IFMT == S_IFDIR else {
    guard unlink(path) == 0 || errno == ENOENT else { throw fail(path, "remove") }
    return
  }
  for name in try directoryEntries(path) {
    try removeTree(joinPath(path, String(decoding: name, as: UTF8.self)))
  }
  guard rmdir(path) == 0 || errno == ENOENT else { throw fail(path, "remove") }
}

/// Hands on a part of a file, piece by piece.
public func readRange(
  _ path: String, _ range: Range<Int>,
  _ body: (UnsafeBufferPointer<UInt8>) throws(FileError) -> Void
) throws(FileError) {
  let descriptor = openFile(path, O_RDONLY)
  guard descriptor >= 0 else { throw fail(path, "open") }
  defer { close(descriptor) }
  try readRange(descriptor, path, range, body)
}

/// The same for a file that is open.
func readRange(
  _ descriptor: Int32, _ path: String, _ range: Range<Int>,
  _ body: (UnsafeBufferPointer<UInt8>) throws(FileError) -> Void
) throws(FileError) {
  let buffer = Bytes(capacity: min(1 << 20, max(1, range.count)))
  var at = range.lowerBound
  while at < range.upperBound {
    let got = uninterrupted {
      pread(descriptor, buffer.base, min(buffer.capacity, range.upperBound - at), off_t(at))
    }
    guard got >= 0 else { throw fail(path, "read") }
    guard got > 0 else { throw FileError(cutShort: path) }
    try body(UnsafeBufferPointer(start: buffer.base, count: got))
    at += got
  }
}

/// Reads exactly `count` bytes of an open file to where there is room for them.
func readExactly(
  _ descriptor: Int32, _ path: String, _ count: Int, at offset: Int, to: UnsafeMutableRawPointer
) throws(FileError) {
  var done = 0
  while done < count {
    let got = uninterrupted { pread(descriptor, to + done, count - done, off_t(offset + done)) }
    guard got >= 0 else { throw fail(path, "read") }
    guard got > 0 else { throw FileError(cutShort: path) }
    done += got
  }
}

/// Puts a page of the documentation at `path`, making its folders.
public func writePage(_ bytes: [UInt8], at path: String) throws(FileError) {
  try makeDirectories(directory(of: path))
  try replaceFile(path, bytes)
}
