import Glibc
import WeirData
import WeirEngine
import WeirStatistics

/// Smallest or largest integers or times.
final class IntExtremes: MetricState {
  private let greatest: Bool
  private let areTimes: Bool
  private var values: [Int64] = []
  private var seen: [Bool] = []

  init(greatest: Bool, areTimes: Bool) {
    self.greatest = greatest
    self.areTimes = areTimes
  }

  func grow(to count: Int) {
    values.grow(to: count, 0)
    seen.grow(to: count, false)
  }

  func removeAll() {
    values.removeAll(keepingCapacity: true)
    seen.removeAll(keepingCapacity: true)
  }

  func add(_ input: MetricInput, _ groups: UnsafeBufferPointer<Int32>) {
    let greatest = greatest
    values.withUnsafeMutableBufferPointer { values in
      seen.withUnsafeMutableBufferPointer { seen in
        for i in 0..<groups.count where groups[i] >= 0 && !input.cells[i].isNull {
          let group = Int(groups[i])
          let value = input.cells[i].intValue
          if !seen[group] || isBeyond(value, values[group], greatest) {
            values[group] = value
            seen[group] = true
          }
        }
      }
    }
  }

  func encode(_ group: Int, into out: inout ByteWriter) {
    out.byte(seen[group] ? 1 : 0)
    if seen[group] { out.integer(values[group]) }
  }

  func merge(_ group: Int, from input: inout StateReader, records: UInt64) throws(RunError) {
    guard try input.isPresent() else { return }
    let value = try input.integer(Int64.self)
    guard !areTimes || Timestamp(microseconds: value).isWritable else {
      throw .damagedState("a time is out of range")
    }
    if !seen[group] || isBeyond(value, values[group], greatest) { values[group] = value }
    seen[group] = true
  }

  func value(_ group: Int, _ function: MetricFunction, records: UInt64) -> JSONValue? {
    guard seen[group] else { return .null }
    return areTimes
      ? .text(Timestamp(microseconds: values[group]).rfc3339) : .int(values[group])
  }
}

/// Smallest or largest doubles; -0 is 0.
final class NumberExtremes: MetricState {
  private let greatest: Bool
  private var values: [Double] = []
  private var seen: [Bool] = []

  init(greatest: Bool) { self.greatest = greatest }

  func grow(to count: Int) {
    values.grow(to: count, 0)
    seen.grow(to: count, false)
  }

  func removeAll() {
    values.removeAll(keepingCapacity: true)
    seen.removeAll(keepingCapacity: true)
  }

  func add(_ input: MetricInput, _ groups: UnsafeBufferPointer<Int32>) {
    let greatest = greatest
    values.withUnsafeMutableBufferPointer { values in
      seen.withUnsafeMutableBufferPointer { seen in
        for i in 0..<groups.count where groups[i] >= 0 && !input.cells[i].isNull {
          let group = Int(groups[i])
          let value = input.cells[i].asDouble
          if !seen[group] || isBeyond(value, values[group], greatest) {
            values[group] = value == 0 ? 0 : value
            seen[group] = true
          }
        }
      }
    }
  }

  func encode(_ group: Int, into out: inout ByteWriter) {
    out.byte(seen[group] ? 1 : 0)
    if seen[group] { out.integer(values[group].bitPattern) }
  }

  func merge(_ group: Int, from input: inout StateReader, records: UInt64) throws(RunError) {
    guard try input.isPresent() else { return }
    let value = Double(bitPattern: try input.integer(UInt64.self))
    guard value.isFinite else { throw .damagedState("a number is not finite") }
    if !seen[group] || isBeyond(value, values[group], greatest) {
      values[group] = value == 0 ? 0 : value
    }
    seen[group] = true
  }

  func value(_ group: Int, _ function: MetricFunction, records: UInt64) -> JSONValue? {
    seen[group] ? .number(values[group]) : .null
  }
}

/// First or last strings in the order of their bytes.
final class StringExtremes: MetricState {
  private let greatest: Bool
  private var texts = GroupTexts()

