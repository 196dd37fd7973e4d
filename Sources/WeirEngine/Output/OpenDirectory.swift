import Glibc
import WeirData

/// A directory that is held open: what stands in it is looked at by its name, without going along the
/// whole path each time.
public final class OpenDirectory: @unchecked Sendable {
  public let path: String
  /// Without `.` and `..`, sorted by their bytes.
  public let names: [[UInt8]]
  private let stream: OpaquePointer

  /// - Throws: where it cannot be opened or read.
  public init(_ path: String) throws(FileError) {
    guard let stream = opendir(path) else { throw fail(path, "open directory") }
    self.path = path
    self.stream = stream
    do throws(FileError) {
      names = try OpenDirectory.read(stream, path)
    } catch {
      closedir(stream)
      throw error
    }
  }

  deinit { closedir(stream) }

  private static func read(
    _ stream: OpaquePointer, _ path: String
  ) throws(FileError) -> [[UInt8]] {
    var names: [[UInt8]] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        if errno != 0 { throw fail(path, "read directory") }
        break
      }
      // What is there ends with the name: the type has room for longer ones.
      let text = UnsafeRawPointer(entry) + MemoryLayout<dirent>.offset(of: \.d_name)!
      let bytes = UnsafeRawBufferPointer(
        start: text, count: strlen(text.assumingMemoryBound(to: CChar.self)))
      if bytes.elementsEqual([0x2E]) || bytes.elementsEqual([0x2E, 0x2E]) { continue }
      names.append(Array(bytes))
    }
    return names.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// What stands there under a name.
  public func status(of name: [UInt8], followingLinks: Bool) throws(FileError) -> stat {
    var status = stat()
    let flags = followingLinks ? 0 : AT_SYMLINK_NOFOLLOW
    let result = withUnsafeTemporaryAllocation(of: CChar.self, capacity: name.count + 1) { text in
      for (i, byte) in name.enumerated() { text[i] = CChar(bitPattern: byte) }
      text[name.count] = 0
      return fstatat(dirfd(stream), text.baseAddress!, &status, flags)
    }
    guard result == 0 else {
      let code = errno
      throw FileError(
        path: joinPath(path, String(decoding: name, as: UTF8.self)), operation: "stat", code: code)
    }
    return status
  }
}
