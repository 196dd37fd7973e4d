import Glibc
import Synchronization
import WeirData

/// Keeps what tasks made, by what they were made of: from run to run (digests), and for the run that
/// goes on where one was killed.
///
/// The result of a task is an entry in a pack; `tasks.log` says where. Everything here can be lost
/// without changing a result: an entry that is not there, or not whole, is made again. Nothing is
/// flushed to the disk for that reason, and an entry is checked whenever it is used.
final class TaskStore: Sendable {
  static let folderName = "digests"
  /// A pack that has so many bytes is not added to.
  private static let packBytesMax = 256 << 20
  private static let openMax = 256

  struct Place: Sendable {
    var pack: UInt64
    var offset: Int
    var count: Int
  }
  private struct State {
    var places: [Hash128: Place] = [:]
    var recordCount = 0
    var open: [UInt64: PackFile] = [:]
    var used: Set<UInt64> = []
    /// Packs that no task is writing, by kind.
    var free: [Bool: [PackFile]] = [:]
    /// Bytes of all packs, those that are being written included.
    var bytes = 0
    var note: String?
  }
  private let folder: String
  private let log: RecordLog
  let contents: ShardContents
  /// Most bytes of all packs.
  private let limit: Int
  private let state: Mutex<State>

  /// - Parameters:
  ///   - limit: bytes that packs may have; `nil`: a fifth of what the disk has free.
  ///   - Returns: `nil` where there is to be none.
  static func open(in workspace: Workspace, limit: Int?) throws(FileError) -> TaskStore? {
    if let limit, limit == 0 { return nil }
    let folder = joinPath(workspace.path, folderName)
    try makeDirectories(folder, mode: 0o700)
    return try TaskStore(folder: folder, limit: limit ?? defaultLimit(folder))
  }

  /// What there is, to look at only; `nil` where there is nothing.
  static func look(in workspace: Workspace) throws(FileError) -> TaskStore? {
    let folder = joinPath(workspace.path, folderName)
    return exists(folder) ? try TaskStore(folder: folder, limit: 0, isWriting: false) : nil
  }

  private init(folder: String, limit: Int, isWriting: Bool = true) throws(FileError) {
    self.folder = folder
    self.limit = limit
    log = RecordLog(path: joinPath(folder, "tasks.log"), recordBytes: 5 * 8)
    contents = try ShardContents(folder: folder)
    var known = State()
    try log.read { record in
      known.places[Hash128(high: record.word(0), low: record.word(1))] = Place(
        pack: record.word(2), offset: Int(truncatingIfNeeded: record.word(3)),
        count: Int(truncatingIfNeeded: record.word(4)))
      known.recordCount += 1
    }
    state = Mutex(known)
    if isWriting { try clearUp() }
  }

  private static func defaultLimit(_ folder: String) -> Int {
    var status = statvfs()
    guard statvfs(folder, &status) == 0 else { return 10 << 30 }
    return Int(status.f_bavail) * Int(status.f_frsize) / 5
  }

  // MARK: Reading

  /// Where the result of a task is, with its pack.
  func find(_ key: Hash128) throws(FileError) -> (place: Place, pack: PackFile)? {
    try state.withLock { state throws(FileError) in
      guard let place = state.places[key] else { return nil }
      if let pack = state.open[place.pack] { return (place, pack) }
      guard let pack = try PackFile(reading: path(of: place.pack), id: place.pack) else {
        state.places[key] = nil
        return nil
      }
      if state.open.count >= TaskStore.openMax { state.open.removeAll() }
      state.open[place.pack] = pack
      if state.used.insert(place.pack).inserted { pack.touch() }
      return (place, pack)
    }
  }

  /// Whether there is a result for the task; it may turn out not to be whole.
  func has(_ key: Hash128) -> Bool { state.withLock { $0.places[key] != nil } }

  /// Lets go of an entry that is not what it was.
  func forget(_ key: Hash128) { state.withLock { $0.places[key] = nil } }

  // MARK: Writing

  /// A pack to append to, for one task at a time; `nil` where there is no room, or no writing.
  ///
  /// - Parameters:
  ///   - isFirstPass: what later passes make is out of date sooner, and kept apart.
  ///   - bytes: about as many will be appended.
  func takePack(isFirstPass: Bool, for bytes: Int) -> PackFile? {
    state.withLock { state in
      guard state.note == nil else { return nil }
      let id = UInt64.random(in: 0...UInt64.max)
      do throws(FileError) {
        if state.bytes + bytes > limit { try evict(&state) }
        guard state.bytes + bytes <= limit else { return nil }
        if let pack = state.free[isFirstPass]?.popLast() {
          pack.countMax = pack.count + limit - state.bytes
          return pack
        }
        let pack = try PackFile(making: path(of: id), id: id)
        pack.countMax = limit - state.bytes
        state.open[id] = pack
        state.used.insert(id)
        return pack
      } catch {
        state.note = "no digests were kept: \(error)"
        return nil
      }
    }
  }

