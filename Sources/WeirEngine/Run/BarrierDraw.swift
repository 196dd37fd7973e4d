import WeirData

/// Decides partitions of a barrier that keeps several records of each key: those with the lowest
/// order, of equal ones the first in the input. Who loses is a function of the tuples alone, whatever
/// the order in which they come.
final class BarrierDraw {
  /// Losses are final as soon as they are known, and handed on so many at a time.
  private static let lossesMax = 1 << 16

  private let keeps: Int
  /// By key: the best so far, the worst of them first (a binary heap).
  private var groups: [Hash128: [BarrierTuple]] = [:]
  private var losses: [BarrierResolver.Loss] = []
  private let coder = FrameCoder()
  private var buffer = RawBuffer()

  /// - Parameter keeps: records of each key, at least 1.
  init(keeps: Int) { self.keeps = keeps }

  /// Blocks where tuples are on the disk.
  ///
  /// - Parameter lose: takes the losses, a part of them at a time.
  func resolve(
    _ group: Int, of index: TupleIndex, lose: ([BarrierResolver.Loss]) throws -> Void
  ) throws {
    groups.removeAll(keepingCapacity: true)
    for piece in index.pieces[group] {
      let (piece, base) = try index.read(piece, coder, &buffer)
      piece.forEach(base) { add($0) }
      if losses.count >= BarrierDraw.lossesMax {
        try lose(losses)
        losses.removeAll(keepingCapacity: true)
      }
    }
    try lose(losses)
    losses.removeAll(keepingCapacity: true)
  }

  private func add(_ tuple: BarrierTuple) {
    let loser = groups[tuple.key, default: []].keepLowest(keeps, tuple)
    if let loser { losses.append(BarrierResolver.Loss(loser: loser.packed, winner: tuple.packed)) }
  }
}

extension [BarrierTuple] {
  /// Takes one in, and returns the highest where there are too many then.
  fileprivate mutating func keepLowest(_ limit: Int, _ tuple: BarrierTuple) -> BarrierTuple? {
    if count < limit {
      append(tuple)
      var at = count - 1
      while at > 0, self[(at - 1) / 2].isBefore(self[at]) {
        swapAt(at, (at - 1) / 2)
        at = (at - 1) / 2
      }
      return nil
    }
    guard tuple.isBefore(self[0]) else { return tuple }
    let loser = self[0]
    self[0] = tuple
    var at = 0
    while true {
      var highest = at
      for child in [2 * at + 1, 2 * at + 2] where child < count {
        if self[highest].isBefore(self[child]) { highest = child }
      }
      if highest == at { return loser }
      swapAt(at, highest)
      at = highest
    }
  }
}

extension BarrierTuple {
  fileprivate func isBefore(_ other: BarrierTuple) -> Bool {
    (order, packed.position) < (other.order, other.packed.position)
  }
}

extension TuplePiece {
  /// The tuples of a piece whose orders are numbers.
  fileprivate func forEach(_ base: UnsafeRawPointer, _ body: (BarrierTuple) -> Void) {
    precondition(form == .ordered, "a draw has one number for each record")
    let orders = base + 16 * count
    let lines = orders + orderWidth * count
    let orderMask = NarrowNumbers.mask(width: orderWidth)
    let lineMask = NarrowNumbers.mask(width: lineWidth)
    let place = place | BarrierTuple.Packed.orderBit
    for i in 0..<count {
      let key = Hash128(
        high: UInt64(littleEndian: base.loadUnaligned(fromByteOffset: 16 &* i, as: UInt64.self)),
        low: UInt64(
          littleEndian: base.loadUnaligned(fromByteOffset: 16 &* i &+ 8, as: UInt64.self)))
      let line =
        UInt64(firstLine) &+ NarrowNumbers.load(lines, i, width: lineWidth, mask: lineMask)
      let order =
        leastOrder &+ NarrowNumbers.load(orders, i, width: orderWidth, mask: orderMask)
      body(
        BarrierTuple(
          key: key, order: order, packed: BarrierTuple.Packed(bits: place | line << 8)))
    }
  }
}
