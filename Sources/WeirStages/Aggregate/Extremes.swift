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
  private var values: [[UInt8]?] = []

  init(greatest: Bool) { self.greatest = greatest }

  func grow(to count: Int) { values.grow(to: count, nil) }

  func add(_ input: MetricInput, _ groups: UnsafeBufferPointer<Int32>) {
    let greatest = greatest
    values.withUnsafeMutableBufferPointer { values in
      for i in 0..<groups.count where groups[i] >= 0 && !input.cells[i].isNull {
        let value = input.cells[i].stringBytes
        let group = Int(groups[i])
        if values[group].map({ isBeyond(value, $0, greatest) }) ?? true {
          values[group] = Array(value)
        }
      }
    }
  }

  func encode(_ group: Int, into out: inout ByteWriter) {
    out.byte(values[group] == nil ? 0 : 1)
    if let value = values[group] { out.block(value) }
  }

  func merge(_ group: Int, from input: inout StateReader, records: UInt64) throws(RunError) {
    guard try input.isPresent() else { return }
    let value = try input.block()
    let isBetter = value.withUnsafeBufferPointer { value in
      values[group].map { isBeyond(value, $0, greatest) } ?? true
    }
    if isBetter { values[group] = value }
  }

  func value(_ group: Int, _ function: MetricFunction, records: UInt64) -> JSONValue? {
    values[group].map { .string($0) } ?? .null
  }
}

/// Whether a new value takes the place of an old one.
@inline(__always)
private func isBeyond<Value: Comparable>(_ new: Value, _ old: Value, _ greatest: Bool) -> Bool {
  greatest ? new > old : new < old
}

private func isBeyond(
  _ new: UnsafeBufferPointer<UInt8>, _ old: [UInt8], _ greatest: Bool
) -> Bool {
  old.withUnsafeBufferPointer { old in
    let both = min(new.count, old.count)
    var order = 0
    if both > 0, let a = new.baseAddress, let b = old.baseAddress {
      order = Int(memcmp(a, b, both))
    }
    if order == 0 { order = new.count - old.count }
    return greatest ? order > 0 : order < 0
  }
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
