import Glibc
import Synchronization
import WeirData

/// Keeps encoded chunks until they are wanted again: written once, given back all at once. A large one
/// that is kept for another night anyway is only there; what the budget has no room for goes to a file,
/// compressed.
///
/// The memory comes from the system in large pieces of its own: what `malloc` keeps of many pieces of
/// all sizes would stay with the process.
final class ChunkStore: @unchecked Sendable {
  /// The first piece is small, so that a small run touches little.
  private static let firstBytes = 256 << 10
  private static let slabBytes = 4 << 20
  private static let hugePage = 2 << 20

  private struct Slabs {
    var slabs: [(address: UInt, count: Int)] = []
    var free: UInt = 0
    var left = 0
    /// Bytes taken from the budget.
    var reserved = 0
  }
  private let slabs = Mutex(Slabs())
  private let budget: MemoryBudget
  private let file: SpillFile
  private let earlyBytes: Int

  /// - Parameter earlyBytes: ``MemoryShares/earlyBytes``.
  init(budget: MemoryBudget, file: SpillFile, earlyBytes: Int = .max) {
    self.budget = budget
    self.file = file
    self.earlyBytes = earlyBytes
  }

  deinit {
    slabs.withLock { state in
      for slab in state.slabs {
        munmap(UnsafeMutableRawPointer(bitPattern: slab.address), slab.count)
      }
      budget.release(state.reserved)
    }
  }

  // MARK: Keeping

  /// Keeps a copy.
  ///
  /// - Parameters:
  ///   - entry: what the task makes for another night.
  ///   - spill: takes what is to be written to the disk before the chunk is asked for.
  func keep(
    _ bytes: UnsafeRawBufferPointer, in entry: EntryBuilder? = nil, _ coder: FrameCoder,
    spill: (ChunkWrite) -> Void
  ) -> KeptChunk {
    if let chunk = keep(bytes, ends: [UInt32(bytes.count)], in: entry, spill) { return chunk }
    if let chunk = keepInMemory(bytes) { return chunk }
    var frame = RawBuffer()
    coder.compress(bytes, to: &frame)
    return set(aside: frame.view, spill)
  }

  /// Keeps a copy of some pieces that lie one behind the other, so that each can be had by itself.
  ///
  /// - Parameter ends: where each piece ends; where it ends in the chunk afterwards.
  func keep(
    _ bytes: UnsafeRawBufferPointer, ends: inout [UInt32], in entry: EntryBuilder? = nil,
    _ coder: FrameCoder, spill: (ChunkWrite) -> Void
  ) -> KeptChunk {
    if let chunk = keep(bytes, ends: ends, in: entry, spill) { return chunk }
    if let chunk = keepInMemory(bytes) { return chunk }
    var frames = RawBuffer()
    var from = 0
    for i in ends.indices {
      let end = Int(ends[i])
      if end > from {
        coder.compress(UnsafeRawBufferPointer(rebasing: bytes[from..<end]), to: &frames)
      }
      from = end
      ends[i] = UInt32(frames.count)
    }
    return set(aside: frames.view, spill)
  }

  private func keep(
    _ bytes: UnsafeRawBufferPointer, ends: [UInt32], in entry: EntryBuilder?,
    _ spill: (ChunkWrite) -> Void
  ) -> KeptChunk? {
    guard let entry, bytes.count >= earlyBytes else { return nil }
    budget.noteDisk()
    let part = EntryPart(bytes, ends: ends, of: entry)
    spill(.entry(part))
    return KeptChunk(location: .entry(part), count: bytes.count, isCompressed: false)
  }

  private func set(
    aside frame: UnsafeRawBufferPointer, _ spill: (ChunkWrite) -> Void
  ) -> KeptChunk {
    let write = SpillWrite(frame, to: file)
    spill(.spill(write))
    return KeptChunk(
      location: .spill(write.place.offset), count: frame.count, isCompressed: true)
  }

  /// Keeps what is in a pack: in memory where it is to be soon wanted and there is room, else there.
  /// Blocks.
  func keep(
    _ pack: PackFile, at offset: Int, count: Int, isCompressed: Bool, inMemory: Bool
  ) throws(FileError) -> KeptChunk {
    if inMemory, !isCompressed, let to = allocate(count) {
      try pack.read(count, at: offset, to: to)
      return KeptChunk(
        location: .memory(UnsafeRawPointer(to)), count: count, isCompressed: false)
    }
    budget.noteDisk()
    return KeptChunk(location: .pack(pack, offset), count: count, isCompressed: isCompressed)
  }

  private func keepInMemory(_ bytes: UnsafeRawBufferPointer) -> KeptChunk? {
    guard let to = allocate(bytes.count) else { return nil }
    if let from = bytes.baseAddress { memcpy(to, from, bytes.count) }
    return KeptChunk(
      location: .memory(UnsafeRawPointer(to)), count: bytes.count, isCompressed: false)
  }

