import WeirData
import WeirEngine
import WeirExpressions
import WeirStatistics

/// One number or sketch for each group, in flat arrays.
protocol MetricState: AnyObject {
  /// Makes room for groups up to `count`.
  func grow(to count: Int)
  /// Forgets all groups.
  func removeAll()
  /// Adds the values of a batch: `groups[i]` is the group of the i-th, negative for none.
  func add(_ values: MetricInput, _ groups: UnsafeBufferPointer<Int32>)
  func encode(_ group: Int, into out: inout ByteWriter)
  /// Those of several groups, one behind the other.
  func encode(_ groups: [Int], into out: inout ByteWriter)
  /// Adds an encoded state.
  ///
  /// - Parameter records: how many records it is of.
  func merge(_ group: Int, from input: inout StateReader, records: UInt64) throws(RunError)
  /// Adds those of several groups.
  func merge(_ groups: [Int], from input: inout StateReader, records: [UInt64]) throws(RunError)
  /// The metric; `nil` where it is too large to be written.
  func value(_ group: Int, _ function: MetricFunction, records: UInt64) -> JSONValue?
  /// Whether no metric of this function can be too large.
  func alwaysHasValue(_ function: MetricFunction) -> Bool
}

extension MetricState {
  func encode(_ groups: [Int], into out: inout ByteWriter) {
    for group in groups { encode(group, into: &out) }
  }

  func merge(
    _ groups: [Int], from input: inout StateReader, records: [UInt64]
  ) throws(RunError) {
    for i in groups.indices { try merge(groups[i], from: &input, records: records[i]) }
  }

  func alwaysHasValue(_ function: MetricFunction) -> Bool { true }
}

/// The values of one expression for a batch: truths of a condition, cells of anything else.
struct MetricInput {
  var cells: UnsafeBufferPointer<Cell>
  var truths: UnsafeBufferPointer<Truth>
}

func makeState(_ state: AggregateLayout.State) -> any MetricState {
  switch state.kind {
  case .hits: HitCounts()
  case .intSum: IntSums()
  case .numberSum: NumberSums()
  case .intLeast, .intGreatest:
    IntExtremes(greatest: state.kind == .intGreatest, areTimes: state.type == .timestamp)
  case .numberLeast, .numberGreatest: NumberExtremes(greatest: state.kind == .numberGreatest)
  case .stringLeast, .stringGreatest: StringExtremes(greatest: state.kind == .stringGreatest)
  case .sketch: Sketches()
  case .distinct: DistinctCounts()
  }
}

extension Cell {
  /// An int or a number as a double.
  @inline(__always) var asDouble: Double {
    rawKind == CellKind.int.rawValue ? Double(intValue) : numberValue
  }
}

extension Array {
  mutating func grow(to count: Int, _ value: Element) {
    if self.count < count { append(contentsOf: repeatElement(value, count: count - self.count)) }
  }
}

/// How often a condition was true.
final class HitCounts: MetricState {
  private var hits: [UInt64] = []

  func grow(to count: Int) { hits.grow(to: count, 0) }

  func removeAll() { hits.removeAll(keepingCapacity: true) }

  func add(_ values: MetricInput, _ groups: UnsafeBufferPointer<Int32>) {
    hits.withUnsafeMutableBufferPointer { hits in
      for i in 0..<groups.count where groups[i] >= 0 && values.truths[i] == .true {
        hits[Int(groups[i])] &+= 1
      }
    }
  }

  func encode(_ group: Int, into out: inout ByteWriter) { out.varint(hits[group]) }

  func merge(_ group: Int, from input: inout StateReader, records: UInt64) throws(RunError) {
    hits[group] += try input.count(upTo: records)
  }

  func merge(
    _ groups: [Int], from input: inout StateReader, records: [UInt64]
  ) throws(RunError) {
    try hits.withUnsafeMutableBufferPointer { hits throws(RunError) in
      for i in groups.indices { hits[groups[i]] += try input.count(upTo: records[i]) }
    }
  }

  func value(_ group: Int, _ function: MetricFunction, records: UInt64) -> JSONValue? {
    guard function == .rate else { return .int(Int64(hits[group])) }
    return records == 0 ? .null : .number(Double(hits[group]) / Double(records))
  }
}

/// Exact sums of integers.
final class IntSums: MetricState {
  private var sums: [Int128] = []
  private var counts: [UInt64] = []

  func grow(to count: Int) {
    sums.grow(to: count, 0)
    counts.grow(to: count, 0)
  }

  func removeAll() {
    sums.removeAll(keepingCapacity: true)
    counts.removeAll(keepingCapacity: true)
  }

  func add(_ values: MetricInput, _ groups: UnsafeBufferPointer<Int32>) {
    sums.withUnsafeMutableBufferPointer { sums in
      counts.withUnsafeMutableBufferPointer { counts in
        for i in 0..<groups.count where groups[i] >= 0 && !values.cells[i].isNull {
          sums[Int(groups[i])] += Int128(values.cells[i].intValue)
          counts[Int(groups[i])] &+= 1
        }
      }
    }
  }

  func encode(_ group: Int, into out: inout ByteWriter) {
    out.varint(counts[group])
    if counts[group] > 0 { out.integer(sums[group]) }
  }

  func merge(_ group: Int, from input: inout StateReader, records: UInt64) throws(RunError) {
    try merge([group], from: &input, records: [records])
  }

