import Glibc

/// The read-only data that lies beside the repository, in `../shared` or where `WEIR_SHARED` says.
/// Tests that need it skip where it is absent: `.enabled(if: SharedData.has("data/nab"))`.
public enum SharedData {
  /// The folder, or `nil` where there is none.
  public static let root: String? = {
    if let set = getenv("WEIR_SHARED") { return String(cString: set) }
    // Sources/WeirTesting/SharedData.swift
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4)
    let beside = parts.joined(separator: "/") + "/shared"
    return isThere(beside) ? beside : nil
  }()

  /// Whether `relative`, a file or folder, is there.
  public static func has(_ relative: String) -> Bool { path(relative) != nil }

  /// The path of `relative`, or `nil` where it is absent.
  public static func path(_ relative: String) -> String? {
    guard let root else { return nil }
    let path = root + "/" + relative
    return isThere(path) ? path : nil
  }

  /// The names in the folder `relative`, in byte order; none where it is absent.
  public static func names(in relative: String) -> [String] {
    path(relative).map(listFolder) ?? []
  }

  /// The bytes of the file `relative`.
  public static func bytes(_ relative: String) throws -> [UInt8] {
    guard let path = path(relative) else { throw FileFailure(path: relative, code: ENOENT) }
    return try readFile(path)
  }

  private static func isThere(_ path: String) -> Bool { access(path, F_OK) == 0 }
}

/// A call on a file that failed.
public struct FileFailure: Error, CustomStringConvertible {
  public var path: String
  public var code: Int32

  public init(path: String, code: Int32) {
    self.path = path
    self.code = code
  }

  public var description: String { "\(path): \(String(cString: strerror(code)))" }
}

public func readFile(_ path: String) throws -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw FileFailure(path: path, code: errno) }
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var piece = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let got = read(descriptor, &piece, piece.count)
    guard got >= 0 else { throw FileFailure(path: path, code: errno) }
    if got == 0 { return bytes }
    bytes.append(contentsOf: piece[..<got])
  }
}

public func writeFile(_ bytes: [UInt8], to path: String) throws {
  let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
  guard descriptor >= 0 else { throw FileFailure(path: path, code: errno) }
  defer { close(descriptor) }
  var at = 0
  while at < bytes.count {
    let wrote = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + at, bytes.count - at) }
    guard wrote > 0 else { throw FileFailure(path: path, code: errno) }
    at += wrote
  }
}

/// Lets the system forget what it holds of a file in memory, where its file system can do without: who
/// reads it next waits for the disk.
public func forget(_ path: String) throws {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw FileFailure(path: path, code: errno) }
  defer { close(descriptor) }
  // What is not on the disk yet cannot be forgotten.
  guard fsync(descriptor) == 0 else { throw FileFailure(path: path, code: errno) }
  posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
}

/// The names in a folder, in byte order, without `.` and `..`.
public func listFolder(_ path: String) -> [String] {
  guard let folder = opendir(path) else { return [] }
  defer { closedir(folder) }
  var names: [String] = []
  while let entry = readdir(folder) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if name != ".", name != ".." { names.append(name) }
  }
  return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
}
