import WeirData

/// Finds what a person may have meant.
enum Suggestions {
  /// The names near `name`, nearest first, at most three.
  static func nearest(to name: [UInt8], among names: [[UInt8]]) -> [[UInt8]] {
    // An eighth of a second is the most that a hostile spec may cost here.
    guard name.count <= 64, names.count <= 10_000 else { return [] }
    let limit = max(1, name.count / 3)
    var near: [(distance: Int, name: [UInt8])] = []
    for candidate in names where abs(candidate.count - name.count) <= limit {
      let distance = distance(name, candidate)
      if distance <= limit { near.append((distance, candidate)) }
    }
    near.sort {
      ($0.distance, 0) < ($1.distance, 0)
        || ($0.distance == $1.distance && $0.name.lexicographicallyPrecedes($1.name))
    }
    return near.prefix(3).map { $0.name }
  }

  static func fix(for name: [UInt8], among names: [[UInt8]], prefix: String) -> String? {
    let near = nearest(to: name, among: names)
    if let first = near.first {
      return "`\(prefix)\(String(decoding: first, as: UTF8.self))`"
    }
    guard !names.isEmpty else { return nil }
    let shown = names.prefix(5).map { "`\(prefix)\(String(decoding: $0, as: UTF8.self))`" }
    return "there \(names.count == 1 ? "is" : "are") \(shown.joined(separator: ", "))"
      + (names.count > 5 ? " and \(names.count - 5) more" : "")
  }

  /// Single-byte edits between two names, case aside; a swap of neighbours is one.
  ///
  /// Optimal string alignment, three rows of the table at a time.
  static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    let (a, b) = (a.map(lower), b.map(lower))
    var beforeLast = [Int](repeating: 0, count: b.count + 1)
    var last = Array(0...b.count)
    var current = last
    for i in 0..<a.count {
      current[0] = i + 1
      for j in 0..<b.count {
        var best = min(last[j + 1] + 1, current[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          best = min(best, beforeLast[j - 1] + 1)
        }
        current[j + 1] = best
      }
      (beforeLast, last, current) = (last, current, beforeLast)
    }
    return last[b.count]
  }

  private static func lower(_ byte: UInt8) -> UInt8 {
    byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
  }

