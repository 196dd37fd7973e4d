import Glibc
import WeirData

/// Where the outputs of a run stand: a symbolic link that is moved in one step from the directory of
/// the last run to that of this one, so that a reader sees either, never a mixture.
///
/// `out/NAME/PARTITION -> .PARTITION@RUNKEY`, all in one parent directory.
struct OutputDirectory {
  /// The file that names all others.
  static let manifestName = "manifest.json"

  /// The link that readers use.
  let path: String
  private let parent: String
  private let name: String
  private let staging: String
  let lock: OutputLock

  /// Takes the lock, and clears away what runs that died left behind.
  ///
  /// - Throws: ``LockHeld`` where another run has it, `FileError`, `RunError` where something stands
  ///   there that Weir did not make.
  static func open(path: String, runID: String, holder: String) throws -> OutputDirectory {
    let parent = directory(of: path)
    let name = lastComponent(of: path)
    // It marks the directories of runs: with it in a name, those of two outputs could be mixed up.
    guard !name.utf8.contains(UInt8(ascii: "@")) else {
      throw RunError(
        code: "bad_output_name", message: "\(path): the name of an output cannot have an @ in it",
        fix: "name another directory with --out")
    }
    try makeDurableDirectories(parent)
    let lock = try OutputLock.take(joinPath(parent, ".\(name).lock"), holder: holder)
    let output = OutputDirectory(
      path: path, parent: parent, name: name,
      staging: joinPath(parent, ".\(name)@staging-\(runID)"), lock: lock)
    do {
      try checkOwned(path)
      try output.clearStaging()
      guard mkdir(output.staging, 0o755) == 0 else { throw fail(output.staging, "mkdir") }
    } catch {
      lock.giveBack()
      throw error
    }
    return output
  }

  /// Gives the lock back.
  func unlock() { lock.giveBack() }

  /// A link of ours, nothing, or an empty directory may be replaced; anything else is the user's.
  private static func checkOwned(_ path: String) throws {
    var status = stat()
    guard lstat(path, &status) == 0 else {
      guard errno == ENOENT else { throw fail(path, "stat") }
      return
    }
    if status.st_mode & S_IFMT == S_IFLNK {
      let prefix = ".\(lastComponent(of: path))@"
      if let target = linkTarget(path), target.utf8.starts(with: prefix.utf8) { return }
    } else if status.st_mode & S_IFMT == S_IFDIR, try directoryEntries(path).isEmpty {
      return
    }
    throw RunError(
      code: "output_not_ours", message: "\(path) is there and was not made by Weir",
      fix: "name another directory with --out, or move that one away")
  }

  private func clearStaging() throws(FileError) {
    for entry in try siblings() where entry.rest.starts(with: "staging-".utf8) {
      try removeTree(joinPath(parent, entry.name))
    }
  }

  /// What stands beside the link and begins as the directories of its runs do, and how it goes on.
  private func siblings() throws(FileError) -> [(name: String, rest: [UInt8])] {
    let prefix = Array(".\(name)@".utf8)
    return try directoryEntries(parent).filter { $0.starts(with: prefix) }
      .map { (String(decoding: $0, as: UTF8.self), Array($0.dropFirst(prefix.count))) }
  }

  // MARK: Writing

  /// Opens a new file below the staging directory.
  func create(_ file: String) throws -> OutputWriter {
    guard !OutputDirectory.isManifest(file) else {
      throw RunError(
        code: "sink_collision", message: "a sink writes \(file), where the manifest goes",
        fix: "give it another \"path\"")
    }
    let full = joinPath(staging, file)
    do throws(FileError) {
      try makeDirectories(directory(of: full))
      return try OutputWriter(path: full)
    } catch {
      guard [EEXIST, ENOTDIR, EISDIR].contains(error.code) else { throw error }
      throw RunError(
        code: "sink_collision", message: "two sinks write \(file)",
        fix: "give one of them another \"path\"")
    }
  }

