import Glibc
import WeirData

/// The key and the order of one record at a barrier: 32 bytes.
struct BarrierTuple: Sendable {
  var key: Hash128
  /// A number in an order that compares as unsigned; or, with a wide order, where the encoded order
  /// stands in its shard: offset << 24 | length.
  var order: UInt64
  /// Bit 63: the order is not null. Then 23 bits of shard, 32 of line, 8 of instance: the position in
  /// the input, which breaks ties.
  var packed: UInt64

  static let shardsMax = 1 << 23
  /// Ways to a barrier within one source.
  static let instancesMax = 256

  init(key: Hash128, order: UInt64, hasOrder: Bool, shard: Int, line: UInt32, instance: Int) {
    self.key = key
    self.order = order
    packed =
      (hasOrder ? 1 << 63 : 0) | UInt64(shard) << 40 | UInt64(line) << 8 | UInt64(instance & 255)
  }

  var hasOrder: Bool { packed >> 63 == 1 }
  var position: UInt64 { packed & (1 << 63 - 1) }
  var shard: Int { Int(position >> 40) }
  var line: UInt32 { UInt32(truncatingIfNeeded: position >> 8) }
  var instance: Int { Int(position & 255) }
}

/// The tuples of one shard at one barrier, grouped by the partition of their key.
final class BarrierTuples: @unchecked Sendable {
  static let partitions = 64

  private(set) var tuples: [BarrierTuple] = []
  /// Where each partition begins in `tuples`, once they are grouped.
  private var starts: [Int] = []
  /// Encoded orders of tuples with a wide order.
  private(set) var orders: [UInt8] = []

  func append(_ tuple: BarrierTuple) { tuples.append(tuple) }

  func addOrder(_ bytes: [UInt8]) -> UInt64 {
    let place = UInt64(orders.count) << 24 | UInt64(bytes.count)
    orders.append(contentsOf: bytes)
    return place
  }

  /// Groups the tuples by partition, keeping their order inside each.
  func group() {
    var counts = [Int](repeating: 0, count: BarrierTuples.partitions + 1)
    for tuple in tuples { counts[BarrierTuples.partition(tuple.key) + 1] += 1 }
    for i in 1...BarrierTuples.partitions { counts[i] += counts[i - 1] }
    starts = counts
    guard let filler = tuples.first else { return }
    var grouped = [BarrierTuple](repeating: filler, count: tuples.count)
    for tuple in tuples {
      let partition = BarrierTuples.partition(tuple.key)
      grouped[counts[partition]] = tuple
      counts[partition] += 1
    }
    tuples = grouped
  }

  /// The tuples of all instances in one shard, as one; `nil` where there are none.
  static func joined(_ instances: [BarrierTuples]) -> BarrierTuples? {
    guard instances.count > 1 else { return instances.first }
    let all = BarrierTuples()
    for instance in instances {
      let shift = UInt64(all.orders.count) << 24
      let isWide = !instance.orders.isEmpty
      all.orders += instance.orders
      for var tuple in instance.tuples {
        if isWide { tuple.order += shift }
        all.tuples.append(tuple)
      }
    }
    all.group()
    return all
  }

  func tuples(of partition: Int) -> ArraySlice<BarrierTuple> {
    tuples[starts[partition]..<starts[partition + 1]]
  }

  static func partition(_ key: Hash128) -> Int { Int(key.high >> 58) }
}

/// Makes the tuples of the records that reach one instance of a barrier.
struct BarrierCollector {
  let rule: BarrierRule
  let hasher: SipHasher
  let shard: Int
  let instance: Int
  private var key: [UInt8] = []
  private var order: [UInt8] = []

  init(rule: BarrierRule, hasher: SipHasher, shard: Int, instance: Int) {
    self.rule = rule
    self.hasher = hasher
    self.shard = shard
    self.instance = instance
  }

  /// A single number orders in the tuple itself; everything else is encoded beside it.
  static func isWide(_ rule: BarrierRule) -> Bool {
    rule.order.count > 1 || rule.order.first?.type.base == .string
  }

  /// The tuple of row `row`, or the key field that is null.
  mutating func collect(
    _ row: Int, of batch: borrowing Batch, into tuples: BarrierTuples
  ) -> BarrierRule.Column? {
    key.removeAll(keepingCapacity: true)
    for column in rule.key {
      let cell = batch.column(column.column)[row]
      if cell.isNull || cell.kind == .other { return column }
      appendKey(cell, to: &key)
    }
    let hash = key.withUnsafeBufferPointer { hasher.hash($0) }
    var orderBits: UInt64 = 0
    var hasOrder = true
    if BarrierCollector.isWide(rule) {
      order.removeAll(keepingCapacity: true)
      for column in rule.order { appendOrder(batch.column(column.column)[row], to: &order) }
      orderBits = tuples.addOrder(order)
    } else if let column = rule.order.first {
      let cell = batch.column(column.column)[row]
      hasOrder = !cell.isNull
      orderBits = sortable(cell)
    }
    tuples.append(
      BarrierTuple(
        key: hash, order: orderBits, hasOrder: hasOrder, shard: shard,
        line: batch.lines[row].number, instance: instance))
    return nil
  }
}

