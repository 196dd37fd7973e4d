import CZstd

/// Compresses and unpacks what is set aside for a while: whole zstd frames, each with its size and a
/// checksum, made fast rather than small. Used by one task at a time.
public final class FrameCoder: @unchecked Sendable {
  /// The fastest level that still takes something off numbers of small range.
  private static let level: Int32 = -1

  // Made when they are needed: most runs have room for everything.
  private lazy var compressor: OpaquePointer = {
    let context = ZSTD_createCCtx()!
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, FrameCoder.level)
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 1)
    isCompressing = true
    return context
  }()
  private lazy var decompressor: OpaquePointer = {
    isUnpacking = true
    return ZSTD_createDCtx()!
  }()
  private var isCompressing = false
  private var isUnpacking = false

  public init() {}

  deinit {
    if isCompressing { ZSTD_freeCCtx(compressor) }
    if isUnpacking { ZSTD_freeDCtx(decompressor) }
  }

  /// Appends `bytes` as one frame.
  public func compress(_ bytes: UnsafeRawBufferPointer, to out: inout RawBuffer) {
    let bound = ZSTD_compressBound(bytes.count)
    out.reserve(bound)
    let count = ZSTD_compress2(
      compressor, out.base + out.count, bound, bytes.baseAddress, bytes.count)
    // With room for the bound, memory is all that can be missing.
    precondition(ZSTD_isError(count) == 0, "zstd: \(String(cString: ZSTD_getErrorName(count)))")
    out.count += count
  }

  /// Appends what one frame holds.
  ///
  /// - Throws: ``ChunkError`` where the bytes are not one whole frame of ``compress(_:to:)``.
  public func decompress(
    _ frame: UnsafeRawBufferPointer, to out: inout RawBuffer
  ) throws(ChunkError) {
    let size = ZSTD_getFrameContentSize(frame.baseAddress, frame.count)
    // A frame of a few bytes does not hold gigabytes: a block is of 128 KiB at most.
    guard size < UInt64.max - 1, size <= UInt64(frame.count) << 17 else {
      throw ChunkError("a compressed part does not begin as one")
    }
    out.reserve(Int(size))
    let count = ZSTD_decompressDCtx(
      decompressor, out.base + out.count, Int(size), frame.baseAddress, frame.count)
    guard ZSTD_isError(count) == 0, count == Int(size) else {
      throw ChunkError(
        "a compressed part cannot be unpacked: \(String(cString: ZSTD_getErrorName(count)))")
    }
    out.count += count
  }
}
