import WeirData

/// What decides a record at a barrier.
struct BarrierTuple: Sendable {
  var key: Hash128
  /// A number in an order that compares as unsigned; or, with a wide order, the address of the encoded
  /// order: u32 length, bytes.
  var order: UInt64
  var packed: Packed

  /// Bit 63: the order is not null. Then 23 bits of shard, 32 of line, 8 of instance: the position in
  /// the input, which breaks ties. Never 0, as lines are counted from 1.
  struct Packed: Sendable, Equatable {
    static let shardsMax = 1 << 23
    /// Ways to a barrier within one source.
    static let instancesMax = 256

    var bits: UInt64

    init(bits: UInt64) { self.bits = bits }

    init(hasOrder: Bool, shard: Int, line: UInt32, instance: Int) {
      bits =
        (hasOrder ? Packed.orderBit : 0) | UInt64(shard) << 40 | UInt64(line) << 8
        | UInt64(instance & 255)
    }

    static let orderBit: UInt64 = 1 << 63

    var hasOrder: Bool { bits >> 63 == 1 }
    var position: UInt64 { bits & (1 << 63 - 1) }
    var shard: Int { Int(position >> 40) }
    var line: UInt32 { UInt32(truncatingIfNeeded: position >> 8) }
    var instance: Int { Int(position & 255) }
  }
}

/// The tuples of one way to a barrier in one shard, in blocks; in a block they are grouped by the
/// partition of their key.
final class BarrierTuples: @unchecked Sendable {
  /// Bits of the key that say the partition: the highest.
  static let partitionBits = 6
  static let partitions = 1 << partitionBits

  struct Block {
    /// The pieces of all partitions, one behind the other.
    var chunk: KeptChunk
    /// Where the piece of each partition ends.
    var ends: [UInt32]
    /// Tuples in each.
    var counts: [UInt32]
    /// Bytes of wide orders in all.
    var wideBytes: Int
    /// Tuples in all.
    let count: Int

    init(chunk: KeptChunk, ends: [UInt32], counts: [UInt32], wideBytes: Int) {
      self.chunk = chunk
      self.ends = ends
      self.counts = counts
      self.wideBytes = wideBytes
      count = counts.reduce(0) { $0 + Int($1) }
    }

    fileprivate func range(_ partition: Int) -> Range<Int> {
      (partition == 0 ? 0 : Int(ends[partition - 1]))..<Int(ends[partition])
    }
  }
  private(set) var blocks: [Block]
  let store: ChunkStore
  /// Shard and instance, as a tuple has them.
  let place: UInt64
  private let entry: EntryBuilder?

  /// - Parameters:
  ///   - shard: ordinal of the shard.
  ///   - instance: of the way.
  ///   - entry: what the task makes for another night.
  ///   - blocks: what is there already.
  init(
    store: ChunkStore, shard: Int, instance: Int, entry: EntryBuilder? = nil, blocks: [Block] = []
  ) {
    self.entry = entry
    self.store = store
    place =
      BarrierTuple.Packed(hasOrder: false, shard: shard, line: 0, instance: instance & 255).bits
    self.blocks = blocks
  }

  /// Tuples in all blocks.
  var count: Int { blocks.reduce(0) { $0 + $1.count } }

  /// Keeps the pieces of a block.
  ///
  /// - Parameters:
  ///   - ends: where the piece of each partition ends.
  ///   - spill: takes what is to be written to the disk before the block is asked for.
  func add(
    _ pieces: UnsafeRawBufferPointer, ends: [UInt32], counts: [UInt32], wideBytes: Int,
    _ coder: FrameCoder, spill: (ChunkWrite) -> Void
  ) {
    var ends = ends
    let chunk = store.keep(pieces, ends: &ends, in: entry, coder, spill: spill)
    blocks.append(Block(chunk: chunk, ends: ends, counts: counts, wideBytes: wideBytes))
  }

  /// One piece: what it says of itself, and its tuples; they are good as long as the store where the
  /// block is in memory, else until `buffer` is used again. Blocks where it is on the disk.
  func read(
    _ block: Block, _ partition: Int, _ coder: FrameCoder, _ buffer: inout RawBuffer
  ) throws -> (piece: TuplePiece, base: UnsafeRawPointer) {
    let bytes = try store.read(block.chunk, block.range(partition), coder, &buffer)
    guard var piece = TuplePiece(bytes), let base = bytes.baseAddress else {
      throw RunError(
        damagedSpill: store.path(of: block.chunk),
        ChunkError("what a dedupe has collected is not what it was"))
    }
    piece.place = place
    return (piece, base + TuplePiece.headerBytes)
  }
}

/// The pieces of all ways to a barrier by the partitions that are decided together, so that deciding
/// some does not ask every block for what it has of them: of many small shards most have nothing.
struct TupleIndex: @unchecked Sendable {
  struct Piece {
    /// Where it is, for a piece in memory; `nil`: it is read.
    var base: UnsafeRawPointer?
    var count: UInt32
    var partition: UInt32
    var way: Int32
    var block: Int32
    /// Shard and instance, as a tuple has them.
    var place: UInt64
  }
  /// As many tuples are decided together, and at most so many partitions.
  private static let tuplesTogether = 16 * 1024
  private static let partitionsMax = 8

  let ways: [BarrierTuples]
  /// By group of partitions, in the order of the ways and their blocks. Those of one block in memory lie
  /// one behind the other, and are so gone over.
  private(set) var pieces: [[Piece]]
  /// Tuples by group.
  private(set) var counts: [Int]
  /// Bytes of wide orders that a group has to expect.
  private(set) var wideBytes = 0

