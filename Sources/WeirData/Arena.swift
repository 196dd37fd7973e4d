import Glibc

/// Memory for the strings of one batch: handed out piece by piece, never moved, freed at once.
public struct Arena: ~Copyable, @unchecked Sendable {
  private var chunks: [UnsafeMutableBufferPointer<UInt8>] = []
  private var free: UnsafeMutablePointer<UInt8>?
  private var left = 0
  /// The first piece: most arenas of small shards need no more.
  private static let firstBytes = 512
  private let chunkBytes: Int
  private var nextBytes: Int

  /// - Parameter chunkBytes: size of a piece asked from the system, in bytes; the first ones are smaller.
  public init(chunkBytes: Int = 16 * 1024) {
    self.chunkBytes = chunkBytes
    nextBytes = min(chunkBytes, Arena.firstBytes)
  }

  deinit { for chunk in chunks { chunk.deallocate() } }

  /// `count` bytes, uninitialised, at an address that stays good until the arena ends.
  public mutating func allocate(_ count: Int) -> UnsafeMutablePointer<UInt8> {
    if count > left || free == nil {
      let size = max(count, nextBytes)
      nextBytes = min(chunkBytes, nextBytes * 4)
      let chunk = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: size)
      chunks.append(chunk)
      free = chunk.baseAddress
      left = size
    }
    let piece = free!
    free = piece + count
    left -= count
    return piece
  }

  /// A copy of `bytes` that lives as long as the arena.
  public mutating func store(_ bytes: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
    let to = allocate(bytes.count)
    if let from = bytes.baseAddress { memcpy(to, from, bytes.count) }
    return UnsafeBufferPointer(start: to, count: bytes.count)
  }

  /// Frees all strings; the last piece of memory is used again.
  public mutating func removeAll() {
    guard let last = chunks.popLast() else { return }
    for chunk in chunks { chunk.deallocate() }
    chunks.removeAll(keepingCapacity: true)
    chunks.append(last)
    free = last.baseAddress
    left = last.count
  }
}
