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
public struct LineBlock: ~Copyable, @unchecked Sendable {
  /// The text: lines end with a line feed, the very last one may not.
  public var bytes: Bytes
  /// Where the text begins in the decompressed shard, in bytes.
  public var byteOffset: Int
  /// Lines of nothing but white space.
  public var blank: Int
  /// Records over the limit that stand before or in this block.
  public var oversized: [OversizedLine]
  var table: LineTable

  /// The lines that hold something, without their line ends; valid as long as the block lives.
  public var lines: UnsafeBufferPointer<BatchLine> {
    UnsafeBufferPointer(start: table.base, count: table.count)
  }
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
  /// Lines that the next block probably has: as many as the one before.
  private var lineCountExpected = 256

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
    let found = findLines(in: next)
    let sent = LineBlock(
      bytes: next, byteOffset: blockOffset, blank: found.blank, oversized: oversized,
      table: found.table)
    oversized = []
    blockOffset += whole
    return sent
  }

  private struct FoundLines: ~Copyable {
    var table: LineTable
    var blank: Int
  }

  private mutating func findLines(in text: borrowing Bytes) -> FoundLines {
    var table = LineTable(capacity: lineCountExpected)
    var framing = weir_framing(at: 0, number: UInt64(blockFirstLine), blank: 0, oversized: 0)
    while framing.at < text.count {
      let room = table.capacity - table.count
      table.count += table.base.withMemoryRebound(to: weir_line.self, capacity: table.capacity) {
        weir_find_lines(
          text.base, text.count, limits.recordBytesMax, &framing, $0 + table.count, room)
      }
      if framing.oversized > 0 {
        passOver(&framing, text)
      } else if framing.at < text.count {
        table.grow()
      }
    }
    lineCountExpected = table.count + table.count / 8 + 16
    blockFirstLine = Int(framing.number)
    return FoundLines(table: table, blank: Int(framing.blank))
  }

  /// Notes the record over the limit that begins at `framing.at`.
  private mutating func passOver(_ framing: inout weir_framing, _ text: borrowing Bytes) {
    let end = framing.at + framing.oversized
    let line = UnsafeBufferPointer(rebasing: text.view[framing.at..<end])
    let hasher = SHA256Hasher()
    hasher.update(line)
    oversized.append(
      OversizedLine(
        number: Int(framing.number), byteOffset: blockOffset + framing.at, length: line.count,
        head: Array(line.prefix(OversizedLine.keptBytes)), sha256: hasher.finish()))
    let feed = memchr(text.base + end, 0x0A, text.count - end)
    framing.at = feed.map { UnsafeRawPointer($0) - UnsafeRawPointer(text.base) + 1 } ?? text.count
    framing.number += 1
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
