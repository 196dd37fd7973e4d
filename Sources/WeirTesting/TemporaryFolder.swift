import Glibc

/// A folder that is there only while ``withTemporaryFolder(_:)`` runs.
public struct TemporaryFolder: Sendable {
  public let path: String

  /// The path of `name` inside.
  public func file(_ name: String) -> String { path + "/" + name }

  /// Writes a file and returns its path.
  @discardableResult
  public func write(_ bytes: [UInt8], as name: String) throws -> String {
    let path = file(name)
    try writeFile(bytes, to: path)
    return path
  }

  fileprivate init() throws {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array((parent + "/weir-test-XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else { throw FileFailure(path: parent, code: errno) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// Runs `body` with a new folder and removes it after, with all that is in it.
public func withTemporaryFolder<Result>(
  _ body: (TemporaryFolder) throws -> Result
) throws -> Result {
  let folder = try TemporaryFolder()
  defer { removeAll(folder.path) }
  return try body(folder)
}

/// Runs `body` with a new folder and removes it after, with all that is in it.
public func withTemporaryFolder<Result>(
  isolation: isolated (any Actor)? = #isolation, _ body: (TemporaryFolder) async throws -> Result
) async throws -> Result {
  let folder = try TemporaryFolder()
  defer { removeAll(folder.path) }
  return try await body(folder)
}

/// Removes a file, or a folder with what is in it; follows no links.
private func removeAll(_ path: String) {
  var status = stat()
  guard lstat(path, &status) == 0 else { return }
  if status.st_mode & S_IFMT == S_IFDIR {
    chmod(path, 0o700)
    for name in listFolder(path) { removeAll(path + "/" + name) }
    rmdir(path)
  } else {
    unlink(path)
  }
}
