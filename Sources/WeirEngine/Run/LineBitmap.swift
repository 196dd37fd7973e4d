/// Lines of one shard.
struct LineBitmap: Sendable {
  private(set) var words: [UInt64] = []

  init() {}

  /// - Parameter lines: how many there are, to have room for them.
  init(lines: Int) { words = [UInt64](repeating: 0, count: lines / 64 + 1) }

  mutating func insert(_ line: UInt32) {
    let word = Int(line >> 6)
    if words.count <= word {
      words.append(contentsOf: repeatElement(0, count: word + 1 - words.count))
    }
    words[word] |= 1 << UInt64(line & 63)
  }

  mutating func remove(_ line: UInt32) {
    let word = Int(line >> 6)
    if word < words.count { words[word] &= ~(1 << UInt64(line & 63)) }
  }

  @inline(__always)
  func contains(_ line: UInt32) -> Bool {
    let word = Int(line >> 6)
    return word < words.count && words[word] >> UInt64(line & 63) & 1 == 1
  }

  init(words: [UInt64]) { self.words = words }

  /// The words up to the last line: equal sets have equal ones.
  var trimmedWords: [UInt64] {
    Array(words[..<((words.lastIndex { $0 != 0 } ?? -1) + 1)])
  }

  var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  mutating func formUnion(_ other: LineBitmap) {
    if words.count < other.words.count {
      words.append(contentsOf: repeatElement(0, count: other.words.count - words.count))
    }
    for i in other.words.indices { words[i] |= other.words[i] }
  }

  /// Lines that `other` does not have.
  func subtracting(_ other: LineBitmap) -> LineBitmap {
    var rest = self
    for i in 0..<min(words.count, other.words.count) { rest.words[i] &= ~other.words[i] }
    return rest
  }

  /// Calls `body` for each line, ascending.
  @inline(__always)
  func forEach(_ body: (UInt32) throws -> Void) rethrows {
    for i in words.indices {
      var word = words[i]
      while word != 0 {
        try body(UInt32(i << 6 + word.trailingZeroBitCount))
        word &= word - 1
      }
    }
  }
}
