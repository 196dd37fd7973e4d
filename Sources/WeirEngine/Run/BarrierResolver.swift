import Glibc
import WeirData

/// Decides partitions of a barrier: of the tuples with one key the best stays. Who loses is a function
/// of the tuples alone, whatever the order in which they come.
///
/// Used for one partition after the other, by one worker.
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

  private let keepsLast: Bool
  /// Open addressing by the low half of the key; a slot is free where `packed` is 0.
  private var table = UnsafeMutablePointer<BarrierTuple>.allocate(capacity: 1)
  private var capacity = 0
  private var mask = 0
  private var losses: [OpenLoss] = []

  init(keepsLast: Bool) { self.keepsLast = keepsLast }

  deinit { table.deallocate() }

  /// Decides a partition of everything that was collected.
  func resolve(_ partition: Int, of all: [BarrierTuples]) throws -> [Loss] {
    var pieces: [UnsafeRawBufferPointer] = []
    var count = 0
    for tuples in all {
      for block in tuples.blocks where block.counts[partition] > 0 {
        pieces.append(block.piece(partition))
        count += Int(block.counts[partition])
      }
    }
    return try resolve(pieces, count: count)
  }

  /// - Parameters:
  ///   - pieces: all there are of the partition; they stay where they are until this returns.
  ///   - count: tuples in them, at most.
  func resolve(_ pieces: [UnsafeRawBufferPointer], count: Int) throws -> [Loss] {
    clear(for: count)
    losses.removeAll(keepingCapacity: true)
    for bytes in pieces {
      guard let piece = TuplePiece(bytes) else { throw RunError.damagedTuples }
      add(piece, bytes.baseAddress! + TuplePiece.headerBytes)
    }
    let table = table
    return losses.map { Loss(loser: $0.loser, winner: table[$0.slot].packed) }
  }

  private func clear(for count: Int) {
    var size = 16
    while size * 3 < count * 4 { size *= 2 }
    if size > capacity {
      table.deallocate()
      table = .allocate(capacity: size)
      capacity = size
    }
    mask = size - 1
    memset(table, 0, size * MemoryLayout<BarrierTuple>.stride)
  }

  private func add(_ piece: TuplePiece, _ base: UnsafeRawPointer) {
    let (table, mask) = (table, mask)
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
    let place = BarrierTuple.Packed(
      hasOrder: piece.form == .ordered || isWide, shard: piece.shard, line: 0,
      instance: piece.instance
    ).bits
    let firstLine = UInt64(piece.firstLine)
    for i in 0..<piece.count {
      let line = firstLine &+ NarrowNumbers.load(lines, i, width: lineWidth, mask: lineMask)
      var packed = place | line << 8
      if let flags { packed |= UInt64(flags[i] & 1) << 63 }
      let order = NarrowNumbers.load(orders, i, width: orderWidth, mask: orderMask)
      let key = Hash128(
        high: UInt64(littleEndian: base.loadUnaligned(fromByteOffset: 16 &* i, as: UInt64.self)),
        low: UInt64(
          littleEndian: base.loadUnaligned(fromByteOffset: 16 &* i &+ 8, as: UInt64.self)))
      add(
        BarrierTuple(
          key: key, order: least &+ order, packed: BarrierTuple.Packed(bits: packed)), isWide,
        table, mask)
    }
  }

  @inline(__always)
  private func add(
    _ tuple: BarrierTuple, _ isWide: Bool, _ table: UnsafeMutablePointer<BarrierTuple>, _ mask: Int
  ) {
    var slot = Int(truncatingIfNeeded: tuple.key.low) & mask
    while true {
      let entry = table + slot
      if entry.pointee.packed.bits == 0 {
        entry.initialize(to: tuple)
        return
      }
      if entry.pointee.key.low == tuple.key.low, entry.pointee.key.high == tuple.key.high {
        let other = entry.pointee
        let isLater = isWide ? isWideLater(tuple, other) : isLater(tuple, other)
        if isLater == keepsLast { entry.initialize(to: tuple) }
        losses.append(OpenLoss(loser: (isLater == keepsLast ? other : tuple).packed, slot: slot))
        return
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
  func order(_ tuple: BarrierTuple) -> (UnsafeRawPointer, Int) {
    let at = UnsafeRawPointer(bitPattern: UInt(tuple.order))!
    return (at + 4, Int(UInt32(littleEndian: at.loadUnaligned(as: UInt32.self))))
  }
  let (x, xCount) = order(a)
  let (y, yCount) = order(b)
  let difference = memcmp(x, y, min(xCount, yCount))
  if difference != 0 { return difference > 0 }
  if xCount != yCount { return xCount > yCount }
  return a.packed.position > b.packed.position
}

extension RunError {
  /// What was collected for a barrier is not what it was.
  static var damagedTuples: RunError {
    RunError(
      code: "damaged_memory", message: "what was collected for a dedupe has been changed since",
      fix: "run again; if it happens again, have the memory and the disk of this machine checked",
      isTransient: true)
  }
}
