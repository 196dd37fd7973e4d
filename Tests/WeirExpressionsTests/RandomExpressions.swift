import WeirData

@testable import WeirExpressions

/// Writes random expressions over a fixed set of fields, mostly well typed.
struct Writer {
  var random: SplitMix

  static let fields: [(path: String, type: String)] = [
    ("market", "string"), ("note", "string?"), ("n", "int"), ("model.score", "number"),
    ("model", "any"), ("m", "int?"), ("rate", "number?"), ("on", "bool"), ("off", "bool?"),
    ("ts", "timestamp"), ("seen", "timestamp?"), ("x", "any"), ("y", "any?"),
  ]
  static let params: [String: ConstantValue] = [
    "market": .string(Array("DE".utf8)), "any": .string([0x2A]), "limit": .int(3),
    "half": .number(0.5), "yes": .bool(true), "none": .null, "start": .timestamp(1_000_000),
    "markets": .list([.string(Array("DE".utf8)), .string(Array("ä".utf8)), .string([])]),
    "mixed": .list([.int(1), .number(2.5), .null, .string(Array("FR".utf8)), .bool(false)]),
  ]
  static let texts = ["", "DE", "FR", "D", "ä", "äö", "DEDEDED", "e\u{301}", "é", "EDE"]
  static let ints: [Int64] = [
    0, 1, 2, 3, -1, -2, 7, .max, .min, .max - 1, 1 << 53, (1 << 53) + 1, 3_000_000_000,
  ]
  static let numbers: [Double] = [
    0, -0.0, 0.5, 1, 2.5, -2.5, 3, 0x1p53, 0x1p63, -0x1p63, 1e300, .infinity, .nan,
    .leastNonzeroMagnitude,
  ]

  mutating func content(_ type: String) -> Content {
    if type.hasSuffix("?"), random.chance(30) { return random.chance(50) ? .null : .missing }
    switch type.prefix(while: { $0 != "?" }) {
    case "string": return .text(random.pick(Writer.texts))
    case "int": return .int(random.pick(Writer.ints))
    case "number": return .number(random.pick(Writer.numbers))
    case "bool": return .bool(random.chance(50))
    case "timestamp": return .timestamp(Int64(random.next() % 3) * 1_000_000)
    default:
      return random.chance(10)
        ? .other : content(random.pick(["string?", "int", "number", "bool", "string"]))
    }
  }

  mutating func table(rows: Int) -> Table {
    Table(
      fields: Writer.fields,
      rows: (0..<rows).map { _ in Writer.fields.map { content($0.type) } }, params: Writer.params)
  }

  mutating func expression(_ type: String, _ depth: Int) -> String {
    if random.chance(4) { return leaf("any") }
    if depth == 0 { return leaf(type) }
    if random.chance(8) {
      return
        "(\(expression("bool", depth - 1)) ? \(expression(type, depth - 1)) : \(expression(type, depth - 1)))"
    }
    let next = depth - 1
    switch type {
    case "bool":
      switch random.next() % 9 {
      case 0: return "(" + operands("bool", next).joined(separator: " && ") + ")"
      case 1: return "(" + operands("bool", next).joined(separator: " || ") + ")"
      case 2: return "!\(expression("bool", 0))"
      case 3:
        return
          "\(expression("string", next)).\(random.pick(["startsWith", "endsWith", "contains"]))(\(expression("string", next)))"
      case 4: return "has(\(random.pick(Writer.fields).path))"
      case 5: return "(\(expression("any", next)) in \(list("any", next)))"
      case 6:
        let kind = random.pick(["string", "int", "number"])
        return "(\(expression(kind, next)) in \(list(kind, next)))"
      default:
        let kind = random.pick(["string", "int", "number", "bool", "timestamp", "any"])
        let other = kind == "int" && random.chance(30) ? "number" : kind
        let symbol = random.pick(["==", "!=", "<", "<=", ">", ">="])
        return "(\(expression(kind, next)) \(symbol) \(expression(other, next)))"
      }
    case "int":
      if random.chance(15) { return "size(\(expression("string", next)))" }
      if random.chance(10) { return "-(\(expression("int", next)))" }
      let symbol = random.pick(["+", "-", "*", "/", "%"])
      return "(\(expression("int", next)) \(symbol) \(expression("int", next)))"
    case "number":
      let symbol = random.pick(["+", "-", "*", "/"])
      return "(\(expression("number", next)) \(symbol) \(expression("number", next)))"
    case "string": return "(\(expression("string", next)) + \(expression("string", next)))"
    case "any":
      return random.chance(50)
        ? leaf("any") : "dyn(\(expression(random.pick(["int", "string", "bool", "number"]), next)))"
    default: return leaf(type)
    }
  }

  private mutating func operands(_ type: String, _ depth: Int) -> [String] {
    (0..<2 + Int(random.next() % 3)).map { _ in expression(type, depth) }
  }

  private mutating func list(_ type: String, _ depth: Int) -> String {
    if random.chance(30) { return random.pick(["params.markets", "params.mixed", "[]"]) }
    let count = 1 + Int(random.next() % 4)
    return "["
      + (0..<count).map { _ in expression(type, random.chance(70) ? 0 : depth) }
      .joined(separator: ", ") + "]"
  }

  private mutating func leaf(_ type: String) -> String {
    switch type {
    case "bool": return random.pick(["on", "off", "true", "false", "params.yes", "has(note)"])
    case "int": return random.pick(["n", "m", "params.limit", "\(random.pick(Writer.ints))", "2"])
    case "number":
      return random.pick(["model.score", "rate", "params.half", "1.5", "0.0", "9007199254740993.0"])
    case "string":
      return random.pick(["market", "note", "params.market", "'\(random.pick(Writer.texts))'"])
    case "timestamp":
      return random.pick(["ts", "seen", "params.start", "timestamp('1970-01-01T00:00:01Z')"])
    default: return random.pick(["x", "y", "model", "null", "params.none", "dyn(m)", "dyn('DE')"])
    }
  }
}
