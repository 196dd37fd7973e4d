import Glibc
import WeirData
import WeirEngine
import WeirStatistics

/// Groups with the state of each metric: what a shard collects, and what all shards come to.
final class AggregateTable {
  private static let revision: UInt8 = 2
  private static let checksumBytes = 8
  /// More records than a run can have; keeps all counts far from overflow.
  private static let recordsMax: UInt64 = 1 << 62

  let layout: AggregateLayout
  private let keys = ByteDictionary()
  private(set) var records: [UInt64] = []
  /// All records in it.
  private(set) var recordCount: UInt64 = 0
  let states: [any MetricState]
  private let signature: [UInt8]
  /// Of the partial in hand: its groups as they are called here, and the records of each.
  private var merged: (groups: [Int], records: [UInt64]) = ([], [])

  init(_ layout: AggregateLayout) {
    self.layout = layout
    signature = layout.signature
    states = layout.states.map(makeState)
  }

  var groupCount: Int { records.count }

  func key(of group: Int) -> UnsafeBufferPointer<UInt8> { keys.bytes(of: group) }

  /// Groups in the order of their keys.
  var orderedGroups: [Int] {
    (0..<groupCount).sorted { precedes(keys.bytes(of: $0), keys.bytes(of: $1)) }
  }

  /// The group of a key; its states must ``grow()`` before they are used.
  func group(_ key: UnsafeBufferPointer<UInt8>) -> Int {
    let before = keys.count
    let group = keys.code(of: key)
    if group == before { records.append(0) }
    return group
  }

  /// Counts records into a group.
  func count(_ group: Int, records count: UInt64) {
    records[group] += count
    recordCount += count
  }

  /// Counts one record into each of `groups` that is not negative.
  func count(_ groups: UnsafeBufferPointer<Int32>) {
    var total: UInt64 = 0
    records.withUnsafeMutableBufferPointer { records in
      for group in groups where group >= 0 {
        records[Int(group)] &+= 1
        total &+= 1
      }
    }
    recordCount += total
  }

  func grow() { for state in states { state.grow(to: groupCount) } }

  /// Forgets all groups.
  func removeAll() {
    keys.removeAll()
    records.removeAll(keepingCapacity: true)
    recordCount = 0
    for state in states { state.removeAll() }
  }

  // MARK: Bytes

  /// Revision, signature of the layout, number of records and groups, the keys of the groups in their
  /// order, the records of each, each state for all of them, then XXH3 of all that. What is of one kind
  /// stands together, so that merging goes over one array after the other.
  func encode() -> [UInt8] {
    var out = ByteWriter()
    out.byte(Self.revision)
    out.block(signature)
    out.varint(recordCount)
    out.varint(UInt64(groupCount))
    let order = orderedGroups
    for group in order { out.block(keys.bytes(of: group)) }
    for group in order { out.varint(records[group]) }
    for state in states { state.encode(order, into: &out) }
    out.integer(out.bytes.withUnsafeBufferPointer { xxh3($0) })
    return out.bytes
  }

  /// Adds what ``encode()`` wrote.
  func merge(_ bytes: [UInt8]) throws(RunError) {
    guard bytes.count > Self.checksumBytes else { throw .damagedState("it ends too early") }
    let content = bytes.dropLast(Self.checksumBytes)
    var trailer = StateReader(bytes.suffix(Self.checksumBytes))
    guard try trailer.integer(UInt64.self) == content.withUnsafeBufferPointer({ xxh3($0) }) else {
      throw .damagedState("its checksum is wrong")
    }
    var input = StateReader(content)
    guard try input.byte() == Self.revision else {
      throw .damagedState("it was written by another version")
    }
    guard try input.block().elementsEqual(signature) else {
      throw RunError(
        code: "mixed_types",
        message: "an aggregation gets the same fields with different types from its inputs",
        fix: "declare the fields with the same types in all sources, or normalize them before")
    }
    let total = try input.count(upTo: Self.recordsMax - recordCount)
    // In this function's own hands, so that nothing is asked at run time for each group.
    var (groups, counts) = merged
    merged = ([], [])
    groups.removeAll(keepingCapacity: true)
    counts.removeAll(keepingCapacity: true)
    try readKeys(&input, into: &groups)
    grow()
    var left = total
    for _ in groups {
      let count = try input.count(upTo: left)
      guard count > 0 else { throw .damagedState("a group has no record") }
      left -= count
      counts.append(count)
    }
    for (group, count) in zip(groups, counts) { self.count(group, records: count) }
    for state in states { try state.merge(groups, from: &input, records: counts) }
    guard left == 0, input.isAtEnd else {
      throw .damagedState("it does not hold what it says")
    }
    merged = (groups, counts)
  }

  private func readKeys(
    _ input: inout StateReader, into groups: inout [Int]
  ) throws(RunError) {
    var last: ArraySlice<UInt8>?
    for _ in 0..<(try input.count()) {
      let key = try input.slice()
      guard last.map({ precedes($0, key) }) ?? true else {
        throw .damagedState("its groups are out of order")
      }
      last = key
      let group = try key.withUnsafeBufferPointer { key throws(RunError) in
        let before = groupCount
        let group = self.group(key)
        // A key that is there already was looked at when it came.
        if groupCount > before { try check(key) }
        return group
      }
      groups.append(group)
    }
  }

  private func check(_ key: UnsafeBufferPointer<UInt8>) throws(RunError) {
    var reader = GroupKeyReader(key)
    for field in layout.by { _ = try reader.value(field.type) }
    if layout.time != nil { _ = try reader.bucket() }
    guard reader.isAtEnd else { throw .damagedState("the name of a group is too long") }
  }
}

private func precedes(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
  guard let first = a.baseAddress, let second = b.baseAddress else { return a.count < b.count }
  let order = memcmp(first, second, min(a.count, b.count))
  return order != 0 ? order < 0 : a.count < b.count
}

private func precedes(_ a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> Bool {
  a.withUnsafeBufferPointer { a in b.withUnsafeBufferPointer { precedes(a, $0) } }
}
