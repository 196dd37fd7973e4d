import WeirTesting

/// Makes JSON documents that are about planned fields, and damages some.
struct RandomDocuments {
  private var random: SeededRandom

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  static let fields = planned([
    ("id", "int"), ("score", "number?"), ("label", "string?"), ("model.score", "number?"),
    ("model", "any?"), ("model.tags.first", "string?"), ("ts", "timestamp?"), ("flag", "bool?"),
    ("é.x", "any?"), ("any", "any?"), ("\"\"", "int?"), ("\"a.b\".c", "string"),
  ])

  private static let keys = [
    "id", "score", "label", "model", "ts", "flag", "é", "any", "", "a.b", "c", "tags", "first", "x",
    "ID", "e", "labels", "lab", "\u{1F600}",
  ]
  private static let numbers = [
    "0", "-0", "-0.0", "1.0", "1e3", "1E+2", "9007199254740993", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
    "18446744073709551616", "123456789012345678901234567890", "1e400", "-1e400", "1e-400", "5e-324",
    "2.2250738585072014e-308", "2.2250738585072011e-308", "1.7976931348623157e308",
    "1.7976931348623159e308", "0.1", "0e999999999999999999999", "1e22", "1e23",
    "0.30000000000000004", "9007199254740993.0", "100000000000000000000000.5",
    "8.5e-1000000000000000000000", "7450580596923828125e-27", "1.00000000000000011102230246251565",
  ]
  private static let strings = [
    "", "removed", "é", "e\u{301}", "\u{1F469}\u{200D}\u{1F4BB}", "\\n", "\\\"", "\\\\", "\\/",
    "\\u0041", "\\u00e9", "\\u20AC", "\\ud83d\\ude00", "\\ud800", "\\udc00", "\\ud800\\u0041",
    "\\ud800\\ud800", "\\udfff\\ud800", "\\u0000", "\u{7F}", "a\\tb\\b\\f\\r",
    "2026-10-04T07:05:09Z",
    "2026-10-04T07:05:09.25+08:00", "2026-02-30T00:00:00Z", "\\u0032026-10-04T07:05:09Z",
    "{\\\"id\\\":1}", "null", "\u{FEFF}", "\u{10FFFF}", "]]}},,::", "\\\\\\\"",
  ]

  private static let badUTF8: [[UInt8]] = [
    [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80],
    [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0xC3], [0xBF], [0xFE],
  ]

  /// Raw bytes that are JSON.
  mutating func document() -> [UInt8] {
    var out: [UInt8] = []
    space(to: &out)
    if random.oneIn(40) { value(depth: 2, to: &out) } else { object(depth: 0, to: &out) }
    space(to: &out)
    return out
  }

  /// The same with some of its bytes changed: it may be JSON or not.
  mutating func damaged(_ document: [UInt8]) -> [UInt8] {
    var out = document
    for _ in 0...random.below(3) where !out.isEmpty {
      let at = random.below(out.count)
      switch random.below(8) {
      case 0: out[at] ^= 1 << UInt8(random.below(8))
      case 1: out.remove(at: at)
      case 2: out.insert(UInt8(random.below(256)), at: at)
      case 3: out[at] = random.pick(Array("{}[]\",:\\0-+.eEtfn u/ \t\r".utf8))
      case 4: out.removeLast(random.below(out.count))
      case 5: out.insert(contentsOf: out[at..<min(out.count, at + random.below(20))], at: at)
      case 6: out.insert(contentsOf: random.pick(Self.badUTF8), at: at)
      default: out.insert(random.pick([0x00, 0x1F, 0x0A, 0x80, 0xC0, 0xED, 0xF5, 0xFF]), at: at)
      }
    }
    return out
  }

