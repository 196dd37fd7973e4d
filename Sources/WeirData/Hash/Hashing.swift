import CCrypto
import CXXHash
import Glibc

/// A 128-bit hash value.
public struct Hash128: Sendable, Hashable, Comparable {
  public var high: UInt64
  public var low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  public static func < (a: Hash128, b: Hash128) -> Bool { (a.high, a.low) < (b.high, b.low) }

  /// 32 hexadecimal digits.
  public var hex: String { hexText(high.bigEndianBytes + low.bigEndianBytes) }
}

extension UInt64 {
  public var bigEndianBytes: [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: self >> (56 - 8 * $0)) }
  }
}

/// Lower-case hexadecimal digits of `bytes`.
public func hexText(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  var out: [UInt8] = []
  for byte in bytes {
    out.append(digits[Int(byte >> 4)])
    out.append(digits[Int(byte & 15)])
  }
  return String(decoding: out, as: UTF8.self)
}

/// XXH3, 64 bits: fast and fixed, for tables and sketches; never for keys that a stranger chooses.
@inline(__always)
public func xxh3(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
  XXH3_64bits(bytes.baseAddress, bytes.count)
}

/// XXH3-128 of a stream of bytes: the content hash of a shard.
public final class ContentHasher {
  private let state: OpaquePointer

  public init() {
    state = XXH3_createState()!
    XXH3_128bits_reset(state)
  }

  deinit { XXH3_freeState(state) }

  public func update(_ bytes: UnsafeBufferPointer<UInt8>) {
    XXH3_128bits_update(state, bytes.baseAddress, bytes.count)
  }

  public func finish() -> Hash128 {
    let digest = XXH3_128bits_digest(state)
    return Hash128(high: digest.high64, low: digest.low64)
  }
}

/// SHA-256 of a stream of bytes.
public final class SHA256Hasher {
  private let context: OpaquePointer

  public init() {
    context = EVP_MD_CTX_new()!
    EVP_DigestInit_ex(context, EVP_sha256(), nil)
  }

  deinit { EVP_MD_CTX_free(context) }

  public func update(_ bytes: UnsafeBufferPointer<UInt8>) {
    EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
  }

  public func update(_ bytes: [UInt8]) { bytes.withUnsafeBufferPointer(update) }

  /// 32 bytes. The hasher cannot be used after.
  public func finish() -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    EVP_DigestFinal_ex(context, &digest, nil)
    return digest
  }
}

public func sha256(_ bytes: [UInt8]) -> [UInt8] {
  let hasher = SHA256Hasher()
  hasher.update(bytes)
  return hasher.finish()
}
