import Foundation
import WeirData

@testable import WeirExpressions

/// Functions and macros of the second reading; dates and zones are Foundation's.
extension Reference {
  mutating func call(_ name: String, _ target: Int?, _ arguments: [Int]) throws -> Value {
    if let target, arguments.count >= 2, let result = try macro(name, target, arguments) {
      return result
    }
    if name == "has" { return .bool(try has(arguments[0])) }
    if let target, let namespace = path(target),
      ["math", "optional", "strings", "base64", "cel"].contains(namespace)
    {
      var values: [Value] = []
      for argument in arguments { values.append(try value(argument)) }
      return try namespaced(namespace + "." + name, values)
    }
    let first = try value(target ?? arguments[0])
    if name == "or" || name == "orValue" {
      guard case .optional(let held) = first else { throw Failure() }
      guard let held else { return try value(arguments[0]) }
      return name == "or" ? .optional(held) : held
    }
    var rest: [Value] = []
    for argument in target == nil ? Array(arguments.dropFirst()) : arguments {
      rest.append(try value(argument))
    }
    return try apply(name, first, rest)
  }

  private mutating func has(_ index: Int) throws -> Bool {
    guard case .select(let inner, let name, _) = syntax[index].kind else {
      if case .null = try value(index) { return false }
      return true
    }
    if let path = path(index), let value = fields[path] {
      if case .null = value { return false }
      return true
    }
    var target = try value(inner)
    while case .optional(let held) = target {
      guard let held else { return false }
      target = held
    }
    guard case .map(let entries) = target else { throw Failure() }
    return try entries.contains { try equal($0.key, .string(name)) }
  }

  // MARK: - Macros

  private mutating func macro(_ name: String, _ target: Int, _ arguments: [Int]) throws -> Value? {
    let known = [
      "all", "exists", "exists_one", "existsOne", "map", "filter", "transformList", "transformMap",
      "transformMapEntry",
    ]
    if name == "bind" || name.hasPrefix("opt") { throw Unknown() }
    guard known.contains(name) else { return nil }
    var names: [[UInt8]] = []
    let count =
      name.hasPrefix("transform") || (arguments.count == 3 && name != "map") ? 2 : 1
    for argument in arguments.prefix(count) {
      guard case .name(let name, _) = syntax[argument].kind else { throw Failure() }
      names.append(name)
    }
    let rest = Array(arguments.dropFirst(count))
    var rounds: [[Value]] = []
    var keys: [Value] = []
    switch try value(target) {
    case .list(let elements):
      for (at, element) in elements.enumerated() {
        rounds.append(count == 1 ? [element] : [.int(Int64(at)), element])
        keys.append(.int(Int64(at)))
      }
    case .map(let entries):
      for entry in entries {
        rounds.append([entry.key, entry.value])
        keys.append(entry.key)
      }
    default: throw Failure()
    }
    let depth = variables.count
    defer { variables.removeLast(variables.count - depth) }
    var list: [Value] = []
    var map: [(key: Value, value: Value)] = []
    var truths: [Bool] = []
    var failed = false
    for (at, round) in rounds.enumerated() {
      variables.removeLast(variables.count - depth)
      for (name, value) in zip(names, round) { variables.append((name, value)) }
      switch name {
      case "all", "exists":
        do { truths.append(try truth(rest[0])) } catch let error {
          if error is Unknown { throw error }
          failed = true
        }
      case "exists_one", "existsOne": truths.append(try truth(rest[0]))
      case "filter": if try truth(rest[0]) { list.append(round[0]) }
      default:
        if rest.count == 2, !(try truth(rest[0])) { continue }
        let made = try value(rest[rest.count - 1])
        switch name {
        case "transformMap": try insert(keys[at], made, into: &map)
        case "transformMapEntry":
          guard case .map(let entries) = made else { throw Failure() }
          for entry in entries { try insert(entry.key, entry.value, into: &map) }
        default: list.append(made)
        }
      }
    }
    switch name {
    case "all":
      if truths.contains(false) { return .bool(false) }
      if failed { throw Failure() }
      return .bool(true)
    case "exists":
      if truths.contains(true) { return .bool(true) }
      if failed { throw Failure() }
      return .bool(false)
    case "exists_one", "existsOne": return .bool(truths.count { $0 } == 1)
    case "transformMap", "transformMapEntry": return .map(map)
    default: return .list(list)
    }
  }

  // MARK: - Functions

