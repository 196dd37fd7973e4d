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
