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
    /// Equal for files of one folder, which follow each other.
    var folder: Int

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
    var found = Found()
    try walk(base.isEmpty ? "." : base, [], segments[fixed.count...], &found)
    return found.matches
  }

  /// Whether it can find a file in more ways than one.
  var findsTwice: Bool { segments.contains { $0.elementsEqual(Array("**".utf8)) } }

  private struct Found {
    var matches: [Match] = []
    var folders = 0
  }

  private func walk(
    _ folder: String, _ name: [UInt8], _ rest: ArraySlice<[UInt8]>, _ found: inout Found
  ) throws(FileError) {
    guard let segment = rest.first else { return }
    let behind = rest.dropFirst()
    if segment.elementsEqual(Array("**".utf8)) {
      try walk(folder, name, behind, &found)
      for entry in try folders(in: folder) {
        let path = joinPath(folder, String(decoding: entry, as: UTF8.self))
        try walk(path, Glob.joined(name, entry), rest, &found)
      }
      return
    }
    guard let open = try open(folder) else { return }
    found.folders += 1
    let number = found.folders
    let names = open.names.filter { Glob.isMatch($0, segment) }
    let fits = onAllProcessors(names.count, piece: Glob.namesTogether) { place in
      Result { () throws(FileError) -> Match? in
        let there = try look(at: names[place], in: open, followingLinks: true)
        guard there.isFolder != behind.isEmpty else { return nil }
        return Match(
          path: joinPath(folder, String(decoding: names[place], as: UTF8.self)),
          name: Glob.joined(name, names[place]), size: there.size, folder: number)
      }
    }
    for fit in fits {
      guard let match = try fit.get() else { continue }
      if behind.isEmpty {
        found.matches.append(match)
      } else {
        try walk(match.path, match.name, behind, &found)
      }
    }
  }

  /// The names of the folders in a folder, which is not open any more when they are gone into. Links are not
  /// followed: they could lead in a circle.
  private func folders(in folder: String) throws(FileError) -> [[UInt8]] {
    guard let open = try open(folder) else { return [] }
    var names: [[UInt8]] = []
    for entry in open.names where entry.first != UInt8(ascii: ".") {
      if try look(at: entry, in: open, followingLinks: false).isFolder { names.append(entry) }
    }
    return names
  }

  /// So many names are looked at by one thread at a time.
  private static let namesTogether = 128

  /// `nil` where there is no such folder.
  private func open(_ folder: String) throws(FileError) -> OpenDirectory? {
    do throws(FileError) {
      return try OpenDirectory(folder)
    } catch {
      if error.code == ENOENT || error.code == ENOTDIR { return nil }
      throw error
    }
  }

  /// What stands under a name that a folder lists. It matches: if it cannot be seen, records would be
  /// left out, so that is an error.
  private func look(
    at name: [UInt8], in folder: OpenDirectory, followingLinks: Bool
  ) throws(FileError) -> (isFolder: Bool, size: Int) {
    guard name.withUnsafeBufferPointer({ isUTF8($0) }) else {
      throw FileError(
        path: joinPath(folder.path, String(decoding: name, as: UTF8.self)),
        operation: "read a name that is not UTF-8", code: EILSEQ)
    }
    let status = try folder.status(of: name, followingLinks: followingLinks)
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
