import Glibc
import Testing
import WeirData
import WeirTesting

@testable import WeirEngine

@Suite struct `What memory has no room for` {
  private func store(_ bytes: Int, _ folder: TemporaryFolder) -> ChunkStore {
    ChunkStore(budget: MemoryBudget(bytes: bytes), file: SpillFile(path: folder.file("chunks")))
  }

  private func chunk(_ size: Int, _ random: inout SeededRandom) -> [UInt8] {
    (0..<size).map { _ in UInt8(random.below(7)) }
  }

  @Test(arguments: [0, 500, 20_000, .max])
  func `comes back from the disk as it was`(bytes: Int) throws {
    try withTemporaryFolder { folder in
      var random = SeededRandom(seed: UInt64(truncatingIfNeeded: bytes))
      let coder = FrameCoder()
      let store = store(bytes, folder)
      var kept: [(chunk: KeptChunk, bytes: [UInt8], ends: [UInt32]?)] = []
      for i in 0..<60 {
        let bytes = chunk(1 + random.below(1_000), &random)
        var ends: [UInt32]?
        let kept1 = try bytes.withUnsafeBytes { bytes -> KeptChunk in
          var writes: [ChunkWrite] = []
          defer { #expect(writes.count <= 1) }
          let chunk: KeptChunk
          if i % 2 == 0 {
            chunk = store.keep(bytes, coder) { writes.append($0) }
          } else {
            var some = [UInt32(bytes.count / 3), UInt32(bytes.count / 3), UInt32(bytes.count)]
            chunk = store.keep(bytes, ends: &some, coder) { writes.append($0) }
            ends = some
          }
          for write in writes { try write.run() }
          return chunk
        }
        kept.append((kept1, bytes, ends))
      }
      var buffer = RawBuffer()
      for (chunk, bytes, ends) in kept.shuffled(using: &random) {
        guard let ends else {
          #expect(try Array(store.read(chunk, nil, coder, &buffer)) == bytes)
          continue
        }
        if ends[0] > 0 {
          let first = try store.read(chunk, 0..<Int(ends[0]), coder, &buffer)
          #expect(Array(first) == Array(bytes[..<(bytes.count / 3)]))
        }
        let last = try store.read(chunk, Int(ends[1])..<Int(ends[2]), coder, &buffer)
        #expect(Array(last) == Array(bytes[(bytes.count / 3)...]))
      }
      let inMemory = kept.count { $0.chunk.isInMemory }
      #expect(bytes == 0 ? inMemory == 0 : bytes == .max ? inMemory == 60 : inMemory > 0)
    }
  }

  @Test func `that was damaged on the disk is an error`() throws {
    try withTemporaryFolder { folder in
      var random = SeededRandom(seed: 3)
      let coder = FrameCoder()
      let store = store(0, folder)
      let bytes = chunk(3_000, &random)
      var writes: [ChunkWrite] = []
      let chunk = bytes.withUnsafeBytes { store.keep($0, coder) { writes.append($0) } }
      var buffer = RawBuffer()
      // Before it was written.
      #expect(throws: FileError.self) { _ = try store.read(chunk, nil, coder, &buffer) }
      for write in writes { try write.run() }
      let good = try readFile(folder.file("chunks"))
      for _ in 0..<200 {
        var bad = good
        bad[random.below(bad.count)] ^= UInt8(1 << random.below(8))
        try overwrite(folder.file("chunks"), bad)
        do {
          let back = try store.read(chunk, nil, coder, &buffer)
          // Some bits of a header say nothing about the content.
          #expect(Array(back) == bytes)
        } catch let error as RunError {
          #expect(error.code == "damaged_spill" && error.isTransient)
        }
      }
      try overwrite(folder.file("chunks"), good)
      #expect(try Array(store.read(chunk, nil, coder, &buffer)) == bytes)
      try overwrite(folder.file("chunks"), Array(good.dropLast()))
      #expect(throws: FileError.self) { _ = try store.read(chunk, nil, coder, &buffer) }
    }
  }

  /// Writes into the file that is there: another one would not be read.
  private func overwrite(_ path: String, _ bytes: [UInt8]) throws {
    let descriptor = try #require(open(path, O_WRONLY | O_TRUNC | O_CLOEXEC))
    defer { close(descriptor) }
    try bytes.withUnsafeBufferPointer { try writeAll($0, to: descriptor, path: path) }
  }

  @Test func `and the disk neither is an error with the path`() throws {
    try withTemporaryFolder { folder in
      let memory = RunMemory(
        MemoryShares(workers: 1, kept: 100), directory: folder.file("missing"))
      let small = try memory.setAside(Array(repeating: 1, count: 60))
      #expect(throws: FileError.self) { _ = try memory.setAside(Array(repeating: 2, count: 60)) }
      #expect(memory.isOnDisk)
      #expect(try memory.takeBack(small) == Array(repeating: 1, count: 60))
      // What was taken back makes room.
      _ = try memory.setAside(Array(repeating: 2, count: 60))
    }
  }

  @Test func `leaves its folder as it was`() throws {
    try withTemporaryFolder { folder in
      do {
        let memory = RunMemory(MemoryShares(workers: 1, kept: 0), directory: folder.path)
        let waiting = try memory.setAside([1, 2, 3])
        #expect(try memory.takeBack(waiting) == [1, 2, 3])
        #expect(listFolder(folder.path) == ["rest"])
      }
      #expect(listFolder(folder.path).isEmpty)
    }
  }

  @Test(arguments: 0..<20)
  func `of lines is small and the same again`(seed: Int) {
    var random = SeededRandom(seed: UInt64(seed))
    var outcomes = LineOutcomes()
    let count = random.pick([0, 1, 127, 128, 129, 70_000])
    outcomes.extend(to: count)
    let changes = random.pick([0, 3, count / 2])
    for _ in 0..<min(count, changes) {
      outcomes.raise(1 + random.below(count), to: random.pick(Outcome.allCases))
    }
    #expect(LineOutcomes(encoded: outcomes.encoded).bytes == outcomes.bytes)
    let counts = Outcome.allCases.map { outcome in
      outcomes.bytes.count { $0 == outcome.rawValue }
    }
    #expect(outcomes.counts == counts)
    #expect(LineOutcomes.counts(encoded: outcomes.encoded) == counts)
    #expect(outcomes.encoded.count <= 4 * (changes * 2 + 2))
    let most = random.pick([1, 200, 300, 70_000])
    let groups = (0..<count).map { _ in UInt32(random.below(most)) }
    #expect(decodeGroups(encodeGroups(groups)) == groups)
  }
}

@Suite struct `The memory of a run` {
  @Test(arguments: [
    ("256MB", 256_000_000), ("1GiB", 1 << 30), ("4g", 4 << 30), ("1.5gb", 1_500_000_000),
    ("512k", 512 << 10), ("100B", 100), ("2TiB", 2 << 40), ("7MIB", 7 << 20),
  ])
  func `is written as people write sizes`(text: String, bytes: Int) {
    #expect(MemoryShares.bytes(text) == bytes)
  }

