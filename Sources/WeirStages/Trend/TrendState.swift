import WeirData
import WeirExpressions
import WeirStatistics

/// What many records come to: a slot for every group and bucket that has any.
///
/// A slot is 12 bytes, 8 to 10 more in the table that finds it, 8 for each counter and 32 for a mean;
/// quantiles and distinct counts have a sketch each. Groups are named by their key (see `appendKey`).
final class TrendState {
  let shape: TrendShape
  let clock: TrendClock
  let groups = ByteDictionary()
  private var cells = CellTable()
  /// Records of each slot.
  private(set) var records: [UInt64] = []
  private(set) var counters: [UInt64] = []
  private(set) var sums: [Double] = []
  private(set) var sketches: [DDSketch] = []
  private(set) var registers: [HyperLogLog] = []
  /// The buckets that have a slot.
  private(set) var extents: [Extent] = []
  /// For each slot the place of its bucket among ``extents``.
  private var extent: [Int32] = []
  private var extentOfBucket: [Int: Int32] = [:]
  /// Records past the end of what is reported.
  private(set) var future: UInt64 = 0

  /// What is known of a bucket over all groups.
  struct Extent {
    var bucket: Int
    /// First and last event, in microseconds since 1970 by the local clock.
    var earliest: Int64
    var latest: Int64
    /// A row of it says that more will come.
    var isIncomplete = false
  }

  init(_ shape: TrendShape, _ clock: TrendClock) {
    self.shape = shape
    self.clock = clock
  }

  /// Rows that stand for many records; see ``recordCount``.
  private(set) var rows: UInt64 = 0
  private var merged: UInt64 = 0

  /// All records that were read, those of the future too: rows, where they are already aggregated.
  var recordCount: UInt64 { shape.isAggregated ? rows : recordSum }
  /// All records that these stand for.
  var recordSum: UInt64 { records.reduce(future, +) }
  var slotCount: Int { records.count }

  /// What slots and the table that finds them take of memory; without sketches, what groups are called,
  /// and room for more, which is not touched before it is used.
  var bytes: Int {
    cells.bytes + 4 * extent.count + 8 * records.count + 8 * counters.count + 8 * sums.count
  }

  // MARK: Adding

  func slot(group: Int, bucket: Int) -> Int {
    let (slot, isNew) = cells.slot(group: group, bucket: bucket)
    guard isNew else { return slot }
    extent.append(extent(of: bucket))
    records.append(0)
    counters.append(contentsOf: repeatElement(0, count: shape.counters))
    sums.append(contentsOf: repeatElement(0, count: shape.sums))
    for _ in 0..<shape.sketches { sketches.append(DDSketch()) }
    for _ in 0..<shape.registers { registers.append(HyperLogLog()) }
    return slot
  }

  private func extent(of bucket: Int) -> Int32 {
    if let last = extent.last, extents[Int(last)].bucket == bucket { return last }
    if let known = extentOfBucket[bucket] { return known }
    let start = clock.start(bucket)
    extentOfBucket[bucket] = Int32(extents.count)
    extents.append(Extent(bucket: bucket, earliest: start + clock.length - 1, latest: start))
    return Int32(extents.count - 1)
  }

  func addFuture(_ count: UInt64 = 1) { future += count }

  /// Counts what is merged.
  ///
  /// - Returns: whether all of it is no more than `most`: so no sum of records overflows.
  func addMerged(_ count: UInt64, most: UInt64) -> Bool {
    merged = min(most, merged) + count
    return merged <= most
  }

  func addRows(_ count: UInt64) { rows += count }

  func markIncomplete(_ bucket: Int) { extents[Int(extent(of: bucket))].isIncomplete = true }

  func markIncomplete(slot: Int) { extents[Int(extent[slot])].isIncomplete = true }

  func addRecords(_ count: UInt64, to slot: Int) { records[slot] += count }

