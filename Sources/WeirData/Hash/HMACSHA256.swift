import CCrypto

/// HMAC-SHA-256 (RFC 2104): a hash that only those can make who have the key.
public final class HMACSHA256 {
  /// States behind the padded key, copied for each text.
  private let inner: OpaquePointer
  private let outer: OpaquePointer
  private let work: OpaquePointer

  /// - Parameter key: of any length; longer ones than 64 bytes are hashed first, as the standard says.
  public init(key: [UInt8]) {
    var padded = key.count > 64 ? sha256(key) : key
    padded += Array(repeating: 0, count: 64 - padded.count)
    inner = EVP_MD_CTX_new()!
    outer = EVP_MD_CTX_new()!
    work = EVP_MD_CTX_new()!
    for (context, pad) in [(inner, UInt8(0x36)), (outer, UInt8(0x5C))] {
      EVP_DigestInit_ex(context, EVP_sha256(), nil)
      EVP_DigestUpdate(context, padded.map { $0 ^ pad }, 64)
    }
  }

  deinit {
    for context in [inner, outer, work] { EVP_MD_CTX_free(context) }
  }

  /// The 32 bytes for a text.
  public func digest(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    EVP_MD_CTX_copy_ex(work, inner)
    EVP_DigestUpdate(work, text.baseAddress, text.count)
    EVP_DigestFinal_ex(work, &digest, nil)
    EVP_MD_CTX_copy_ex(work, outer)
    EVP_DigestUpdate(work, digest, 32)
    EVP_DigestFinal_ex(work, &digest, nil)
    return digest
  }

  public func digest(_ text: [UInt8]) -> [UInt8] { text.withUnsafeBufferPointer { digest($0) } }
}
