import Glibc
import WeirData
import WeirEngine

/// A path with wildcards: `*` and `?` within a name, `[a-z]` for one byte, `**` for any folders.
/// Works on bytes; a name that begins with a dot is matched only by a pattern that does.
struct Glob: Sendable {
  private let isAbsolute: Bool
  private let segments: [[UInt8]]
  private let root: String

  /// `nil` where the pattern is empty or a bracket is not closed.
  init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard !bytes.isEmpty, !bytes.contains(0) else { return nil }
    isAbsolute = bytes[0] == UInt8(ascii: "/")
    segments = bytes.split(separator: UInt8(ascii: "/")).map(Array.init)
    root = ""
    guard !segments.isEmpty, segments.allSatisfy(Glob.isClosed) else { return nil }
  }

  private init(isAbsolute: Bool, segments: [[UInt8]], root: String) {
    self.isAbsolute = isAbsolute
    self.segments = segments
    self.root = root
  }

  /// The same pattern, read from a folder.
  func below(_ folder: String) -> Glob {
    Glob(isAbsolute: isAbsolute, segments: segments, root: folder)
  }

  var text: String {
    let path = segments.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/")
    return isAbsolute ? "/" + path : joinPath(root, path)
  }

  /// Names of the `key=value` folders in the pattern.
  var keys: [String] {
    segments.dropLast().compactMap { segment in
      guard let equals = segment.firstIndex(of: UInt8(ascii: "=")), equals > 0,
        !Glob.isPattern(Array(segment[..<equals]))
      else { return nil }
      return String(decoding: segment[..<equals], as: UTF8.self)
    }
  }

  struct Match {
    var path: String
    /// Below the literal folders that the pattern begins with.
    var name: [UInt8]
    var size: Int

    /// The value of a `key=value` folder of the path, percent-decoded.
    func value(of key: String) -> [UInt8]? {
      let prefix = Array(key.utf8) + [UInt8(ascii: "=")]
      let folders = Array(path.utf8).split(separator: UInt8(ascii: "/")).dropLast()
      guard let folder = folders.last(where: { $0.starts(with: prefix) }) else { return nil }
      return percentDecoded(Array(folder.dropFirst(prefix.count)))
    }
  }

  /// The files there are now. A folder that cannot be read is an error, one that is not there is not.
  func matches() throws(FileError) -> [Match] {
    let literal = segments.prefix { !Glob.isPattern($0) }
    let fixed = literal.count == segments.count ? Array(literal.dropLast()) : Array(literal)
    let start = fixed.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/")
    let base = isAbsolute ? "/" + start : joinPath(root, start)
    var found: [Match] = []
    try walk(base.isEmpty ? "." : base, [], segments[fixed.count...], &found)
    return found
  }

  private func walk(
    _ folder: String, _ name: [UInt8], _ rest: ArraySlice<[UInt8]>, _ found: inout [Match]
  ) throws(FileError) {
    guard let segment = rest.first else { return }
    let behind = rest.dropFirst()
    if segment.elementsEqual(Array("**".utf8)) {
      try walk(folder, name, behind, &found)
      for entry in try entries(folder) where entry.first != UInt8(ascii: ".") {
        let path = joinPath(folder, String(decoding: entry, as: UTF8.self))
        // Links to folders are not followed: they could lead in a circle.
        if try look(at: path, entry, followingLinks: false).isFolder {
          try walk(path, Glob.joined(name, entry), rest, &found)
        }
      }
      return
    }
    for entry in try entries(folder) where Glob.isMatch(entry, segment) {
      let path = joinPath(folder, String(decoding: entry, as: UTF8.self))
      let full = Glob.joined(name, entry)
      if behind.isEmpty {
        let there = try look(at: path, entry, followingLinks: true)
        if !there.isFolder { found.append(Match(path: path, name: full, size: there.size)) }
      } else if try look(at: path, entry, followingLinks: true).isFolder {
        try walk(path, full, behind, &found)
      }
    }
  }

  private func entries(_ folder: String) throws(FileError) -> [[UInt8]] {
    do throws(FileError) {
      return try directoryEntries(folder)
    } catch {
      if error.code == ENOENT || error.code == ENOTDIR { return [] }
      throw error
    }
  }

  /// What stands at a path that a folder lists. It matches: if it cannot be seen, records would be
  /// left out, so that is an error.
  private func look(
    at path: String, _ name: [UInt8], followingLinks: Bool
  ) throws(FileError) -> (isFolder: Bool, size: Int) {
    guard name.withUnsafeBufferPointer({ isUTF8($0) }) else {
      throw FileError(path: path, operation: "read a name that is not UTF-8", code: EILSEQ)
    }
    var status = stat()
    let result = followingLinks ? stat(path, &status) : lstat(path, &status)
    guard result == 0 else { throw FileError(path: path, operation: "stat", code: errno) }
    return (status.st_mode & S_IFMT == S_IFDIR, Int(status.st_size))
  }

  private static func joined(_ name: [UInt8], _ entry: [UInt8]) -> [UInt8] {
    name.isEmpty ? entry : name + [UInt8(ascii: "/")] + entry
  }

  static func isPattern(_ segment: [UInt8]) -> Bool {
    segment.contains { [UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "[")].contains($0) }
  }

  private static func isClosed(_ segment: [UInt8]) -> Bool {
    var open = false
    for byte in segment {
      if byte == UInt8(ascii: "[") { open = true }
      if byte == UInt8(ascii: "]") { open = false }
    }
    return !open
  }

  /// Whether a name fits one segment of a pattern. Linear in both: the last star is the only place to
  /// go back to.
  static func isMatch(_ name: [UInt8], _ pattern: [UInt8]) -> Bool {
    if name.first == UInt8(ascii: "."), pattern.first != UInt8(ascii: ".") { return false }
    var n = 0
    var p = 0
    var star: (p: Int, n: Int)?
    while n < name.count {
      if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
        star = (p, n)
        p += 1
        continue
      }
      if p < pattern.count, let next = step(name[n], pattern, p) {
        n += 1
        p = next
        continue
      }
      guard let back = star else { return false }
      star = (back.p, back.n + 1)
      p = back.p + 1
      n = back.n + 1
    }
    return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
  }

  /// Where the pattern goes on behind one byte that it takes.
  private static func step(_ byte: UInt8, _ pattern: [UInt8], _ at: Int) -> Int? {
    switch pattern[at] {
    case UInt8(ascii: "?"): return at + 1
    case UInt8(ascii: "["):
      guard let end = pattern[(at + 1)...].firstIndex(of: UInt8(ascii: "]")) else { return nil }
      var set = pattern[(at + 1)..<end]
      let isNegated = set.first == UInt8(ascii: "!")
      if isNegated { set = set.dropFirst() }
      var hit = false
      var i = set.startIndex
      while i < set.endIndex {
        if i + 2 < set.endIndex, set[i + 1] == UInt8(ascii: "-") {
          if set[i] <= byte, byte <= set[i + 2] { hit = true }
          i += 3
        } else {
          if set[i] == byte { hit = true }
          i += 1
        }
      }
      return hit != isNegated ? end + 1 : nil
    default: return pattern[at] == byte ? at + 1 : nil
    }
  }
}

/// `%2F` and the like as the bytes they stand for; anything else as it is.
private func percentDecoded(_ bytes: [UInt8]) -> [UInt8] {
  func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }
  var out: [UInt8] = []
  var at = 0
  while at < bytes.count {
    if bytes[at] == UInt8(ascii: "%"), at + 2 < bytes.count, let high = digit(bytes[at + 1]),
      let low = digit(bytes[at + 2])
    {
      out.append(high << 4 | low)
      at += 3
    } else {
      out.append(bytes[at])
      at += 1
    }
  }
  return out
}
