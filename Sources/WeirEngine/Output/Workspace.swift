import Glibc
import WeirData

/// The directory in which Weir keeps what it knows: `.weir/`.
public struct Workspace: Sendable {
  /// Path of the `.weir` directory itself.
  public let path: String

  public init(path: String) { self.path = path }

  /// The one to use: `given`, else the nearest above the spec, else `.weir` here.
  public static func find(given: String?, spec: String) -> Workspace {
    if let given { return Workspace(path: joinPath(given, ".weir")) }
    var at = absolutePath(directory(of: spec))
    while true {
      let candidate = joinPath(at, ".weir")
      if isDirectory(candidate) { return Workspace(path: candidate) }
      if at == "/" { return Workspace(path: ".weir") }
      at = directory(of: at)
    }
  }

  /// Where outputs stand unless `--out` says otherwise: `out/NAME/PARTITION` beside the workspace.
  func outputPath(pipeline: String, partition: String) -> String {
    let root = directory(of: path)
    return joinPath(root == "." ? "" : root, "out/\(pipeline)/\(partition)")
  }

  /// Whether there is one.
  public var isThere: Bool { isDirectory(path) }

  /// The directory with one directory for each run.
  public var runsPath: String { joinPath(path, "runs") }

  func runPath(_ id: String) -> String { joinPath(runsPath, id) }

  /// 16 random bytes that belong to this workspace: keys come from outside, and a hash whose secret
  /// is known can be attacked. No result depends on them.
  func secret() throws -> [UInt8] {
    if try existingSecret() == nil { try makeSecret() }
    // Drafts of runs that died, or lost the race: nobody needs them once there is a secret.
    for name in try directoryEntries(path) where name.starts(with: "secret.".utf8) {
      try removeTree(joinPath(path, String(decoding: name, as: UTF8.self)))
    }
    guard let secret = try existingSecret() else {
      throw FileError(path: joinPath(path, "secret"), operation: "read", code: ENOENT)
    }
    return secret
  }

  private func makeSecret() throws(FileError) {
    let file = joinPath(path, "secret")
    var bytes = [UInt8](repeating: 0, count: 16)
    var random = SystemRandomNumberGenerator()
    for i in bytes.indices { bytes[i] = UInt8.random(in: 0...255, using: &random) }
    // A number of the process would not do: containers that share a workspace share numbers.
    let temporary = "\(file).\(UInt64.random(in: 0...UInt64.max, using: &random))"
    try writeNewFile(temporary, bytes, mode: 0o600)
    // The first of two runs that start at once wins, and clears the other's draft away.
    if link(temporary, file) != 0 {
      let failure = fail(file, "link")
      guard exists(file) else { throw failure }
    }
    try flushDirectory(path)
  }

  /// The same where it was made already.
  func existingSecret() throws -> [UInt8]? {
    let file = joinPath(path, "secret")
    guard exists(file) else { return nil }
    let bytes = try readWholeFile(file, limit: 64)
    guard bytes.count == 16 else {
      throw RunError(
        code: "workspace_damaged", message: "\(file) does not have 16 bytes",
        fix: "remove that file: it is made anew, and no result depends on it")
    }
    return bytes
  }
}

public func absolutePath(_ path: String) -> String {
  realPath(path) ?? path
}
