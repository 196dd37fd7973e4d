import WeirData
import WeirStatistics

/// The line and what it says.
extension ReportChart {
  func line() -> ReportMarkup {
    var path: ReportMarkup = ""
    for run in runs({ series.isCompared($0) && series.values[$0] != nil }) {
      path += polyline(run.compactMap { t in series.values[t].map { (x(t), y($0)) } })
    }
    return "<path class=line d=\"\(path)\"/>"
  }

  func polyline(_ points: [(Double, Double)]) -> ReportMarkup {
    var path: ReportMarkup = ""
    for (i, point) in points.enumerated() {
      path += "\(i == 0 ? "M" : " ")\(at: point.0) \(at: point.1)"
    }
    if points.count == 1 { path += "h0.1" }
    return path
  }

  /// A mark for each bucket outside its band, pointing to where it lies.
  func points() -> ReportMarkup {
    var above: ReportMarkup = ""
    var below: ReportMarkup = ""
    for t in series.values.indices where series.isCompared(t) {
      guard let value = series.values[t], let e = series.expected[t] else { continue }
      if value > e.hi { above += "M\(at: x(t)) \(at: y(value) - 4.5)l4.4 7.6h-8.8z" }
      if value < e.lo { below += "M\(at: x(t)) \(at: y(value) + 4.5)l4.4 -7.6h-8.8z" }
    }
    return "<path class=up d=\"\(above)\"/><path class=down d=\"\(below)\"/>"
  }

  func levels() -> ReportMarkup {
    let what = finding.what
    let last = model.lastCompared ?? count - 1
    func dash(_ from: Int, _ to: Int, _ level: Double, _ name: ReportMarkup) -> ReportMarkup {
      guard from <= to, level.isFinite else { return "" }
      return """
        <line class="level \(name)" x1="\(at: edge(from))" x2="\(at: edge(to + 1))" \
        y1="\(at: y(level))" y2="\(at: y(level))"/>
        """
    }
    let changed: ReportMarkup = what.direction == .up ? "rose" : "fell"
    switch what.type {
    case .shift, .windowChange:
      let before = dash(0, finding.anchorBucket - 1, what.baseline.value, "before")
      let end = max(last, finding.window.upperBound)
      let after = dash(finding.anchorBucket, end, what.observed.value, changed)
      return "\(before)\(after)"
    case .burst, .unconfirmedLevel:
      return dash(
        finding.window.lowerBound, finding.window.upperBound, what.observed.value, changed)
    case .trend:
      guard let fit = fit() else { return "" }
      return """
        <line class="level \(changed)" x1="\(at: x(fit.from.0))" y1="\(at: y(fit.from.1))" \
        x2="\(at: x(fit.to.0))" y2="\(at: y(fit.to.1))"/>
        """
    case .spike, .dip, .seasonBreak, .dataMissing, .openBucket: return ""
    }
  }

  /// The ends of the trend line: the slope of the finding through the median of what remains when it
  /// is taken away.
  func fit() -> (from: (Int, Double), to: (Int, Double))? {
    guard let slope = finding.what.slopePerWeek?.value, slope.isFinite else { return nil }
    let perBucket = slope * Double(model.page.bucketDays) / 7
    let used = finding.window.filter { series.isCompared($0) && series.values[$0] != nil }
    let rest = used.compactMap { t in series.values[t].map { $0 - perBucket * Double(t) } }.sorted()
    guard let from = used.first, let to = used.last, !rest.isEmpty else { return nil }
    let middle = (rest[(rest.count - 1) / 2] + rest[rest.count / 2]) / 2
    return ((from, middle + perBucket * Double(from)), (to, middle + perBucket * Double(to)))
  }

