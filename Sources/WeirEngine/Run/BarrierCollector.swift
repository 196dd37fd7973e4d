import Glibc
import WeirData

/// The block of tuples that a collector fills: memory that is worth keeping for the next
/// shard. One task at a time has it.
final class TupleStage: @unchecked Sendable {
  /// Tuples of a block.
  static let tuples = 32_768

  // By place in the block.
  let keys = UnsafeMutablePointer<Hash128>.allocate(capacity: tuples)
  let orders = UnsafeMutablePointer<UInt64>.allocate(capacity: tuples)
  let hasOrder = UnsafeMutablePointer<UInt8>.allocate(capacity: tuples)
  let lines = UnsafeMutablePointer<UInt32>.allocate(capacity: tuples)
  /// Places of the block by partition.
  let sorted = UnsafeMutablePointer<UInt32>.allocate(capacity: tuples)
  fileprivate(set) var out = RawBuffer()
  let coder = FrameCoder()

  deinit {
    keys.deallocate()
    orders.deallocate()
    hasOrder.deallocate()
    lines.deallocate()
    sorted.deallocate()
  }
}

/// Makes the tuples of the records that reach one instance of a barrier in one shard.
final class BarrierCollector {
  /// Bytes of wide orders at which a block is closed.
  private static let wideBytesMax = 1 << 20

  let rule: BarrierRule
  private let hasher: SipHasher
  private let tuples: BarrierTuples
  private let isWide: Bool
  let stage: TupleStage
  private let keys: UnsafeMutablePointer<Hash128>
  private let orders: UnsafeMutablePointer<UInt64>
  private let hasOrder: UnsafeMutablePointer<UInt8>
  private let lines: UnsafeMutablePointer<UInt32>
  private var count = 0
  /// Encoded orders of the block, where they are wide.
  private var wideOrders = RawBuffer()
  private var key = RawBuffer(capacity: 256)
  /// What is to be written to the disk before the tuples are asked for: taken by the caller.
  var spills: [ChunkWrite] = []

  init(
    rule: BarrierRule, hasher: SipHasher, tuples: BarrierTuples, stage: TupleStage = TupleStage()
  ) {
    self.rule = rule
    self.hasher = hasher
    self.tuples = tuples
    isWide = BarrierCollector.isWide(rule)
    self.stage = stage
    (keys, orders) = (stage.keys, stage.orders)
    (hasOrder, lines) = (stage.hasOrder, stage.lines)
  }

  /// A single number orders in the tuple itself; everything else is encoded beside it.
  static func isWide(_ rule: BarrierRule) -> Bool {
    rule.order.count > 1 || rule.order.first?.type.base == .string
  }

  // MARK: Collecting

  /// Takes the tuples of the selected rows.
  ///
  /// - Parameter missing: told of each row with a key field that is null.
  /// - Returns: the other rows.
  func collect(
    _ batch: borrowing Batch, _ selection: Selection, missing: (Int, BarrierRule.Column) -> Void
  ) -> Selection {
    var kept = selection
    var keptCount = 0
    let all = selection.count
    selection.rows.withUnsafeBufferPointer { rows in
      var from = 0
      while from < rows.count {
        let room = min(rows.count - from, TupleStage.tuples - count)
        let some = UnsafeBufferPointer(rebasing: rows[from..<(from + room)])
        var at = 0
        while at < some.count {
          // Up to the next row that has no key: most often there is none.
          let taken = take(batch, UnsafeBufferPointer(rebasing: some[at...]))
          if keptCount < from + at {
            for row in some[at..<(at + taken)] {
              kept.rows[keptCount] = row
              keptCount += 1
            }
          } else {
            keptCount += taken
          }
          at += taken
          if at < some.count {
            missing(Int(some[at]), nullColumn(batch, Int(some[at])))
            at += 1
          }
        }
        from += room
        if count == TupleStage.tuples
          || wideOrders.count >= BarrierCollector.wideBytesMax
        {
          flush()
        }
      }
    }
    if keptCount < all { kept.rows.removeLast(all - keptCount) }
    return kept
  }

