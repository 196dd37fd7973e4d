import Synchronization

/// Bytes that may be kept in memory from task to task: whoever keeps something reserves it first, and
/// puts it on the disk where nothing is left.
final class MemoryBudget: Sendable {
  private let left: Atomic<Int>
  private let isShort = Atomic(false)

  init(bytes: Int) { left = Atomic(bytes) }

  func reserve(_ bytes: Int) -> Bool {
    if left.subtract(bytes, ordering: .relaxed).newValue >= 0 { return true }
    release(bytes)
    isShort.store(true, ordering: .relaxed)
    return false
  }

  /// Says that something is on the disk, so that asking for it can block.
  func noteDisk() { isShort.store(true, ordering: .relaxed) }

  func release(_ bytes: Int) { left.add(bytes, ordering: .relaxed) }

  /// Whether somebody had to go without.
  var wasShort: Bool { isShort.load(ordering: .relaxed) }
}
