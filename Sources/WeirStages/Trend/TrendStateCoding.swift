import WeirData
import WeirEngine
import WeirStatistics

// The bytes of a TrendState: little-endian, integers as LEB128, first the buckets with their first and last
// event, then the groups, each with its buckets by their place among these. Groups by key and buckets
// ascending, so that equal states have equal bytes.

extension TrendState {
  /// Changes with every change of the layout.
  private static let revision: UInt8 = 5
  /// Far more records than there are, and few enough that no sum of states overflows.
  private static let recordsMost: UInt64 = 1 << 48
  /// The same where rows stand for many each.
  private static let aggregatedMost: UInt64 = 1 << 60

  func encode() -> [UInt8] {
    var out = ByteWriter()
    out.byte(TrendState.revision)
    out.varint(UInt64(shape.by))
    out.varint(UInt64(shape.tallies.count))
    for tally in shape.tallies { out.byte(tally.rawValue) }
    out.varint(recordSum)
    out.varint(future)
    if shape.isAggregated { out.varint(rows) }
    let sorted = extents.sorted { $0.bucket < $1.bucket }
    out.varint(UInt64(sorted.count))
    for extent in sorted {
      out.signed(extent.bucket)
      out.varint(UInt64(extent.earliest - clock.start(extent.bucket)))
      out.varint(UInt64(extent.latest - extent.earliest))
      out.byte(extent.isIncomplete ? 1 : 0)
    }
    let place = Dictionary(uniqueKeysWithValues: zip(sorted.map(\.bucket), sorted.indices))
    let slots = slotsByGroup()
    out.varint(UInt64(groups.count))
    for group in sortedGroups() {
      out.block(Array(groups.bytes(of: group)))
      out.varint(UInt64(slots.count(of: group)))
      slots.forEach(of: group) { bucket, slot in
        out.varint(UInt64(place[bucket] ?? 0))
        encode(slot, into: &out)
      }
    }
    return out.bytes
  }

  private func encode(_ slot: Int, into out: inout ByteWriter) {
    out.varint(records[slot])
    for (metric, tally) in shape.tallies.enumerated() {
      switch tally {
      case .records: break
      case .matching, .share: out.varint(counter(metric, in: slot))
      case .ratio:
        out.varint(counter(metric, in: slot))
        out.varint(denominator(metric, in: slot))
      case .moments:
        let moments = moments(metric, in: slot)
        out.varint(moments.count)
        out.double(moments.sum)
        out.double(moments.squares)
        out.double(moments.cubes)
      case .sketch: out.block(sketch(metric, in: slot).encode())
      case .registers: out.block(register(metric, in: slot).encode())
      }
    }
  }

  /// Adds what ``encode()`` wrote.
  ///
  /// - Throws: ``RunError`` `damaged_partial` for other bytes; the state must not be used then.
  func merge(encoded bytes: [UInt8]) throws(RunError) {
    var input = ByteReader(bytes)
    guard mergeAll(&input), input.isAtEnd else {
      throw TrendState.damaged
    }
  }

  static var damaged: RunError {
    RunError(
      code: "damaged_partial",
      message: "the kept counts of a shard are damaged or were made by another version",
      fix: "run again without the kept state: remove the run's folder in the workspace")
  }

  /// `nil` reads are answered with false.
  private func mergeAll(_ input: inout ByteReader) -> Bool {
    guard input.byte() == TrendState.revision, input.varint() == UInt64(shape.by),
      input.varint() == UInt64(shape.tallies.count)
    else { return false }
    for tally in shape.tallies where input.byte() != tally.rawValue { return false }
    let most = shape.isAggregated ? TrendState.aggregatedMost : TrendState.recordsMost
    guard let total = input.varint(), total <= most, addMerged(total, most: 4 * most),
      let coming = input.varint(), coming <= total
    else { return false }
    if shape.isAggregated {
      guard let rows = input.varint(), rows <= TrendState.recordsMost else { return false }
      addRows(rows)
    }
    guard let reached = mergeExtents(&input), let groupCount = input.varint() else { return false }
    addFuture(coming)
    var isUsed = [Bool](repeating: false, count: reached.count)
    var left = total - coming
    var key: [UInt8] = []
    for i in 0..<groupCount {
      guard let next = input.block(), i == 0 || key.lexicographicallyPrecedes(next),
        keyParts(next)?.count == shape.by
      else { return false }
      key = next
      let group = key.withUnsafeBufferPointer { groups.code(of: $0) }
      guard let buckets = input.varint(), buckets > 0 else { return false }
      var least: UInt64 = 0
      for _ in 0..<buckets {
        guard let place = input.varint(), place >= least, place < UInt64(reached.count),
          let count = input.varint(), count > 0 || shape.isAggregated, count <= left
        else { return false }
        least = place + 1
        left -= count
        isUsed[Int(place)] = true
        let slot = slot(group: group, bucket: reached[Int(place)])
        addRecords(count, to: slot)
        guard mergeMetrics(of: slot, upTo: count, &input) else { return false }
      }
    }
    return left == 0 && isUsed.allSatisfy { $0 }
  }

