import Glibc
import Testing
import WeirData
import WeirTesting

@testable import WeirEngine

@Suite struct `Parts of an entry that are written early` {
  private func bytes(_ count: Int, _ seed: UInt64) -> [UInt8] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { _ in UInt8(random.below(256)) }
  }

  private func store(_ folder: TemporaryFolder) -> ChunkStore {
    ChunkStore(
      budget: MemoryBudget(bytes: .max), file: SpillFile(path: folder.file("spill")), earlyBytes: 10
    )
  }

  private func pack(_ folder: TemporaryFolder) throws -> PackFile {
    try PackFile(making: folder.file("pack"), id: 1)
  }

  /// Keeps the bytes, in pieces; what is to be written.
  private func keep(
    _ bytes: [UInt8], ends: inout [UInt32], in entry: EntryBuilder, _ store: ChunkStore
  ) throws -> (KeptChunk, [ChunkWrite]) {
    var writes: [ChunkWrite] = []
    let chunk = bytes.withUnsafeBytes {
      store.keep($0, ends: &ends, in: entry, FrameCoder()) { writes.append($0) }
    }
    return (chunk, writes)
  }

  @Test func `are in memory until then, and come back from the entry as they were`() throws {
    try withTemporaryFolder { folder in
      let (store, pack, coder) = (store(folder), try pack(folder), FrameCoder())
      try bytes(100, 1).withUnsafeBytes { _ = try pack.append($0) }
      let entry = EntryBuilder(pack)
      let text = bytes(90_000, 2)
      // Two pieces are empty.
      var ends: [UInt32] = [0, 30_000, 30_000, 70_000, 90_000]
      let (chunk, writes) = try keep(text, ends: &ends, in: entry, store)
      var buffer = RawBuffer()
      func expectWhole() throws {
        #expect(try Array(store.read(chunk, nil, coder, &buffer)) == text)
        for part in [0..<30_000, 30_000..<70_000, 70_000..<90_000, 30_000..<30_000, 0..<70_000] {
          #expect(try Array(store.read(chunk, part, coder, &buffer)) == Array(text[part]))
        }
      }
      #expect(chunk.isInMemory && chunk.range(in: entry) == nil)
      try expectWhole()
      for write in writes { try write.run() }
      #expect(!chunk.isInMemory && chunk.range(in: entry) == 0..<90_000)
      #expect(chunk.range(in: EntryBuilder(pack)) == nil)
      try expectWhole()

      // A short one is there too, though the pack would have it wait.
      var end: [UInt32] = [20]
      let (short, shortWrites) = try keep(Array(text[..<20]), ends: &end, in: entry, store)
      for write in shortWrites { try write.run() }
      #expect(!short.isInMemory)
      #expect(try Array(store.read(short, nil, coder, &buffer)) == Array(text[..<20]))
      // One that is shorter than it must be is kept in memory.
      end = [9]
      let (kept, none) = try keep(Array(text[..<9]), ends: &end, in: entry, store)
      #expect(kept.isInMemory && none.isEmpty)

      let place = try entry.finish(table: [1, 2, 3])
      try pack.flush()
      #expect(try EntryFile(place, in: pack)?.table == [1, 2, 3])
      // The store, the entry and the pack are all that hold it.
      try expectWhole()
    }
  }

  @Test func `are an error where the disk gives back others`() throws {
    try withTemporaryFolder { folder in
      let (store, pack, coder) = (store(folder), try pack(folder), FrameCoder())
      let entry = EntryBuilder(pack)
      defer { withExtendedLifetime(entry) {} }
      let text = bytes(3_000, 3)
      var ends: [UInt32] = [1_000, 2_000, 3_000]
      let (chunk, writes) = try keep(text, ends: &ends, in: entry, store)
      for write in writes { try write.run() }
      var bad = text
      bad[1_500] ^= 4
      let descriptor = open(pack.path, O_WRONLY | O_CLOEXEC)
      defer { close(descriptor) }
      try bad.withUnsafeBufferPointer { try writeAll($0, to: descriptor, path: pack.path) }
      var buffer = RawBuffer()
      #expect(try Array(store.read(chunk, 0..<1_000, coder, &buffer)) == Array(text[..<1_000]))
      for part in [1_000..<2_000, 0..<3_000] {
        let error = #expect(throws: RunError.self) {
          _ = try store.read(chunk, part, coder, &buffer)
        }
        #expect(error?.code == "damaged_spill" && error?.isTransient == true)
      }
    }
  }

  @Test func `stay in memory where they cannot be written, and the entry is not made`() throws {
    try withTemporaryFolder { folder in
      let (store, coder) = (store(folder), FrameCoder())
      _ = try pack(folder)
      // Not open for writing.
      let pack = try #require(try PackFile(reading: folder.file("pack"), id: 1))
      let entry = EntryBuilder(pack)
      let text = bytes(3_000, 4)
      var ends: [UInt32] = [1_000, 3_000]
      let (chunk, writes) = try keep(text, ends: &ends, in: entry, store)
      for write in writes { try write.run() }
      #expect(chunk.isInMemory && chunk.range(in: entry) == nil)
      var buffer = RawBuffer()
      #expect(
        try Array(store.read(chunk, 1_000..<3_000, coder, &buffer)) == Array(text[1_000...]))
      #expect(throws: FileError.self) { _ = try entry.finish(table: []) }
    }
  }

  @Test(arguments: [false, true])
  func `come back to memory where a later one cannot be written, and make room`(
    hasOthers: Bool
  ) throws {
    try withTemporaryFolder { folder in
      let (store, pack, coder) = (store(folder), try pack(folder), FrameCoder())
      try bytes(100, 8).withUnsafeBytes { _ = try pack.append($0) }
      let entry = EntryBuilder(pack)
      let text = bytes(3_000, 9)
      var ends: [UInt32] = [1_000, 3_000]
      let (chunk, writes) = try keep(text, ends: &ends, in: entry, store)
      for write in writes { try write.run() }
      let other = try hasOthers ? Array(1...50).withUnsafeBytes { try entry.append($0) } : 0..<0
      entry.giveUp(FileError(path: pack.path, operation: "write", code: ENOSPC))
      // What somebody else reads from there has to stay.
      #expect(chunk.isInMemory == !hasOthers)
      #expect(pack.count == (hasOthers ? 3_100 + other.count : 100))
      var buffer = RawBuffer()
      #expect(
        try Array(store.read(chunk, 1_000..<3_000, coder, &buffer)) == Array(text[1_000...]))
      #expect(throws: FileError.self) { _ = try entry.finish(table: []) }
    }
  }

  @Test func `of a task that is tried again are not part of the entry`() throws {
    try withTemporaryFolder { folder in
      let (store, pack) = (store(folder), try pack(folder))
      try bytes(100, 5).withUnsafeBytes { _ = try pack.append($0) }
      let entry = EntryBuilder(pack)
      var ends: [UInt32] = [3_000]
      for write in try keep(bytes(3_000, 6), ends: &ends, in: entry, store).1 { try write.run() }
      try entry.restart()
      #expect(pack.count == 100)
      let text = bytes(2_000, 7)
      ends = [2_000]
      let (chunk, writes) = try keep(text, ends: &ends, in: entry, store)
      for write in writes { try write.run() }
      #expect(chunk.range(in: entry) == 0..<2_000)
      let place = try entry.finish(table: [9])
      try pack.flush()
      let file = try #require(try EntryFile(place, in: pack), "the checksum is that of the entry")
      #expect(file.table == [9])
      #expect(try file.bytes(0..<2_000) == text)
    }
  }
}
