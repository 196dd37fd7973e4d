import CZstd

/// Compresses whole frames, with a checksum in each.
///
/// The same bytes in give the same bytes out, on any machine and in any thread.
public final class ZstdEncoder {
  private let context: OpaquePointer

  /// - Parameter level: 1 to 19.
  public init(level: Int) {
    context = ZSTD_createCCtx()
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level))
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 1)
  }

  deinit { ZSTD_freeCCtx(context) }

  /// Appends `bytes` as one frame.
  public func appendFrame(_ bytes: UnsafeBufferPointer<UInt8>, to out: inout [UInt8]) {
    let bound = ZSTD_compressBound(bytes.count)
    let before = out.count
    let piece = [UInt8](unsafeUninitializedCapacity: bound) { to, count in
      count = ZSTD_compress2(context, to.baseAddress, bound, bytes.baseAddress, bytes.count)
      // With room for the bound, memory is all that can be missing.
      precondition(ZSTD_isError(count) == 0, "zstd: \(String(cString: ZSTD_getErrorName(count)))")
    }
    out.append(contentsOf: piece)
    assert(out.count > before)
  }

  public func frame(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    bytes.withUnsafeBufferPointer { appendFrame($0, to: &out) }
    return out
  }
}

/// The version of libzstd that is linked: compressed bytes are a function of it.
public var zstdVersion: String { String(cString: ZSTD_versionString()) }
