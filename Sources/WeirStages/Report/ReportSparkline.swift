import WeirStatistics

/// A series in the size of a word: the observed line over the expected band, on its own scale.
struct ReportSparkline {
  /// Columns drawn at most; longer series show, for each step, the bucket that lies farthest from
  /// what was expected of it.
  static let columns = 120

  var series: ReportSeries

  /// An SVG that is stretched to the size of its cell.
  func markup() -> ReportMarkup {
    let shown = buckets()
    guard let scale = scale(shown) else { return "" }
    let width = max(1, shown.count - 1) * 10
    let bandStep = shown.count > 60 ? 2 : 1
    return """
      <svg class=spark viewBox="0 0 \(width) 100" preserveAspectRatio=none aria-hidden=true>\
      <path class=band d="\(band(shown, bandStep, scale))"/>\
      <path class=line d="\(line(shown, scale))"/></svg>
      """
  }

  /// The bucket that each column shows.
  private func buckets() -> [Int] {
    let all = series.values.count
    let stride = (all + Self.columns - 1) / Self.columns
    guard stride > 1 else { return Array(0..<all) }
    return Swift.stride(from: 0, to: all, by: stride).map { start in
      let range = start..<min(start + stride, all)
      return range.max { distance($0) < distance($1) } ?? start
    }
  }

  private func distance(_ t: Int) -> Double {
    guard series.isCompared(t), let value = series.values[t] else { return -1 }
    return series.expected[t].map { abs(value - $0.value) } ?? 0
  }

  private struct Scale {
    var lo: Double
    var hi: Double

    func y(_ value: Double) -> Int {
      let share = (min(max(value, lo), hi) - lo) / (hi - lo)
      return Int((96 - 92 * share).rounded())
    }
  }

  private func scale(_ shown: [Int]) -> Scale? {
    let compared = shown.filter { series.isCompared($0) }
    let values = compared.compactMap { series.values[$0] }
    guard var lo = values.min(), var hi = values.max() else { return nil }
    // The band may widen the scale, but an immense one must not flatten the line.
    let room = max(hi - lo, abs(hi) * 0.02, 1e-9)
    for t in shown {
      guard let e = series.expected[t] else { continue }
      lo = min(lo, max(e.lo, lo - room))
      hi = max(hi, min(e.hi, hi + room))
    }
    return Scale(lo: lo, hi: max(hi, lo + max(abs(lo), 1) * 1e-9))
  }

  private func line(_ shown: [Int], _ scale: Scale) -> ReportMarkup {
    var path: ReportMarkup = ""
    var open = false
    for (column, t) in shown.enumerated() {
      guard series.isCompared(t), let value = series.values[t] else {
        open = false
        continue
      }
      let alone =
        !open
        && !(column + 1 < shown.count && series.isCompared(shown[column + 1])
          && series.values[shown[column + 1]] != nil)
      path += "\(open ? " " : "M")\(column * 10) \(scale.y(value))\(alone ? "h1" : "")"
      open = true
    }
    return path
  }

  private func band(_ shown: [Int], _ step: Int, _ scale: Scale) -> ReportMarkup {
    let columns = shown.indices.filter { $0 % step == 0 || $0 == shown.count - 1 }
    var path: ReportMarkup = ""
    var run: [(x: Int, e: Estimate)] = []
    func close() {
      guard let first = run.first, let last = run.last else { return }
      if run.count == 1 {
        path += "M\(max(0, first.x - 4)) \(scale.y(first.e.hi))h8V\(scale.y(first.e.lo))h-8z"
        return
      }
      path += "M\(first.x) \(scale.y(first.e.hi))"
      for point in run.dropFirst() { path += " \(point.x) \(scale.y(point.e.hi))" }
      path += "L\(last.x) \(scale.y(last.e.lo))"
      for point in run.dropLast().reversed() { path += " \(point.x) \(scale.y(point.e.lo))" }
      path += "z"
    }
    for column in columns {
      if let e = series.expected[shown[column]] {
        run.append((column * 10, e))
      } else {
        close()
        run = []
      }
    }
    close()
    return path
  }
}
