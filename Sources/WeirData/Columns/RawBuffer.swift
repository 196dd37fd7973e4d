import Glibc

/// Bytes that grow at the end: memory that a hot loop takes a pointer into, and uses again.
public struct RawBuffer: ~Copyable, @unchecked Sendable {
  /// Bytes behind ``count`` that may be read and overwritten, so that loops can move whole words.
  public static let slack = 8

  public private(set) var base: UnsafeMutableRawPointer
  public private(set) var capacity: Int
  /// Bytes in use.
  public var count = 0

  public init(capacity: Int = 0) {
    self.capacity = max(capacity, 64)
    base = .allocate(byteCount: self.capacity + RawBuffer.slack, alignment: 16)
  }

  deinit { base.deallocate() }

  /// Makes room for `more` bytes behind those in use. Pointers from before are void.
  @inlinable @inline(__always)
  public mutating func reserve(_ more: Int) {
    if count + more > capacity { grow(count + more) }
  }

  @usableFromInline mutating func grow(_ wanted: Int) {
    let size = max(wanted, capacity * 2)
    let bytes = UnsafeMutableRawPointer.allocate(byteCount: size + RawBuffer.slack, alignment: 16)
    memcpy(bytes, base, count)
    base.deallocate()
    base = bytes
    capacity = size
  }

  public mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let from = bytes.baseAddress else { return }
    reserve(bytes.count)
    memcpy(base + count, from, bytes.count)
    count += bytes.count
  }

  /// Appends a number, little-endian.
  @inlinable @inline(__always)
  public mutating func append<Number: FixedWidthInteger>(_ number: Number) {
    reserve(MemoryLayout<Number>.size)
    (base + count).storeBytes(of: number.littleEndian, as: Number.self)
    count += MemoryLayout<Number>.size
  }

  /// What is in use; valid until the buffer grows or ends.
  public var view: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
}
