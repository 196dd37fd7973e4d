import Glibc
import WeirData

/// The directory of a run while a process works there, which holds it with `flock`: that tells a run that
/// has not written its record yet from one that died before it could.
final class RunClaim {
  private let descriptor: Int32

  /// Makes the directory, and those above it. Its own name is durable once the directory above it is
  /// flushed, which is the caller's to do.
  init(making path: String) throws(FileError) {
    while true {
      try makeDurableDirectories(WeirEngine.directory(of: path), mode: 0o700)
      guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw fail(path, "mkdir") }
      let descriptor = openFile(path, O_RDONLY | O_DIRECTORY)
      guard descriptor >= 0 else {
        // Taken for that of a dead run in just this moment.
        if errno == ENOENT { continue }
        throw fail(path, "open")
      }
      // Where a file system cannot do it nobody removes a directory without a record.
      flock(descriptor, LOCK_EX | LOCK_NB)
      if RunClaim.isAt(path, descriptor) {
        self.descriptor = descriptor
        return
      }
      close(descriptor)
    }
  }

  deinit { close(descriptor) }

  /// Removes the directory of a run that died before it had a record; any other stays.
  static func removeWithoutRecord(_ path: String) throws(FileError) {
    guard isDirectory(path), !exists(joinPath(path, RunRecordFile.record)) else { return }
    let descriptor = openFile(path, O_RDONLY | O_DIRECTORY)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, isAt(path, descriptor),
      !exists(joinPath(path, RunRecordFile.record))
    else { return }
    try removeTree(path)
  }

  private static func isAt(_ path: String, _ descriptor: Int32) -> Bool {
    var (there, here) = (stat(), stat())
    return stat(path, &there) == 0 && fstat(descriptor, &here) == 0 && there.st_ino == here.st_ino
      && there.st_dev == here.st_dev
  }
}
