import Glibc

/// The bytes of one key after the other, in memory that is kept.
public struct KeyBytes: ~Copyable {
  @usableFromInline var base: UnsafeMutablePointer<UInt8>
  @usableFromInline var capacity = 256
  @usableFromInline var count = 0

  @inlinable public init() { base = .allocate(capacity: 256) }

  @inlinable deinit { base.deallocate() }

  /// Valid until the next change.
  @inlinable public var bytes: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: base, count: count)
  }

  @inlinable
  public mutating func clear() { count = 0 }

  @inlinable
  public mutating func append(_ byte: UInt8) {
    reserve(1)
    base[count] = byte
    count &+= 1
  }

  @inlinable
  public mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let from = bytes.baseAddress else { return }
    reserve(bytes.count)
    memcpy(base + count, from, bytes.count)
    count += bytes.count
  }

  /// As it lies in memory: say `littleEndian` or `bigEndian`.
  @inlinable
  public mutating func append<Number: FixedWidthInteger>(raw number: Number) {
    reserve(MemoryLayout<Number>.size)
    UnsafeMutableRawPointer(base + count).storeBytes(of: number, as: Number.self)
    count &+= MemoryLayout<Number>.size
  }

  /// Type and value of a cell, the bytes of ``appendKey(_:to:)``.
  @inlinable
  public mutating func append(_ cell: Cell) {
    switch cell.kind {
    case .missing, .null: append(CellKind.null.rawValue)
    case .string:
      append(cell.rawKind)
      append(raw: cell.length.littleEndian)
      append(cell.stringBytes)
    case .other:
      // Where its text lies says nothing.
      append(cell.rawKind)
      append(raw: UInt64(0))
    default:
      append(cell.rawKind)
      append(raw: (cell.kind == .number && cell.numberValue == 0 ? 0 : cell.bits).littleEndian)
    }
  }

  @inlinable @inline(__always)
  mutating func reserve(_ more: Int) {
    if count &+ more > capacity { grow(more) }
  }

  @usableFromInline
  mutating func grow(_ more: Int) {
    capacity = max(capacity * 2, count + more)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    larger.update(from: base, count: count)
    base.deallocate()
    base = larger
  }
}
