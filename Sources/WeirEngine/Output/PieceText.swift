import Glibc
import Synchronization
import WeirData

/// How the text of a piece is to stand on disk.
public enum PieceEncoding: Sendable, Hashable {
  /// As it is.
  case plain
  /// As one zstd frame.
  case zstd(ZstdSettings)

  /// `bytes` as they are to stand on disk.
  public func encode(_ bytes: [UInt8]) -> [UInt8] {
    switch self {
    case .plain: bytes
    case .zstd(let settings): ZstdEncoder(settings).frame(bytes)
    }
  }
}

/// Text that a sink hands on: memory that nobody writes to any more. It goes back to where it came
/// from when the last who needs it is done.
public final class PieceText: @unchecked Sendable {
  private let base: UnsafeMutablePointer<UInt8>
  private let capacity: Int
  private let memory: PieceMemory?
  /// Good as long as this value lives.
  public let view: UnsafeBufferPointer<UInt8>

  /// - Parameters:
  ///   - base: from `malloc`; this value owns it from here on.
  ///   - capacity: all its bytes, of which the first `count` are text.
  ///   - memory: takes it back; `nil`: the system.
  public init(
    _ base: UnsafeMutablePointer<UInt8>, count: Int, capacity: Int, memory: PieceMemory?
  ) {
    self.base = base
    self.capacity = capacity
    self.memory = memory
    view = UnsafeBufferPointer(start: base, count: count)
  }

  deinit {
    if let memory { memory.give(base, capacity) } else { free(base) }
  }
}

/// Memory of pieces that were written, for the next ones: the system clears what it takes back.
public final class PieceMemory: Sendable {
  private static let kept = 4

  private struct Free: @unchecked Sendable { var blocks: [UnsafeMutablePointer<UInt8>] = [] }
  private let blocks = Mutex(Free())
  /// Blocks of another size are not kept.
  public let blockBytes: Int

  public init(blockBytes: Int) { self.blockBytes = blockBytes }

  deinit { blocks.withLock { for block in $0.blocks { free(block) } } }

  /// ``blockBytes`` from `malloc`, if there are some.
  public func take() -> UnsafeMutablePointer<UInt8>? { blocks.withLock { $0.blocks.popLast() } }

  func give(_ block: UnsafeMutablePointer<UInt8>, _ capacity: Int) {
    nonisolated(unsafe) let block = block
    let isKept =
      capacity == blockBytes
      && blocks.withLock { free in
        guard free.blocks.count < PieceMemory.kept else { return false }
        free.blocks.append(block)
        return true
      }
    if !isKept { free(block) }
  }
}
