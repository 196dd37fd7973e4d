import Glibc
import WeirTesting

/// A disk that forgets what was not flushed when the power goes.
///
/// What POSIX promises and no more: `fsync` of a file keeps its bytes, `fsync` of a folder keeps the
/// names in it, a rename is done or is not. Everything since may be there or not, in the order in which
/// it happened in one folder. File systems in use promise more; what holds here holds on all of them.
final class DiskModel {
  final class Node {
    var content: Content
    /// What is sure to be there: the bytes of a file, the names of a folder.
    var sure: Content
    /// Names that changed since the folder was flushed, in order: a rename changes two at once.
    var pending: [[(name: String, node: Node?)]] = []
    let mode: mode_t

    init(_ content: Content, sure: Content, mode: mode_t) {
      self.content = content
      self.sure = sure
      self.mode = mode
    }
  }
  enum Content {
    case file([UInt8])
    case folder([String: Node])
    case link([UInt8])

    var bytes: [UInt8] {
      get { if case .file(let bytes) = self { bytes } else { [] } }
      set { self = .file(newValue) }
    }
    var names: [String: Node] { if case .folder(let names) = self { names } else { [:] } }
  }
  private let root = Node(.folder([:]), sure: .folder([:]), mode: 0o755)
  private var byInode: [UInt64: Node] = [:]

  /// All that stands in a folder, surely.
  init(of folder: String) throws {
    func load(_ path: String, into parent: Node) throws {
      var names: [String: Node] = [:]
      for name in listFolder(path) {
        let full = path + "/" + name
        var status = stat()
        guard lstat(full, &status) == 0 else { throw FileFailure(path: full, code: errno) }
        let content: Content
        switch status.st_mode & S_IFMT {
        case S_IFDIR: content = .folder([:])
        case S_IFLNK: content = .link(linkTarget(full))
        default: content = .file(try readFile(full))
        }
        let node = Node(content, sure: content, mode: status.st_mode & 0o7777)
        byInode[UInt64(status.st_ino)] = node
        names[name] = node
        if case .folder = content { try load(full, into: node) }
      }
      parent.content = .folder(names)
      parent.sure = .folder(names)
    }
    var status = stat()
    guard stat(folder, &status) == 0 else { throw FileFailure(path: folder, code: errno) }
    byInode[UInt64(status.st_ino)] = root
    try load(folder, into: root)
  }

  // MARK: What happens

  func apply(_ record: TraceRecord) throws {
    switch record.words[0] {
    case "make", "mkdir":
      let content: Content = record.words[0] == "make" ? .file([]) : .folder([:])
      let node = Node(content, sure: content, mode: record.words[0] == "make" ? 0o644 : 0o755)
      byInode[try record.number(1)] = node
      try change([(record.words[2], node)])
    case "symlink":
      let content = Content.link(Array(record.words[1].utf8))
      try change([(record.words[2], Node(content, sure: content, mode: 0o777))])
    case "link": try change([(record.words[2], try node(record.words[1]))])
    case "unlink": try change([(record.words[1], nil)])
    case "rename":
      let moved = try node(record.words[1])
      try change([(record.words[1], nil), (record.words[2], moved)])
    case "write":
      let node = try node(inode: record.number(1))
      let (at, count) = (Int(try record.number(2)), record.bytes.count)
      var bytes = node.content.bytes
      if bytes.count < at + count {
        bytes += [UInt8](repeating: 0, count: at + count - bytes.count)
      }
      bytes.replaceSubrange(at..<(at + count), with: record.bytes)
      node.content.bytes = bytes
    case "size":
      let node = try node(inode: record.number(1))
      let size = Int(try record.number(2))
      let bytes = node.content.bytes.prefix(size)
      node.content.bytes = bytes + [UInt8](repeating: 0, count: size - bytes.count)
    case "sync":
      let node = try node(inode: record.number(1))
      node.sure = node.content
      node.pending = []
    default: throw Trouble("the model of the disk does not know \(record.words[0])")
    }
  }

  private func node(inode: UInt64) throws -> Node {
    guard let node = byInode[inode] else { throw Trouble("no file has the inode \(inode)") }
    return node
  }

  private func node(_ path: String) throws -> Node {
    var at = root
    for part in path.split(separator: "/") where part != "." {
      guard let next = at.content.names[String(part)] else { throw Trouble("\(path) is not there") }
      at = next
    }
    return at
  }

