import CRE2

/// A regular expression in the syntax of RE2: the time of a search is linear in the text.
final class Pattern: @unchecked Sendable {  // RE2 is safe to use from many threads
  private let pattern: OpaquePointer

  struct Mistake: Error {
    /// RE2's words, without a full stop.
    var reason: String
  }

  init(_ text: [UInt8]) throws(Mistake) {
    guard text.count <= ExpressionLimits.patternBytes else {
      throw Mistake(
        reason: "it has \(text.count) bytes, more than \(ExpressionLimits.patternBytes)")
    }
    var reason = [CChar](repeating: 0, count: 200)
    let made = weir_pattern_new(
      text, text.count, ExpressionLimits.patternMemory, &reason, reason.count)
    guard let made else {
      let bytes = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw Mistake(reason: String(decoding: bytes, as: UTF8.self))
    }
    pattern = made
  }

  deinit { weir_pattern_free(pattern) }

  /// Whether the pattern is found anywhere in the text.
  func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    weir_pattern_matches(pattern, text.baseAddress, text.count) != 0
  }

  func matches(_ text: [UInt8]) -> Bool { text.withUnsafeBufferPointer { matches($0) } }
}

/// Patterns that come from records, the last few of them.
struct PatternMemory {
  private var known: [(text: [UInt8], pattern: Pattern?)] = []
  private static let most = 16

  /// `nil` where the text is no pattern.
  mutating func pattern(_ text: [UInt8]) -> Pattern? {
    if let found = known.first(where: { $0.text == text }) { return found.pattern }
    if known.count == PatternMemory.most { known.removeFirst() }
    let made = try? Pattern(text)
    known.append((text, made))
    return made
  }
}
