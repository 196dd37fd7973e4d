import CZstd
import Synchronization

/// Contexts of libzstd that nobody uses at the moment: to make one costs as much as to unpack a small
/// shard.
enum ZstdContexts {
  private static let kept = 16
  /// A context keeps the window of the last frame; those with larger ones are not kept.
  private static let keptBytes = 8 << 20

  private struct Context: @unchecked Sendable { let pointer: OpaquePointer }
  private static let free = Mutex<[Context]>([])

  static func take() -> OpaquePointer {
    if let context = free.withLock({ $0.popLast() }) {
      ZSTD_DCtx_reset(context.pointer, ZSTD_reset_session_and_parameters)
      return context.pointer
    }
    return ZSTD_createDCtx()
  }

  static func give(_ context: OpaquePointer) {
    let context = Context(pointer: context)
    let isKept = free.withLock { free in
      guard free.count < kept, ZSTD_sizeof_DCtx(context.pointer) <= keptBytes else { return false }
      free.append(context)
      return true
    }
    if !isKept { ZSTD_freeDCtx(context.pointer) }
  }
}
