import Glibc
import Testing
import WeirData
import WeirTesting

@Suite struct `A shard file` {
  private func contents(_ path: String, piece: Int = 7) throws -> ([UInt8], Hash128) {
    let file = try ShardFile(path: path)
    var bytes: [UInt8] = []
    while let next = try file.read(upTo: piece) { bytes += next.copy() }
    #expect(file.size == bytes.count)
    return (bytes, file.contentHash())
  }

  private func refusal(_ path: String) -> ShardError? {
    do {
      _ = try contents(path)
      return nil
    } catch {
      return error as? ShardError
    }
  }

  /// One that is refused gives its descriptor back once: a second time it would be that of another file,
  /// which a thread opened meanwhile.
  @Test func `that is refused closes no file of others`() throws {
    let other = Thread {
      var lost = 0
      for _ in 0..<60_000 {
        let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
        var status = stat()
        if fstat(descriptor, &status) != 0 { lost += 1 }
        if close(descriptor) != 0 { lost += 1 }
      }
      return lost
    }
    for _ in 0..<60_000 { #expect(throws: ShardError.self) { try ShardFile(path: "/dev/zero") } }
    #expect(other.result() == 0)
  }

  @Test func `is read to its end, with the hash of its bytes`() throws {
    try withTemporaryFolder { folder in
      let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
      let path = try folder.write(bytes, as: "a")
      let hashes = try [1, 7, 64, 1_000, 5_000].map { piece in
        let (read, hash) = try contents(path, piece: piece)
        #expect(read == bytes)
        return hash
      }
      #expect(Set(hashes).count == 1)
      #expect(try contents(folder.write([], as: "empty")).0 == [])
    }
  }

  @Test func `gives what is in memory at once, and what is not when it was waited for`() throws {
    try withTemporaryFolder { folder in
      let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 8) }
      let path = try folder.write(bytes, as: "a")
      let hash = try contents(path, piece: 64_000).1
      for isCold in [false, true] {
        if isCold { try forget(path) }
        let file = try ShardFile(path: path)
        var (read, waited, isOver) = ([UInt8](), 0, false)
        while !isOver {
          switch try file.readAtHand(upTo: 64_000) {
          case .piece(let piece): read += piece.copy()
          case .end: isOver = true
          case .notYet:
            waited += 1
            guard let piece = try file.read(upTo: 64_000) else {
              isOver = true
              continue
            }
            read += piece.copy()
          }
        }
        #expect(read == bytes && file.contentHash() == hash)
        // The file system may know no way to say so, or have nowhere else to keep it.
        if !isCold { #expect(waited == 0 || waited > 4) }
      }
    }
  }

  @Test func `that is no file is refused without waiting`() throws {
    try withTemporaryFolder { folder in
      #expect(mkfifo(folder.file("fifo"), 0o600) == 0)
      #expect(refusal(folder.file("fifo"))?.code == .notRegular)
      #expect(refusal(folder.path)?.code == .notRegular)
      #expect(refusal("/dev/zero")?.code == .notRegular)
      #expect(symlink(folder.file("nowhere"), folder.file("dangling")) == 0)
      #expect(symlink(folder.file("loop"), folder.file("loop")) == 0)
      for name in ["missing", "dangling", "loop", "no/such/folder"] {
        let error = refusal(folder.file(name))
        #expect(error?.code == .unreadable)
        #expect(error?.path == folder.file(name))
      }
    }
  }

  @Test(.enabled(if: geteuid() != 0, "root may read everything"))
  func `that may not be read is refused`() throws {
    try withTemporaryFolder { folder in
      let path = try folder.write([1], as: "a")
      chmod(path, 0)
      #expect(refusal(path)?.code == .unreadable)
    }
  }

  @Test func `is not opened by the part of its name before a zero byte`() throws {
    try withTemporaryFolder { folder in
      let path = try folder.write([1], as: "a")
      #expect(refusal(path + "\0.jsonl")?.code == .unreadable)
    }
  }

  @Test func `that changes while it is read is refused`() throws {
    try withTemporaryFolder { folder in
      let path = try folder.write([UInt8](repeating: 1, count: 100), as: "a")
      let changes: [(String, (String) throws -> Void)] = [
        ("longer", { try writeFile([UInt8](repeating: 1, count: 101), to: $0) }),
        ("shorter", { try writeFile([UInt8](repeating: 1, count: 10), to: $0) }),
        (
          "same size, other time",
          {
            var times = [timespec(tv_sec: 1, tv_nsec: 5), timespec(tv_sec: 1, tv_nsec: 5)]
            #expect(utimensat(AT_FDCWD, $0, &times, 0) == 0)
          }
        ),
      ]
      for (name, change) in changes {
        for isAtHand in [false, true] {
          try writeFile([UInt8](repeating: 1, count: 100), to: path)
          let file = try ShardFile(path: path)
          _ = try file.read(upTo: 50)
          try change(path)
          let error = #expect(throws: ShardError.self, "\(name)") {
            if isAtHand { while case .piece = try file.readAtHand(upTo: 50) {} }
            while try file.read(upTo: 50) != nil {}
          }
          #expect(error?.code == .changed)
        }
      }
    }
  }

  @Test func `goes through the decoder as it lies on disk`() throws {
    try withTemporaryFolder { folder in
      let text = SampleShard.text((0..<1_000).map { "{\"id\":\($0)}" })
      for shard in [text, SampleShard.gzip(text, members: 3), SampleShard.zstd(text, frames: 3)] {
        let path = try folder.write(shard, as: "shard")
        let file = try ShardFile(path: path)
        var decoder = ShardDecoder(path: path, limits: ShardLimits())
        var out: [UInt8] = []
        while let piece = try file.read(upTo: 100) {
          try decoder.consume(piece) { out += $0.bytes.copy() }
        }
        try decoder.finish { out += $0.bytes.copy() }
        #expect(out == text)
      }
    }
  }
}

/// A thread with a number as its result.
private final class Thread: @unchecked Sendable {
  private let body: @Sendable () -> Int
  private var number = 0
  private var handle = pthread_t()

  init(_ body: @escaping @Sendable () -> Int) {
    self.body = body
    pthread_create(
      &handle, nil,
      { argument in
        let thread = Unmanaged<Thread>.fromOpaque(argument!).takeRetainedValue()
        thread.number = thread.body()
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
  }

  func result() -> Int {
    pthread_join(handle, nil)
    return number
  }
}
