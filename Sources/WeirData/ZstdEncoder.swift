import CZstd

/// How hard zstd tries.
public struct ZstdSettings: Sendable, Hashable {
  /// 1 to 19.
  public var level: Int
  /// Matches are looked for as far back as 2 to this power of bytes, over all of a frame (`zstd --long`);
  /// `nil`: as far as the level does. 20 to 27.
  public var long: Int?

  public init(level: Int, long: Int? = nil) {
    self.level = level
    self.long = long
  }
}

/// Compresses whole frames, with a checksum in each.
///
/// The same bytes in give the same bytes out, on any machine, in any thread and whatever was
/// compressed before.
public final class ZstdEncoder {
  private let context: OpaquePointer
  /// Where frames are made, as large as the largest of them could have become.
  private var room: UnsafeMutableRawBufferPointer

  public init(_ settings: ZstdSettings) {
    context = ZSTD_createCCtx()
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(settings.level))
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 1)
    if let long = settings.long {
      ZSTD_CCtx_setParameter(context, ZSTD_c_enableLongDistanceMatching, 1)
      ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, Int32(long))
    }
    room = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  }

  public convenience init(level: Int) { self.init(ZstdSettings(level: level)) }

  deinit {
    ZSTD_freeCCtx(context)
    room.deallocate()
  }

  /// `bytes` as one frame.
  public func frame(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    let bound = ZSTD_compressBound(bytes.count)
    if room.count < bound {
      room.deallocate()
      room = .allocate(byteCount: bound, alignment: 16)
    }
    let count = ZSTD_compress2(context, room.baseAddress, bound, bytes.baseAddress, bytes.count)
    // With room for the bound, memory is all that can be missing.
    precondition(ZSTD_isError(count) == 0, "zstd: \(String(cString: ZSTD_getErrorName(count)))")
    return [UInt8](UnsafeRawBufferPointer(rebasing: room[..<count]))
  }

  public func frame(_ bytes: [UInt8]) -> [UInt8] { bytes.withUnsafeBufferPointer { frame($0) } }
}

/// The version of libzstd that is linked: compressed bytes are a function of it.
public var zstdVersion: String { String(cString: ZSTD_versionString()) }