  func merge(
    _ groups: [Int], from input: inout StateReader, records: [UInt64]
  ) throws(RunError) {
    try sums.withUnsafeMutableBufferPointer { sums throws(RunError) in
      try counts.withUnsafeMutableBufferPointer { counts throws(RunError) in
        for i in groups.indices {
          let count = try input.count(upTo: records[i])
          guard count > 0 else { continue }
          let sum = try input.integer(Int128.self)
          guard sum.magnitude <= UInt128(count) << 63 else {
            throw .damagedState("a sum is larger than its values can be")
          }
          counts[groups[i]] += count
          sums[groups[i]] += sum
        }
      }
    }
  }

  func value(_ group: Int, _ function: MetricFunction, records: UInt64) -> JSONValue? {
    guard counts[group] > 0 else { return .null }
    if function == .mean { return .number(double(sums[group]) / Double(counts[group])) }
    return Int64(exactly: sums[group]).map { .int($0) }
  }

  func alwaysHasValue(_ function: MetricFunction) -> Bool { function == .mean }

  /// The nearest double; nearly all sums are of 64 bits, for which the processor has an instruction.
  private func double(_ sum: Int128) -> Double {
    Int64(exactly: sum).map(Double.init) ?? Double(sum)
  }
}

/// Sums of doubles in the order in which they come.
final class NumberSums: MetricState {
  private var sums: [Double] = []
  private var counts: [UInt64] = []

  func grow(to count: Int) {
    sums.grow(to: count, 0)
    counts.grow(to: count, 0)
  }

  func removeAll() {
    sums.removeAll(keepingCapacity: true)
    counts.removeAll(keepingCapacity: true)
  }

  func add(_ values: MetricInput, _ groups: UnsafeBufferPointer<Int32>) {
    sums.withUnsafeMutableBufferPointer { sums in
      counts.withUnsafeMutableBufferPointer { counts in
        for i in 0..<groups.count where groups[i] >= 0 && !values.cells[i].isNull {
          sums[Int(groups[i])] += values.cells[i].asDouble
          counts[Int(groups[i])] &+= 1
        }
      }
    }
  }

  func encode(_ group: Int, into out: inout ByteWriter) {
    out.varint(counts[group])
    if counts[group] > 0 { out.integer(sums[group].bitPattern) }
  }

  func merge(_ group: Int, from input: inout StateReader, records: UInt64) throws(RunError) {
    let count = try input.count(upTo: records)
    guard count > 0 else { return }
    counts[group] += count
    sums[group] += Double(bitPattern: try input.integer(UInt64.self))
  }

  func value(_ group: Int, _ function: MetricFunction, records: UInt64) -> JSONValue? {
    guard counts[group] > 0 else { return .null }
    let value = function == .mean ? sums[group] / Double(counts[group]) : sums[group]
    return value.isFinite ? .number(value) : nil
  }

  func alwaysHasValue(_ function: MetricFunction) -> Bool { false }
}

/// Quantiles of numbers.
final class Sketches: MetricState {
  private var sketches: [DDSketch] = []

  func grow(to count: Int) { sketches.grow(to: count, DDSketch()) }

  func removeAll() { sketches.removeAll(keepingCapacity: true) }

  func add(_ values: MetricInput, _ groups: UnsafeBufferPointer<Int32>) {
    sketches.withUnsafeMutableBufferPointer { sketches in
      for i in 0..<groups.count where groups[i] >= 0 && !values.cells[i].isNull {
        sketches[Int(groups[i])].add(values.cells[i].asDouble)
      }
    }
  }

  func encode(_ group: Int, into out: inout ByteWriter) { out.block(sketches[group].encode()) }

  func merge(_ group: Int, from input: inout StateReader, records: UInt64) throws(RunError) {
    guard let other = DDSketch(decoding: Array(try input.block())), other.count <= records else {
      throw .damagedState("a quantile sketch cannot be read")
    }
    sketches[group].merge(other)
  }

  func value(_ group: Int, _ function: MetricFunction, records: UInt64) -> JSONValue? {
    guard case .quantile(let q) = function, let value = sketches[group].quantile(q) else {
      return .null
    }
    return .number(value)
  }
}

/// Numbers of distinct values.
final class DistinctCounts: MetricState {
  private var sketches: [HyperLogLog] = []

  func grow(to count: Int) { sketches.grow(to: count, HyperLogLog()) }

  func removeAll() { sketches.removeAll(keepingCapacity: true) }

  func add(_ values: MetricInput, _ groups: UnsafeBufferPointer<Int32>) {
    var key = KeyBytes()
    sketches.withUnsafeMutableBufferPointer { sketches in
      for i in 0..<groups.count where groups[i] >= 0 && !values.cells[i].isNull {
        key.clear()
        key.append(values.cells[i])
        sketches[Int(groups[i])].add(hash: xxh3(key.bytes))
      }
    }
  }

  func encode(_ group: Int, into out: inout ByteWriter) { out.block(sketches[group].encode()) }

  func merge(_ group: Int, from input: inout StateReader, records: UInt64) throws(RunError) {
    guard let other = HyperLogLog(decoding: Array(try input.block())) else {
      throw .damagedState("a sketch of distinct values cannot be read")
    }
    sketches[group].merge(other)
  }

  func value(_ group: Int, _ function: MetricFunction, records: UInt64) -> JSONValue? {
    .int(Int64(sketches[group].estimate.rounded()))
  }
}
