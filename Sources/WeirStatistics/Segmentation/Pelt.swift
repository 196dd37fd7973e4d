/// Costs that differ by less than this share are the same but for rounding.
private let slack = 1e-12

/// See ``Segmentation/penalized(_:penalty:minSize:)``.
struct Pelt: SegmentationAlgorithm {
  var penalty: Double
  var minSize: Int

  func run<C: StretchCost>(_ cost: C) -> Segments { pelt(cost, penalty, minSize) }
}

/// See ``Segmentation/exact(_:upTo:minSize:)``.
struct DynamicProgramme: SegmentationAlgorithm {
  var changes: Int
  var minSize: Int

  func run<C: StretchCost>(_ cost: C) -> [Segments] { dynamic(cost, changes, minSize) }
}

/// See ``Segmentation/binary(_:changes:minSize:)``.
struct BinarySegmentation: SegmentationAlgorithm {
  var changes: Int
  var minSize: Int

  func run<C: StretchCost>(_ cost: C) -> Segments { bisect(cost, changes, minSize) }
}

private func pelt<C: StretchCost>(_ cost: C, _ penalty: Double, _ minSize: Int) -> Segments {
  let n = cost.count
  let m = max(1, minSize)
  guard n > 0 else { return Segments(ends: [], objective: 0) }
  guard n >= 2 * m else { return Segments(ends: [n], objective: cost.cost(0, n)) }

  // best[e]: the least objective of the values 0 ..< e; last[e]: where its last stretch starts.
  var best = [Double](repeating: .infinity, count: n + 1)
  var last = [Int](repeating: 0, count: n + 1)
  best[0] = -penalty
  // Starts still in the running, what each gives for the current end, and from which end on it is out.
  var starts: [Int] = []
  var values = [Double](repeating: 0, count: n + 1)
  var expiry = [Int](repeating: .max, count: n + 1)

  for end in m...n {
    if best[end - m] < .infinity { starts.append(end - m) }
    var least = Double.infinity
    var from = 0
    var kept = 0
    for place in 0..<starts.count {
      let start = starts[place]
      if expiry[start] <= end { continue }
      let value = best[start] + cost.cost(start, end) + penalty
      if value < least - slack * abs(least) || least == .infinity {
        least = value
        from = start
      }
      starts[kept] = start
      values[kept] = value
      kept += 1
    }
    starts.removeLast(starts.count - kept)
    best[end] = least
    last[end] = from
    // A start that loses to `end` even without paying for it loses for all ends beyond end + m.
    let limit = least + penalty + cost.priceOfCut + slack * abs(least)
    for place in 0..<kept where values[place] > limit && expiry[starts[place]] == .max {
      expiry[starts[place]] = end + m
    }
  }
  return Segments(ends: ends(last, n), objective: best[n])
}

private func dynamic<C: StretchCost>(_ cost: C, _ changes: Int, _ minSize: Int) -> [Segments] {
  let n = cost.count
  let m = max(1, minSize)
  guard n > 0 else { return [Segments(ends: [], objective: 0)] }
  var answers = [Segments(ends: [n], objective: cost.cost(0, n))]
  let most = min(max(0, changes), n / m - 1)
  guard most > 0 else { return answers }

  var before = (0...n).map { $0 >= m ? cost.cost(0, $0) : .infinity }
  var lasts: [[Int]] = [[Int](repeating: 0, count: n + 1)]
  for k in 1...most {
    var best = [Double](repeating: .infinity, count: n + 1)
    var last = [Int](repeating: 0, count: n + 1)
    for end in stride(from: (k + 1) * m, through: n, by: 1) {
      for start in (k * m)...(end - m) {
        let value = before[start] + cost.cost(start, end)
        if value < best[end] {
          best[end] = value
          last[end] = start
        }
      }
    }
    lasts.append(last)
    before = best
    var ends = [n]
    for row in lasts.dropFirst().reversed() { ends.append(row[ends[ends.count - 1]]) }
    answers.append(Segments(ends: ends.reversed(), objective: best[n]))
  }
  return answers
}

private func bisect<C: StretchCost>(_ cost: C, _ changes: Int, _ minSize: Int) -> Segments {
  let n = cost.count
  let m = max(1, minSize)
  guard n > 0 else { return Segments(ends: [], objective: 0) }

  func stretch(_ start: Int, _ end: Int) -> Stretch {
    var found = Stretch(start: start, end: end, gain: 0, cut: nil)
    guard end - start >= 2 * m else { return found }
    let whole = cost.cost(start, end)
    for cut in (start + m)...(end - m) {
      let gain = whole - cost.cost(start, cut) - cost.cost(cut, end)
      if found.cut == nil || gain >= found.gain {
        found.gain = gain
        found.cut = cut
      }
    }
    return found
  }

  var stretches = [stretch(0, n)]
  for _ in 0..<max(0, changes) {
    var best: Int?
    for i in stretches.indices where stretches[i].cut != nil {
      if best.map({ stretches[i].gain > stretches[$0].gain }) ?? true { best = i }
    }
    guard let best, let cut = stretches[best].cut else { break }
    let whole = stretches[best]
    stretches.replaceSubrange(
      best...best, with: [stretch(whole.start, cut), stretch(cut, whole.end)])
  }
  let ends = stretches.map(\.end)
  var objective = 0.0
  for s in stretches { objective += cost.cost(s.start, s.end) }
  return Segments(ends: ends, objective: objective)
}

/// A stretch and where it would best be cut.
private struct Stretch {
  var start: Int
  var end: Int
  var gain: Double
  var cut: Int?
}

private func ends(_ last: [Int], _ n: Int) -> [Int] {
  var ends: [Int] = []
  var end = n
  while end > 0 {
    ends.append(end)
    end = last[end]
  }
  return ends.reversed()
}
