import Testing
import WeirTesting

@testable import WeirData

/// What a shard is found to be depends on its bytes, not on how much room there is for its text.
@Suite struct `Frames that lie` {
  /// `ok`, or the error, and the bytes that came before it.
  private func verdict(_ shard: [UInt8], room: Int) throws -> (text: String, bytes: [UInt8]) {
    let decoder = try Decompressor(format: .zstd, path: "a.zst", windowLogMax: 27)
    var output = [UInt8](repeating: 0, count: room)
    var bytes: [UInt8] = []
    var at = 0
    do {
      while true {
        let count = try shard.withUnsafeBufferPointer { input in
          try output.withUnsafeMutableBufferPointer {
            try decoder.decode(
              input, from: 0, at: &at, into: $0.baseAddress!, capacity: $0.count)
          }
        }
        guard count > 0 else { break }
        bytes += output[..<count]
      }
      try decoder.finish(at: shard.count)
      return ("ok", bytes)
    } catch let error as ShardError {
      return ("\(error.code.rawValue): \(error.message)", bytes)
    }
  }

  /// A frame with its content size in four bytes, no checksum and one block.
  private func frame(size: Int, block: Int, isRepeated: Bool, content: [UInt8]) -> [UInt8] {
    let head = block << 3 | (isRepeated ? 2 : 0) | 1
    return [0x28, 0xB5, 0x2F, 0xFD, 0xA0]
      + (0..<4).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) }
      + (0..<3).map { UInt8(truncatingIfNeeded: head >> (8 * $0)) } + content
  }

  private static let rooms = [1_000, 16_384, 131_072, 162_000, 200_000, 262_144, 1 << 20]

  @Test(arguments: [1_000, 131_072, 131_073, 200_000, 300_000])
  func `are judged the same with any room, whatever their blocks claim`(_ size: Int) throws {
    for shard in [
      frame(size: size, block: size, isRepeated: true, content: [0x0A]),
      frame(size: size + 100, block: size, isRepeated: true, content: [0x0A]),
      frame(size: size - 100, block: size, isRepeated: true, content: [0x0A]),
      frame(
        size: size, block: min(size, 131_000), isRepeated: false,
        content: [UInt8](repeating: 0x0A, count: min(size, 131_000))),
    ] {
      let first = try verdict(shard, room: Self.rooms[0])
      for room in Self.rooms.dropFirst() {
        let other = try verdict(shard, room: room)
        #expect(other.text == first.text, "\(room)")
        if first.text == "ok" { #expect(other.bytes.count == first.bytes.count) }
      }
    }
    let honest = frame(size: 1_000, block: 1_000, isRepeated: true, content: [0x0A])
    #expect(try verdict(honest, room: 5_000).text == "ok")
  }

  @Test func `are judged the same with any room, wherever a bit is flipped`() throws {
    let text = SampleShard.text((0..<400).map { "{\"id\":\($0),\"x\":\"\($0 * $0 % 97)\"}" })
    let shard = SampleShard.zstd(text, checksum: false)
    var random = SeededRandom(seed: 5)
    for _ in 0..<400 {
      var damaged = shard
      damaged[random.below(damaged.count)] ^= UInt8(1 << random.below(8))
      let first = try verdict(damaged, room: 1_000)
      for room in [text.count - 1, text.count, text.count + 1, 262_144] {
        #expect(try verdict(damaged, room: room).text == first.text)
      }
    }
  }
}
