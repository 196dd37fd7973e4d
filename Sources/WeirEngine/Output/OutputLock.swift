import Glibc
import WeirData

/// The lock of an output: a file beside it that is held with `flock` and says who holds it. It stands
/// where the output does, so that runs from two workspaces meet there.
struct OutputLock {
  private let descriptor: Int32
  /// What the last holder said about itself, where it died without giving the lock back.
  let deadHolder: String?

  /// Stands behind what a holder said about itself once it has given the lock back.
  private static let ended = "\nended"

  /// Takes it. Whoever ends says so in the file; a text without that is of one that died.
  ///
  /// - Throws: ``LockHeld`` where another run has it, `FileError`.
  static func take(_ path: String, holder: String) throws -> OutputLock {
    let descriptor = openFile(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { throw fail(path, "open") }
    do {
      try lock(descriptor, path)
    } catch {
      close(descriptor)
      throw error
    }
    let last = readHolder(descriptor)
    let dead = last.hasEnded ? "" : last.holder
    do throws(FileError) {
      guard uninterrupted({ ftruncate(descriptor, 0) }) == 0 else { throw fail(path, "truncate") }
      try Array(holder.utf8).withUnsafeBufferPointer { bytes throws(FileError) in
        try writeAll(bytes, to: descriptor, path: path)
      }
    } catch {
      // Half a name is no holder that died.
      ftruncate(descriptor, 0)
      close(descriptor)
      throw error
    }
    return OutputLock(descriptor: descriptor, deadHolder: dead.isEmpty ? nil : dead)
  }

  /// Gives it back. The file stays: removing it would let two runs hold it at once.
  func giveBack() {
    // Who it was stays: one that comes in just this moment is told.
    var end = Array(OutputLock.ended.utf8)
    let count = lseek(descriptor, 0, SEEK_END)
    if pwrite(descriptor, &end, end.count, count) != end.count { ftruncate(descriptor, 0) }
    close(descriptor)
  }

  /// Where another run has the lock, waits until it has said who it is, about 200 ms: it may have taken it
  /// only just, and what stands there be of one before; or that one is giving it back.
  private static func lock(_ descriptor: Int32, _ path: String) throws {
    var before = ""
    for attempt in 0..<100 {
      if uninterrupted({ flock(descriptor, LOCK_EX | LOCK_NB) }) == 0 { return }
      guard errno == EWOULDBLOCK else { throw fail(path, "lock") }
      let (holder, hasEnded) = readHolder(descriptor)
      if !hasEnded, !holder.isEmpty, same(holder, before) { break }
      before = hasEnded ? "" : holder
      if attempt < 99 { usleep(2_000) }
    }
    throw LockHeld(
      path: path, holder: before.isEmpty ? "a run that has not said yet who it is" : before)
  }

  private static func readHolder(_ descriptor: Int32) -> (holder: String, hasEnded: Bool) {
    var buffer = [UInt8](repeating: 0, count: 4_096)
    let count = max(0, pread(descriptor, &buffer, buffer.count, 0))
    let text = buffer[..<count]
    let suffix = Array(ended.utf8)
    let hasEnded = text.suffix(suffix.count).elementsEqual(suffix)
    let holder = hasEnded ? text.dropLast(suffix.count) : text
    return (String(decoding: holder, as: UTF8.self), hasEnded)
  }
}
