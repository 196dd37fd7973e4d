import Glibc
import WeirData

/// Decides partitions of a barrier: of the tuples with one key the best stays. Who loses is a function
/// of the tuples alone, whatever the order in which they come.
///
/// Used for one group of partitions after the other, by one worker.
final class BarrierResolver {
  /// A record that lost, and the one that stays in its place.
  struct Loss {
    var loser: BarrierTuple.Packed
    var winner: BarrierTuple.Packed
  }
  /// The same while the winner may still change.
  private struct OpenLoss {
    var loser: BarrierTuple.Packed
    var slot: Int
  }
  /// Tuples of a partition that are decided together: all, or those with some bits of the key.
  private struct Split {
    var bits: Int
    var index: Int
  }
  /// Fewer tuples are not split, whatever the limit.
  private static let splitMin = 8

  private let keepsLast: Bool
  /// Bytes to work with.
  private let limit: Int
  /// Open addressing by the low half of the key; a slot is free where `packed` is 0.
  private var table = UnsafeMutablePointer<BarrierTuple>.allocate(capacity: 1)
  private var capacity = 0
  private var mask = 0
  private var used = 0
  private var losses: [OpenLoss] = []
  /// Keys that are decided, and the tuples that have them.
  private var filter = KeyFilter()
  private var isFiltering = false
  private var met: [BarrierTuple.Packed] = []
  private let coder = FrameCoder()
  private var buffer = RawBuffer()
  /// Wide orders of pieces that do not stay.
  private var orders = Arena()

  init(keepsLast: Bool, limit: Int = .max) {
    self.keepsLast = keepsLast
    self.limit = limit
  }

  deinit { table.deallocate() }

  /// Decides a group of partitions of everything that was collected. Blocks where tuples are on the disk.
  ///
  /// - Parameters:
  ///   - changed: only keys that are among these, and some others by chance; `nil`: all.
  ///   - decide: takes the tuples of the keys that are looked at, where not all are, and the losses of
  ///     them; a part at a time.
  func resolve(
    _ group: Int, of index: TupleIndex, changed: TupleIndex? = nil,
    decide: (_ met: [BarrierTuple.Packed], [Loss]) throws -> Void
  ) throws {
    var (count, wideBytes) = (index.counts[group], index.wideBytes)
    guard count > 0 else { return }
    if let changed {
      guard changed.counts[group] > 0 else { return }
      try setFilter(group, changed)
      let share = min(count, 2 * changed.counts[group] + count / 32)
      (count, wideBytes) = (share, wideBytes / count * share)
    }
    var bits = 0
    while count >> bits > BarrierResolver.splitMin, bytes(count >> bits, wideBytes >> bits) > limit
    {
      bits += 1
    }
    for part in 0..<(1 << bits) {
      let split = Split(bits: bits, index: part)
      try resolve(group, of: index, split, expected: count >> bits)
      let table = table
      try decide(met, losses.map { Loss(loser: $0.loser, winner: table[$0.slot].packed) })
    }
  }

  private func setFilter(_ group: Int, _ changed: TupleIndex) throws {
    filter = KeyFilter(count: changed.counts[group])
    isFiltering = true
    for piece in changed.pieces[group] {
      let (piece, base) = try changed.read(piece, coder, &buffer)
      filter.insert(piece, base)
    }
  }

  /// What so many tuples take.
  private func bytes(_ count: Int, _ wideBytes: Int) -> Int {
    tableSize(count) * MemoryLayout<BarrierTuple>.stride
      + count * (MemoryLayout<OpenLoss>.stride + MemoryLayout<Loss>.stride) + wideBytes
  }

  /// Slots for so many tuples: at most three quarters are used.
  private func tableSize(_ count: Int) -> Int {
    var size = 16
    while size * 3 < count * 4 { size *= 2 }
    return size
  }

  private func resolve(
    _ group: Int, of index: TupleIndex, _ split: Split, expected: Int
  ) throws {
    var size = tableSize(expected + (split.bits > 0 ? expected / 16 : 0))
    // Keys are spread evenly, so that the table is nearly never too small.
    while true {
      clear(size)
      var fits = true
      try filter.words.withUnsafeBufferPointer { wanted in
        for piece in index.pieces[group] where fits {
          let stays = piece.base != nil
          let (piece, base) = try index.read(piece, coder, &buffer)
          fits = add(piece, base, stays: stays, split, wanted.baseAddress!)
        }
      }
      if fits { return }
      size *= 2
    }
  }

  private func clear(_ size: Int) {
    if size > capacity {
      table.deallocate()
      table = .allocate(capacity: size)
      capacity = size
    }
    mask = size - 1
    used = 0
    memset(table, 0, size * MemoryLayout<BarrierTuple>.stride)
    losses.removeAll(keepingCapacity: true)
    met.removeAll(keepingCapacity: true)
    orders = Arena(chunkBytes: 256 << 10)
  }

