import Testing
import WeirData
import WeirTesting

@Suite struct `zstd shards` {
  private let text = SampleShard.text((0..<60).map { "{\"id\":\($0),\"x\":\"\($0 * $0 % 97)\"}" })
  private var records: [String] { (0..<60).map { "{\"id\":\($0),\"x\":\"\($0 * $0 % 97)\"}" } }

  @Test(arguments: [1, 2, 3, 5, 1_000])
  func `of many frames read the same in pieces of any size`(piece: Int) throws {
    let shard =
      SampleShard.skippableFrame() + SampleShard.zstd(text, frames: 7)
      + SampleShard.skippableFrame([1, 2, 3], variant: 15) + SampleShard.zstd([])
      + SampleShard.skippableFrame([UInt8](repeating: 0x28, count: 300), variant: 7)
      + SampleShard.zstd(text, frames: 2, checksum: false) + SampleShard.skippableFrame()
    let back = try readShard(shard, path: "a.jsonl.zst") { _ in piece }
    #expect(back.records == records + records)
    #expect(back.uncheckedFrames == 2)
    #expect(back.text == text + text)
  }

  @Test(arguments: [1, 2, 3, 50, 1_000])
  func `tell where their frames end, in pieces of any size`(piece: Int) {
    let frames = [
      SampleShard.zstd(text), SampleShard.skippableFrame([1, 2, 3]), SampleShard.zstd([]),
      SampleShard.zstd(text, checksum: false), SampleShard.rawFrame(Array("{}".utf8)),
      SampleShard.zstdBomb(0x20, count: 1 << 20), SampleShard.skippableFrame(),
      SampleShard.zstd(text, level: 19),
    ]
    let shard = frames.flatMap { $0 }
    func ends(_ shard: [UInt8]) -> [Int] {
      var walk = ZstdFrames()
      var found: [Int] = []
      for from in stride(from: 0, to: shard.count, by: piece) {
        var at = from
        let end = min(from + piece, shard.count)
        while let count = shard[at..<end].withUnsafeBufferPointer({ walk.advance($0) }) {
          at += count
          found.append(at)
        }
      }
      return found
    }
    let expected = frames.indices.map { frames[...$0].reduce(0) { $0 + $1.count } }
    #expect(ends(shard) == expected)
    #expect(ends(shard + Array("no frame".utf8) + shard) == expected)
    #expect(ends(Array(shard.dropLast())) == expected.dropLast())
  }

  @Test func `read the same with any size of batch`() throws {
    let shard = SampleShard.zstd(text, frames: 3)
    for batch in [16, 17, 100, 333, 4_096] {
      var limits = ShardLimits()
      limits.batchBytes = batch
      for piece in [1, 13, 10_000] {
        let back = try readShard(shard, path: "a.zst", limits: limits) { _ in piece }
        #expect(back.text == text)
        #expect(back.records == records)
      }
    }
  }

  @Test func `without records are read`() throws {
    #expect(try readShard(SampleShard.zstd([]), path: "a.zst") == ReadBack())
    #expect(try readShard(SampleShard.skippableFrame(), path: "a.zst") == ReadBack())
    #expect(try readShard(SampleShard.rawFrame(), path: "a.zst").uncheckedFrames == 1)
  }

