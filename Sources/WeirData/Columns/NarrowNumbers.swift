/// Unsigned numbers of one width, 0 to 8 bytes each, little-endian, one behind the other.
///
/// Both directions move whole words: 8 bytes behind the last number are touched.
public enum NarrowNumbers {
  /// Bytes that hold every number up to `largest`.
  @inline(__always)
  public static func width(of largest: UInt64) -> Int { (64 - largest.leadingZeroBitCount + 7) / 8 }

  @inline(__always)
  public static func mask(width: Int) -> UInt64 {
    width == 0 ? 0 : UInt64.max >> UInt64(64 - 8 * width)
  }

  /// Number `index`; `mask` is that of the width.
  @inline(__always)
  public static func load(
    _ from: UnsafeRawPointer, _ index: Int, width: Int, mask: UInt64
  ) -> UInt64 {
    UInt64(littleEndian: from.loadUnaligned(fromByteOffset: index &* width, as: UInt64.self)) & mask
  }

  /// Numbers are stored in ascending order of their index.
  @inline(__always)
  public static func store(
    _ number: UInt64, to: UnsafeMutableRawPointer, _ index: Int, width: Int
  ) {
    to.storeBytes(of: number.littleEndian, toByteOffset: index &* width, as: UInt64.self)
  }
}