  private mutating func object(depth: Int, to out: inout [UInt8]) {
    out += Array("{".utf8)
    var keys = Self.keys.shuffled(using: &random).prefix(
      random.below(depth < 2 ? Self.keys.count : 5))
    if depth == 1 { keys = ["c"] + keys.filter { $0 != "c" } }
    if depth == 0 {
      // Most records have what they must have, in one order.
      keys = random.oneIn(20) ? keys : ["id", "a.b"] + keys.filter { $0 != "id" && $0 != "a.b" }
    }
    if random.oneIn(30), let doubled = keys.randomElement(using: &random) { keys.append(doubled) }
    for (i, key) in keys.enumerated() {
      if i > 0 { out.append(UInt8(ascii: ",")) }
      space(to: &out)
      appendKey(key, to: &out)
      space(to: &out)
      out.append(UInt8(ascii: ":"))
      space(to: &out)
      if depth < 2, !random.oneIn(40) {
        fitting(key, depth: depth, to: &out)
      } else {
        value(depth: depth + 1, to: &out)
      }
      space(to: &out)
    }
    out += Array("}".utf8)
  }

  private mutating func appendKey(_ key: String, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    for scalar in key.unicodeScalars {
      if scalar.value < 0x10000, random.oneIn(15) {
        let hex = String(scalar.value, radix: 16, uppercase: random.oneIn(2))
        out += Array(("\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex).utf8)
      } else {
        out += Array(String(scalar).utf8)
      }
    }
    if random.oneIn(200) { out += Array("\\ud800".utf8) }
    out.append(UInt8(ascii: "\""))
  }

  /// A value of the type that `key` is planned with, mostly.
  private mutating func fitting(_ key: String, depth: Int, to out: inout [UInt8]) {
    switch key {
    case "id", "": out += Array(String(Int64(bitPattern: random.next()) >> random.below(64)).utf8)
    case "score": number(to: &out)
    case "label": string(to: &out)
    case "model", "é", "a.b", "tags": object(depth: depth + 1, to: &out)
    case "first", "c": string(to: &out)
    case "ts": out += Array("\"2026-10-04T07:05:09.\(100 + random.below(900))Z\"".utf8)
    case "flag": out += Array((random.oneIn(2) ? "true" : "false").utf8)
    default: value(depth: 1, to: &out)
    }
  }

  private mutating func value(depth: Int, to out: inout [UInt8]) {
    switch random.below(depth > 4 ? 7 : 10) {
    case 0: out += Array("null".utf8)
    case 1: out += Array("true".utf8)
    case 2: out += Array("false".utf8)
    case 3, 4: number(to: &out)
    case 5, 6: string(to: &out)
    case 7:
      out += Array("[".utf8)
      for i in 0..<random.below(4) {
        if i > 0 { out.append(UInt8(ascii: ",")) }
        space(to: &out)
        value(depth: depth + 1, to: &out)
      }
      space(to: &out)
      out += Array("]".utf8)
    default: object(depth: depth + 1, to: &out)
    }
  }

  private mutating func number(to out: inout [UInt8]) {
    switch random.below(12) {
    case 0: out += Array(random.pick(Self.numbers).utf8)
    case 1:
      // Any double, written with 17 digits or the shortest way.
      let value = Double(bitPattern: random.next())
      out += Array((value.isFinite ? "\(value)" : "0.5").utf8)
    case 2:
      let digits = (0...random.below(40)).map { _ in UInt8(0x30 + random.below(10)) }
      out += [UInt8(0x31 + random.below(9))] + digits
      if random.oneIn(2) {
        out += Array(".\(random.below(1_000_000))e\(random.below(60) - 30)".utf8)
      }
    default: out += Array("\(Double(random.below(100_000)) / 1_000)".utf8)
    }
  }

  private mutating func string(to out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    for _ in 0..<random.below(3) {
      out += Array((random.oneIn(6) ? random.pick(Self.strings) : "removed é\\u0041").utf8)
    }
    if random.oneIn(20) {
      out += Array(String(repeating: "x", count: random.below(200)).utf8)
    }
    out.append(UInt8(ascii: "\""))
  }

  private mutating func space(to out: inout [UInt8]) {
    guard random.oneIn(8) else { return }
    for _ in 0...random.below(3) { out.append(random.pick([0x20, 0x09, 0x0D, 0x0A])) }
  }
}