  private func namespaced(_ name: String, _ values: [Value]) throws -> Value {
    switch name {
    case "optional.of": return .optional(values[0])
    case "optional.none": return .optional(nil)
    case "math.abs":
      if case .int(let v) = values[0], v != .min { return .int(abs(v)) }
      if case .number(let v) = values[0] { return .number(abs(v)) }
      if case .uint = values[0] { return values[0] }
      throw Failure()
    default: throw Unknown()
    }
  }

  private func apply(_ name: String, _ first: Value, _ rest: [Value]) throws -> Value {
    switch (name, first) {
    case ("dyn", _): return first
    case ("size", .string(let bytes)): return .int(Int64(scalars(bytes).count))
    case ("size", .bytes(let bytes)): return .int(Int64(bytes.count))
    case ("size", .list(let elements)): return .int(Int64(elements.count))
    case ("size", .map(let entries)): return .int(Int64(entries.count))
    case ("int", .int), ("double", .number), ("uint", .uint), ("string", .string),
      ("bool", .bool), ("timestamp", .timestamp), ("duration", .duration):
      return first
    case ("int", .uint(let v)):
      guard let whole = Int64(exactly: v) else { throw Failure() }
      return .int(whole)
    case ("int", .number(let v)):
      guard v > -0x1p63, v < 0x1p63 else { throw Failure() }
      return .int(Int64(v.rounded(.towardZero)))
    case ("int", .timestamp(let v)):
      return .int(Int64(v >= 0 ? v / 1_000_000_000 : -((-v + 999_999_999) / 1_000_000_000)))
    case ("int", .string(let bytes)):
      guard let whole = Int64(text(bytes)) else { throw Failure() }
      return .int(whole)
    case ("uint", .int(let v)):
      guard let whole = UInt64(exactly: v) else { throw Failure() }
      return .uint(whole)
    case ("double", .int(let v)): return .number(Double(v))
    case ("double", .uint(let v)): return .number(Double(v))
    case ("string", .int(let v)): return .string(Array("\(v)".utf8))
    case ("string", .uint(let v)): return .string(Array("\(v)".utf8))
    case ("string", .bool(let v)): return .string(Array("\(v)".utf8))
    case ("bytes", .string(let v)): return .bytes(v)
    case ("timestamp", .int(let seconds)): return try timestamp(Int128(seconds) * 1_000_000_000)
    case ("timestamp", .string(let bytes)):
      // A column's timestamps end at the microsecond.
      if bytes.contains(UInt8(ascii: ".")) { throw Unknown() }
      guard let time = Timestamp(rfc3339: text(bytes)) else { throw Failure() }
      return .timestamp(Int128(time.microseconds) * 1_000)
    case ("duration", .string(let bytes)): return try simpleDuration(text(bytes))
    case ("hasValue", .optional(let held)): return .bool(held != nil)
    case ("value", .optional(let held?)): return held
    case ("join", .list(let elements)):
      var parts: [[UInt8]] = []
      for element in elements { parts.append(try string(element)) }
      return .string(Array(parts.joined(separator: try rest.first.map(string) ?? [])))
    case (_, .timestamp(let v)) where name.hasPrefix("get"):
      let zone = try rest.first.map { text(try string($0)) } ?? "UTC"
      return .int(try part(name, v, zone))
    case (_, .string(let bytes)): return try ofText(name, bytes, rest)
    case ("type", _), ("format", _), ("string", .number), ("string", .timestamp),
      ("string", .bytes), ("string", .duration), ("greatest", _), ("least", _), (_, .duration):
      throw Unknown()
    default: throw Reference.covered.contains(name) ? Failure() as any Error : Unknown()
    }
  }

  /// Functions that are here whole.
  private static let covered = [
    "size", "int", "double", "string", "hasValue", "value", "join", "startsWith", "endsWith",
    "contains", "lowerAscii", "upperAscii", "reverse", "charAt", "substring", "timestamp",
    "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear",
  ]