  /// Says that the events of a bucket reach at least so far.
  func reach(_ bucket: Int, from first: Int64, to last: Int64) {
    reach(extent: Int(extent(of: bucket)), from: first, to: last)
  }

  /// The same of the bucket of a slot.
  func reach(slot: Int, from first: Int64, to last: Int64) {
    reach(extent: Int(extent[slot]), from: first, to: last)
  }

  private func reach(extent at: Int, from first: Int64, to last: Int64) {
    extents[at].earliest = min(extents[at].earliest, first)
    extents[at].latest = max(extents[at].latest, last)
  }

  func count(_ metric: Int, _ times: UInt64 = 1, in slot: Int) {
    counters[slot * shape.counters + shape.counter[metric]] += times
  }

  /// Adds to the numerator and the denominator of a ratio.
  func count(_ metric: Int, _ times: UInt64, of all: UInt64, in slot: Int) {
    let at = slot * shape.counters + shape.counter[metric]
    counters[at] += times
    counters[at + 1] += all
  }

  func merge(_ moments: TrendMoments, into metric: Int, in slot: Int) {
    let at = slot * shape.sums + shape.place[metric]
    var mine = self.moments(metric, in: slot)
    mine.merge(moments)
    counters[slot * shape.counters + shape.counter[metric]] = mine.count
    (sums[at], sums[at + 1], sums[at + 2]) = (mine.sum, mine.squares, mine.cubes)
  }

  func merge(_ sketch: DDSketch, into metric: Int, in slot: Int) {
    sketches[slot * shape.sketches + shape.place[metric]].merge(sketch)
  }

  func merge(_ other: HyperLogLog, into metric: Int, in slot: Int) {
    registers[slot * shape.registers + shape.place[metric]].merge(other)
  }

  // MARK: Adding a batch
  //
  // `found` has the slot of each of `rows`, negative where the record is not counted.

  func addRecords(
    _ times: UnsafePointer<Cell>, _ rows: UnsafeBufferPointer<UInt32>,
    _ found: UnsafeBufferPointer<Int32>
  ) {
    guard !extents.isEmpty else { return }
    extents.withUnsafeMutableBufferPointer { extents in
      records.withUnsafeMutableBufferPointer { records in
        extent.withUnsafeBufferPointer { extent in
          // Most records lie in the bucket of the one before.
          var place = 0
          var (first, last) = (extents[0].earliest, extents[0].latest)
          for i in 0..<rows.count where found[i] >= 0 {
            let slot = Int(found[i])
            let time = times[Int(rows[i])].intValue
            records[slot] &+= 1
            let mine = Int(extent[slot])
            if mine != place {
              (extents[place].earliest, extents[place].latest) = (first, last)
              (first, last) = (extents[mine].earliest, extents[mine].latest)
              place = mine
            }
            first = min(first, time)
            last = max(last, time)
          }
          (extents[place].earliest, extents[place].latest) = (first, last)
        }
      }
    }
  }

  /// Marks the buckets of rows in which a flag is false.
  func markIncomplete(
    _ cells: UnsafePointer<Cell>, _ rows: UnsafeBufferPointer<UInt32>,
    _ found: UnsafeBufferPointer<Int32>
  ) {
    for i in 0..<rows.count where found[i] >= 0 {
      let cell = cells[Int(rows[i])]
      if cell.kind == .bool, !cell.boolValue { markIncomplete(slot: Int(found[i])) }
    }
  }

  /// Counts the records for which a condition is true.
  func count(_ metric: Int, _ truths: [Truth], _ found: UnsafeBufferPointer<Int32>) {
    let (step, first) = (shape.counters, shape.counter[metric])
    counters.withUnsafeMutableBufferPointer { counters in
      truths.withUnsafeBufferPointer { truths in
        for i in 0..<truths.count where found[i] >= 0 && truths[i] == .true {
          counters[Int(found[i]) &* step &+ first] &+= 1
        }
      }
    }
  }

