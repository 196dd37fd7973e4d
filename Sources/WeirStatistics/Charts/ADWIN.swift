import Glibc

/// A window over a stream that drops its older part whenever its mean differs from the newer one's
/// (A. Bifet and R. Gavaldà, "Learning from time-changing data with adaptive windowing", 2007); as in
/// `river`.
///
/// The window is kept as sums over 1, 2, 4, ... values, at most `rowLength` + 1 of each: O(log n) memory,
/// and O(log^2 n) work at every `clock`-th value.
public struct ADWIN: Sendable {
  public var delta: Double
  private let clock = 32
  private let rowLength = 5
  private let fewestASide = 5.0
  private let grace = 10
  /// Row r holds sums over 2^r values, the oldest first.
  private var rows: [[Part]] = [[]]
  private var count = 0
  private var total = 0.0
  private var variance = 0.0
  private var seen = 0

  private struct Part {
    var sum: Double
    /// Sum of squared deviations inside.
    var square: Double
  }

  /// `delta` is the chance of a false alarm at any one cut.
  public init(delta: Double = 0.002) { self.delta = delta }

  /// Takes the next value; true where the window was cut, after which it starts anew.
  public mutating func add(_ x: Double) -> Bool {
    insert(x)
    seen += 1
    guard seen % clock == 0, count > grace else { return false }
    let found = shrink()
    if found { self = ADWIN(delta: delta) }
    return found
  }

  private mutating func insert(_ x: Double) {
    rows[0].append(Part(sum: x, square: 0))
    count += 1
    if count > 1 {
      let n = Double(count)
      let d = x - total / (n - 1)
      variance += (n - 1) * d * d / n
    }
    total += x
    var row = 0
    while rows[row].count > rowLength {
      if row + 1 == rows.count { rows.append([]) }
      let (a, b) = (rows[row][0], rows[row][1])
      let size = Double(1 << row)
      let d = (a.sum - b.sum) / size
      rows[row].removeFirst(2)
      rows[row + 1].append(
        Part(sum: a.sum + b.sum, square: a.square + b.square + size * d * d / 2))
      row += 1
    }
  }

  private mutating func shrink() -> Bool {
    var found = false
    while cutsOnce() {
      found = true
      dropOldest()
    }
    return found
  }

  private func cutsOnce() -> Bool {
    var (older, olderSum) = (0.0, 0.0)
    let all = Double(count)
    let confidence = log(2 * log(all) / delta)
    for row in rows.indices.reversed() {
      for (place, part) in rows[row].enumerated() {
        older += Double(1 << row)
        olderSum += part.sum
        if row == 0, place == rows[row].count - 1 { return false }
        let newer = all - older
        guard newer >= fewestASide, older >= fewestASide else { continue }
        let share = 1 / (older - fewestASide + 1) + 1 / (newer - fewestASide + 1)
        let limit =
          (2 * share * variance / all * confidence).squareRoot() + 2.0 / 3 * confidence * share
        if abs(olderSum / older - (total - olderSum) / newer) > limit { return true }
      }
    }
    return false
  }

  private mutating func dropOldest() {
    guard let last = rows.indices.last else { return }
    let size = Double(1 << last)
    let part = rows[last].removeFirst()
    count -= 1 << last
    total -= part.sum
    let rest = Double(count)
    if rest > 0 {
      let d = part.sum / size - total / rest
      variance -= part.square + size * rest * d * d / (size + rest)
    }
    while rows.count > 1, rows[rows.count - 1].isEmpty { rows.removeLast() }
  }
}
