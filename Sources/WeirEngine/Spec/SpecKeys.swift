extension SpecNode {
  /// The text of the value as it was written, but in one line, cut where it is long.
  var sourceText: String {
    guard range.upperBound <= source.bytes.count else { return "" }
    var line: [UInt8] = []
    var isIndent = false
    for byte in source.bytes[range] {
      if byte == 0x0A || byte == 0x0D {
        while let last = line.last, last == 0x20 || last == 0x09 { line.removeLast() }
        if !isIndent { line.append(0x20) }
        isIndent = true
      } else if !isIndent || (byte != 0x20 && byte != 0x09) {
        isIndent = false
        line.append(byte)
      }
      if line.count > 80 { break }
    }
    let text = String(decoding: line.prefix(80), as: UTF8.self)
    return printable(text.unicodeScalars) + (line.count > 80 ? "..." : "")
  }
}

extension Problems {
  /// Whether another problem would only be counted; then no words are looked for to go with it.
  var isFull: Bool { count >= Problems.storedLimit }

  /// Counts an error and answers true where its words would not be kept: a loop over a megabyte
  /// of mistakes asks before it makes them.
  mutating func countsOnly() -> Bool {
    guard isFull else { return false }
    countUnseen()
    return true
  }

  /// `nearest`, but not for problems that nobody will see.
  func suggestion(for word: String, among words: some Sequence<String>) -> String? {
    isFull ? nil : nearest(to: word, among: words)
  }

  mutating func unknownKey(_ member: SpecMember, _ known: [String], of what: String) {
    add(
      "unknown_key", at: member.keyNode, "\(what) has no key \(shown(member.key))",
      expected: known.isEmpty ? nil : oneOf(known, limit: 40),
      fix: suggestion(for: member.key, among: known).map { quoted($0) } ?? "remove it")
  }
}

/// Names of types as other tools have them.
func typeSynonym(_ word: String, _ known: [String]) -> String? {
  let synonyms: [(String, [String])] = [
    ("integer", ["int"]), ("int64", ["int"]), ("long", ["int"]), ("bigint", ["int"]),
    ("boolean", ["bool"]), ("float", ["number"]), ("double", ["number"]),
    ("float64", ["number"]), ("decimal", ["number"]), ("str", ["string"]), ("text", ["string"]),
    ("varchar", ["string"]), ("datetime", ["timestamp", "date"]), ("time", ["timestamp", "date"]),
    ("day", ["date"]), ("interval", ["duration"]), ("choice", ["enum"]), ("file", ["path"]),
    ("directory", ["path"]), ("object", ["any"]), ("json", ["any"]), ("array", ["any"]),
    ("list", ["any"]), ("map", ["any"]), ("struct", ["any"]), ("dict", ["any"]),
    ("string[]", ["any"]), ("int|null", ["int?"]), ("string|null", ["string?"]),
    ("number|null", ["number?"]), ("bool|null", ["bool?"]), ("timestamp|null", ["timestamp?"]),
  ]
  let optional = word.utf8.last == UInt8(ascii: "?")
  let base = optional ? String(decoding: word.utf8.dropLast(), as: UTF8.self) : word
  let lowered = String(
    decoding: base.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
  let found =
    known.first { same($0, lowered) && !same($0, base) }
    ?? synonyms.first { same($0.0, lowered) }?.1.first { meant in
      known.contains { same($0, meant) || same($0 + "?", meant) }
    }
  return found.map { optional ? $0 + "?" : $0 }
}

/// A name that would be allowed, from one that is not.
func mendedName(_ name: String, separator: String, lowercase: Bool = false) -> String {
  var out: [UInt8] = []
  for byte in name.utf8 {
    switch byte {
    case 0x41...0x5A where lowercase: out.append(byte | 0x20)
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: out.append(byte)
    default:
      if let last = out.last, last != separator.utf8.first { out += Array(separator.utf8) }
    }
  }
  while let last = out.last, last == separator.utf8.first { out.removeLast() }
  if separator.utf8.first == 0x5F, let first = out.first, (0x30...0x39).contains(first) {
    out = Array("p_".utf8) + out
  }
  return out.isEmpty ? "name" : String(decoding: out.prefix(64), as: UTF8.self)
}