  /// The buckets of the groups that follow.
  private func mergeExtents(_ input: inout ByteReader) -> [Int]? {
    guard let count = input.varint() else { return nil }
    var reached: [Int] = []
    for _ in 0..<count {
      guard let bucket = input.signed(), clock.allBuckets.contains(bucket),
        reached.last.map({ $0 < bucket }) ?? true, let early = input.varint(),
        early < UInt64(clock.length), let reach = input.varint(),
        reach < UInt64(clock.length) - early, let flag = input.byte(), flag <= 1
      else { return nil }
      let first = clock.start(bucket) + Int64(early)
      self.reach(bucket, from: first, to: first + Int64(reach))
      if flag == 1 { markIncomplete(bucket) }
      reached.append(bucket)
    }
    return reached
  }

  private func mergeMetrics(
    of slot: Int, upTo most: UInt64, _ input: inout ByteReader
  ) -> Bool {
    for (metric, tally) in shape.tallies.enumerated() {
      switch tally {
      case .records: break
      case .matching, .share:
        guard let count = input.varint(), count <= most else { return false }
        self.count(metric, count, in: slot)
      case .ratio:
        guard let all = input.varint(), all <= most, let below = input.varint(), below <= most,
          all <= below
        else { return false }
        self.count(metric, all, of: below, in: slot)
      case .moments:
        guard let count = input.varint(), count <= most, let sum = input.double(),
          let squares = input.double(), let cubes = input.double()
        else { return false }
        merge(
          TrendMoments(count: count, sum: sum, squares: squares, cubes: cubes), into: metric,
          in: slot)
      case .sketch:
        guard let block = input.block(), let sketch = DDSketch(decoding: block),
          sketch.count <= most
        else { return false }
        merge(sketch, into: metric, in: slot)
      case .registers:
        guard let block = input.block(), let other = HyperLogLog(decoding: block) else {
          return false
        }
        merge(other, into: metric, in: slot)
      }
    }
    return true
  }
}

/// The encoded values of a key, one after the other; `nil` for bytes that `appendKey` cannot have
/// written.
func keyParts(_ key: [UInt8]) -> [[UInt8]]? {
  var parts: [[UInt8]] = []
  var at = 0
  while at < key.count {
    guard let kind = CellKind(rawValue: key[at]) else { return nil }
    var end = at + 1
    switch kind {
    case .missing, .other: return nil
    case .null: break
    case .string:
      guard end + 4 <= key.count else { return nil }
      let count = (0..<4).reduce(0) { $0 | Int(key[end + $1]) << (8 * $1) }
      end += 4 + count
    case .int, .number, .bool, .timestamp: end += 8
    }
    guard end <= key.count, isPrintable(kind, key[(at + 1)..<end]) else { return nil }
    parts.append(Array(key[at..<end]))
    at = end
  }
  return parts
}

/// Whether outputs can say the value: a NaN is no JSON, and not every integer is a time.
private func isPrintable(_ kind: CellKind, _ bytes: ArraySlice<UInt8>) -> Bool {
  let bits = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
  switch kind {
  case .number: return Double(bitPattern: bits).isFinite
  case .timestamp: return Timestamp(microseconds: Int64(bitPattern: bits)).isWritable
  default: return true
  }
}