  /// - Returns: false where the table is full.
  private func add(
    _ piece: TuplePiece, _ base: UnsafeRawPointer, stays: Bool, _ split: Split,
    _ wanted: UnsafePointer<UInt64>
  ) -> Bool {
    let (table, mask) = (table, mask)
    let (wantedMask, isFiltering) = (filter.mask, isFiltering)
    let orders = base + 16 * piece.count
    let lines = orders + piece.orderWidth * piece.count
    let behind = lines + piece.lineWidth * piece.count
    let orderMask = NarrowNumbers.mask(width: piece.orderWidth)
    let lineMask = NarrowNumbers.mask(width: piece.lineWidth)
    let (orderWidth, lineWidth) = (piece.orderWidth, piece.lineWidth)
    let flags = piece.form == .mixed ? behind.assumingMemoryBound(to: UInt8.self) : nil
    let isWide = piece.form == .wide
    // Places in the wide orders become addresses.
    let least = isWide ? UInt64(UInt(bitPattern: behind)) : piece.leastOrder
    let hasOrder = piece.form == .ordered || isWide
    let place = piece.place | (hasOrder ? BarrierTuple.Packed.orderBit : 0)
    let firstLine = UInt64(piece.firstLine)
    let splitShift = UInt64(64 - BarrierTuples.partitionBits - split.bits)
    let (splitMask, splitIndex) = (UInt64(1) << UInt64(split.bits) - 1, UInt64(split.index))
    var used = used
    for i in 0..<piece.count {
      let low = UInt64(
        littleEndian: base.loadUnaligned(fromByteOffset: 16 &* i &+ 8, as: UInt64.self))
      if !KeyFilter.has(low, wanted, wantedMask) { continue }
      let key = Hash128(
        high: UInt64(littleEndian: base.loadUnaligned(fromByteOffset: 16 &* i, as: UInt64.self)),
        low: low)
      if (key.high >> splitShift) & splitMask != splitIndex { continue }
      let line = firstLine &+ NarrowNumbers.load(lines, i, width: lineWidth, mask: lineMask)
      var packed = place | line << 8
      if let flags { packed |= UInt64(flags[i] & 1) << 63 }
      var order = least &+ NarrowNumbers.load(orders, i, width: orderWidth, mask: orderMask)
      if isWide, !stays { order = keep(order) }
      if used >= mask { return false }
      if isFiltering { met.append(BarrierTuple.Packed(bits: packed)) }
      let tuple = BarrierTuple(
        key: key, order: order, packed: BarrierTuple.Packed(bits: packed))
      if add(tuple, isWide, table, mask) { used &+= 1 }
    }
    self.used = used
    return true
  }

  /// A copy of an encoded order; its address.
  private func keep(_ order: UInt64) -> UInt64 {
    let (at, count) = wideOrder(order)
    let copy = orders.store(
      UnsafeBufferPointer(
        start: (at - 4).assumingMemoryBound(to: UInt8.self), count: count + 4))
    return UInt64(UInt(bitPattern: copy.baseAddress))
  }

  /// - Returns: whether the key is new.
  @inline(__always)
  private func add(
    _ tuple: BarrierTuple, _ isWide: Bool, _ table: UnsafeMutablePointer<BarrierTuple>, _ mask: Int
  ) -> Bool {
    var slot = Int(truncatingIfNeeded: tuple.key.low) & mask
    while true {
      let entry = table + slot
      if entry.pointee.packed.bits == 0 {
        entry.initialize(to: tuple)
        return true
      }
      if entry.pointee.key.low == tuple.key.low, entry.pointee.key.high == tuple.key.high {
        let other = entry.pointee
        let isLater = isWide ? isWideLater(tuple, other) : isLater(tuple, other)
        if isLater == keepsLast { entry.initialize(to: tuple) }
        losses.append(OpenLoss(loser: (isLater == keepsLast ? other : tuple).packed, slot: slot))
        return false
      }
      slot = (slot &+ 1) & mask
    }
  }
}

private func isLater(_ a: BarrierTuple, _ b: BarrierTuple) -> Bool {
  if a.packed.hasOrder != b.packed.hasOrder { return a.packed.hasOrder }
  if a.packed.hasOrder, a.order != b.order { return a.order > b.order }
  return a.packed.position > b.packed.position
}

private func isWideLater(_ a: BarrierTuple, _ b: BarrierTuple) -> Bool {
  let (x, xCount) = wideOrder(a.order)
  let (y, yCount) = wideOrder(b.order)
  let difference = memcmp(x, y, min(xCount, yCount))
  if difference != 0 { return difference > 0 }
  if xCount != yCount { return xCount > yCount }
  return a.packed.position > b.packed.position
}

/// The bytes at the address of an encoded order.
private func wideOrder(_ address: UInt64) -> (UnsafeRawPointer, Int) {
  let at = UnsafeRawPointer(bitPattern: UInt(address))!
  return (at + 4, Int(UInt32(littleEndian: at.loadUnaligned(as: UInt32.self))))
}
