import Glibc
import WeirTesting

/// A folder with all that is in it, to be put down again elsewhere.
struct Snapshot: Sendable {
  enum Entry: Sendable, Equatable {
    case folder
    case file([UInt8])
    case link([UInt8])
  }
  /// Parents before what is in them.
  private(set) var entries: [(path: String, entry: Entry, mode: mode_t)] = []

  init(_ entries: [(path: String, entry: Entry, mode: mode_t)]) { self.entries = entries }

  init(of folder: String) throws {
    func walk(_ prefix: String) throws {
      for name in listFolder(folder + "/" + prefix) {
        let inside = prefix.isEmpty ? name : prefix + "/" + name
        let full = folder + "/" + inside
        var status = stat()
        guard lstat(full, &status) == 0 else { throw FileFailure(path: full, code: errno) }
        let mode = status.st_mode & 0o7777
        switch status.st_mode & S_IFMT {
        case S_IFDIR:
          entries.append((inside, .folder, mode))
          try walk(inside)
        case S_IFLNK: entries.append((inside, .link(linkTarget(full)), mode))
        default: entries.append((inside, .file(try readFile(full)), mode))
        }
      }
    }
    try walk("")
  }

  /// Puts all of it down in a folder that is there.
  func restore(in folder: String) throws {
    for (path, entry, mode) in entries {
      let full = folder + "/" + path
      switch entry {
      case .folder:
        guard mkdir(full, mode) == 0 else { throw FileFailure(path: full, code: errno) }
      case .file(let bytes):
        try writeFile(bytes, to: full)
        chmod(full, mode)
      case .link(let target):
        let text = String(decoding: target, as: UTF8.self)
        guard symlink(text, full) == 0 else { throw FileFailure(path: full, code: errno) }
      }
    }
  }

  /// The same for another folder whose path has as many bytes: records of runs say where they were.
  func moved(from old: String, to new: String) -> Snapshot {
    precondition(old.utf8.count == new.utf8.count, "paths of one length")
    let (old, new) = (Array(old.utf8), Array(new.utf8))
    return Snapshot(
      entries.map { path, entry, mode in
        // Packs and logs have checksums, and no paths in them.
        guard case .file(var bytes) = entry, path.hasPrefix(".weir/"),
          !path.hasPrefix(".weir/digests/")
        else { return (path, entry, mode) }
        var at = 0
        while at + old.count <= bytes.count {
          if bytes[at] == old[0], bytes[at..<(at + old.count)].elementsEqual(old) {
            bytes.replaceSubrange(at..<(at + old.count), with: new)
            at += old.count
          } else {
            at += 1
          }
        }
        return (path, .file(bytes), mode)
      })
  }

  /// What stands at a path.
  subscript(_ path: String) -> Entry? { entries.first { $0.path == path }?.entry }
}

/// Where a link leads; empty where it is none.
func linkTarget(_ path: String) -> [UInt8] {
  var buffer = [UInt8](repeating: 0, count: 4_096)
  let count = buffer.withUnsafeMutableBytes {
    readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
  }
  return Array(buffer.prefix(max(0, count)))
}
