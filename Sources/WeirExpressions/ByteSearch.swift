import Glibc

/// Finds one run of bytes in another, in time linear in the two together.
enum ByteSearch {
  /// - Parameter part: not empty, and not longer than `length`.
  static func contains(
    _ bytes: UnsafePointer<UInt8>, _ length: Int, _ wanted: UnsafePointer<UInt8>, _ part: Int
  ) -> Bool {
    // Looking for the first byte and comparing is fastest on real text; where first bytes deceive
    // too often, as hostile text can make them, the exact automaton takes over.
    var deceived = 0
    var at = 0
    while at <= length - part {
      guard let hit = memchr(bytes + at, Int32(wanted[0]), length - part - at + 1) else {
        return false
      }
      at = UnsafeRawPointer(hit) - UnsafeRawPointer(bytes)
      if memcmp(bytes + at, wanted, part) == 0 { return true }
      at += 1
      deceived += part
      if deceived > 8 * length {
        return containsByAutomaton(bytes + at, length - at, wanted, part)
      }
    }
    return false
  }

  /// Knuth, Morris, Pratt (1977).
  private static func containsByAutomaton(
    _ bytes: UnsafePointer<UInt8>, _ length: Int, _ wanted: UnsafePointer<UInt8>, _ part: Int
  ) -> Bool {
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: part) { border in
      border[0] = 0
      var matched = 0
      for i in 1..<max(1, part) {
        while matched > 0, wanted[i] != wanted[matched] { matched = Int(border[matched - 1]) }
        if wanted[i] == wanted[matched] { matched += 1 }
        border[i] = Int32(truncatingIfNeeded: matched)
      }
      matched = 0
      for i in 0..<length {
        while matched > 0, bytes[i] != wanted[matched] { matched = Int(border[matched - 1]) }
        if bytes[i] == wanted[matched] { matched += 1 }
        if matched == part { return true }
      }
      return false
    }
  }

  /// For each prefix of a text, the length of the longest shorter one that it also ends with.
  static func borders(_ part: [UInt8]) -> [Int] {
    var border = [Int](repeating: 0, count: part.count)
    var matched = 0
    for i in 1..<max(1, part.count) {
      while matched > 0, part[i] != part[matched] { matched = border[matched - 1] }
      if part[i] == part[matched] { matched += 1 }
      border[i] = matched
    }
    return border
  }
}
