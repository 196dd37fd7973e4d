import WeirData
import WeirExpressions
import WeirStatistics

/// What many records come to: a slot for every group and bucket that has any.
///
/// A slot is 24 bytes and 8 for each counter, 24 for a mean; quantiles and distinct counts have a
/// sketch each. Groups are named by their key (see `appendKey`).
final class TrendState {
  let shape: TrendShape
  let clock: TrendClock
  let groups = ByteDictionary()
  private(set) var slots: [(group: Int, bucket: Int)] = []
  /// Records of each slot.
  private(set) var records: [UInt64] = []
  private(set) var counters: [UInt64] = []
  private(set) var sums: [Double] = []
  private(set) var sketches: [DDSketch] = []
  private(set) var registers: [HyperLogLog] = []
  /// Latest event of each slot, in microseconds since 1970.
  private(set) var latest: [Int64] = []
  /// Earliest event of each slot.
  private(set) var earliest: [Int64] = []
  /// Records past the end of what is reported.
  private(set) var future: UInt64 = 0

  /// Slots by group and bucket.
  private let places = PairTable()

  init(_ shape: TrendShape, _ clock: TrendClock) {
    self.shape = shape
    self.clock = clock
  }

  /// All records, those of the future too.
  var recordCount: UInt64 { records.reduce(future, +) }

  // MARK: Adding

  func slot(group: Int, bucket: Int) -> Int {
    let known = places.find(UInt64(group), Int64(bucket))
    if known >= 0 { return Int(known) }
    let slot = slots.count
    places.insert(Int32(slot), for: UInt64(group), Int64(bucket))
    slots.append((group, bucket))
    records.append(0)
    latest.append(clock.start(bucket))
    earliest.append(clock.start(bucket) + clock.length - 1)
    counters.append(contentsOf: repeatElement(0, count: shape.counters))
    sums.append(contentsOf: repeatElement(0, count: shape.sums))
    for _ in 0..<shape.sketches { sketches.append(DDSketch()) }
    for _ in 0..<shape.registers { registers.append(HyperLogLog()) }
    return slot
  }

  func addFuture(_ count: UInt64 = 1) { future += count }

  func addRecords(_ count: UInt64, from first: Int64, latest instant: Int64, to slot: Int) {
    records[slot] += count
    latest[slot] = max(latest[slot], instant)
    earliest[slot] = min(earliest[slot], first)
  }

  func count(_ metric: Int, _ times: UInt64 = 1, in slot: Int) {
    counters[slot * shape.counters + shape.counter[metric]] += times
  }

  func merge(_ moments: TrendMoments, into metric: Int, in slot: Int) {
    let at = slot * shape.sums + shape.place[metric]
    var mine = self.moments(metric, in: slot)
    mine.merge(moments)
    counters[slot * shape.counters + shape.counter[metric]] = mine.count
    sums[at] = mine.sum
    sums[at + 1] = mine.squares
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
    records.withUnsafeMutableBufferPointer { records in
      latest.withUnsafeMutableBufferPointer { latest in
        earliest.withUnsafeMutableBufferPointer { earliest in
          for i in 0..<rows.count where found[i] >= 0 {
            let slot = Int(found[i])
            let time = times[Int(rows[i])].intValue
            records[slot] &+= 1
            latest[slot] = max(latest[slot], time)
            earliest[slot] = min(earliest[slot], time)
          }
        }
      }
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
          var moments = TrendMoments(count: counters[count], sum: sums[sum], squares: sums[sum + 1])
          moments.add(cells[Int(rows[i])].asDouble)
          (counters[count], sums[sum], sums[sum + 1]) = (
            moments.count, moments.sum, moments.squares
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

  func moments(_ metric: Int, in slot: Int) -> TrendMoments {
    let at = slot * shape.sums + shape.place[metric]
    return TrendMoments(count: counter(metric, in: slot), sum: sums[at], squares: sums[at + 1])
  }

  func sketch(_ metric: Int, in slot: Int) -> DDSketch {
    sketches[slot * shape.sketches + shape.place[metric]]
  }

  func register(_ metric: Int, in slot: Int) -> HyperLogLog {
    registers[slot * shape.registers + shape.place[metric]]
  }

  /// The slots of every group, by bucket.
  func slotsByGroup() -> [[Int]] {
    var lists = [[Int]](repeating: [], count: groups.count)
    for (slot, place) in slots.enumerated() { lists[place.group].append(slot) }
    return lists.map { $0.sorted { slots[$0].bucket < slots[$1].bucket } }
  }

  /// The groups in the order of their keys, as bytes.
  func sortedGroups() -> [Int] {
    let keys = (0..<groups.count).map { Array(groups.bytes(of: $0)) }
    return keys.indices.sorted { keys[$0].lexicographicallyPrecedes(keys[$1]) }
  }
}

/// Count, sum, and sum of squares about the mean.
///
/// The squares are kept about the mean, and put together as Chan, Golub and LeVeque (1983) do: a sum
/// of plain squares would lose all its digits for values that are large and close together.
struct TrendMoments: Equatable {
  var count: UInt64 = 0
  var sum = 0.0
  var squares = 0.0

  mutating func add(_ value: Double) {
    merge(TrendMoments(count: 1, sum: value, squares: 0))
  }

  mutating func merge(_ other: TrendMoments) {
    guard other.count > 0 else { return }
    guard count > 0 else {
      self = other
      return
    }
    let (a, b) = (Double(count), Double(other.count))
    let distance = other.sum / b - sum / a
    squares += other.squares + distance * distance * (a / (a + b)) * b
    sum += other.sum
    count += other.count
  }

  var mean: Double? { count > 0 ? sum / Double(count) : nil }

  /// Sampling variance of ``mean``: the sample variance over the count; 0 for a single value.
  var varianceOfMean: Double {
    count > 1 ? max(0, squares) / Double(count - 1) / Double(count) : 0
  }
}
