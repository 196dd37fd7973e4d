import Glibc
import WeirData

/// All files below a folder by their path in it; a link below the top is where it leads to.
public func filesBelow(_ folder: String) throws -> [String: [UInt8]] {
  var found: [String: [UInt8]] = [:]
  func walk(_ prefix: String) throws {
    for name in listFolder(folder + "/" + prefix) {
      let inside = prefix.isEmpty ? name : prefix + "/" + name
      var status = stat()
      guard lstat(folder + "/" + inside, &status) == 0 else { continue }
      if status.st_mode & S_IFMT == S_IFDIR {
        try walk(inside)
      } else if status.st_mode & S_IFMT == S_IFLNK {
        found[inside] = linkTarget(folder + "/" + inside)
      } else {
        found[inside] = try readFile(folder + "/" + inside)
      }
    }
  }
  try walk("")
  return found
}

/// Where a link leads, as bytes.
private func linkTarget(_ path: String) -> [UInt8] {
  var buffer = [UInt8](repeating: 0, count: 4_096)
  let count = buffer.withUnsafeMutableBytes {
    readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
  }
  return Array(buffer.prefix(max(0, count)))
}

/// Makes a folder and those above it.
public func makeFolder(_ path: String) throws {
  if mkdir(path, 0o755) == 0 || errno == EEXIST { return }
  guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
    throw FileFailure(path: path, code: errno)
  }
  try makeFolder(String(path[..<slash]))
  guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
    throw FileFailure(path: path, code: errno)
  }
}

extension TemporaryFolder {
  /// Writes a file and the folders above it, and returns its path.
  @discardableResult
  public func write(_ bytes: [UInt8], at path: String) throws -> String {
    let full = file(path)
    if let slash = full.lastIndex(of: "/") { try makeFolder(String(full[..<slash])) }
    try writeFile(bytes, to: full)
    return full
  }

  @discardableResult
  public func write(_ text: String, at path: String) throws -> String {
    try write(Array(text.utf8), at: path)
  }
}

/// The text of a shard in any of the formats that Weir reads.
public func decodedText(_ bytes: [UInt8]) throws -> [UInt8] {
  var decoder = ShardDecoder(path: "decoded", limits: ShardLimits())
  var text: [UInt8] = []
  try decoder.consume(Bytes(bytes)) { text += $0.bytes.copy() }
  try decoder.finish { text += $0.bytes.copy() }
  return text
}

/// The lines of a text, without their ends and without a last empty one.
public func lines(of text: [UInt8]) -> [String] {
  text.split(separator: 0x0A, omittingEmptySubsequences: false)
    .map { String(decoding: $0, as: UTF8.self) }
    .dropLast(text.last == 0x0A || text.isEmpty ? 1 : 0)
}
