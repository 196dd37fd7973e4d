/// What became of a source line, over all branches: each line counts once, for the best that
/// happened to it. The order is that of the rule.
enum Outcome: UInt8 {
  /// Not a record: white space.
  case blank = 0
  /// Read, and not yet accounted for: a line that ends so was lost.
  case read = 1
  case filtered = 2
  case deduplicated = 3
  case quarantined = 4
  case written = 5
}

/// One outcome a line of one shard.
struct LineOutcomes {
  private(set) var bytes: [UInt8] = []

  /// Notes that `line` (1-based) has been read.
  mutating func extend(to line: Int) {
    if bytes.count < line {
      bytes.append(contentsOf: repeatElement(0, count: line - bytes.count))
    }
  }

  mutating func raise(_ line: Int, to outcome: Outcome) {
    bytes.withUnsafeMutableBufferPointer {
      if $0[line - 1] < outcome.rawValue { $0[line - 1] = outcome.rawValue }
    }
  }

  func count(of outcome: Outcome) -> Int { bytes.count { $0 == outcome.rawValue } }
}