  private func ofText(_ name: String, _ bytes: [UInt8], _ rest: [Value]) throws -> Value {
    switch name {
    case "startsWith": return .bool(bytes.starts(with: try string(rest[0])))
    case "endsWith": return .bool(bytes.reversed().starts(with: try string(rest[0]).reversed()))
    case "contains":
      let part = try string(rest[0])
      return .bool((0...bytes.count).contains { bytes[$0...].starts(with: part) })
    case "lowerAscii": return .string(bytes.map { (65...90).contains($0) ? $0 + 32 : $0 })
    case "upperAscii": return .string(bytes.map { (97...122).contains($0) ? $0 - 32 : $0 })
    case "reverse": return .string(utf8(scalars(bytes).reversed()))
    case "charAt":
      let all = scalars(bytes)
      guard case .int(let at) = rest[0], at >= 0, at <= Int64(all.count) else { throw Failure() }
      return .string(at == Int64(all.count) ? [] : utf8([all[Int(at)]]))
    case "substring":
      let all = scalars(bytes)
      guard case .int(let from) = rest[0], from >= 0 else { throw Failure() }
      var to = Int64(all.count)
      if rest.count > 1 {
        guard case .int(let end) = rest[1] else { throw Failure() }
        to = end
      }
      guard from <= to, to <= Int64(all.count) else { throw Failure() }
      return .string(utf8(Array(all[Int(from)..<Int(to)])))
    case "split":
      guard rest.count == 1 else { throw Unknown() }
      let separator = text(try string(rest[0]))
      if separator.isEmpty { return .list(scalars(bytes).map { .string(utf8([$0])) }) }
      let parts = text(bytes).unicodeScalars.map { $0 }
      return .list(split(parts, Array(separator.unicodeScalars)).map { .string(utf8($0)) })
    case "indexOf":
      guard rest.count == 1 else { throw Unknown() }
      let all = scalars(bytes)
      let part = scalars(try string(rest[0]))
      for at in 0...all.count where all[at...].starts(with: part) { return .int(Int64(at)) }
      return .int(-1)
    case "matches":
      // Only literals are written by the tests that compare.
      let part = try string(rest[0])
      guard part.allSatisfy({ $0 >= 0x80 || $0.isIdentifierPart }) else { throw Unknown() }
      return .bool((0...bytes.count).contains { bytes[$0...].starts(with: part) })
    default:
      throw Reference.covered.contains(name) && !["int", "double"].contains(name)
        ? Failure() as any Error : Unknown()
    }
  }

  private func split(
    _ text: [Unicode.Scalar], _ separator: [Unicode.Scalar]
  ) -> [[Unicode.Scalar]] {
    var parts: [[Unicode.Scalar]] = [[]]
    var at = 0
    while at < text.count {
      if text[at...].starts(with: separator) {
        parts.append([])
        at += separator.count
      } else {
        parts[parts.count - 1].append(text[at])
        at += 1
      }
    }
    return parts
  }

  /// `90s`, `-2h` and the like.
  private func simpleDuration(_ text: String) throws -> Value {
    for (unit, size): (String, Int128) in [
      ("ms", 1_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000),
    ] where text.hasSuffix(unit) {
      guard let count = Int128(text.dropLast(unit.count)) else { throw Unknown() }
      return try duration(count * size)
    }
    throw Unknown()
  }

  private func part(_ name: String, _ nanoseconds: Int128, _ zone: String) throws -> Int64 {
    let wholeSeconds =
      nanoseconds >= 0
      ? nanoseconds / 1_000_000_000 : -((-nanoseconds + 999_999_999) / 1_000_000_000)
    if name == "getMilliseconds" {
      return Int64((nanoseconds - wholeSeconds * 1_000_000_000) / 1_000_000)
    }
    var calendar = Calendar(identifier: .gregorian)
    if zone.hasPrefix("-") { throw Unknown() }
    if zone.hasPrefix("+") {
      calendar.timeZone = TimeZone(secondsFromGMT: Int(zone.dropFirst().prefix(2))! * 3_600)!
    } else {
      guard let known = TimeZone(identifier: zone) else { throw Failure() }
      calendar.timeZone = known
    }
    let date = Date(timeIntervalSince1970: Double(wholeSeconds))
    switch name {
    case "getFullYear": return Int64(calendar.component(.year, from: date))
    case "getMonth": return Int64(calendar.component(.month, from: date) - 1)
    case "getDate": return Int64(calendar.component(.day, from: date))
    case "getDayOfMonth": return Int64(calendar.component(.day, from: date) - 1)
    case "getDayOfWeek": return Int64(calendar.component(.weekday, from: date) - 1)
    case "getDayOfYear":
      return Int64(calendar.ordinality(of: .day, in: .year, for: date)! - 1)
    case "getHours": return Int64(calendar.component(.hour, from: date))
    case "getMinutes": return Int64(calendar.component(.minute, from: date))
    case "getSeconds": return Int64(calendar.component(.second, from: date))
    default: throw Failure()
    }
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
  private func scalars(_ bytes: [UInt8]) -> [Unicode.Scalar] { Array(text(bytes).unicodeScalars) }
  private func utf8(_ scalars: [Unicode.Scalar]) -> [UInt8] {
    scalars.flatMap { Array(UTF8.encode($0)!) }
  }

  private func string(_ value: Value) throws -> [UInt8] {
    guard case .string(let bytes) = value else { throw Failure() }
    return bytes
  }
}