  @Test func `cut anywhere but between frames are refused`() throws {
    let frames = [0, 1, 2].map { SampleShard.zstd(Array(text.dropFirst($0)), level: 1 + $0) }
    let shard = frames.flatMap { $0 } + SampleShard.skippableFrame([9, 9, 9])
    let borders = [frames[0].count, frames[0].count + frames[1].count, shard.count - 11]
    for cut in 1..<shard.count where !borders.contains(cut) {
      for piece in [1, 64, 100_000] {
        let error = refusal(of: Array(shard[..<cut])) { _ in piece }
        // Less than a magic number is nothing that can be known.
        #expect(error?.code == (cut < 4 ? .format : .truncated), "cut at \(cut)")
        if cut >= 4 { #expect(error?.byte == cut) }
      }
    }
    for cut in borders { #expect(refusal(of: Array(shard[..<cut])) == nil) }
  }

  @Test func `with one bit turned are refused, or read the same`() throws {
    let shard = SampleShard.zstd(text, frames: 2) + SampleShard.skippableFrame([7, 7])
    var same = 0
    for bit in 0..<(shard.count * 8) {
      let damaged = SampleShard.flippingBit(bit, of: shard)
      for piece in [3, 100_000] {
        guard let back = try? readShard(damaged, path: "a.zst", pieceBytes: { _ in piece }) else {
          #expect(refusal(of: damaged) != nil)
          continue
        }
        #expect(back.text == text, "bit \(bit)")
        if piece == 3 { same += 1 }
      }
    }
    // The content and the variant of the skippable frame, and bits that no reader looks at.
    #expect(same >= 20 && same < 60, "\(same)")
  }

  @Test func `that ask for too large a window are refused by name`() throws {
    let good = SampleShard.zstd(text)
    for (log, isFine) in [(20, true), (27, true), (28, false), (31, false), (41, false)] {
      let shard = good + SampleShard.rawFrame(Array("{}\n".utf8), windowLog: UInt8(log))
      let error = refusal(of: shard) { _ in 5 }
      #expect(error?.code == (isFine ? nil : .windowTooLarge), "\(log)")
      if !isFine { #expect(error?.byte == good.count) }
    }
    var limits = ShardLimits()
    limits.windowLogMax = 12
    #expect(refusal(of: SampleShard.rawFrame(windowLog: 13), limits: limits)?.byte == 0)
    #expect(refusal(of: SampleShard.rawFrame(windowLog: 12), limits: limits) == nil)
  }

  @Test func `that need a dictionary are refused by name`() {
    let error = refusal(of: SampleShard.zstd(text) + SampleShard.rawFrame(dictionary: 77))
    #expect(error?.code == .dictionary)
    #expect(error?.byte == SampleShard.zstd(text).count)
    #expect(error?.message.contains("77") == true)
  }

  @Test(arguments: [[0x0A], [0], [0x28], [0x28, 0xB5], [0x50, 0x2A], [0, 0, 0, 0, 0, 0, 0, 0]])
  func `with bytes behind the last frame are refused with the place`(garbage: [UInt8]) throws {
    let shard = SampleShard.zstd(text, frames: 2)
    for piece in [1, 100_000] {
      let error = try #require(refusal(of: shard + garbage) { _ in piece })
      // What may be the beginning of a frame is a frame that was cut.
      let isStart = garbage[0] == 0x28 || garbage[0] == 0x50
      #expect(error.code == (isStart ? .truncated : .trailingBytes))
      #expect(error.byte == shard.count + (isStart ? garbage.count : 0))
    }
    let error = try #require(refusal(of: shard + Array("{\"id\":1}\n".utf8)))
    #expect(error.code == .trailingBytes)
    #expect(error.byte == shard.count)
  }

  @Test func `with a damaged header are corrupt, with the byte of their frame`() throws {
    // The reserved bit of the frame header.
    let frame = SampleShard.zstd(text)
    #expect(refusal(of: SampleShard.flippingBit(4 * 8 + 3, of: frame))?.code == .corrupt)
    let second = refusal(of: frame + SampleShard.flippingBit(4 * 8 + 3, of: frame))
    #expect(second?.code == .corrupt)
    #expect(second?.byte == frame.count)
    // The checksum.
    let error = refusal(of: frame + SampleShard.flippingBit(frame.count * 8 - 1, of: frame))
    #expect(error?.code == .checksum)
    #expect(error?.byte == frame.count)
  }

  @Test func `that unpack to thousands of times their size stream in little memory`() throws {
    let size = 256 << 20
    let shard = SampleShard.zstdBomb(0x78, count: size) + SampleShard.zstdBomb(0x0A, count: 5)
    #expect(shard.count < 10_000)
    let back = try readShardSizes(shard)
    #expect(back.largestBlock <= 16 << 20 + 2)
    #expect(back.oversized == [size])
    #expect(back.blank == 4)
  }

  /// Reads without keeping the text.
  private func readShardSizes(
    _ shard: [UInt8]
  ) throws -> (largestBlock: Int, oversized: [Int], blank: Int) {
    var decoder = ShardDecoder(path: "bomb.zst", limits: ShardLimits())
    var result = (largestBlock: 0, oversized: [Int](), blank: 0)
    func take(_ block: consuming LineBlock) {
      result.largestBlock = max(result.largestBlock, block.bytes.capacity)
      result.oversized += block.oversized.map(\.length)
      result.blank += block.blank
    }
    try decoder.consume(Bytes(shard), emit: take)
    try decoder.finish(emit: take)
    return result
  }

  @Test(
    "of the golden set unpack",
    .enabled(if: SharedData.has("data/zstd-golden"), "needs ../shared/data/zstd-golden"),
    arguments: [
      ("block-128k.zst", "672003418993584239ec5c79232de911699178ad820cd3ca9779abbfe7f7ba7d"),
      ("empty-block.zst", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("rle-first-block.zst", "30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58"),
    ])
  func golden(name: String, hash: String) throws {
    let shard = try SharedData.bytes("data/zstd-golden/tests/golden-decompression/" + name)
    for piece in [1, 4_096, shard.count] {
      let back = try readShard(shard, path: name) { _ in piece }
      #expect(hexText(sha256(back.text)) == hash)
    }
  }

  @Test(
    "come back from the encoder as they went in",
    .enabled(if: SharedData.has("data/zstd-golden"), "needs ../shared/data/zstd-golden"),
    arguments: SharedData.names(in: "data/zstd-golden/tests/golden-compression"))
  func goldenRoundTrip(name: String) throws {
    let content = try SharedData.bytes("data/zstd-golden/tests/golden-compression/" + name)
    for level in [1, 3, 9, 19] {
      let shard = SampleShard.zstd(content, frames: 2, level: level)
      #expect(try readShard(shard, path: "a.zst").text == content)
    }
  }
}

@Suite struct `The zstd encoder` {
  private let text = Array(String(repeating: "{\"label\":\"removed\",\"n\":1}\n", count: 500).utf8)

  @Test func `writes the same bytes each time, in one frame with checksum and size`() throws {
    let once = ZstdEncoder(level: 3)
    let first = once.frame(text)
    _ = once.frame(Array(text.prefix(100)))
    #expect(once.frame(text) == first)
    #expect(ZstdEncoder(level: 3).frame(text) == first)
    #expect(first.count < text.count / 10)
    #expect(first[4] & 4 == 4)
    #expect(try readShard(first, path: "a.zst").uncheckedFrames == 0)
  }

  @Test(arguments: [1, 3, 9, 19])
  func `writes the same bytes whatever it compressed before`(level: Int) throws {
    var random = SeededRandom(seed: UInt64(level))
    for long in [nil, 20, 22] {
      let settings = ZstdSettings(level: level, long: long)
      let used = ZstdEncoder(settings)
      for size in [10, 300_000, 0, 1, 70_000, 1_500_000, 4_096, 200_000] {
        // Words over and over, so that there is something to find.
        let words = (0..<40).map { _ in Array("\(random.next() % 10_000) ".utf8) }
        var text: [UInt8] = []
        while text.count < size { text += random.pick(words) }
        let frame = used.frame(text)
        #expect(frame == ZstdEncoder(settings).frame(text), "\(size) bytes, long \(long ?? 0)")
        let back = try readShard(frame, path: "a.zst")
        #expect(back.text == text && back.uncheckedFrames == 0)
      }
    }
  }
}
