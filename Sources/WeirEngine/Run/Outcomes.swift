import WeirData

/// What became of a source line, over all branches: each line counts once, for the best that
/// happened to it. The order is that of the rule.
enum Outcome: UInt8, CaseIterable {
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

  /// The same for all lines of a batch, which are in it from now on.
  mutating func raiseAll(of batch: borrowing Batch, to outcome: Outcome) {
    let (lines, count) = (batch.lines, batch.rowCount)
    guard count > 0 else { return }
    extend(to: Int(lines[count - 1].number))
    let value = outcome.rawValue
    bytes.withUnsafeMutableBufferPointer {
      for row in 0..<count { LineOutcomes.raise($0, lines[row].number, value) }
    }
  }

  /// The same for the selected rows.
  mutating func raise(_ selection: Selection, of batch: borrowing Batch, to outcome: Outcome) {
    let lines = batch.lines
    let value = outcome.rawValue
    bytes.withUnsafeMutableBufferPointer { bytes in
      selection.rows.withUnsafeBufferPointer {
        for row in $0 { LineOutcomes.raise(bytes, lines[Int(row)].number, value) }
      }
    }
  }

  @inline(__always)
  private static func raise(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, _ line: UInt32, _ value: UInt8
  ) {
    let at = Int(line) &- 1
    bytes[at] = max(bytes[at], value)
  }

  func count(of outcome: Outcome) -> Int { counts[Int(outcome.rawValue)] }

  /// Lines by outcome.
  var counts: [Int] {
    var counts = [Int](repeating: 0, count: Outcome.allCases.count)
    bytes.withUnsafeBufferPointer { bytes in
      // Over and over is faster than once with a table: this is done many bytes at a time.
      for outcome in Outcome.allCases.dropFirst() {
        var count = 0
        for byte in bytes { count &+= byte == outcome.rawValue ? 1 : 0 }
        counts[Int(outcome.rawValue)] = count
      }
      counts[0] = bytes.count - counts.reduce(0, +)
    }
    return counts
  }
}