  func changeLine() -> ReportMarkup {
    switch finding.what.type {
    case .shift, .burst, .unconfirmedLevel, .seasonBreak, .windowChange:
      let place = edge(finding.anchorBucket)
      return """
        <line class=change x1="\(at: place)" x2="\(at: place)" y1="\(at: top - 6)" \
        y2="\(at: bottom)"/>
        """
    case .spike, .dip:
      guard let value = series.values[finding.anchorBucket] else { return "" }
      return """
        <circle class=ring cx="\(at: x(finding.anchorBucket))" cy="\(at: y(value))" r=9 />
        """
    case .trend, .dataMissing, .openBucket: return ""
    }
  }

  /// What is noted for the time of the finding and begins inside of the chart, with the bucket.
  var notes: [(bucket: Int, note: TrendAnnotation)] {
    guard let first = model.page.buckets.first else { return [] }
    return finding.annotations.compactMap { note in
      let day = note.first.daysSinceEpoch - first.daysSinceEpoch
      return day >= 0 && day / model.page.bucketDays < count
        ? (day / model.page.bucketDays, note) : nil
    }
  }

  func noted() -> ReportMarkup {
    notes.map { bucket, note -> ReportMarkup in
      let place = edge(bucket)
      return """
        <line class=noted x1="\(at: place)" x2="\(at: place)" y1="\(at: top - 6)" \
        y2="\(at: bottom)"><title>\(note.words)</title></line>
        """
    }.joined()
  }

  func openBuckets() -> ReportMarkup {
    series.states.indices.filter { series.states[$0] == .open || series.states[$0] == .partial }
      .compactMap { t in
        series.values[t].map { value -> ReportMarkup in
          "<circle class=hollow cx=\"\(at: x(t))\" cy=\"\(at: y(value))\" r=4 />"
        }
      }.joined()
  }

  func labels() -> ReportMarkup {
    var all: ReportMarkup = ""
    var free = left
    for state in [BucketState.missing, .open] {
      for run in runs({ series.states[$0] == state }) {
        let text = state == .open ? "open \(model.bucketWord)" : "no data"
        let middle = (edge(run.lowerBound) + edge(run.upperBound + 1)) / 2
        let place = min(max(middle, left + 30), right - 34)
        guard place - 34 >= free || state == .open else { continue }
        all += label(text, at: place, 14, "quiet", from: "middle")
        free = place + 40
      }
    }
    return "\(all)\(changeMark())"
  }

  private func label(
    _ text: String, at x: Double, _ y: Double, _ style: ReportMarkup, from anchor: ReportMarkup
  ) -> ReportMarkup {
    """
    <text class=\(style) x="\(at: x)" y="\(at: y)" text-anchor=\(anchor)>\(text)</text>
    """
  }

  /// What changed, above the place where it did; on the side where there is room.
  private func changeMark() -> ReportMarkup {
    guard let text = changeText else { return "" }
    let place =
      switch finding.what.type {
      case .shift, .burst, .unconfirmedLevel, .seasonBreak, .windowChange:
        edge(finding.anchorBucket)
      case .spike, .dip: x(finding.anchorBucket)
      case .trend, .dataMissing, .openBucket: left
      }
    return place > right - 220
      ? label(text, at: place - 7, 34, "strong", from: "end")
      : label(text, at: place + 7, 34, "strong", from: "start")
  }

  private var changeText: String? {
    let what = finding.what
    switch what.type {
    case .shift, .windowChange:
      return "\(model.date(finding.anchorBucket)): \(series.unit.change(what.effect.value))"
    case .burst, .unconfirmedLevel:
      return "\(model.dates(finding.window)): \(series.unit.change(what.effect.value))"
    case .spike, .dip:
      return series.values[finding.anchorBucket].map {
        "\(model.date(finding.anchorBucket)): \(series.unit.level($0))"
      }
    case .trend:
      return what.slopePerWeek.map { "\(series.unit.change($0.value)) a week" }
    case .seasonBreak:
      return "\(model.date(finding.anchorBucket)): other weekdays"
    case .dataMissing, .openBucket: return nil
    }
  }
}
