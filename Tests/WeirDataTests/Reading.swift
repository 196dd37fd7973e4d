import WeirData

/// What a decoder made of a shard.
struct ReadBack: Equatable {
  struct Line: Equatable {
    var number: Int
    var byteOffset: Int
    var bytes: [UInt8]
  }
  struct Oversized: Equatable {
    var number: Int
    var byteOffset: Int
    var length: Int
    var head: [UInt8]
    var sha256: String
  }
  var lines: [Line] = []
  var blank = 0
  var oversized: [Oversized] = []
  /// All blocks, one behind the other.
  var text: [UInt8] = []
  var uncheckedFrames = 0
  /// The largest block, in bytes.
  var largestBlock = 0

  var records: [String] { lines.map { String(decoding: $0.bytes, as: UTF8.self) } }
}

/// Reads a shard that arrives in pieces.
///
/// - Parameter pieceBytes: size of each piece by its index; all at once where absent.
func readShard(
  _ bytes: [UInt8], path: String = "shard.jsonl", limits: ShardLimits = ShardLimits(),
  pieceBytes: ((Int) -> Int)? = nil
) throws -> ReadBack {
  var decoder = ShardDecoder(path: path, limits: limits)
  var back = ReadBack()
  func take(_ block: consuming LineBlock) {
    back.blank += block.blank
    for line in block.lines {
      let range = Int(line.start)..<Int(line.start + line.length)
      back.lines.append(
        .init(
          number: Int(line.number), byteOffset: block.byteOffset + range.lowerBound,
          bytes: Array(block.bytes.view[range])))
    }
    for line in block.oversized {
      back.oversized.append(
        .init(
          number: line.number, byteOffset: line.byteOffset, length: line.length, head: line.head,
          sha256: hexText(line.sha256)))
    }
    back.text += block.bytes.copy()
    back.largestBlock = max(back.largestBlock, block.bytes.count)
  }
  var at = 0
  var index = 0
  while at < bytes.count {
    let count = min(bytes.count - at, max(1, pieceBytes?(index) ?? bytes.count))
    try decoder.consume(Bytes(bytes[at..<(at + count)]), emit: take)
    at += count
    index += 1
  }
  try decoder.finish(emit: take)
  back.uncheckedFrames = decoder.uncheckedFrames
  return back
}

/// The code that a shard is refused with, or `nil` where it is read.
func refusal(
  of bytes: [UInt8], path: String = "shard.jsonl.zst", limits: ShardLimits = ShardLimits(),
  pieceBytes: ((Int) -> Int)? = nil
) -> ShardError? {
  do {
    _ = try readShard(bytes, path: path, limits: limits, pieceBytes: pieceBytes)
    return nil
  } catch {
    return error as? ShardError
  }
}