  init(greatest: Bool) { self.greatest = greatest }

  func grow(to count: Int) { texts.grow(to: count) }

  func removeAll() { texts = GroupTexts() }

  func add(_ input: MetricInput, _ groups: UnsafeBufferPointer<Int32>) {
    let greatest = greatest
    // In this function's own hands, so that nothing is asked at run time for each row.
    var texts = GroupTexts()
    swap(&texts, &self.texts)
    for i in 0..<groups.count where groups[i] >= 0 && !input.cells[i].isNull {
      texts.offer(input.cells[i].stringBytes, to: Int(groups[i]), greatest: greatest)
    }
    swap(&texts, &self.texts)
  }

  func encode(_ group: Int, into out: inout ByteWriter) {
    let text = texts[group]
    out.byte(text == nil ? 0 : 1)
    if let text { out.block(text) }
  }

  func merge(_ group: Int, from input: inout StateReader, records: UInt64) throws(RunError) {
    guard try input.isPresent() else { return }
    try input.slice().withUnsafeBufferPointer { texts.offer($0, to: group, greatest: greatest) }
  }

  func value(_ group: Int, _ function: MetricFunction, records: UInt64) -> JSONValue? {
    texts[group].map { .string($0) } ?? .null
  }
}

/// A text for each group, one behind the other in one array. One that outgrows its room gets twice as
/// much at the end, so all of it is at most four times the longest texts.
private struct GroupTexts {
  private struct Place {
    var start = 0
    /// Negative: no text.
    var count = -1
    var room = 0
  }
  private var bytes: [UInt8] = []
  private var places: [Place] = []

  mutating func grow(to count: Int) { places.grow(to: count, Place()) }

  subscript(group: Int) -> [UInt8]? {
    let place = places[group]
    return place.count < 0 ? nil : Array(bytes[place.start..<(place.start + place.count)])
  }

  /// Keeps `text` where the group has none or it is beyond the one that it has.
  @inline(__always)
  mutating func offer(_ text: UnsafeBufferPointer<UInt8>, to group: Int, greatest: Bool) {
    let place = places[group]
    if place.count >= 0 {
      let isBeyond = bytes.withUnsafeBufferPointer {
        GroupTexts.isBeyond(
          text, UnsafeBufferPointer(rebasing: $0[place.start..<(place.start + place.count)]),
          greatest)
      }
      guard isBeyond else { return }
    }
    set(text, group)
  }

  @inline(never)
  private mutating func set(_ text: UnsafeBufferPointer<UInt8>, _ group: Int) {
    if places[group].room < text.count {
      let room = max(text.count, 2 * places[group].room)
      places[group].start = bytes.count
      places[group].room = room
      bytes.append(contentsOf: text)
      bytes.append(contentsOf: repeatElement(0, count: room - text.count))
    } else {
      let start = places[group].start
      bytes.replaceSubrange(start..<(start + text.count), with: text)
    }
    places[group].count = text.count
  }

  @inline(__always)
  private static func isBeyond(
    _ new: UnsafeBufferPointer<UInt8>, _ old: UnsafeBufferPointer<UInt8>, _ greatest: Bool
  ) -> Bool {
    let both = min(new.count, old.count)
    var order = 0
    if both > 0, let a = new.baseAddress, let b = old.baseAddress {
      order = Int(memcmp(a, b, both))
    }
    if order == 0 { order = new.count - old.count }
    return greatest ? order > 0 : order < 0
  }
}

/// Whether a new value takes the place of an old one.
@inline(__always)
private func isBeyond<Value: Comparable>(_ new: Value, _ old: Value, _ greatest: Bool) -> Bool {
  greatest ? new > old : new < old
}

extension StateReader {
  /// Whether a value follows.
  fileprivate mutating func isPresent() throws(RunError) -> Bool {
    switch try byte() {
    case 0: false
    case 1: true
    default: throw .damagedState("a mark in it is neither 0 nor 1")
    }
  }
}