  /// Call behind the last row.
  func finish() { flush() }

  /// Takes rows up to the first with a null in its key; returns how many.
  private func take(_ batch: borrowing Batch, _ rows: UnsafeBufferPointer<UInt32>) -> Int {
    let start = count
    let lines = lines + start
    let from = batch.lines
    var taken = hashKeys(batch, rows, keys + start)
    if let draw = rule.draw { taken = hashDraw(draw, batch, rows, taken, orders + start) }
    for i in 0..<taken { lines[i] = from[Int(rows[i])].number }
    if rule.draw != nil {
      (hasOrder + start).update(repeating: 1, count: taken)
    } else if isWide {
      for i in 0..<taken { addWideOrder(batch, Int(rows[i]), at: start + i) }
    } else if let column = rule.order.first {
      takeOrders(batch.column(column.column), rows, taken, start)
    } else {
      (orders + start).update(repeating: 0, count: taken)
      (hasOrder + start).update(repeating: 1, count: taken)
    }
    count += taken
    return taken
  }

  private func hashKeys(
    _ batch: borrowing Batch, _ rows: UnsafeBufferPointer<UInt32>,
    _ hashes: UnsafeMutablePointer<Hash128>
  ) -> Int {
    let hasher = hasher
    // Keys of one string are hashed side by side.
    let strings = rule.key.count == 1 ? batch.column(rule.key[0].column) : nil
    var i = 0
    while i < rows.count {
      if let strings, strings[Int(rows[i])].kind == .string {
        i += hasher.hash(
          strings: strings, rows: UnsafeBufferPointer(rebasing: rows[i...]), into: hashes + i)
        guard i < rows.count else { break }
      }
      key.count = 0
      for column in rule.key {
        let cell = batch.column(column.column)[Int(rows[i])]
        if cell.isNull, rule.draw != nil {
          key.append(CellKind.null.rawValue)
          continue
        }
        if cell.isNull || cell.rawKind >= CellKind.other.rawValue { return i }
        key.reserve(16 + Int(cell.length))
        key.count += put(cell, key.base + key.count)
      }
      hashes[i] = hasher.hash(
        UnsafeBufferPointer(rebasing: key.view.bindMemory(to: UInt8.self)[...]))
      i += 1
    }
    return rows.count
  }

  /// The hashes that a draw goes by, the same in every workspace; returns how many of `count` rows have
  /// one before the first that has not.
  private func hashDraw(
    _ draw: BarrierRule.Draw, _ batch: borrowing Batch, _ rows: UnsafeBufferPointer<UInt32>,
    _ count: Int, _ hashes: UnsafeMutablePointer<UInt64>
  ) -> Int {
    var hasher = SampleHasher(seed: draw.seed)
    for i in 0..<count {
      hasher.begin()
      for column in draw.columns {
        guard hasher.add(batch.column(column.column)[Int(rows[i])]) else { return i }
      }
      hashes[i] = hasher.hash
    }
    return count
  }

  /// The first column of the key that is null in `row`.
  private func nullColumn(_ batch: borrowing Batch, _ row: Int) -> BarrierRule.Column {
    for column in rule.key {
      let cell = batch.column(column.column)[row]
      if cell.kind == .other || (cell.isNull && rule.draw == nil) { return column }
    }
    for column in rule.draw?.columns ?? [] {
      let cell = batch.column(column.column)[row]
      if cell.isNull || cell.kind == .other { return column }
    }
    preconditionFailure("every column of the key has a value")
  }

  private func takeOrders(
    _ cells: UnsafePointer<Cell>, _ rows: UnsafeBufferPointer<UInt32>, _ taken: Int, _ start: Int
  ) {
    let (orders, hasOrder) = (orders + start, hasOrder + start)
    for i in 0..<taken {
      let cell = cells[Int(rows[i])]
      let isNull = cell.isNull
      hasOrder[i] = isNull ? 0 : 1
      orders[i] = isNull ? 0 : sortable(cell)
    }
  }