  /// Whether a file at this path would stand where the manifest does: it is that, or a folder of that
  /// name.
  static func isManifest(_ path: String) -> Bool {
    guard path.utf8.starts(with: manifestName.utf8) else { return false }
    let rest = path.utf8.dropFirst(manifestName.utf8.count)
    return rest.isEmpty || rest.first == UInt8(ascii: "/")
  }

  /// Throws away what was written.
  func discard() throws(FileError) { try removeTree(staging) }

  /// Where the outputs of a run are going to stand.
  struct Place {
    /// The directory that is in place; `nil`: there is none.
    var before: String?
    /// Where the new files and their manifest stand until they are swapped in.
    var now: String
    /// Where they will be: the directory that the link will lead to.
    var directory: String
    /// Whether the same files stand there already, of an earlier run.
    var isThere = false
  }

  /// The directory that the link leads to, if it is there.
  var current: String? {
    guard let target = linkTarget(path) else { return nil }
    let full = joinPath(parent, target)
    return isDirectory(full) ? full : nil
  }

  /// Completes what was written with its manifest, and says where it will stand.
  ///
  /// - Parameters:
  ///   - key: the identity of the run: equal keys mean equal bytes.
  ///   - manifest: written last, names every file: they must be flushed before.
  /// - Returns: with the manifest, which must be flushed, as the staging directory must, before ``swap``.
  func prepare(key: String, manifest: [UInt8]) throws(FileError) -> (Place, manifest: String) {
    let path = joinPath(staging, OutputDirectory.manifestName)
    try writeNewFile(path, manifest, flushed: false)
    let (target, isThere) = choosePlace(key: key)
    return (
      Place(
        before: current, now: staging, directory: joinPath(parent, target), isThere: isThere), path
    )
  }

  /// Makes what was written the outputs.
  ///
  /// - Parameter keep: how many runs stay, this one included.
  /// - Returns: what went wrong after the swap, which makes no failure of it: an old run that cannot
  ///   be removed.
  @discardableResult
  func swap(_ place: Place, keep: Int) throws -> [String] {
    let target = lastComponent(of: place.directory)
    if place.isThere {
      try removeTree(staging)
      utimes(joinPath(parent, target), nil)
    } else {
      guard rename(staging, joinPath(parent, target)) == 0 else { throw fail(staging, "rename") }
      try flushDirectory(parent)
    }
    let link = joinPath(parent, ".\(name)@staging-link")
    try removeTree(link)
    guard symlink(target, link) == 0 else { throw fail(link, "symlink") }
    // An empty directory stands in the way of a rename; that it is empty was seen before.
    if !isLink(path), isDirectory(path) {
      guard rmdir(path) == 0 else { throw fail(path, "remove") }
    }
    guard rename(link, path) == 0 else { throw fail(path, "rename") }
    do throws(FileError) {
      try flushDirectory(parent)
    } catch {
      return ["the outputs are in place, and may not stay there when the power goes: \(error)"]
    }
    return tidy(keep: keep)
  }

  /// Removes the oldest runs until `keep` are left, the one in place included.
  ///
  /// - Returns: what went wrong, which harms nobody.
  func tidy(keep: Int) -> [String] {
    guard let current = linkTarget(path) else { return [] }
    do throws(FileError) {
      try prune(keep: keep, current: current)
      return []
    } catch {
      return ["an older run was not cleared away: \(error)"]
    }
  }

  /// A name for the staged directory. A run with the same key may have left one: it is used where it
  /// is whole, and let be where it is not.
  private func choosePlace(key: String) -> (target: String, isThere: Bool) {
    var target = ".\(name)@\(key)"
    var attempt = 1
    while exists(joinPath(parent, target)) {
      if isWhole(joinPath(parent, target)) { return (target, true) }
      attempt += 1
      target = ".\(name)@\(key)-\(attempt)"
    }
    return (target, false)
  }

  /// Whether every file of a directory is as in the staged one.
  private func isWhole(_ old: String) -> Bool {
    do throws(FileError) {
      let mine = try files(below: staging, "")
      guard try files(below: old, "") == mine else { return false }
      for file in mine {
        guard try fileHash(joinPath(old, file)) == fileHash(joinPath(staging, file)) else {
          return false
        }
      }
      return true
    } catch {
      // What cannot be read is not whole.
      return false
    }
  }

