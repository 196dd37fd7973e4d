import Testing
import WeirTesting

@testable import WeirData

@Suite struct `Lines of a shard` {
  /// What the lines of `text` are, by the words of the format and nothing else.
  private func expected(_ text: [UInt8], recordBytesMax: Int) -> ReadBack {
    var back = ReadBack()
    var start = text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    back.text = Array(text[start...])
    var number = 1
    while start < text.count {
      let feed = text[start...].firstIndex(of: 0x0A)
      var end = feed ?? text.count
      if feed != nil, end > start, text[end - 1] == 0x0D { end -= 1 }
      let line = Array(text[start..<end])
      if line.count > recordBytesMax {
        back.oversized.append(
          .init(
            number: number, byteOffset: start, length: line.count,
            head: Array(line.prefix(64 * 1024)), sha256: hexText(sha256(line))))
      } else if line.allSatisfy({ [0x20, 0x09, 0x0D].contains($0) }) {
        back.blank += 1
      } else {
        back.lines.append(.init(number: number, byteOffset: start, bytes: line))
      }
      number += 1
      start = (feed ?? text.count - 1) + 1
    }
    return back
  }

  private func limits(batch: Int, record: Int) -> ShardLimits {
    var limits = ShardLimits()
    limits.batchBytes = batch
    limits.recordBytesMax = record
    return limits
  }

  private func check(_ text: [UInt8], batch: Int, record: Int, pieces: @escaping (Int) -> Int)
    throws
  {
    let limits = limits(batch: batch, record: record)
    var back = try readShard(text, limits: limits, pieceBytes: pieces)
    var expected = expected(text, recordBytesMax: record)
    // Records over the limit are passed over where no block can hold them.
    if expected.oversized.isEmpty {
      #expect(back.text == expected.text)
    }
    back.text = []
    expected.text = []
    back.largestBlock = 0
    #expect(back == expected, "batch \(batch), record \(record), \(text)")
  }

  @Test func `are the same for every size of batch and every split of the file`() throws {
    var random = SeededRandom(seed: 1)
    let parts: [[UInt8]] = [
      [0x0A], [0x0D, 0x0A], [0x0D], [0x20], [0x09], [0x61], [0x62, 0x63], [0xEF, 0xBB, 0xBF],
      Array("{\"a\":1}".utf8), Array(repeating: 0x78, count: 15), Array(repeating: 0x79, count: 33),
    ]
    for _ in 0..<6_000 {
      let text = (0..<random.below(24)).flatMap { _ in random.pick(parts) }
      let seed = random.next()
      let most = 1 + random.below(40)
      try check(text, batch: 16 + random.below(64), record: 1 + random.below(48)) { index in
        var pieces = SeededRandom(seed: seed &+ UInt64(index))
        return 1 + pieces.below(most)
      }
    }
  }

  @Test(arguments: [16, 17, 1_000, 65_536, 4 << 20])
  func `of a larger shard are the same for every size of batch`(batch: Int) throws {
    var random = SeededRandom(seed: 2)
    let records = (0..<20_000).map { i in
      random.oneIn(50)
        ? "" : "{\"id\":\(i),\"text\":\"\(String(repeating: "é", count: random.below(40)))\"}"
    }
    let text = SampleShard.text(records, lineEnd: "\r\n", endsLastLine: false, byteOrderMark: true)
    for piece in [1 << 20, 4_099] {
      try check(text, batch: batch, record: 8 << 20) { _ in piece }
    }
  }

  @Test(arguments: [16, 31, 32, 33, 34, 64, 128], ["\n", "\r\n"])
  func `at the limit are records, one byte over they are not`(batch: Int, end: String) throws {
    for length in 31...35 {
      for closed in [true, false] {
        for before in [0, 1, 5] {
          let records =
            Array(repeating: "{}", count: before) + [String(repeating: "x", count: length)]
            + (closed ? ["{}"] : [])
          let text = SampleShard.text(records, lineEnd: end, endsLastLine: false)
          for piece in [1, 7, 1_000] {
            try check(text, batch: batch, record: 32) { _ in piece }
          }
        }
      }
    }
  }

  @Test func `over the limit keep their first 64 KiB and a hash of all`() throws {
    for length in [65_535, 65_536, 65_537, 300_000] {
      let line = (0..<length).map { UInt8(0x61 + $0 % 23) }
      for batch in [64, 4_096, 1 << 20] {
        for end in [[], [0x0A], [0x0D, 0x0A], [0x0D]] as [[UInt8]] {
          try check([0x61, 0x0A] + line + end, batch: batch, record: 5_000) { _ in 1_777 }
        }
      }
    }
  }

  @Test func `over the limit are not held in memory`() throws {
    var text = Array(repeating: UInt8(0x78), count: 4 << 20)
    text += Array("\n{}\n".utf8)
    let back = try readShard(text, limits: limits(batch: 1_024, record: 10_000)) { _ in 5_000 }
    #expect(back.oversized.map(\.length) == [4 << 20])
    #expect(back.records == ["{}"])
    #expect(back.lines[0].number == 2)
    #expect(back.largestBlock < 20_000)
  }

  @Test func `begin behind a byte order mark on line 1 only`() throws {
    let back = try readShard(Array("\u{FEFF}{}\n\u{FEFF}{}\n".utf8)) { _ in 1 }
    #expect(back.lines.map(\.byteOffset) == [3, 6])
    #expect(back.lines[1].bytes == [0xEF, 0xBB, 0xBF, 0x7B, 0x7D])
    #expect(try readShard([0xEF, 0xBB, 0xBF]) == ReadBack())
    #expect(try readShard([0xEF, 0xBB]).lines.map(\.bytes) == [[0xEF, 0xBB]])
  }

  @Test func `that hold white space only are counted, not taken for records`() throws {
    let back = try readShard(Array("\n \t\r\n\r\n{}\n\n  ".utf8))
    #expect(back.blank == 5)
    #expect(back.lines.map(\.number) == [4])
  }

  @Test func `of a file with nothing in it are none`() throws {
    #expect(try readShard([]) == ReadBack())
  }

  @Test func `more than 32 bits can count are refused, not miscounted`() throws {
    var decoder = ShardDecoder(
      path: "shard.jsonl", limits: ShardLimits(), firstLine: Int(UInt32.max) - 1)
    try decoder.consume(Bytes(Array("{}\n{}\n".utf8))) { _ in }
    let error = #expect(throws: ShardError.self) {
      try decoder.consume(Bytes(Array(repeating: 0x0A, count: 300_000))) { _ in }
    }
    #expect(error?.code == .tooManyLines)
  }
}
