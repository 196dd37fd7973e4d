import Glibc

/// An owned run of bytes with ``padding`` readable bytes behind it, which is what the JSON parser
/// needs to read past the end of a document. Aligned to 16; large ones are used again.
public struct Bytes: ~Copyable, @unchecked Sendable {
  /// Zeroed bytes behind the capacity, never part of the content.
  public static let padding = 64

  public let base: UnsafeMutablePointer<UInt8>
  /// Bytes that fit, padding excluded.
  public let capacity: Int
  /// Bytes in use.
  public var count: Int
  /// Bytes of the buffer.
  private let size: Int

  /// - Parameter capacity: in bytes.
  public init(capacity: Int) {
    let buffer = BufferPool.take(capacity + Bytes.padding)
    base = buffer.base.assumingMemoryBound(to: UInt8.self)
    size = buffer.size
    memset(base + capacity, 0, Bytes.padding)
    self.capacity = capacity
    count = 0
  }

  public init(_ bytes: some Collection<UInt8>) {
    self.init(capacity: bytes.count)
    _ = UnsafeMutableBufferPointer(start: base, count: capacity).initialize(from: bytes)
    count = capacity
  }

  deinit { BufferPool.give(base, size) }

  /// A read-only view, valid as long as this value lives.
  public var view: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base, count: count) }

  public func copy() -> [UInt8] { Array(view) }
}
