import Glibc
import Synchronization
import WeirData

/// Keeps encoded chunks until they are wanted again: written once, given back all at once.
///
/// The memory comes from the system in large pieces of its own: what `malloc` keeps of many pieces of
/// all sizes would stay with the process.
final class ChunkStore: @unchecked Sendable {
  /// The first piece is small, so that a small run touches little.
  private static let firstBytes = 256 << 10
  private static let slabBytes = 4 << 20
  private static let hugePage = 2 << 20

  private struct Slabs {
    var slabs: [UnsafeMutableRawBufferPointer] = []
    var free: UnsafeMutableRawPointer?
    var left = 0
  }
  private let slabs = Mutex(Slabs())

  deinit {
    slabs.withLock { state in
      for slab in state.slabs { munmap(slab.baseAddress, slab.count) }
    }
  }

  /// Keeps a copy.
  func keep(_ bytes: UnsafeRawBufferPointer) -> KeptChunk {
    let to = allocate(bytes.count + RawBuffer.slack)
    if let from = bytes.baseAddress { memcpy(to, from, bytes.count) }
    return KeptChunk(address: to, count: bytes.count)
  }

  private func allocate(_ count: Int) -> UnsafeMutableRawPointer {
    // Numbers in a chunk need no alignment; the hashes of tuples are read faster with it.
    let rounded = (count + 15) & ~15
    return unsafe slabs.withLock { state in
      if rounded > state.left { ChunkStore.grow(&state, rounded) }
      let piece = state.free!
      state.free = piece + rounded
      state.left -= rounded
      return UInt(bitPattern: piece)
    }.pointer
  }

  private static func grow(_ state: inout Slabs, _ wanted: Int) {
    let isFirst = state.slabs.isEmpty && wanted <= firstBytes
    let count = isFirst ? firstBytes : (max(wanted, slabBytes) + hugePage - 1) & ~(hugePage - 1)
    let base = mmap(
      nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let base, base != MAP_FAILED else {
      // As malloc does for Swift: there is nothing to go on with.
      fatalError("the system has no memory left: \(count) bytes wanted")
    }
    // A page of 2 MiB costs one fault instead of 512.
    if !isFirst { madvise(base, count, MADV_HUGEPAGE) }
    state.slabs.append(UnsafeMutableRawBufferPointer(start: base, count: count))
    state.free = base
    state.left = count
  }
}

extension UInt {
  fileprivate var pointer: UnsafeMutableRawPointer { UnsafeMutableRawPointer(bitPattern: self)! }
}

/// Where a chunk is kept; good as long as its store.
struct KeptChunk: @unchecked Sendable {
  fileprivate(set) var address: UnsafeMutableRawPointer
  /// Bytes.
  let count: Int

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: address, count: count) }
}