  private func files(below root: String, _ prefix: String) throws(FileError) -> [String] {
    var found: [String] = []
    for entry in try directoryEntries(joinPath(root, prefix)) {
      let file = joinPath(prefix, String(decoding: entry, as: UTF8.self))
      let full = joinPath(root, file)
      if !isLink(full), isDirectory(full) {
        found += try files(below: root, file)
      } else {
        found.append(file)
      }
    }
    return found
  }

  /// Every file that is staged.
  func stagedFiles() throws(FileError) -> [String] {
    try files(below: staging, "").map { joinPath(staging, $0) }
  }

  /// Every folder that is staged, and the staging directory itself.
  func stagedFolders() throws(FileError) -> [String] {
    var folders: [String] = []
    var rest = [staging]
    while let folder = rest.popLast() {
      folders.append(folder)
      for entry in try directoryEntries(folder) {
        let full = joinPath(folder, String(decoding: entry, as: UTF8.self))
        if isDirectory(full) { rest.append(full) }
      }
    }
    return folders
  }

  /// Removes the oldest runs.
  private func prune(keep: Int, current: String) throws(FileError) {
    var old: [(name: String, time: Int64)] = []
    for entry in try siblings()
    where entry.name != current && !entry.rest.starts(with: "staging-".utf8) {
      var status = stat()
      guard lstat(joinPath(parent, entry.name), &status) == 0, status.st_mode & S_IFMT == S_IFDIR
      else { continue }
      old.append(
        (entry.name, Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)))
    }
    old.sort { ($0.time, $0.name) > ($1.time, $1.name) }
    for run in old.dropFirst(max(0, keep - 1)) { try removeTree(joinPath(parent, run.name)) }
  }
}

private func isLink(_ path: String) -> Bool {
  var status = stat()
  return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
}

private func fileHash(_ path: String) throws(FileError) -> [UInt8] {
  let hasher = SHA256Hasher()
  var status = stat()
  guard stat(path, &status) == 0 else { throw fail(path, "stat") }
  try readRange(path, 0..<Int(status.st_size)) { hasher.update($0) }
  return hasher.finish()
}

/// One output file while it is written: counts and hashes what goes in.
final class OutputWriter {
  private let path: String
  private var descriptor: Int32
  private let hasher = SHA256Hasher()
  private(set) var bytes = 0
  /// The disk is told to begin when there are so many bytes for it.
  private static let writeBackBytes = 8 << 20
  /// What it was told of: the flush at the end of the run has the rest to do.
  private var handedOver = 0

  fileprivate init(path: String) throws(FileError) {
    self.path = path
    descriptor = openFile(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { throw fail(path, "create") }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  var isOpen: Bool { descriptor >= 0 }

  /// Gives the descriptor back; the next write opens the file again.
  func pause() throws(FileError) {
    guard isOpen else { return }
    defer { descriptor = -1 }
    try closeFile(descriptor, path)
  }

  func write(_ part: UnsafeBufferPointer<UInt8>) throws(FileError) {
    if !isOpen {
      descriptor = openFile(path, O_WRONLY | O_APPEND | O_NOFOLLOW)
      guard isOpen else { throw fail(path, "open") }
    }
    try writeAll(part, to: descriptor, path: path)
    hasher.update(part)
    bytes += part.count
    if bytes - handedOver >= OutputWriter.writeBackBytes {
      beginWriteBack(descriptor, handedOver..<bytes)
      handedOver = bytes
    }
  }

  func write(_ part: [UInt8]) throws(FileError) {
    try part.withUnsafeBufferPointer { part throws(FileError) in try write(part) }
  }

  /// Closes; the SHA-256 of all bytes. That they reach the disk is seen to when all files are there.
  func finish() throws(FileError) -> [UInt8] {
    try pause()
    return hasher.finish()
  }
}
