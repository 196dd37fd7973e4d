/// Median of a window of `width` (odd) values around each; at the ends the window stays whole and
/// is moved inside, so that a short block at the end does not become its own level. O(n width).
func runningMedian(_ values: [Double], width: Int) -> [Double] {
  let n = values.count
  guard n > 0 else { return [] }
  let w = min(width, n)
  var window = Array(values[0..<w]).sorted()
  var result = [Double](repeating: 0, count: n)
  var start = 0
  for i in 0..<n {
    let wanted = min(n - w, max(0, i - w / 2))
    if wanted > start {
      replace(values[start], by: values[start + w], in: &window)
      start = wanted
    }
    result[i] = Robust.medianOfSorted(window)
  }
  return result
}

/// Takes `old` out of an ordered window and puts `new` in.
private func replace(_ old: Double, by new: Double, in window: inout [Double]) {
  guard var at = window.firstIndex(of: old) else { return }
  while at + 1 < window.count, window[at + 1] < new {
    window[at] = window[at + 1]
    at += 1
  }
  while at > 0, window[at - 1] > new {
    window[at] = window[at - 1]
    at -= 1
  }
  window[at] = new
}
