import CLinux
import Glibc

/// Makes a call again as long as a signal ends it before it has done anything.
public func uninterrupted<Result: BinaryInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result >= 0 || errno != EINTR { return result }
  }
}

/// Whether a call that gave this `errno` may work later without anything being changed: the disk was
/// full or not there for a while, or too much was open at once.
public func isTransientError(_ code: Int32) -> Bool {
  [
    EAGAIN, EINTR, EIO, ENOSPC, EDQUOT, EMFILE, ENFILE, ENOLCK, ENOMEM, ESTALE, ETIMEDOUT,
  ].contains(code)
}

/// Has the disk begin with a part of a file that was written, and does not wait for it: a flush later has
/// less to do.
///
/// - Returns: whether it began. Where it did not, nothing is lost: the flush does all of it, and says what
///   went wrong.
@discardableResult
public func beginWriteBack(_ descriptor: Int32, _ range: Range<Int>) -> Bool {
  sync_file_range(
    descriptor, Int64(range.lowerBound), Int64(range.count), WEIR_SYNC_FILE_RANGE_WRITE) == 0
}
