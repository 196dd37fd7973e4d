import Synchronization

/// Large buffers that nobody uses at the moment. Memory that goes back to the system comes from it
/// again as pages that have to be cleared: that costs more than to fill them.
enum BufferPool {
  /// Smaller ones are left to the allocator, larger ones go back to the system.
  static let sizes = 16 * 1024...4 << 20
  /// Bytes kept at most.
  private static let keptBytes = 32 << 20

  private struct Buffer: @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    let size: Int
  }
  private struct Free {
    var buffers: [Buffer] = []
    var bytes = 0
  }
  private static let free = Mutex(Free())

  /// - Returns: at least `bytes` bytes, uninitialised, aligned to 16, and how many there are.
  static func take(_ bytes: Int) -> (base: UnsafeMutableRawPointer, size: Int) {
    guard sizes.contains(bytes) else { return (allocate(bytes), bytes) }
    // Few sizes, so that one batch can use what another one gave: at most a quarter more than asked.
    let step = (1 << (Int.bitWidth - 1 - bytes.leadingZeroBitCount)) / 4
    let size = (bytes + step - 1) / step * step
    let found = free.withLock { free -> Buffer? in
      guard let index = free.buffers.lastIndex(where: { $0.size == size }) else { return nil }
      free.bytes -= size
      return free.buffers.remove(at: index)
    }
    return (found?.base ?? allocate(size), size)
  }

  /// - Parameter size: as ``take(_:)`` said.
  static func give(_ base: UnsafeMutableRawPointer, _ size: Int) {
    let buffer = Buffer(base: base, size: size)
    let isKept = free.withLock { free in
      guard sizes.contains(size), free.bytes + size <= keptBytes else { return false }
      free.buffers.append(buffer)
      free.bytes += size
      return true
    }
    if !isKept { base.deallocate() }
  }

  private static func allocate(_ bytes: Int) -> UnsafeMutableRawPointer {
    .allocate(byteCount: max(1, bytes), alignment: 16)
  }
}
