import WeirData

/// The candidate that a misspelt word most likely meant, or `nil` where none is close.
///
/// Distance is that of optimal string alignment (Damerau-Levenshtein without edits inside a
/// transposed pair) over ASCII-lowered bytes, with `-` read as `_`; one edit is allowed for every
/// three bytes of the word, two to short words of four and five. Ties go to the first candidate.
public func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
  if let plain = Lookalike.replaced(in: word), candidates.contains(where: { same($0, plain) }) {
    return plain
  }
  let wanted = folded(word)
  guard !wanted.isEmpty, wanted.count <= 40 else { return nil }
  let limit = wanted.count < 3 ? 1 : min(3, max(wanted.count / 3, wanted.count >= 4 ? 2 : 1))
  var best: String?
  var bestDistance = limit + 1
  for candidate in candidates {
    let other = folded(candidate)
    guard abs(other.count - wanted.count) < bestDistance else { continue }
    let distance = editDistance(wanted, other, limit: bestDistance - 1)
    // A word of which nothing stands is not a misspelling.
    if distance < bestDistance, distance < max(wanted.count, other.count) {
      best = candidate
      bestDistance = distance
    }
  }
  if best == nil, wanted.count >= 3 {
    // `where_clause` for `where`, `path` for `paths_glob`, `que` for `queue`.
    best = candidates.first { candidate in
      let other = folded(candidate)
      return other.starts(with: wanted) || (other.count >= 4 && wanted.starts(with: other))
    }
    // `cnt` for `count`, `qntl` for `quantile`.
    best = best ?? candidates.first { isShortFor(folded($0), wanted) }
  }
  return best
}

/// Whether `short` has the first letter of `word` and others of it in their order, half of them at least.
private func isShortFor(_ word: [UInt8], _ short: [UInt8]) -> Bool {
  guard word.first == short.first, short.count * 2 >= word.count else { return false }
  var at = 0
  for byte in word where at < short.count && byte == short[at] { at += 1 }
  return at == short.count
}

private func folded(_ word: String) -> [UInt8] {
  word.utf8.map { byte in
    switch byte {
    case 0x41...0x5A: byte | 0x20
    case UInt8(ascii: "-"): UInt8(ascii: "_")
    default: byte
    }
  }
}

/// The distance, or `limit + 1` where it is larger. Only the diagonal band that can matter is
/// computed, so that a spec full of misspellings stays cheap.
func editDistance(_ a: [UInt8], _ b: [UInt8], limit: Int) -> Int {
  let far = limit + 1
  guard abs(a.count - b.count) <= limit else { return far }
  if b.isEmpty { return a.count }
  // Three rows in one array, used in turn: three arrays that change places were miscompiled by
  // Swift 6.3.1 with -O: release builds alone found no transposition.
  let width = b.count + 1
  var cells = [Int](repeating: far, count: 3 * width)
  for j in 0...min(b.count, limit) { cells[j] = j }
  for i in stride(from: 1, through: a.count, by: 1) {
    let row = i % 3 * width
    let last = (i + 2) % 3 * width
    let beforeLast = (i + 1) % 3 * width
    let from = max(1, i - limit)
    let through = min(b.count, i + limit)
    guard from <= through else { return far }
    cells[row + from - 1] = from == 1 && i <= limit ? i : far
    if through < b.count { cells[row + through + 1] = far }
    var lowest = cells[row + from - 1]
    for j in from...through {
      let substitution = cells[last + j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
      var cost = min(cells[last + j] + 1, cells[row + j - 1] + 1, substitution)
      if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
        cost = min(cost, cells[beforeLast + j - 2] + 1)
      }
      cells[row + j] = min(cost, far)
      lowest = min(lowest, cells[row + j])
    }
    if lowest > limit { return far }
  }
  return min(cells[a.count % 3 * width + b.count], far)
}
