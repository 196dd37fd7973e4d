/// A letter of another script that looks like one of ASCII: it comes into a name with text that was copied,
/// or from another keyboard, and nobody sees it.
public struct Lookalike: Sendable {
  public var letter: Unicode.Scalar
  /// The ASCII letter that it looks like.
  public var latin: Unicode.Scalar
  /// As Unicode calls the script, such as `Cyrillic`.
  public var script: String

  /// Of Unicode's table of confusable characters (UTS 39) those that look the same in most faces.
  private static let sets: [(script: String, letters: String, latin: String)] = [
    ("Cyrillic", "аАВсСеЕНһіІјЈкКМоОрРЅѕТхХуУԁ", "aABcCeEHhiIjJkKMoOpPSsTxXyYd"),
    ("Greek", "αΑΒΕΖΗΙΚκΜΝνοΟρΡΤΥΧ", "aABEZHIKkMNvoOpPTYX"),
  ]

  /// The first such letter in a text.
  public init?(in text: String) {
    for scalar in text.unicodeScalars where !scalar.isASCII {
      guard let found = Lookalike(scalar) else { continue }
      self = found
      return
    }
    return nil
  }

  init?(_ scalar: Unicode.Scalar) {
    // Full-width forms of ASCII.
    if (0xFF01...0xFF5E).contains(scalar.value), let latin = Unicode.Scalar(scalar.value - 0xFEE0) {
      self.init(letter: scalar, latin: latin, script: "full width")
      return
    }
    for set in Lookalike.sets {
      for (letter, latin) in zip(set.letters.unicodeScalars, set.latin.unicodeScalars)
      where letter == scalar {
        self.init(letter: letter, latin: latin, script: set.script)
        return
      }
    }
    return nil
  }

  private init(letter: Unicode.Scalar, latin: Unicode.Scalar, script: String) {
    (self.letter, self.latin, self.script) = (letter, latin, script)
  }

  /// `U+0430`.
  public var code: String {
    let digits = String(letter.value, radix: 16, uppercase: true)
    return "U+" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
  }

  /// The text in ASCII, where nothing but such letters keeps it from that; `nil` where it is ASCII already,
  /// or has other letters too.
  public static func replaced(in text: String) -> String? {
    guard text.utf8.contains(where: { $0 >= 0x80 }) else { return nil }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      guard !scalar.isASCII else {
        result.append(scalar)
        continue
      }
      guard let found = Lookalike(scalar) else { return nil }
      result.append(found.latin)
    }
    return String(result)
  }
}
