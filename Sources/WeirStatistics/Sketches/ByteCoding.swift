/// Writes the states of sketches and reduces: numbers little-endian, counts of variable length
/// (LEB128).
public struct ByteWriter {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  public mutating func byte(_ value: UInt8) { bytes.append(value) }

  public mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// Zigzag: small absolute values take few bytes.
  public mutating func signed(_ value: Int) {
    varint(UInt64(bitPattern: Int64((value << 1) ^ (value >> 63))))
  }

  public mutating func double(_ value: Double) {
    var bits = value.bitPattern
    for _ in 0..<8 {
      bytes.append(UInt8(truncatingIfNeeded: bits))
      bits >>= 8
    }
  }

  /// All bytes of a number of fixed width.
  public mutating func integer<Value: FixedWidthInteger>(_ value: Value) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Bytes with their number before them.
  public mutating func block(_ block: some Collection<UInt8>) {
    varint(UInt64(block.count))
    bytes.append(contentsOf: block)
  }
}

/// Reads what ``ByteWriter`` wrote; every read answers `nil` past the end or for an overlong number.
public struct ByteReader {
  @usableFromInline let bytes: ArraySlice<UInt8>
  @usableFromInline var at: Int

  public init(_ bytes: some Collection<UInt8>) {
    self.bytes = ArraySlice(bytes)
    at = self.bytes.startIndex
  }

  public var isAtEnd: Bool { at == bytes.endIndex }

  @inlinable
  public mutating func byte() -> UInt8? {
    guard at < bytes.endIndex else { return nil }
    defer { at += 1 }
    return bytes[at]
  }

  @inlinable
  public mutating func varint() -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: 0, through: 63, by: 7) {
      guard let next = byte() else { return nil }
      if shift == 63, next > 1 { return nil }
      value |= UInt64(next & 0x7F) << UInt64(shift)
      if next < 0x80 { return value }
    }
    return nil
  }

  public mutating func signed() -> Int? {
    guard let raw = varint() else { return nil }
    return Int(Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1))
  }

  public mutating func double() -> Double? {
    var bits: UInt64 = 0
    for shift in stride(from: 0, to: 64, by: 8) {
      guard let next = byte() else { return nil }
      bits |= UInt64(next) << UInt64(shift)
    }
    return Double(bitPattern: bits)
  }

  @inlinable
  public mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(
    _ type: Value.Type
  ) -> Value? {
    let size = MemoryLayout<Value>.size
    guard bytes.endIndex - at >= size else { return nil }
    let from = at - bytes.startIndex
    at += size
    return bytes.withUnsafeBytes {
      Value(littleEndian: $0.loadUnaligned(fromByteOffset: from, as: Value.self))
    }
  }

  public mutating func block() -> [UInt8]? { slice().map { Array($0) } }

  /// The same without a copy.
  @inlinable
  public mutating func slice() -> ArraySlice<UInt8>? {
    guard let count = varint(), count <= UInt64(bytes.endIndex - at) else { return nil }
    defer { at += Int(count) }
    return bytes[at..<(at + Int(count))]
  }
}