  private func allocate(_ count: Int) -> UnsafeMutableRawPointer? {
    let rounded = (count + RawBuffer.slack + 15) & ~15
    guard budget.reserve(rounded) else { return nil }
    let address = slabs.withLock { state -> UInt? in
      if rounded > state.left, !ChunkStore.grow(&state, rounded) { return nil }
      state.reserved += rounded
      defer {
        state.free += UInt(rounded)
        state.left -= rounded
      }
      return state.free
    }
    guard let address, let to = UnsafeMutableRawPointer(bitPattern: address) else {
      // The system has less than the budget says: the disk has more.
      budget.release(rounded)
      return nil
    }
    return to
  }

  private static func grow(_ state: inout Slabs, _ wanted: Int) -> Bool {
    let isFirst = state.slabs.isEmpty && wanted <= firstBytes
    let count = isFirst ? firstBytes : (max(wanted, slabBytes) + hugePage - 1) & ~(hugePage - 1)
    let base = mmap(
      nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let base, base != MAP_FAILED else { return false }
    // A page of 2 MiB costs one fault instead of 512.
    if !isFirst { madvise(base, count, MADV_HUGEPAGE) }
    state.slabs.append((UInt(bitPattern: base), count))
    state.free = UInt(bitPattern: base)
    state.left = count
    return true
  }

  // MARK: Reading

  /// The bytes of a chunk, or of the part of it with the given range: where they are kept, or in
  /// `buffer`, which is cleared for them. Blocks where they are on the disk.
  func read(
    _ chunk: KeptChunk, _ part: Range<Int>? = nil, _ coder: FrameCoder,
    _ buffer: inout RawBuffer
  ) throws -> UnsafeRawBufferPointer {
    guard chunk.isCompressed else { return try raw(chunk, part, &buffer) }
    var frame = RawBuffer()
    let bytes = try raw(chunk, part, &frame)
    buffer.count = 0
    do throws(ChunkError) {
      try coder.decompress(bytes, to: &buffer)
    } catch {
      throw RunError(damagedSpill: path(of: chunk), error)
    }
    return buffer.view
  }

  /// The same as they are kept, compressed or not.
  func raw(
    _ chunk: KeptChunk, _ part: Range<Int>? = nil, _ buffer: inout RawBuffer
  ) throws -> UnsafeRawBufferPointer {
    let part = part ?? 0..<chunk.count
    switch chunk.location {
    case .memory(let address):
      return UnsafeRawBufferPointer(start: address + part.lowerBound, count: part.count)
    case .spill(let offset):
      buffer.count = 0
      try file.read(part.count, at: offset + part.lowerBound, to: &buffer)
    case .pack(let pack, let offset):
      buffer.count = 0
      try pack.read(part.count, at: offset + part.lowerBound, to: &buffer)
    case .entry(let early):
      guard let address = early.memory else { return try early.read(part, &buffer) }
      return UnsafeRawBufferPointer(start: address + part.lowerBound, count: part.count)
    }
    return buffer.view
  }

  /// Where a chunk is, for messages.
  func path(of chunk: KeptChunk) -> String {
    switch chunk.location {
    case .pack(let pack, _): pack.path
    case .entry(let part): part.path
    case .memory, .spill: file.path
    }
  }
}

/// A chunk, or frames of one, on the way to the disk.
enum ChunkWrite: Sendable {
  case spill(SpillWrite)
  case entry(EntryPart)

  /// Blocks.
  func run() throws(FileError) {
    switch self {
    case .spill(let write): try write.run()
    case .entry(let part): part.write()
    }
  }
}

/// Where a chunk is kept; good as long as its store.
struct KeptChunk: @unchecked Sendable {
  enum Location {
    case memory(UnsafeRawPointer)
    /// In the spill file of the store.
    case spill(Int)
    case pack(PackFile, Int)
    /// In the entry that its task makes.
    case entry(EntryPart)
  }
  fileprivate let location: Location
  /// Bytes, as they are kept.
  let count: Int
  /// Into a frame, or a frame for each of its pieces.
  let isCompressed: Bool

  /// Where it is, in memory. Not inlined: Swift 6.3 fails on it in a loop.
  @inline(never)
  var memory: UnsafeRawPointer? {
    switch location {
    case .memory(let base): base
    case .entry(let part): part.memory
    case .spill, .pack: nil
    }
  }

  /// Where it is in `entry`, if it is there already.
  func range(in entry: EntryBuilder) -> Range<Int>? {
    if case .entry(let part) = location { part.range(in: entry) } else { nil }
  }

  var isInMemory: Bool { memory != nil }
}
