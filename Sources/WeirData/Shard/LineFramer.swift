import CSimdjson
import Glibc

/// Limits on what a shard may hold.
public struct ShardLimits: Sendable, Hashable {
  /// Target size of one batch, in decompressed bytes, at least 16 and at most 1 GiB. A hand-over between two tasks costs about 1 µs
  /// and 256 KiB takes about 250 µs to scan, so hand-overs stay under 1 %.
  public var batchBytes = 256 * 1024
  /// The longest record accepted, in bytes, line end excluded, at most 1 GiB. Longer ones go to the
  /// quarantine whole: a cut record is valid JSON often enough to be believed.
  public var recordBytesMax = 8 * 1024 * 1024
  /// The largest window a zstd frame may ask for, as a power of two: 27 is 128 MiB, what `zstd -19`
  /// and `--long` use.
  public var windowLogMax = 27

  public init() {}

  /// The same where offsets in a block fit 32 bits.
  var clamped: ShardLimits {
    var limits = self
    limits.batchBytes = min(max(batchBytes, 16), 1 << 30)
    limits.recordBytesMax = min(max(recordBytesMax, 0), 1 << 30)
    return limits
  }
}

/// A record over the limit: its beginning, and what it was.
public struct OversizedLine: Sendable {
  /// Bytes of such a record that are kept.
  public static let keptBytes = 64 * 1024

  /// 1-based line number in the shard.
  public var number: Int
  /// Where it begins in the decompressed shard, in bytes.
  public var byteOffset: Int
  /// Bytes in all, line end excluded.
  public var length: Int
  /// The first ``keptBytes``.
  public var head: [UInt8]
  /// SHA-256 of all of it.
  public var sha256: [UInt8]
}

/// Whole lines of a shard, in order, with what was found between them.
@frozen public struct LineBlock: ~Copyable, Sendable {
  /// The text: lines end with a line feed, the very last one may not.
  public var bytes: Bytes
  /// Where the text begins in the decompressed shard, in bytes.
  public var byteOffset: Int
  /// 1-based number of the first line.
  public var firstLine: Int
  /// Records over the limit that stand before or in this block.
  public var oversized: [OversizedLine]
  /// Line feeds in the text.
  var lineFeeds: Int
}

/// The lines of a block that hold something, as a batch wants them.
public struct BlockLines: Sendable {
  public var lines: [BatchLine] = []
  /// Lines of nothing but white space.
  public var blank = 0
  public var oversized: [OversizedLine] = []
}

extension LineBlock {
  /// Finds the lines: a carriage return before the line feed is not part of them.
  public func findLines(recordBytesMax: Int) -> BlockLines {
    var found = BlockLines()
    found.oversized = oversized
    let text = bytes.view
    found.lines.reserveCapacity(lineFeeds + 1)
    var start = 0
    var number = firstLine
    while start < text.count {
      let rest = text.count - start
      let hit = memchr(text.baseAddress! + start, 0x0A, rest)
      let next = hit.map { UnsafeRawPointer($0) - UnsafeRawPointer(text.baseAddress!) + 1 }
      var end = next.map { $0 - 1 } ?? text.count
      if next != nil, end > start, text[end - 1] == 0x0D { end -= 1 }
      if end - start > recordBytesMax {
        found.oversized.append(oversizedLine(start..<end, number))
      } else if isBlank(text, start, end) {
        found.blank += 1
      } else {
        found.lines.append(
          BatchLine(
            start: UInt32(start), length: UInt32(end - start), number: UInt32(clamping: number)))
      }
      start = next ?? text.count
      number += 1
    }
    return found
  }

  private func oversizedLine(_ range: Range<Int>, _ number: Int) -> OversizedLine {
    let line = UnsafeBufferPointer(rebasing: bytes.view[range])
    let hasher = SHA256Hasher()
    hasher.update(line)
    return OversizedLine(
      number: number, byteOffset: byteOffset + range.lowerBound, length: line.count,
      head: Array(line.prefix(OversizedLine.keptBytes)), sha256: hasher.finish())
  }
}

@inline(__always)
private func isBlank(_ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int) -> Bool {
  var i = start
  while i < end {
    let byte = text[i]
    guard byte == 0x20 || byte == 0x09 || byte == 0x0D else { return false }
    i += 1
  }
  return true
}

/// Cuts a decompressed stream into blocks of whole lines. Where the blocks end depends on the sizes
/// asked for; what the lines are does not.
public struct LineFramer: ~Copyable, @unchecked Sendable {
  /// Positions hold line numbers in 32 bits.
  private static let linesMax = Int(UInt32.max)

  private let path: String
  private let limits: ShardLimits
  private var block: Bytes
  private var blockOffset = 0
  private var blockFirstLine: Int
  private var oversized: [OversizedLine] = []
  private var skipped: Skipped?
  private var isAtStart = true

  /// A record over the limit that is being passed over.
  private struct Skipped {
    var number: Int
    var byteOffset: Int
    var length: Int
    var head: [UInt8]
    var hasher: SHA256Hasher
    var lastByte: UInt8
  }

