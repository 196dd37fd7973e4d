import WeirData

@testable import WeirExpressions

/// Writes random expressions over a fixed set of fields, mostly well typed.
struct Writer {
  var random: SplitMix
  /// Variables of macros that were named.
  private var variables = 0

  init(random: SplitMix) { self.random = random }

  static let fields: [(path: String, type: String)] = [
    ("market", "string"), ("note", "string?"), ("n", "int"), ("model.score", "number"),
    ("model", "any"), ("m", "int?"), ("rate", "number?"), ("on", "bool"), ("off", "bool?"),
    ("ts", "timestamp"), ("seen", "timestamp?"), ("x", "any"), ("y", "any?"), ("tags", "any"),
    ("doc", "any?"),
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
    if type == "tags" {
      return .list(
        (0..<Int(random.next() % 4)).map { _ in content(random.pick(["string", "int"])) })
    }
    if type == "doc" {
      return .object([
        Content.Member(key: "a", value: content(random.pick(["int", "string?", "tags"]))),
        Content.Member(key: "ä\"", value: content("bool")),
        Content.Member(key: "sub", value: .object([.init(key: "b", value: content("int"))])),
      ])
    }
    switch type.prefix(while: { $0 != "?" }) {
    case "string": return .text(random.pick(Writer.texts))
    case "int": return .int(random.pick(Writer.ints))
    case "number": return .number(random.pick(Writer.numbers))
    case "bool": return .bool(random.chance(50))
    case "timestamp": return .timestamp(Int64(random.next() % 3) * 1_000_000)
    default:
      return content(random.pick(["string?", "int", "number", "bool", "string", "tags", "doc"]))
    }
  }

  mutating func table(rows: Int) -> Table {
    Table(
      fields: Writer.fields,
      rows: (0..<rows).map { _ in Writer.fields.map { field(of: $0) } }, params: Writer.params)
  }

  private mutating func field(of field: (path: String, type: String)) -> Content {
    if random.chance(80), field.path == "tags" || field.path == "doc" { return content(field.path) }
    return content(field.type)
  }

  mutating func expression(_ type: String, _ depth: Int) -> String {
    if random.chance(4) { return leaf("any") }
    if depth == 0 { return leaf(type) }
    if random.chance(25), let richer = richer(type, depth - 1) { return richer }
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

  /// What only the computing of single records knows; `nil` where it has nothing of the type.
  private mutating func richer(_ type: String, _ next: Int) -> String? {
    variables += 1
    defer { variables -= 1 }
    let v = "v\(variables)"
    func sub(_ type: String, _ writer: inout Writer) -> String { writer.expression(type, next) }
    switch type {
    case "bool":
      switch random.next() % 9 {
      case 0:
        let macro = random.pick(["all", "exists", "exists_one"])
        return "\(listOf("int", next)).\(macro)(\(v), \(v) > \(sub("int", &self)))"
      case 1: return "tags.exists(\(v), \(v) == \(sub("any", &self)))"
      case 2: return "(\(listOf("any", next)) == \(listOf("any", next)))"
      case 3: return "(\(random.pick(["'a'", "'b'", "market"])) in doc)"
      case 4: return "has(doc.\(random.pick(["a", "sub", "none"])))"
      case 5: return "\(sub("string", &self)).matches('\(random.pick(["D", "ä", "DE", ""]))')"
      case 6: return "(\(sub("duration", &self)) < \(sub("duration", &self)))"
      case 7: return "doc.?\(random.pick(["a", "none"])).hasValue()"
      default:
        return "(\(sub("uint", &self)) <= \(random.pick([sub("uint", &self), sub("int", &self)])))"
      }
    case "int":
      switch random.next() % 8 {
      case 0: return "size(\(listOf("any", next)))"
      case 1: return "int(\(sub("number", &self)))"
      case 2: return "int(\(sub("uint", &self)))"
      case 3: return "\(listOf("int", next))[\(sub("int", &self))]"
      case 4:
        let part = random.pick([
          "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear",
          "getHours", "getMinutes", "getSeconds", "getMilliseconds",
        ])
        let zone = random.pick(["", "'UTC'", "'Europe/Berlin'", "'America/New_York'", "'+05:00'"])
        return "\(sub("timestamp", &self)).\(part)(\(zone))"
      case 5: return "{'a': \(sub("int", &self)), 'b': 2}[\(random.pick(["'a'", "'b'", "market"]))]"
      case 6: return "\(sub("string", &self)).indexOf(\(sub("string", &self)))"
      default: return "doc.?sub.b.orValue(\(sub("int", &self)))"
      }
    case "number": return "double(\(sub(random.pick(["int", "uint"]), &self)))"
    case "string":
      switch random.next() % 6 {
      case 0: return "string(\(sub(random.pick(["int", "bool", "uint"]), &self)))"
      case 1:
        return "\(sub("string", &self)).\(random.pick(["lowerAscii", "upperAscii", "reverse"]))()"
      case 2: return "\(listOf("string", next)).join(\(random.pick(["", "'-'"])))"
      case 3: return "\(sub("string", &self)).substring(\(sub("int", &self)))"
      case 4: return "\(sub("string", &self)).charAt(\(random.pick(["0", "1", "n"])))"
      default: return "(\(sub("string", &self)).split('D').map(\(v), \(v) + market))[0]"
      }
    case "timestamp":
      return "(\(sub("timestamp", &self)) \(random.pick(["+", "-"])) \(sub("duration", &self)))"
    case "duration":
      if random.chance(40) { return "(\(sub("timestamp", &self)) - \(sub("timestamp", &self)))" }
      return "(\(sub("duration", &self)) \(random.pick(["+", "-"])) \(sub("duration", &self)))"
    case "uint":
      if random.chance(30) { return "uint(\(sub("int", &self)))" }
      let symbol = random.pick(["+", "-", "*", "/", "%"])
      return "(\(sub("uint", &self)) \(symbol) \(sub("uint", &self)))"
    case "any":
      switch random.next() % 7 {
      case 0: return listOf("any", next)
      case 1: return "doc.\(random.pick(["a", "sub", "none", "sub.b"]))"
      case 2: return "tags[\(random.pick(["0", "1", "n", "0u", "dyn(1.0)"]))]"
      case 3: return "{'k': \(sub("any", &self)), 'n': \(sub("int", &self))}"
      case 4: return "doc.map(\(v), \(v))"
      case 5: return "tags.transformMap(i\(v), \(v), i\(v) != 1, \(v))"
      default: return "{'a': \(sub("int", &self))}.transformMapEntry(\(v), w, {w: \(v)})"
      }
    default: return nil
    }
  }

  private mutating func listOf(_ type: String, _ depth: Int) -> String {
    variables += 1
    defer { variables -= 1 }
    let v = "l\(variables)"
    switch random.next() % 5 {
    case 0: return "tags"
    case 1: return "([\(expression(type, depth))] + [\(leaf(type)), \(leaf(type))])"
    case 2: return "[\(leaf(type)), \(expression(type, depth))].filter(\(v), \(v) != \(leaf(type)))"
    case 3: return "[1, n, 3].map(\(v), \(v) > 1, \(leaf(type)))"
    default: return "[\(expression(type, depth)), \(leaf(type))]"
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
    case "duration":
      return random.pick([
        "duration('90s')", "duration('-2h')", "duration('1500ms')", "(ts - seen)",
      ])
    case "uint": return random.pick(["0u", "1u", "7u", "18446744073709551615u", "uint(n)"])
    default:
      return random.pick([
        "x", "y", "model", "tags", "doc", "null", "params.none", "dyn(m)", "dyn('DE')",
      ])
    }
  }
}
