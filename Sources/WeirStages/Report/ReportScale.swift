import WeirData

/// The vertical axis of a chart: round numbers around the values.
struct ReportScale {
  var lo: Double
  var hi: Double
  var ticks: [Double]
  /// Decimals that tell two neighbouring ticks apart.
  var decimals: Int

  /// An axis over `least...most` with four to six ticks at 1, 2 or 5 times a power of ten. It begins
  /// at 0 unless all values lie in the upper part of it: a line high above 0 has no shape.
  init(least: Double, most: Double, limit: Double?) {
    var bottom = least
    if bottom > 0 && bottom < 0.7 * most { bottom = 0 }
    var top = max(most, bottom)
    let flat = top - bottom <= abs(top) * 1e-9
    if flat {
      top += max(abs(top) * 0.1, top == 0 ? 1 : 0)
      if bottom > 0 { bottom -= bottom * 0.1 }
    }
    let step = ReportScale.step(for: (top - bottom) / 4.5)
    lo = (bottom / step).rounded(.down) * step
    hi = (top / step).rounded(.up) * step
    if let limit, hi > limit { hi = limit }
    if hi <= lo { hi = lo + step }
    let first = Int((lo / step).rounded())
    let count = Int(((hi - lo) / step + 0.001).rounded(.down))
    ticks = (0...min(max(count, 1), 12)).map { Double(first + $0) * step }
    decimals = ReportNumber.decimals(step, significant: 1)
  }

  /// The nearest of 1, 2, 5 times a power of ten that is not smaller.
  private static func step(for size: Double) -> Double {
    guard size > 0, size.isFinite else { return 1 }
    var unit = 1.0
    while unit > size { unit /= 10 }
    while unit * 10 <= size { unit *= 10 }
    for factor in [1.0, 2, 5] where unit * factor >= size { return unit * factor }
    return unit * 10
  }
}

/// Slanted lines over a rectangle, each cut to it. A pattern would do, but becomes a bitmap in PDF.
func reportHatching(x: Double, y: Double, width: Double, height: Double) -> ReportMarkup {
  var path: ReportMarkup = ""
  // A line has x + y constant; `along` is that sum, counted from the corner at the top left.
  for along in Swift.stride(from: 4, to: width + height, by: 8.5) {
    let from = (x: min(along, width), y: along - min(along, width))
    let to = (x: along - min(along, height), y: min(along, height))
    path += "M\(at: x + from.x) \(at: y + from.y)L\(at: x + to.x) \(at: y + to.y)"
  }
  return "<path class=hatched d=\"\(path)\"/>"
}

/// The dates below a chart.
struct ReportDates {
  struct Tick {
    var bucket: Int
    var label: String
  }

  var ticks: [Tick] = []

  /// At most `most` ticks, on Mondays where a bucket is a day and there is room for every week. The
  /// month is said where it changes, the year too.
  init(_ buckets: [CivilDate], bucketDays: Int, most: Int = 13) {
    guard let first = buckets.first else { return }
    let steps = bucketDays == 1 ? [1, 2, 7, 14, 28, 56, 91, 182] : [1, 2, 4, 8, 13, 26, 52]
    let step =
      steps.first { buckets.count <= $0 * most } ?? (buckets.count + most - 1) / most
    let offset = bucketDays == 1 && step % 7 == 0 ? (7 - first.weekday) % 7 : 0
    var last: CivilDate?
    for bucket in Swift.stride(from: offset, to: buckets.count, by: step) {
      let date = buckets[bucket]
      let label =
        switch last {
        case let last? where last.year != date.year: "\(date.short) \(date.year)"
        case let last? where last.month == date.month && bucketDays < 28: "\(date.day)"
        default: date.short
        }
      ticks.append(Tick(bucket: bucket, label: label))
      last = date
    }
  }
}