  /// Partitions that are better decided together: few tuples of each lie in many blocks.
  static func together(_ ways: [BarrierTuples]) -> Int {
    let count = ways.reduce(0) { $0 + $1.count }
    var together = 1
    while together < partitionsMax,
      count * together * 2 <= tuplesTogether * BarrierTuples.partitions
    {
      together *= 2
    }
    return together
  }

  init(_ ways: [BarrierTuples], together: Int = 1) {
    self.ways = ways
    let groups = BarrierTuples.partitions / together
    pieces = Array(repeating: [], count: groups)
    counts = Array(repeating: 0, count: groups)
    for (way, tuples) in ways.enumerated() {
      for (number, block) in tuples.blocks.enumerated() {
        wideBytes += block.wideBytes / groups
        let memory = block.chunk.memory
        var start: UInt32 = 0
        for partition in 0..<BarrierTuples.partitions {
          let end = block.ends[partition]
          defer { start = end }
          guard block.counts[partition] > 0 else { continue }
          pieces[partition / together].append(
            Piece(
              base: memory.map { $0 + Int(start) }, count: end - start,
              partition: UInt32(partition), way: Int32(way), block: Int32(number),
              place: tuples.place))
          counts[partition / together] += Int(block.counts[partition])
        }
      }
    }
  }

  /// What a piece says of itself, and its tuples; they are good as long as the store where it is in
  /// memory, else until `buffer` is used again. Blocks where it is on the disk.
  @inline(__always)
  func read(
    _ piece: Piece, _ coder: FrameCoder, _ buffer: inout RawBuffer
  ) throws -> (piece: TuplePiece, base: UnsafeRawPointer) {
    if let base = piece.base,
      var read = TuplePiece(UnsafeRawBufferPointer(start: base, count: Int(piece.count)))
    {
      read.place = piece.place
      return (read, base + TuplePiece.headerBytes)
    }
    let tuples = ways[Int(piece.way)]
    return try tuples.read(
      tuples.blocks[Int(piece.block)], Int(piece.partition), coder, &buffer)
  }
}

/// The encoded tuples of one block in one partition. Little-endian:
///
///     u32 tuples, u8 width of orders, u8 width of lines, u8 form, u8 0,
///     u64 least order, u32 first line, u32 bytes of wide orders
///     keys (high, low: 16 bytes each), orders, lines (`width` bytes each, from the least on),
///     with form 2: 1 where the order is not null, else 0; the wide orders (u32 length, bytes)
///
/// Form 0: all orders are null; 1: none is; 2: some are; 3: none, and they are places in the wide orders.
struct TuplePiece {
  static let headerBytes = 24

  enum Form: UInt8 {
    case null, ordered, mixed, wide
  }

  var count: Int
  /// Where it comes from is not part of the encoded form: it can be another place in another run.
  /// Shard and instance, as a tuple has them.
  var place: UInt64 = 0
  var orderWidth: Int
  var lineWidth: Int
  var form: Form
  var leastOrder: UInt64
  var firstLine: UInt32
  var wideBytes: Int
}

extension TuplePiece {
  /// Bytes of a whole piece.
  var bytes: Int {
    TuplePiece.headerBytes + count * (16 + orderWidth + lineWidth + (form == .mixed ? 1 : 0))
      + wideBytes
  }

  func encode(to out: inout RawBuffer) {
    out.append(UInt32(count))
    out.append(UInt8(orderWidth))
    out.append(UInt8(lineWidth))
    out.append(form.rawValue)
    out.append(UInt8(0))
    out.append(leastOrder)
    out.append(firstLine)
    out.append(UInt32(wideBytes))
  }

  /// `nil` where the bytes are no piece.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= TuplePiece.headerBytes, let base = bytes.baseAddress else { return nil }
    func number<Number: FixedWidthInteger>(_ at: Int, _ type: Number.Type) -> Number {
      Number(littleEndian: base.loadUnaligned(fromByteOffset: at, as: type))
    }
    guard let form = Form(rawValue: number(6, UInt8.self)) else { return nil }
    self.form = form
    count = Int(number(0, UInt32.self))
    orderWidth = Int(number(4, UInt8.self))
    lineWidth = Int(number(5, UInt8.self))
    leastOrder = number(8, UInt64.self)
    firstLine = number(16, UInt32.self)
    wideBytes = Int(number(20, UInt32.self))
    guard orderWidth <= 8, lineWidth <= 4, self.bytes == bytes.count else { return nil }
  }
}

/// Which keys of a partition are looked at: those that were put in, and a few by chance.
struct KeyFilter {
  /// Bits for each key: about one key in so many passes by chance.
  private static let bitsPerKey = 64

  private(set) var words: [UInt64] = [.max]
  private(set) var mask: UInt64 = 0

  /// Lets all keys pass.
  init() {}

  /// - Parameter count: keys that will be put in.
  init(count: Int) {
    var bits = 64
    while bits < count * KeyFilter.bitsPerKey { bits *= 2 }
    words = [UInt64](repeating: 0, count: bits / 64)
    mask = UInt64(bits - 1)
  }

  /// Puts in the keys of a piece.
  mutating func insert(_ piece: TuplePiece, _ base: UnsafeRawPointer) {
    for i in 0..<piece.count {
      let low = UInt64(
        littleEndian: base.loadUnaligned(fromByteOffset: 16 &* i &+ 8, as: UInt64.self))
      let bit = low & mask
      words[Int(bit >> 6)] |= 1 << (bit & 63)
    }
  }

  @inline(__always)
  static func has(_ low: UInt64, _ words: UnsafePointer<UInt64>, _ mask: UInt64) -> Bool {
    let bit = low & mask
    return words[Int(bit >> 6)] >> (bit & 63) & 1 == 1
  }
}