  /// Adds the numbers of a column, in the order of the rows.
  func add(
    _ cells: UnsafePointer<Cell>, _ rows: UnsafeBufferPointer<UInt32>, to metric: Int,
    _ found: UnsafeBufferPointer<Int32>
  ) {
    let place = shape.place[metric]
    if shape.tallies[metric] == .sketch {
      let step = shape.sketches
      sketches.withUnsafeMutableBufferPointer { sketches in
        for i in 0..<rows.count where found[i] >= 0 && !cells[Int(rows[i])].isNull {
          sketches[Int(found[i]) &* step &+ place].add(cells[Int(rows[i])].asDouble)
        }
      }
      return
    }
    let (step, counterStep, counter) = (shape.sums, shape.counters, shape.counter[metric])
    counters.withUnsafeMutableBufferPointer { counters in
      sums.withUnsafeMutableBufferPointer { sums in
        for i in 0..<rows.count where found[i] >= 0 && !cells[Int(rows[i])].isNull {
          let count = Int(found[i]) &* counterStep &+ counter
          let sum = Int(found[i]) &* step &+ place
          var moments = TrendMoments(
            count: counters[count], sum: sums[sum], squares: sums[sum + 1], cubes: sums[sum + 2])
          moments.add(cells[Int(rows[i])].asDouble)
          (counters[count], sums[sum], sums[sum + 1], sums[sum + 2]) = (
            moments.count, moments.sum, moments.squares, moments.cubes
          )
        }
      }
    }
  }

  /// Adds the values of a column to what counts distinct ones.
  func addHashes(
    _ cells: UnsafePointer<Cell>, _ rows: UnsafeBufferPointer<UInt32>, to metric: Int,
    _ found: UnsafeBufferPointer<Int32>
  ) {
    let (step, place) = (shape.registers, shape.place[metric])
    var key = KeyBytes()
    registers.withUnsafeMutableBufferPointer { registers in
      for i in 0..<rows.count where found[i] >= 0 && !cells[Int(rows[i])].isNull {
        key.clear()
        key.append(cells[Int(rows[i])])
        registers[Int(found[i]) &* step &+ place].add(hash: xxh3(key.bytes))
      }
    }
  }

  // MARK: Reading

  func counter(_ metric: Int, in slot: Int) -> UInt64 {
    counters[slot * shape.counters + shape.counter[metric]]
  }

  /// Of a ratio.
  func denominator(_ metric: Int, in slot: Int) -> UInt64 {
    counters[slot * shape.counters + shape.counter[metric] + 1]
  }

  func moments(_ metric: Int, in slot: Int) -> TrendMoments {
    let at = slot * shape.sums + shape.place[metric]
    return TrendMoments(
      count: counter(metric, in: slot), sum: sums[at], squares: sums[at + 1], cubes: sums[at + 2])
  }

  func sketch(_ metric: Int, in slot: Int) -> DDSketch {
    sketches[slot * shape.sketches + shape.place[metric]]
  }

  func register(_ metric: Int, in slot: Int) -> HyperLogLog {
    registers[slot * shape.registers + shape.place[metric]]
  }

  /// Records of each of ``extents``.
  func recordsByExtent() -> [UInt64] {
    var sums = [UInt64](repeating: 0, count: extents.count)
    for slot in records.indices { sums[Int(extent[slot])] += records[slot] }
    return sums
  }

  /// Every slot with its group and bucket, in no order that means anything.
  func forEachCell(_ body: (_ group: Int, _ bucket: Int, _ slot: Int) -> Void) {
    cells.forEach(body)
  }

  /// The slots of every group, by bucket.
  func slotsByGroup() -> CellTable.CellsByGroup { cells.byGroup(groups: groups.count) }

  /// The groups in the order of their keys, as bytes.
  func sortedGroups() -> [Int] {
    let keys = (0..<groups.count).map { Array(groups.bytes(of: $0)) }
    return keys.indices.sorted { keys[$0].lexicographicallyPrecedes(keys[$1]) }
  }
}