  /// A field's path as an expression writes it: backticks where a name is not plain.
  static func expression(_ path: FieldPath) -> [UInt8] {
    var text: [UInt8] = []
    for (index, name) in path.components.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ".")) }
      let isPlain =
        name.first?.isIdentifierStart ?? false && name.allSatisfy { $0.isIdentifierPart }
      if isPlain { text += name } else { text += Array("`".utf8) + name + Array("`".utf8) }
    }
    return text
  }

  /// How CEL says what other languages have a function for.
  ///
  /// - Parameter operands: what it is given, as it is written.
  static func foreignFunction(_ name: [UInt8], _ operands: [String]) -> String? {
    let folded = String(decoding: name.map(lower).filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    func operand(_ place: Int, _ other: String) -> String {
      place < operands.count ? operands[place] : other
    }
    let x = operand(0, "x")
    if let clock = clock(name) { return clock }
    switch folded {
    case "lower", "tolower", "tolowercase", "lcase": return "write `\(x).lowerAscii()`"
    case "upper", "toupper", "touppercase", "ucase": return "write `\(x).upperAscii()`"
    case "count":
      return
        "\(overRecords("\"count\": true")); for the length of a text or a list write `size(\(x))`"
    case "len", "length": return "write `size(\(x))`"
    case "substr", "mid", "left":
      return "write `\(x).substring(start, end)`, where the first character is 0"
    case "includes": return "write `\(x).contains(\(operand(1, "'...'")))`"
    case "regexplike", "rlike", "match", "regexmatch":
      return "write `\(x).matches(\(operand(1, "'...'")))`"
    case "isnull", "isna": return "write `\(x) == null`"
    case "coalesce", "ifnull", "nvl", "fillna":
      return "write `has(\(x)) ? \(x) : \(operand(1, "y"))`"
    case "if", "iif", "iff", "case", "when":
      return "write `\(operand(0, "condition")) ? \(operand(1, "a")) : \(operand(2, "b"))`"
    case "concat":
      return "write `\(operands.count > 1 ? operands.joined(separator: " + ") : "a + b")`"
    case "str", "tostring", "text": return "write `string(\(x))`"
    case "float", "number", "tonumber", "todouble": return "write `double(\(x))`"
    case "integer", "toint", "parseint": return "write `int(\(x))`"
    case "abs", "round", "floor", "ceil", "sign", "trunc", "greatest", "least", "sqrt":
      let own = "math." + folded
      return Function.byName[own].map { _ in
        "write `\(own)(\(operands.isEmpty ? "x" : operands.joined(separator: ", ")))`"
      }
    case "max": return "write `math.greatest(\(operand(0, "a")), \(operand(1, "b")))`"
    case "min": return "write `math.least(\(operand(0, "a")), \(operand(1, "b")))`"
    case "dayofweek", "weekday": return "write `\(x).getDayOfWeek()`, where Sunday is 0"
    case "hour": return "write `\(x).getHours()`"
    case "year": return "write `\(x).getFullYear()`"
    case "date", "datetime", "todate", "totimestamp":
      return operands.count == 1 && !operands[0].utf8.contains(UInt8(ascii: "'"))
        ? "compare times with bounds: `\(x) >= timestamp('2026-10-04T00:00:00Z')`"
        : "write `timestamp(\(x))`"
    case "sum": return overRecords("\"sum\": \"\(fieldName(x))\"")
    case "avg", "average", "mean": return overRecords("\"mean\": \"\(fieldName(x))\"")
    case "median", "percentile", "quantile":
      return overRecords("\"quantile\": 0.5, \"of\": \"\(fieldName(x))\"")
    case "rownumber", "rank":
      return
        "an expression looks at one record: a stage of type dedupe keeps the first or the last record of each key"
    case "stddev", "variance", "lag", "lead":
      return
        "an expression looks at one record: a stage of type trend compares periods, and allows for how much they vary"
    default: return nil
    }
  }

  /// Where something is computed over many records, and what becomes of what is compared with it.
  static func overRecords(_ metric: String) -> String {
    "an expression looks at one record: write \"metrics\": { \"NAME\": { \(metric) } } in a stage of type aggregate, and take the comparison out here: rows of an aggregate are filtered where its file is read, not in the spec"
  }

  /// A plain field, or what stands for one.
  private static func fieldName(_ operand: String) -> String {
    let isPlain =
      operand.utf8.first?.isIdentifierStart ?? false
      && operand.utf8.allSatisfy { $0.isIdentifierPart || $0 == UInt8(ascii: ".") }
    return isPlain ? operand : "FIELD"
  }

  /// What to write for the time of the run, which no expression has.
  static func clock(_ name: [UInt8]) -> String? {
    let folded = name.map(lower).filter { $0 != UInt8(ascii: "_") }
    let clocks = ["now", "today", "currentdate", "currenttimestamp", "sysdate", "getdate"]
    guard clocks.contains(where: { folded.elementsEqual($0.utf8) }) else { return nil }
    return
      "expressions have no clock: in its place (and that of its parentheses) write `timestamp(params.today + 'T00:00:00Z')`, the start of the day of the run in UTC, with \"today\": { \"type\": \"date\", \"default\": \"today\" } under \"params\""
  }

  /// How CEL writes the constants of other languages.
  static func foreignConstant(_ name: [UInt8]) -> String? {
    switch String(decoding: name.map(lower), as: UTF8.self) {
    case "true": "true"
    case "false": "false"
    case "null", "none", "nil", "undefined": "null"
    default: nil
    }
  }
}
