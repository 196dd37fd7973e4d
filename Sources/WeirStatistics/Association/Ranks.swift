/// Ranks 1 ... n, the mean of their ranks for equal values. O(n log n).
public func averageRanks(_ x: [Double]) -> [Double] {
  let order = x.indices.sorted { (x[$0], $0) < (x[$1], $1) }
  var ranks = [Double](repeating: 0, count: x.count)
  var start = 0
  while start < order.count {
    var end = start + 1
    while end < order.count, x[order[end]] == x[order[start]] { end += 1 }
    for i in start..<end { ranks[order[i]] = Double(start + end + 1) / 2 }
    start = end
  }
  return ranks
}

/// Pairs of which neither value is missing.
struct CompletePairs {
  var x: [Double] = []
  var y: [Double] = []

  init(_ x: some Collection<Double>, _ y: some Collection<Double>) {
    for (a, b) in zip(x, y) where !a.isNaN && !b.isNaN {
      self.x.append(a)
      self.y.append(b)
    }
  }
}
