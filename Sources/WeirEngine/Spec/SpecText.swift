/// How problems quote what a user wrote.

/// Text as it may be shown on a terminal or a page: control characters and those that reorder
/// text become U+FFFD, a tab a space.
public func printable(_ text: some Sequence<Unicode.Scalar>) -> String {
  var result = String.UnicodeScalarView()
  for scalar in text {
    if scalar == "\t" {
      result.append(" ")
    } else {
      result.append(isObeyed(scalar) ? "\u{FFFD}" : scalar)
    }
  }
  return String(result)
}

/// Whether a terminal or a page may obey a character instead of showing it: a control, or one that
/// reorders text.
public func isObeyed(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
  default: false
  }
}

/// The same for text of any origin.
public func printable(_ text: String) -> String { printable(text.unicodeScalars) }

/// The same for bytes; those that are not UTF-8 become U+FFFD.
public func printable(_ bytes: some Collection<UInt8>) -> String {
  printable(String(decoding: bytes, as: UTF8.self).unicodeScalars)
}

/// `'text'`, cut after 60 characters.
public func shown(_ text: String) -> String {
  let scalars = text.unicodeScalars
  let head = printable(scalars.prefix(60))
  return scalars.dropFirst(60).isEmpty ? "'\(head)'" : "'\(head)...'"
}

/// Words of a problem as they may be shown: names in them can be a megabyte long.
func clipped(_ text: String) -> String {
  let scalars = text.unicodeScalars
  let head = printable(scalars.prefix(1_000))
  return scalars.dropFirst(1_000).isEmpty ? head : head + "..."
}

/// A JSON string literal for a fix, cut like `shown`.
public func quoted(_ text: String) -> String {
  var out: [UInt8] = []
  let scalars = text.unicodeScalars
  let head = String(String.UnicodeScalarView(scalars.prefix(60)))
  appendJSON(string: scalars.dropFirst(60).isEmpty ? head : head + "...", to: &out)
  return printable(String(decoding: out, as: UTF8.self).unicodeScalars)
}

/// `a, b or c`; more than `limit` are cut with "...".
public func alternatives(_ words: [String], limit: Int = 20) -> String {
  let words = words.prefix(limit + 1).map { word in
    word.utf8.count > 80 ? String(String.UnicodeScalarView(word.unicodeScalars.prefix(80))) : word
  }
  if words.count > limit { return words.prefix(limit).joined(separator: ", ") + ", ..." }
  guard words.count > 1, let last = words.last else { return words.first ?? "" }
  return words.dropLast().joined(separator: ", ") + " or " + last
}

/// `one of a, b or c`; a single word alone.
public func oneOf(_ words: [String], limit: Int = 20) -> String {
  words.count == 1 ? alternatives(words) : "one of " + alternatives(words, limit: limit)
}

/// Appends a JSON string: short escapes where JSON has them, `\u00XX` for other controls,
/// everything else as UTF-8.
func appendJSON(string: String, to out: inout [UInt8]) {
  let hex = Array("0123456789abcdef".utf8)
  out.append(UInt8(ascii: "\""))
  for byte in string.utf8 {
    switch byte {
    case UInt8(ascii: "\""): out += Array("\\\"".utf8)
    case UInt8(ascii: "\\"): out += Array("\\\\".utf8)
    case 0x08: out += Array("\\b".utf8)
    case 0x09: out += Array("\\t".utf8)
    case 0x0A: out += Array("\\n".utf8)
    case 0x0C: out += Array("\\f".utf8)
    case 0x0D: out += Array("\\r".utf8)
    case 0..<0x20: out += Array("\\u00".utf8) + [hex[Int(byte >> 4)], hex[Int(byte & 15)]]
    default: out.append(byte)
    }
  }
  out.append(UInt8(ascii: "\""))
}

/// Whether two strings are the same bytes; Swift's `==` would merge canonical equivalents.
public func same(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }
