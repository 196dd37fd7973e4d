import Testing
import WeirData

private func changed(_ text: String, _ change: (inout [UInt8]) -> Void) -> [UInt32] {
  var bytes = Array(text.utf8)
  change(&bytes)
  return scalars(String(decoding: bytes, as: UTF8.self))
}

private func scalars(_ text: String) -> [UInt32] { text.unicodeScalars.map(\.value) }

@Suite struct `Unicode text` {
  @Test(arguments: [
    // Of NormalizationTest.txt (Unicode 15.0): columns 1 and 2.
    ("\u{1E0A}", "\u{1E0A}"), ("D\u{307}", "\u{1E0A}"), ("\u{1E0C}\u{307}", "\u{1E0C}\u{307}"),
    ("\u{1E0A}\u{323}", "\u{1E0C}\u{307}"), ("D\u{307}\u{323}", "\u{1E0C}\u{307}"),
    ("\u{1E14}\u{304}", "\u{1E14}\u{304}"), ("E\u{304}\u{300}", "\u{1E14}"),
    (
      "\u{5B8}\u{5B9}\u{5B1}\u{591}\u{5C3}\u{5B0}\u{5AC}\u{59F}",
      "\u{5B1}\u{5B8}\u{5B9}\u{591}\u{5C3}\u{5B0}\u{5AC}\u{59F}"
    ),
    // One scalar that becomes another, and those that composition leaves out.
    ("\u{212B}", "\u{C5}"), ("\u{2126}", "\u{3A9}"), ("\u{2000}", "\u{2002}"),
    ("\u{340}", "\u{300}"), ("\u{958}", "\u{915}\u{93C}"), ("\u{2ADC}", "\u{2ADD}\u{338}"),
    ("\u{1D15E}", "\u{1D157}\u{1D165}"), ("\u{2F800}", "\u{4E3D}"),
    // Hangul, by rule.
    ("\u{1100}\u{1161}\u{11A8}", "\u{AC01}"), ("\u{AC00}\u{11A8}", "\u{AC01}"),
    ("\u{AC01}\u{11A8}", "\u{AC01}\u{11A8}"),
    // A mark that stands between keeps two from meeting.
    ("a\u{305}\u{301}", "a\u{305}\u{301}"), ("a\u{327}\u{301}", "\u{E1}\u{327}"),
    ("\u{9C7}\u{9BE}", "\u{9CB}"), ("\u{9C7}\u{300}\u{9BE}", "\u{9C7}\u{300}\u{9BE}"),
    ("plain", "plain"), ("", ""), ("e\u{301}t\u{E9}", "\u{E9}t\u{E9}"),
    ("\u{0}e\u{301}", "\u{0}\u{E9}"),
  ])
  func `is composed`(text: String, composed: String) {
    #expect(changed(text, UnicodeText.composeCanonically) == scalars(composed))
    #expect(changed(composed, UnicodeText.composeCanonically) == scalars(composed))
  }

  @Test func `takes no square time to compose many marks`() {
    let half = 200_000
    let text =
      "a" + String(repeating: "\u{301}", count: half) + String(repeating: "\u{323}", count: half)
    let composed = changed(text, UnicodeText.composeCanonically)
    #expect(composed.prefix(2) == [0x1EA1, 0x323])
    #expect(composed.count == 2 * half)
    #expect(composed.last == 0x301)
  }

  @Test(arguments: [
    ("stra\u{DF}e", "STRASSE"), ("i\u{131}", "II"), ("\u{FB03}", "FFI"), ("\u{149}", "\u{2BC}N"),
    ("\u{390}", "\u{399}\u{308}\u{301}"), ("\u{1F80}", "\u{1F08}\u{399}"),
    ("az09_\u{E9}", "AZ09_\u{C9}"),
    ("\u{10D0}", "\u{1C90}"), ("\u{10428}", "\u{10400}"), ("azAZ{`@[", "AZAZ{`@["), ("", ""),
  ])
  func `has full upper case`(text: String, upper: String) {
    #expect(changed(text, UnicodeText.uppercase) == scalars(upper))
  }

  @Test(arguments: [
    ("\u{130}", "i\u{307}"), ("I", "i"), ("STRA\u{1E9E}E", "stra\u{DF}e"), ("azAZ{`@[", "azaz{`@["),
    // A sigma at the end of a word; what case ignores is looked through.
    ("\u{39F}\u{394}\u{39F}\u{3A3}", "\u{3BF}\u{3B4}\u{3BF}\u{3C2}"),
    ("\u{39F}\u{3A3} \u{39F}", "\u{3BF}\u{3C2} \u{3BF}"), ("\u{3A3}", "\u{3C3}"),
    ("\u{39F}\u{3A3}\u{39F}", "\u{3BF}\u{3C3}\u{3BF}"), ("\u{3A3}\u{3A3}", "\u{3C3}\u{3C2}"),
    ("\u{39F}\u{3A3}\u{301}", "\u{3BF}\u{3C2}\u{301}"),
    ("\u{39F}\u{3A3}\u{301}\u{39F}", "\u{3BF}\u{3C3}\u{301}\u{3BF}"),
    ("1\u{3A3}", "1\u{3C3}"), ("\u{39F}.\u{3A3}", "\u{3BF}.\u{3C2}"),
  ])
  func `has full lower case`(text: String, lower: String) {
    #expect(changed(text, UnicodeText.lowercase) == scalars(lower))
  }

  @Test func `is trimmed of exactly the white space of Unicode`() {
    let spaces: Set<UInt32> = [
      0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003,
      0x2004,
      0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000,
    ]
    for value in UInt32(0)...0x10FFFF {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let inner = Array("x".utf8)
      let around = Array(UTF8.encode(scalar)!)
      let expected = spaces.contains(value) ? inner : around + inner + around
      let trimmed = (around + inner + around).withUnsafeBufferPointer {
        Array(UnicodeText.trimmed($0))
      }
      if trimmed != expected { Issue.record("U+\(String(value, radix: 16)): \(trimmed)") }
    }
  }

  @Test func `is trimmed to nothing`() {
    for text in ["", " ", "\u{A0}\u{3000} \t"] {
      Array(text.utf8).withUnsafeBufferPointer { #expect(UnicodeText.trimmed($0).isEmpty) }
    }
  }
}