  /// Gives a pack back, with the entry that was put there, if one was.
  ///
  /// - Parameter added: bytes that the pack has more than when it was taken.
  func give(
    _ pack: PackFile, isFirstPass: Bool, added: Int, entries: [(key: Hash128, place: Place)]
  ) {
    do throws(FileError) {
      // Before anybody else has it.
      try pack.flush()
      // First what is in the shards: without it nobody finds the entries.
      try contents.save()
      try log.append(
        entries.map {
          RawRecord(
            $0.key.high, $0.key.low, $0.place.pack, UInt64($0.place.offset),
            UInt64($0.place.count))
        })
    } catch {
      return stop(error)
    }
    state.withLock { state in
      state.bytes += added
      for entry in entries { state.places[entry.key] = entry.place }
      state.recordCount += entries.count
      if pack.count < TaskStore.packBytesMax { state.free[isFirstPass, default: []].append(pack) }
    }
  }

  /// Writes no more: the run does without. A pack is let go by who had it.
  func stop(_ error: any Error) {
    state.withLock { if $0.note == nil { $0.note = "not all digests were kept: \(error)" } }
  }

  /// What should be known when the run is over.
  var note: String? { state.withLock { $0.note } }

  // MARK: The end

  /// Makes room for the next run.
  func finish() throws(FileError) {
    try state.withLock { state throws(FileError) in
      state.free = [:]
      if state.bytes > limit { try evict(&state, all: true) }
      guard state.recordCount > 2 * state.places.count + 1_000 else { return }
      state.recordCount = state.places.count
      try log.replace(
        with: state.places.map {
          RawRecord(
            $0.key.high, $0.key.low, $0.value.pack, UInt64($0.value.offset), UInt64($0.value.count))
        })
    }
    try contents.save()
    try contents.compact()
  }

  /// Removes the packs that were not used for the longest time, until a tenth is free.
  ///
  /// - Parameter all: also those of this run, where nothing else is left.
  private func evict(_ state: inout State, all: Bool = false) throws(FileError) {
    var packs = try packs()
    packs.sort { ($0.time, $0.id) < ($1.time, $1.id) }
    state.bytes = packs.reduce(0) { $0 + $1.bytes }
    func remove(_ pack: (id: UInt64, bytes: Int, time: Int64)) {
      // Whoever has it open reads on; whoever has not makes the entries again.
      guard unlink(path(of: pack.id)) == 0 else { return }
      state.bytes -= pack.bytes
      state.open[pack.id] = nil
      state.places = state.places.filter { $0.value.pack != pack.id }
    }
    for pack in packs where state.bytes > limit / 10 * 9 && !state.used.contains(pack.id) {
      remove(pack)
    }
    guard all else { return }
    for pack in packs where state.bytes > limit && state.used.contains(pack.id) { remove(pack) }
  }

  /// Removes packs that a dead run left without an entry, and counts the others.
  private func clearUp() throws(FileError) {
    let known = state.withLock { state in Set(state.places.values.map(\.pack)) }
    var bytes = 0
    for pack in try packs() {
      if known.contains(pack.id) || isWritten(pack.id) {
        bytes += pack.bytes
      } else {
        unlink(path(of: pack.id))
      }
    }
    state.withLock { $0.bytes = bytes }
  }

  /// Whether a process is writing a pack.
  private func isWritten(_ id: UInt64) -> Bool {
    let descriptor = openFile(path(of: id), O_RDONLY | O_NOFOLLOW)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_EX | LOCK_NB) != 0
  }

  private static let suffix = Array(".pack".utf8)

  private func packs() throws(FileError) -> [(id: UInt64, bytes: Int, time: Int64)] {
    var found: [(id: UInt64, bytes: Int, time: Int64)] = []
    for name in try directoryEntries(folder) {
      guard name.count == 16 + TaskStore.suffix.count, name.suffix(5) == TaskStore.suffix[...],
        let id = UInt64(String(decoding: name.prefix(16), as: UTF8.self), radix: 16)
      else { continue }
      var status = stat()
      guard lstat(path(of: id), &status) == 0 else { continue }
      let time = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
      found.append((id, Int(status.st_size), time))
    }
    return found
  }

  private func path(of pack: UInt64) -> String {
    joinPath(folder, hexText(pack.bigEndianBytes) + ".pack")
  }
}