  /// Sets names of one folder, all at once or none.
  private func change(_ changes: [(path: String, node: Node?)]) throws {
    let split = changes.map { change -> (folder: String, name: String, node: Node?) in
      let slash = change.path.lastIndex(of: "/")
      let folder = slash.map { String(change.path[..<$0]) } ?? "."
      let name = slash.map { String(change.path[change.path.index(after: $0)...]) }
      return (folder, name ?? change.path, change.node)
    }
    guard Set(split.map(\.folder)).count == 1 else {
      throw Trouble("the model of the disk does not know a rename from one folder to another")
    }
    let folder = try node(split[0].folder)
    var names = folder.content.names
    for change in split { names[change.name] = change.node }
    folder.content = .folder(names)
    folder.pending.append(split.map { ($0.name, $0.node) })
  }

  // MARK: What may be left

  /// How much more than what is sure is there when the power is back.
  enum Loss: Sendable, Hashable {
    /// Nothing more.
    case everythingUnflushed
    /// All names; of files what was flushed.
    case bytes
    /// All names, and files of the right size that have zeros where they were not flushed.
    case zeros
    /// Of each folder the first so many changes, of each file some part, drawn from a seed.
    case some(UInt64)

    var text: String {
      switch self {
      case .everythingUnflushed: "all that was not flushed is lost"
      case .bytes: "bytes that were not flushed are lost"
      case .zeros: "bytes that were not flushed are zeros"
      case .some(let seed): "something is lost, seed \(seed)"
      }
    }
  }

  /// What a disk may have in this moment.
  func state(after loss: Loss) -> Snapshot {
    var random = SeededRandom(seed: { if case .some(let seed) = loss { seed } else { 0 } }())
    var entries: [(path: String, entry: Snapshot.Entry, mode: mode_t)] = []
    // A file with two names lost the same bytes under both.
    var left: [ObjectIdentifier: [UInt8]] = [:]
    func walk(_ folder: Node, _ prefix: String) {
      for (name, node) in names(of: folder, loss, &random).sorted(by: { $0.key < $1.key }) {
        let path = prefix.isEmpty ? name : prefix + "/" + name
        switch node.content {
        case .folder:
          entries.append((path, .folder, node.mode))
          walk(node, path)
        case .link(let target): entries.append((path, .link(target), node.mode))
        case .file:
          let bytes = left[ObjectIdentifier(node)] ?? bytes(of: node, loss, &random)
          left[ObjectIdentifier(node)] = bytes
          entries.append((path, .file(bytes), node.mode))
        }
      }
    }
    walk(root, "")
    return Snapshot(entries)
  }

  private func names(
    of folder: Node, _ loss: Loss, _ random: inout SeededRandom
  ) -> [String: Node] {
    switch loss {
    case .everythingUnflushed: return folder.sure.names
    case .bytes, .zeros: return folder.content.names
    case .some:
      var names = folder.sure.names
      for changes in folder.pending.prefix(random.below(folder.pending.count + 1)) {
        for change in changes { names[change.name] = change.node }
      }
      return names
    }
  }

  private func bytes(of file: Node, _ loss: Loss, _ random: inout SeededRandom) -> [UInt8] {
    let (now, sure) = (file.content.bytes, file.sure.bytes)
    func zeros() -> [UInt8] {
      Array(sure.prefix(now.count))
        + [UInt8](repeating: 0, count: max(0, now.count - sure.count))
    }
    switch loss {
    case .everythingUnflushed, .bytes: return sure
    case .zeros: return zeros()
    case .some:
      switch random.below(4) {
      case 0: return sure
      case 1: return now
      case 2: return zeros()
      default: return Array(now.prefix(max(sure.count, random.below(now.count + 1))))
      }
    }
  }
}

/// A line of the trace, and the bytes behind it.
struct TraceRecord {
  var words: [String]
  var bytes: [UInt8] = []

  func number(_ index: Int) throws -> UInt64 {
    guard let number = UInt64(words[index]) else { throw Trouble("no number: \(words)") }
    return number
  }

  var text: String { words.joined(separator: " ") }

  static func read(_ trace: [UInt8]) throws -> [TraceRecord] {
    var records: [TraceRecord] = []
    var at = 0
    while at < trace.count {
      guard let end = trace[at...].firstIndex(of: 0x0A) else { throw Trouble("the trace is cut") }
      let line = String(decoding: trace[at..<end], as: UTF8.self)
      var record = TraceRecord(
        words: line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init))
      at = end + 1
      if record.words[0] == "write" {
        let count = Int(try record.number(3))
        record.bytes = Array(trace[at..<(at + count)])
        at += count
      }
      records.append(record)
    }
    return records
  }
}