  @Test(arguments: [
    "", "256", "MB", "-1MB", "1 MB", "1.MB", ".5MB", "1.2.3MB", "1e3MB", "0MB", "9999999TB", "1XB",
    "1MBit", "inf", "nanMB", "0x10MB", "１MB",
  ])
  func `is refused where it is no size`(text: String) {
    #expect(MemoryShares.bytes(text) == nil)
  }

  @Test func `is shared among as many workers as it is enough for`() throws {
    let batch = 256 << 10
    let worker = MemoryShares.workerBytes(batchBytes: batch)
    let smallest = MemoryShares.baseBytes + worker
    #expect {
      _ = try MemoryShares(limit: smallest - 1, workers: 4, batchBytes: batch)
    } throws: { ($0 as? MemoryTooSmall)?.smallest == smallest }
    let one = try MemoryShares(limit: smallest, workers: 4, batchBytes: batch)
    #expect(one.workers == 1 && one.kept == 0 && one.deciding > 0)
    let all = try MemoryShares(limit: smallest * 100, workers: 4, batchBytes: batch)
    #expect(all.workers == 4)
    let rest = smallest * 100 - 4 * worker - MemoryShares.baseBytes
    #expect(all.kept == rest - rest / 11)
    #expect(MemoryShares.bytes(MemoryShares.text(smallest))! >= smallest)
    #expect(MemoryShares.defaultLimit > 0)
  }
}
