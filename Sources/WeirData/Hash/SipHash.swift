/// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein 2012): a hash that stays uniform when
/// a stranger chooses the keys, as long as the secret is not known.
public struct SipHasher: Sendable {
  private let k0: UInt64
  private let k1: UInt64

  /// - Parameter secret: 16 bytes.
  public init(secret: [UInt8]) {
    precondition(secret.count == 16)
    func word(_ from: Int) -> UInt64 {
      (0..<8).reduce(0) { $0 | UInt64(secret[from + $1]) << (8 * UInt64($1)) }
    }
    k0 = word(0)
    k1 = word(8)
  }

  public func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> Hash128 {
    var v0 = k0 ^ 0x736f_6d65_7073_6575
    var v1 = k1 ^ 0x646f_7261_6e64_6f6d ^ 0xee
    var v2 = k0 ^ 0x6c79_6765_6e65_7261
    var v3 = k1 ^ 0x7465_6462_7974_6573
    @inline(__always) func round() {
      v0 &+= v1
      v1 = (v1 << 13 | v1 >> 51) ^ v0
      v0 = v0 << 32 | v0 >> 32
      v2 &+= v3
      v3 = (v3 << 16 | v3 >> 48) ^ v2
      v0 &+= v3
      v3 = (v3 << 21 | v3 >> 43) ^ v0
      v2 &+= v1
      v1 = (v1 << 17 | v1 >> 47) ^ v2
      v2 = v2 << 32 | v2 >> 32
    }
    let base = UnsafeRawPointer(bytes.baseAddress)
    let count = bytes.count
    var at = 0
    while at + 8 <= count {
      let word = UInt64(littleEndian: base!.loadUnaligned(fromByteOffset: at, as: UInt64.self))
      v3 ^= word
      round()
      round()
      v0 ^= word
      at += 8
    }
    var last = UInt64(truncatingIfNeeded: count) << 56
    var shift: UInt64 = 0
    while at < count {
      last |= UInt64(bytes[at]) << shift
      shift += 8
      at += 1
    }
    v3 ^= last
    round()
    round()
    v0 ^= last
    v2 ^= 0xee
    for _ in 0..<4 { round() }
    let low = v0 ^ v1 ^ v2 ^ v3
    v1 ^= 0xdd
    for _ in 0..<4 { round() }
    return Hash128(high: v0 ^ v1 ^ v2 ^ v3, low: low)
  }
}
