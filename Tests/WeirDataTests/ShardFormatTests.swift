import Testing
import WeirData
import WeirTesting

@Suite struct `gzip shards` {
  private let records = (0..<60).map { "{\"id\":\($0),\"x\":\"\($0 * $0 % 97)\"}" }
  private var text: [UInt8] { SampleShard.text(records) }

  @Test(arguments: [1, 2, 7, 1_000])
  func `of many members read the same in pieces of any size`(piece: Int) throws {
    let shard = SampleShard.gzip(text, members: 4) + SampleShard.gzip([])
    for batch in [16, 100, 4_096] {
      var limits = ShardLimits()
      limits.batchBytes = batch
      let back = try readShard(shard, path: "a.jsonl.gz", limits: limits) { _ in piece }
      #expect(back.records == records)
      #expect(back.text == text)
    }
  }

  @Test func `cut anywhere but between members are refused`() {
    let members = [SampleShard.gzip(text), SampleShard.gzip(Array(text.dropFirst(9)))]
    let shard = members[0] + members[1]
    for cut in 1..<shard.count where cut != members[0].count {
      for piece in [1, 100_000] {
        let error = refusal(of: Array(shard[..<cut]), path: "a.gz") { _ in piece }
        #expect(error?.code == (cut < 2 ? .format : .truncated), "cut at \(cut)")
      }
    }
    #expect(refusal(of: members[0], path: "a.gz") == nil)
  }

  @Test func `with one bit turned are refused, or read the same`() throws {
    let shard = SampleShard.gzip(text, members: 2)
    var same = 0
    for bit in 0..<(shard.count * 8) {
      let damaged = SampleShard.flippingBit(bit, of: shard)
      guard let back = try? readShard(damaged, path: "a.gz") else { continue }
      #expect(back.text == text, "bit \(bit)")
      same += 1
    }
    // Time, extra flags and system in the two headers, and the padding of the last blocks.
    #expect(same > 80 && same < 120, "\(same)")
  }

  @Test func `with a wrong check sum or length are refused`() {
    let shard = SampleShard.gzip(text)
    for back in 1...8 {
      let error = refusal(of: SampleShard.flippingBit((shard.count - back) * 8, of: shard))
      #expect(error?.code == .checksum)
      #expect(error?.byte == 0)
    }
  }

  @Test(arguments: [[0x0A], [0], [0, 0, 0], [0x1F], [0x1F, 0x00, 0x00]])
  func `with bytes behind the last member are refused with the place`(garbage: [UInt8]) throws {
    let shard = SampleShard.gzip(text)
    for piece in [1, 100_000] {
      let error = try #require(
        refusal(of: shard + garbage, path: "a.gz", pieceBytes: { _ in piece }))
      #expect(error.code == (garbage == [0x1F] ? .truncated : .trailingBytes))
      #expect(error.byte == shard.count + (garbage == [0x1F] ? 1 : 0))
    }
  }

  @Test func `that unpack to a thousand times their size stream in little memory`() throws {
    let shard = SampleShard.gzip([UInt8](repeating: 0x0A, count: 32 << 20))
    #expect(shard.count < 40_000)
    var blank = 0
    var decoder = ShardDecoder(path: "a.gz", limits: ShardLimits())
    try decoder.consume(Bytes(shard)) { block in
      #expect(block.bytes.capacity <= 256 * 1024)
      blank += block.blank
    }
    try decoder.finish { blank += $0.blank }
    #expect(blank == 32 << 20)
  }
}

@Suite struct `The format of a shard` {
  private let text = Array("{\"id\":1}\n{\"id\":2}\n".utf8)

  @Test(arguments: ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "part-0000"], [1, 2, 3, 4, 5, 100])
  func `is known by its first bytes, whatever its name and its pieces`(path: String, piece: Int)
    throws
  {
    for shard in [text, SampleShard.gzip(text), SampleShard.zstd(text)] {
      #expect(try readShard(shard, path: path, pieceBytes: { _ in piece }).text == text)
    }
    let marked = [0xEF, 0xBB, 0xBF] + text
    #expect(try readShard(marked, path: path, pieceBytes: { _ in piece }).text == text)
    let spaced = Array("\n\n \t\r\n\n\n".utf8) + text
    #expect(try readShard(spaced, path: path, pieceBytes: { _ in piece }).text == spaced)
    for short in ["{}", "\n", "{}\n"] {
      let back = try readShard(Array(short.utf8), path: path, pieceBytes: { _ in piece })
      #expect(back.text == Array(short.utf8))
    }
  }

  @Test func `is not given by no bytes at all where the name says compressed`() throws {
    #expect(refusal(of: [], path: "a.jsonl.zst")?.code == .empty)
    #expect(refusal(of: [], path: "a.jsonl.gz")?.code == .empty)
    #expect(try readShard([], path: "a.jsonl") == ReadBack())
  }

  @Test func `is refused where the head is damaged`() {
    for shard in [SampleShard.zstd(text), SampleShard.gzip(text)] {
      for bit in 0..<16 {
        let damaged = SampleShard.flippingBit(bit, of: shard)
        for piece in [1, 3, 100] {
          let error = refusal(of: damaged, path: "a.jsonl.zst") { _ in piece }
          #expect(error?.code == .format, "bit \(bit)")
          #expect(error?.byte == 0)
        }
      }
    }
  }

  @Test func `does not depend on pieces without bytes`() throws {
    var decoder = ShardDecoder(path: "a.zst", limits: ShardLimits())
    var out: [UInt8] = []
    for byte in SampleShard.zstd(text) {
      for _ in 0..<20 { try decoder.consume(Bytes([])) { out += $0.bytes.copy() } }
      try decoder.consume(Bytes([byte])) { out += $0.bytes.copy() }
    }
    try decoder.finish { out += $0.bytes.copy() }
    #expect(out == text)
  }
}
