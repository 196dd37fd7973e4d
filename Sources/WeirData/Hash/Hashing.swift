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
  public var hex: String {
    let bytes = (high.bigEndian, low.bigEndian)
    return withUnsafeBytes(of: bytes) { hexText($0) }
  }
}

extension UInt64 {
  public var bigEndianBytes: [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: self >> (56 - 8 * $0)) }
  }
}

/// Lower-case hexadecimal digits of `bytes`.
public func hexText(_ bytes: some Collection<UInt8>) -> String {
  String(unsafeUninitializedCapacity: 2 * bytes.count) { text in
    var at = 0
    for byte in bytes {
      text[at] = hexDigit(byte >> 4)
      text[at + 1] = hexDigit(byte & 15)
      at += 2
    }
    return at
  }
}

@inline(__always)
private func hexDigit(_ value: UInt8) -> UInt8 {
  value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
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
    begin()
  }

  /// Begins anew.
  public func begin() { XXH3_128bits_reset(state) }

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
  /// Found once: OpenSSL else looks for it each time, which takes longer than hashing a short text.
  nonisolated(unsafe) private static let algorithm =
    EVP_MD_fetch(nil, "SHA256", nil) ?? EVP_sha256()

  public init() {
    context = EVP_MD_CTX_new()!
    EVP_DigestInit_ex(context, SHA256Hasher.algorithm, nil)
  }

  deinit { EVP_MD_CTX_free(context) }

  public func update(_ bytes: UnsafeBufferPointer<UInt8>) {
    EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
  }

  public func update(_ bytes: [UInt8]) { bytes.withUnsafeBufferPointer(update) }

  /// 32 bytes; the hasher is as it was made.
  public func finishAndBegin() -> [UInt8] {
    defer { EVP_DigestInit_ex(context, SHA256Hasher.algorithm, nil) }
    return finish()
  }

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
