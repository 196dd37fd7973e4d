import Glibc
import Synchronization
import WeirData

/// Remembers what is in the files that were read, so that a shard that nobody touched need not be read
/// to know its content.
///
/// A file is known by its path, size, inode and times. A file that changed shortly before it was read
/// is not: within the same tick of the file system's clock it could change once more.
final class ShardContents: Sendable {
  /// Two reads of a clock, or two changes of a file, are told apart when they are so far apart, in ns.
  private static let tickNanoseconds: Int64 = 2_000_000_000

  /// How a file looks from outside.
  struct Look: Sendable, Equatable {
    var size: UInt64
    var modified: UInt64
    var changed: UInt64
    var inode: UInt64
    var device: UInt64
    /// When it was looked at.
    var seen: UInt64
  }
  private struct Entry {
    var look: Look
    var content: Hash128
    var unchecked: UInt64
  }
  private struct State {
    var entries: [Hash128: Entry] = [:]
    /// Sizes of files that were ever read: a file of another size is new.
    var sizes: Set<UInt64> = []
    var fresh: [RawRecord] = []
    var recordCount = 0
  }
  private let log: RecordLog
  private let state: Mutex<State>
  /// No run before this one remembered anything: there is nothing to look for.
  let isNew: Bool
  private let lastFolder = Mutex<(given: [UInt8], resolved: [UInt8])>(([], []))

  /// - Parameter folder: must be there.
  init(folder: String) throws(FileError) {
    log = RecordLog(path: joinPath(folder, "contents.log"), recordBytes: 11 * 8)
    var known = State()
    try log.read { record in
      let look = Look(
        size: record.word(2), modified: record.word(3), changed: record.word(4),
        inode: record.word(5), device: record.word(6), seen: record.word(7))
      known.entries[Hash128(high: record.word(0), low: record.word(1))] = Entry(
        look: look, content: Hash128(high: record.word(8), low: record.word(9)),
        unchecked: record.word(10))
      known.sizes.insert(look.size)
      known.recordCount += 1
    }
    isNew = known.entries.isEmpty
    state = Mutex(known)
  }

  /// How a file looks now; `nil` where it cannot be looked at, which whoever reads it will say.
  static func look(at path: String) -> Look? {
    var status = stat()
    guard !path.utf8.contains(0), stat(path, &status) == 0 else { return nil }
    return Look(status)
  }

  enum Memory: Sendable {
    /// The file is the one that was read. `unchecked`: frames without a checksum in it.
    case known(Hash128, unchecked: Int)
    /// A file of this size was read before: it may be that one.
    case perhaps
    case new
  }

  func recall(_ path: String, _ look: Look) -> Memory {
    let key = key(of: path)
    return state.withLock { state in
      if let entry = state.entries[key], entry.look.isSameFile(as: look),
        Int64(bitPattern: entry.look.seen) - Int64(bitPattern: entry.look.changed)
          > ShardContents.tickNanoseconds
      {
        return .known(entry.content, unchecked: Int(entry.unchecked))
      }
      return state.sizes.contains(look.size) ? .perhaps : .new
    }
  }

  /// Whether a file of so many bytes was ever read: another one is new.
  func hasSeen(size: Int) -> Bool {
    state.withLock { $0.sizes.contains(UInt64(size)) }
  }

  /// Notes what was in a file.
  ///
  /// - Parameter look: taken before it was read.
  func remember(_ path: String, _ look: Look, _ content: Hash128, unchecked: Int) {
    let key = key(of: path)
    state.withLock { state in
      let entry = Entry(look: look, content: content, unchecked: UInt64(unchecked))
      state.entries[key] = entry
      state.sizes.insert(look.size)
      state.fresh.append(record(key, entry))
    }
  }

  private func record(_ key: Hash128, _ entry: Entry) -> RawRecord {
    RawRecord(
      key.high, key.low, entry.look.size, entry.look.modified, entry.look.changed,
      entry.look.inode, entry.look.device, entry.look.seen, entry.content.high, entry.content.low,
      entry.unchecked)
  }

  /// Writes down what was noted since the last time. Blocks.
  func save() throws(FileError) {
    let fresh = state.withLock { state in
      defer { state.fresh = [] }
      state.recordCount += state.fresh.count
      return state.fresh
    }
    try log.append(fresh)
  }

  /// Makes the file small again where most of it is out of date. Blocks.
  func compact() throws(FileError) {
    let live = state.withLock { state -> [RawRecord]? in
      guard state.recordCount > 2 * state.entries.count + 1_000 else { return nil }
      state.recordCount = state.entries.count
      return state.entries.map { record($0.key, $0.value) }
    }
    if let live { try log.replace(with: live) }
  }

  /// What a file is remembered under: its folder as it is from the root, and its name.
  private func key(of path: String) -> Hash128 {
    let parent = Array(directory(of: path).utf8)
    let folder = lastFolder.withLock { last in
      // Shards come folder by folder, and to resolve one takes a call for each part of its path.
      if last.given != parent { last = (parent, Array(absolutePath(directory(of: path)).utf8)) }
      return last.resolved
    }
    let hasher = ContentHasher()
    (folder + [UInt8(ascii: "/")] + lastComponent(of: path).utf8)
      .withUnsafeBufferPointer { hasher.update($0) }
    return hasher.finish()
  }
}

extension ShardContents.Look {
  /// - Parameter status: of the file, a moment ago.
  init(_ status: stat) {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    self.init(
      size: UInt64(status.st_size), modified: nanoseconds(status.st_mtim),
      changed: nanoseconds(status.st_ctim), inode: UInt64(status.st_ino),
      device: UInt64(status.st_dev), seen: nanoseconds(now))
  }

  fileprivate func isSameFile(as other: ShardContents.Look) -> Bool {
    size == other.size && modified == other.modified && changed == other.changed
      && inode == other.inode && device == other.device
  }
}

private func nanoseconds(_ time: timespec) -> UInt64 {
  UInt64(bitPattern: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
}