  /// - Parameter path: for messages.
  public init(path: String, limits: ShardLimits, firstLine: Int = 1) {
    self.path = path
    self.limits = limits.clamped
    blockFirstLine = firstLine
    block = Bytes(capacity: self.limits.batchBytes)
  }

  /// Where decompressed bytes may be written, and how many.
  public var room: (UnsafeMutablePointer<UInt8>, Int) {
    (block.base + block.count, block.capacity - block.count)
  }

  /// Takes text from `at` on, as much as fits, and moves `at` on; hands on a block when it is full.
  public mutating func add(
    _ text: UnsafeBufferPointer<UInt8>, at: inout Int
  ) throws(ShardError) -> LineBlock? {
    let (to, space) = room
    let count = min(space, text.count - at)
    memcpy(to, text.baseAddress! + at, count)
    at += count
    return try wrote(count)
  }

  /// Takes `count` bytes that were written into ``room``; hands on a block when it is full.
  ///
  /// - Throws: ``ShardError`` past the most lines that a position can tell.
  public mutating func wrote(_ count: Int) throws(ShardError) -> LineBlock? {
    block.count += count
    if isAtStart, block.count >= 3 { dropByteOrderMark() }
    if skipped != nil { continueSkip() }
    guard block.count == block.capacity else { return nil }
    let sent = handOn()
    guard blockFirstLine <= LineFramer.linesMax else {
      throw ShardError(
        code: .tooManyLines, path: path, byte: nil, message: "more than \(UInt32.max) lines",
        fix: "split the shard")
    }
    return sent
  }

  /// What is left at the end of the shard.
  public mutating func finish() -> LineBlock? {
    if skipped != nil { endSkip(withLineFeed: false) }
    return block.count > 0 || !oversized.isEmpty ? send(block.count) : nil
  }

  private mutating func dropByteOrderMark() {
    isAtStart = false
    guard block.base[0] == 0xEF, block.base[1] == 0xBB, block.base[2] == 0xBF else { return }
    block.count -= 3
    memmove(block.base, block.base + 3, block.count)
    blockOffset = 3
  }

  private mutating func handOn() -> LineBlock? {
    let whole = weir_last_newline(block.base, block.count)
    if whole > 0 { return send(whole) }
    if block.count <= limits.recordBytesMax + 1 {
      // One byte over may be the carriage return of a line end.
      var larger = Bytes(capacity: block.capacity * 2)
      memcpy(larger.base, block.base, block.count)
      larger.count = block.count
      block = larger
    } else {
      beginSkip()
    }
    return nil
  }

  /// The first `whole` bytes; the rest is kept.
  private mutating func send(_ whole: Int) -> LineBlock {
    let rest = block.count - whole
    var next = Bytes(capacity: max(limits.batchBytes, rest * 2))
    memcpy(next.base, block.base + whole, rest)
    next.count = rest
    swap(&next, &block)
    next.count = whole
    let lineCount = weir_count_newlines(next.base, whole)
    let sent = LineBlock(
      bytes: next, byteOffset: blockOffset, firstLine: blockFirstLine, oversized: oversized,
      lineFeeds: lineCount)
    oversized = []
    blockOffset += whole
    blockFirstLine += lineCount
    return sent
  }

  private mutating func beginSkip() {
    skipped = Skipped(
      number: blockFirstLine, byteOffset: blockOffset, length: 0, head: [], hasher: SHA256Hasher(),
      lastByte: 0)
    skip(block.count)
  }

  private mutating func continueSkip() {
    if let end = memchr(block.base, 0x0A, block.count) {
      skip(UnsafeRawPointer(end) - UnsafeRawPointer(block.base))
      endSkip(withLineFeed: true)
    } else {
      skip(block.count)
    }
  }

  /// Passes the first `count` bytes of the block to the record being skipped.
  private mutating func skip(_ count: Int) {
    guard count > 0 else { return }
    // The last byte waits: it may be the carriage return of the line end.
    var bytes = Array(UnsafeBufferPointer(start: block.base, count: count))
    if skipped!.length > 0 { bytes.insert(skipped!.lastByte, at: 0) }
    skipped!.lastByte = bytes.removeLast()
    skipped!.hasher.update(bytes)
    skipped!.head.append(
      contentsOf: bytes.prefix(max(0, OversizedLine.keptBytes - skipped!.head.count)))
    skipped!.length += count
    block.count -= count
    memmove(block.base, block.base + count, block.count)
    blockOffset += count
  }

  private mutating func endSkip(withLineFeed: Bool) {
    guard var record = skipped else { return }
    skipped = nil
    if withLineFeed, record.lastByte == 0x0D {
      record.length -= 1
    } else {
      record.hasher.update([record.lastByte])
      if record.head.count < OversizedLine.keptBytes { record.head.append(record.lastByte) }
    }
    oversized.append(
      OversizedLine(
        number: record.number, byteOffset: record.byteOffset, length: record.length,
        head: record.head, sha256: record.hasher.finish()))
    blockFirstLine += 1
    guard withLineFeed else { return }
    block.count -= 1
    memmove(block.base, block.base + 1, block.count)
    blockOffset += 1
  }
}
