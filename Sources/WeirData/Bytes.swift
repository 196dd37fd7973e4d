import Glibc

/// An owned run of bytes with ``padding`` readable bytes behind it, which is what the JSON parser
/// needs to read past the end of a document.
public struct Bytes: ~Copyable, @unchecked Sendable {
  /// Zeroed bytes behind the capacity, never part of the content.
  public static let padding = 64

  public let base: UnsafeMutablePointer<UInt8>
  /// Bytes that fit, padding excluded.
  public let capacity: Int
  /// Bytes in use.
  public var count: Int

  /// - Parameter capacity: in bytes.
  public init(capacity: Int) {
    base = .allocate(capacity: capacity + Bytes.padding)
    memset(base + capacity, 0, Bytes.padding)
    self.capacity = capacity
    count = 0
  }

  public init(_ bytes: some Collection<UInt8>) {
    self.init(capacity: bytes.count)
    _ = UnsafeMutableBufferPointer(start: base, count: capacity).initialize(from: bytes)
    count = capacity
  }

  deinit { base.deallocate() }

  /// A read-only view, valid as long as this value lives.
  public var view: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base, count: count) }

  public func copy() -> [UInt8] { Array(view) }
}