  private func addWideOrder(_ batch: borrowing Batch, _ row: Int, at place: Int) {
    let start = wideOrders.count
    wideOrders.append(UInt32(0))
    for column in rule.order { appendOrder(batch.column(column.column)[row], to: &wideOrders) }
    let length = UInt32(wideOrders.count - start - 4)
    (wideOrders.base + start).storeBytes(of: length.littleEndian, as: UInt32.self)
    orders[place] = UInt64(start)
    hasOrder[place] = 1
  }

  // MARK: Blocks

  /// Groups what is there by partition and hands it on as one block.
  private func flush() {
    guard count > 0 else { return }
    var counts = [UInt32](repeating: 0, count: BarrierTuples.partitions)
    var ends = counts
    sort(&counts)
    let form = describe()
    stage.out.count = 0
    var from = 0
    for partition in 0..<BarrierTuples.partitions {
      let count = Int(counts[partition])
      if count > 0 {
        encode(UnsafeBufferPointer(start: stage.sorted + from, count: count), form, to: &stage.out)
      }
      from += count
      ends[partition] = UInt32(stage.out.count)
    }
    tuples.add(
      stage.out.view, ends: ends, counts: counts, wideBytes: wideOrders.count, stage.coder
    ) { spills.append($0) }
    count = 0
    wideOrders.count = 0
  }

  /// The places of the block by partition, ascending in each.
  private func sort(_ counts: inout [UInt32]) {
    let (keys, count, places) = (keys, count, stage.sorted)
    counts.withUnsafeMutableBufferPointer { counts in
      for i in 0..<count { counts[keys[i].partition] &+= 1 }
      withUnsafeTemporaryAllocation(of: UInt32.self, capacity: BarrierTuples.partitions) { next in
        var sum: UInt32 = 0
        for partition in 0..<BarrierTuples.partitions {
          next[partition] = sum
          sum &+= counts[partition]
        }
        for i in 0..<count {
          let partition = keys[i].partition
          places[Int(next[partition])] = UInt32(i)
          next[partition] &+= 1
        }
      }
    }
  }

  /// What all pieces of the block have in common.
  private func describe() -> TuplePiece {
    let (orders, hasOrder, lines, count) = (orders, hasOrder, lines, count)
    var ordered = 0
    for i in 0..<count { ordered += Int(hasOrder[i]) }
    var (least, greatest) = (UInt64.max, UInt64.min)
    for i in 0..<count where hasOrder[i] == 1 {
      least = min(least, orders[i])
      greatest = max(greatest, orders[i])
    }
    if ordered == 0 { (least, greatest) = (0, 0) }
    let form: TuplePiece.Form =
      isWide ? .wide : ordered == 0 ? .null : ordered == count ? .ordered : .mixed
    if isWide { (least, greatest) = (0, UInt64(wideOrders.count)) }
    return TuplePiece(
      count: 0,
      orderWidth: NarrowNumbers.width(of: greatest - least),
      lineWidth: NarrowNumbers.width(of: UInt64(lines[count - 1] &- lines[0])), form: form,
      leastOrder: least, firstLine: lines[0], wideBytes: 0)
  }

  private func encode(
    _ places: UnsafeBufferPointer<UInt32>, _ form: TuplePiece, to out: inout RawBuffer
  ) {
    var piece = form
    piece.count = places.count
    if isWide { for place in places { piece.wideBytes += wideOrder(Int(place)).count } }
    out.reserve(piece.bytes)
    piece.encode(to: &out)
    let (keys, orders, hasOrder, lines) = (keys, orders, hasOrder, lines)
    var to = out.base + out.count
    for i in 0..<places.count {
      let key = keys[Int(places[i])]
      to.storeBytes(of: key.high.littleEndian, toByteOffset: 16 &* i, as: UInt64.self)
      to.storeBytes(of: key.low.littleEndian, toByteOffset: 16 &* i &+ 8, as: UInt64.self)
    }
    to += 16 * places.count
    if piece.form == .wide {
      var at = 0
      for i in 0..<places.count {
        NarrowNumbers.store(UInt64(at), to: to, i, width: piece.orderWidth)
        at += wideOrder(Int(places[i])).count
      }
    } else if piece.orderWidth > 0 {
      for i in 0..<places.count {
        let place = Int(places[i])
        let order = hasOrder[place] == 1 ? orders[place] &- piece.leastOrder : 0
        NarrowNumbers.store(order, to: to, i, width: piece.orderWidth)
      }
    }
    to += piece.orderWidth * places.count
    if piece.lineWidth > 0 {
      for i in 0..<places.count {
        let line = UInt64(lines[Int(places[i])] &- piece.firstLine)
        NarrowNumbers.store(line, to: to, i, width: piece.lineWidth)
      }
    }
    to += piece.lineWidth * places.count
    if piece.form == .mixed {
      let flags = to.assumingMemoryBound(to: UInt8.self)
      for i in 0..<places.count { flags[i] = hasOrder[Int(places[i])] }
    }
    // Behind the numbers, whose last store reaches over their end.
    if piece.form == .wide {
      for place in places {
        let order = wideOrder(Int(place))
        memcpy(to, order.baseAddress!, order.count)
        to += order.count
      }
    }
    out.count += piece.bytes - TuplePiece.headerBytes
  }

  /// The encoded order of a place of the block, its length in front.
  private func wideOrder(_ place: Int) -> UnsafeRawBufferPointer {
    let from = wideOrders.base + Int(orders[place])
    return UnsafeRawBufferPointer(
      start: from, count: 4 + Int(UInt32(littleEndian: from.loadUnaligned(as: UInt32.self))))
  }
}

extension Hash128 {
  /// The partition of a key.
  @inline(__always)
  var partition: Int { Int(high >> UInt64(64 - BarrierTuples.partitionBits)) }
}

/// Puts type and value of a cell that is not null at `to`, so that different keys have different
/// bytes; returns how many. There must be room for 16 and its length.
@inline(__always)
private func put(_ cell: Cell, _ to: UnsafeMutableRawPointer) -> Int {
  to.storeBytes(of: cell.rawKind, as: UInt8.self)
  if cell.rawKind == CellKind.string.rawValue {
    to.storeBytes(of: cell.length.littleEndian, toByteOffset: 1, as: UInt32.self)
    if let from = cell.stringBytes.baseAddress { memcpy(to + 5, from, Int(cell.length)) }
    return 5 + Int(cell.length)
  }
  let isZero = cell.rawKind == CellKind.number.rawValue && cell.numberValue == 0
  to.storeBytes(of: isZero ? 0 : cell.bits.littleEndian, toByteOffset: 1, as: UInt64.self)
  return 9
}

/// Bits that compare as unsigned the way the values do.
@inline(__always)
private func sortable(_ cell: Cell) -> UInt64 {
  switch cell.rawKind {
  case CellKind.number.rawValue:
    let bits = (cell.numberValue == 0 ? 0.0 : cell.numberValue).bitPattern
    return bits >> 63 == 1 ? ~bits : bits | 1 << 63
  case CellKind.bool.rawValue: return cell.bits
  default: return cell.bits ^ 1 << 63
  }
}

/// Appends a value so that bytes compare as the values do, null lowest.
private func appendOrder(_ cell: Cell, to out: inout RawBuffer) {
  guard !cell.isNull else {
    out.append(UInt8(0))
    return
  }
  out.append(UInt8(1))
  if cell.kind == .string {
    for byte in cell.stringBytes {
      out.append(byte)
      if byte == 0 { out.append(UInt8(0xFF)) }
    }
    out.append(UInt8(0))
    out.append(UInt8(1))
  } else {
    out.append(sortable(cell).byteSwapped)
  }
}
