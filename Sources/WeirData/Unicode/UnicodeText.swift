/// What Unicode says about text, on the bytes of valid UTF-8. Nothing here depends on a locale.
public enum UnicodeText {
  /// `text` without white space (the Unicode property White_Space) at both ends. The zero width
  /// space U+200B and the byte order mark U+FEFF are not white space to Unicode.
  public static func trimmed(_ text: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
    var start = 0
    var end = text.count
    while start < end {
      let length = spaceLength(text, at: start, before: end)
      if length == 0 { break }
      start += length
    }
    while end > start {
      let length = spaceLength(text, endingAt: end, notBefore: start)
      if length == 0 { break }
      end -= length
    }
    return UnsafeBufferPointer(rebasing: text[start..<end])
  }

  /// Bytes of the white space character that begins at `at`, or 0.
  private static func spaceLength(
    _ text: UnsafeBufferPointer<UInt8>, at: Int, before end: Int
  ) -> Int {
    switch text[at] {
    case 0x09...0x0D, 0x20: return 1
    case 0xC2:
      // U+0085, U+00A0
      return at + 1 < end && (text[at + 1] == 0x85 || text[at + 1] == 0xA0) ? 2 : 0
    case 0xE1, 0xE2, 0xE3:
      guard at + 2 < end else { return 0 }
      switch (text[at], text[at + 1], text[at + 2]) {
      case (0xE1, 0x9A, 0x80),  // U+1680
        (0xE2, 0x80, 0x80...0x8A),  // U+2000 to U+200A
        (0xE2, 0x80, 0xA8), (0xE2, 0x80, 0xA9), (0xE2, 0x80, 0xAF),  // U+2028, U+2029, U+202F
        (0xE2, 0x81, 0x9F),  // U+205F
        (0xE3, 0x80, 0x80):  // U+3000
        return 3
      default: return 0
      }
    default: return 0
    }
  }

  /// Bytes of the white space character that ends before `end`, or 0.
  private static func spaceLength(
    _ text: UnsafeBufferPointer<UInt8>, endingAt end: Int, notBefore start: Int
  ) -> Int {
    for length in 1...3 where end - length >= start {
      if spaceLength(text, at: end - length, before: end) == length { return length }
    }
    return 0
  }

  /// Upper case by the full mappings of Unicode: `ß` becomes `SS`.
  public static func uppercase(_ text: inout [UInt8]) {
    if text.allSatisfy({ $0 < 0x80 }) {
      for i in text.indices where (0x61...0x7A).contains(text[i]) { text[i] -= 0x20 }
      return
    }
    var out: [UInt8] = []
    out.reserveCapacity(text.count + 8)
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      out.append(contentsOf: scalar.properties.uppercaseMapping.utf8)
    }
    text = out
  }

  /// Lower case by the full mappings of Unicode, with its one rule that looks at the neighbours: a
  /// sigma that ends a word becomes `ς` (The Unicode Standard, table 3-17, Final_Sigma).
  public static func lowercase(_ text: inout [UInt8]) {
    if text.allSatisfy({ $0 < 0x80 }) {
      for i in text.indices where (0x41...0x5A).contains(text[i]) { text[i] += 0x20 }
      return
    }
    let scalars = Array(String(decoding: text, as: UTF8.self).unicodeScalars)
    var out: [UInt8] = []
    out.reserveCapacity(text.count + 8)
    for (i, scalar) in scalars.enumerated() {
      if scalar.value == 0x3A3, endsWord(i, of: scalars) {
        out.append(contentsOf: [0xCF, 0x82])
      } else {
        out.append(contentsOf: scalar.properties.lowercaseMapping.utf8)
      }
    }
    text = out
  }

  /// Whether a letter stands before `at`, and none behind it; what case ignores is looked through.
  /// The search stops at the next sigma on either side, so that a text of them takes linear time.
  private static func endsWord(_ at: Int, of scalars: [Unicode.Scalar]) -> Bool {
    func nextIsCased(_ indices: some Sequence<Int>) -> Bool {
      for i in indices where !scalars[i].properties.isCaseIgnorable {
        return scalars[i].properties.isCased
      }
      return false
    }
    return nextIsCased((0..<at).reversed()) && !nextIsCased((at + 1)..<scalars.count)
  }
}