/// Bits that compare as unsigned the way the values do.
private func sortable(_ cell: Cell) -> UInt64 {
  switch cell.kind {
  case .number:
    let bits = (cell.numberValue == 0 ? 0.0 : cell.numberValue).bitPattern
    return bits >> 63 == 1 ? ~bits : bits | 1 << 63
  case .bool: return cell.bits
  default: return cell.bits ^ 1 << 63
  }
}

/// Appends a value so that bytes compare as the values do, null lowest.
private func appendOrder(_ cell: Cell, to out: inout [UInt8]) {
  guard !cell.isNull else {
    out.append(0)
    return
  }
  out.append(1)
  if cell.kind == .string {
    for byte in cell.stringBytes {
      out.append(byte)
      if byte == 0 { out.append(0xFF) }
    }
    out.append(contentsOf: [0, 1])
  } else {
    let bits = sortable(cell)
    for shift in stride(from: 56, through: 0, by: -8) {
      out.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
    }
  }
}

/// A record that lost, and the one that stays in its place.
struct BarrierLoss: Sendable {
  var loser: BarrierTuple
  var winner: BarrierTuple
}

/// Decides one partition: of the tuples with one key the best stays. A pure function of the tuples,
/// whatever the order in which the shards were read.
func resolve(
  partition: Int, of shards: [BarrierTuples?], keepsLast: Bool, isWide: Bool
) -> [BarrierLoss] {
  let total = shards.reduce(0) { $0 + ($1?.tuples(of: partition).count ?? 0) }
  guard total > 0 else { return [] }
  var size = 16
  while size < total * 2 { size *= 2 }
  var table = [UInt32](repeating: 0, count: size)
  var winners: [BarrierTuple] = []
  winners.reserveCapacity(total)
  var losers: [(tuple: BarrierTuple, group: Int)] = []
  for shard in shards {
    guard let shard else { continue }
    for tuple in shard.tuples(of: partition) {
      var slot = Int(truncatingIfNeeded: tuple.key.low) & (size - 1)
      while true {
        let entry = Int(table[slot])
        if entry == 0 {
          winners.append(tuple)
          table[slot] = UInt32(winners.count)
          break
        }
        if winners[entry - 1].key == tuple.key {
          let isLater =
            isWide
            ? isWideLater(tuple, winners[entry - 1], shards) : isLater(tuple, winners[entry - 1])
          if isLater == keepsLast {
            losers.append((winners[entry - 1], entry - 1))
            winners[entry - 1] = tuple
          } else {
            losers.append((tuple, entry - 1))
          }
          break
        }
        slot = (slot + 1) & (size - 1)
      }
    }
  }
  return losers.map { BarrierLoss(loser: $0.tuple, winner: winners[$0.group]) }
}

private func isLater(_ a: BarrierTuple, _ b: BarrierTuple) -> Bool {
  if a.hasOrder != b.hasOrder { return a.hasOrder }
  if a.hasOrder, a.order != b.order { return a.order > b.order }
  return a.position > b.position
}

private func isWideLater(_ a: BarrierTuple, _ b: BarrierTuple, _ shards: [BarrierTuples?]) -> Bool {
  func order(_ tuple: BarrierTuple) -> ArraySlice<UInt8> {
    let from = Int(tuple.order >> 24)
    return shards[tuple.shard]!.orders[from..<(from + Int(tuple.order & 0xFF_FFFF))]
  }
  let x = order(a)
  let y = order(b)
  if x.elementsEqual(y) { return a.position > b.position }
  return y.lexicographicallyPrecedes(x)
}

/// Lines of one shard that do not pass a barrier.
struct LineBitmap: Sendable {
  private var words: [UInt64] = []

  mutating func insert(_ line: UInt32) {
    let word = Int(line >> 6)
    if words.count <= word {
      words.append(contentsOf: repeatElement(0, count: word + 1 - words.count))
    }
    words[word] |= 1 << UInt64(line & 63)
  }

  @inline(__always)
  func contains(_ line: UInt32) -> Bool {
    let word = Int(line >> 6)
    return word < words.count && words[word] >> UInt64(line & 63) & 1 == 1
  }
}
