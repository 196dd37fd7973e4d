import WeirStatistics

/// What lies behind and below the line.
extension ReportChart {
  func weekends() -> ReportMarkup {
    runs { model.isWeekend($0) }.map { run -> ReportMarkup in
      """
      <rect class=weekend x="\(at: edge(run.lowerBound))" y="\(at: top)" \
      width="\(at: Double(run.count) * step)" height="\(at: bottom - top)"/>
      """
    }.joined()
  }

  func grid() -> ReportMarkup {
    scale.ticks.map { tick -> ReportMarkup in
      """
      <line class=\(tick == scale.lo ? "axis" : "grid") x1="\(at: left)" x2="\(at: right)" \
      y1="\(at: y(tick))" y2="\(at: y(tick))"/>\
      <text x="\(at: left - 8)" y="\(at: y(tick) + 4)" text-anchor=end>\(tickLabel(tick))</text>
      """
    }.joined()
  }

  func tickLabel(_ tick: Double) -> String {
    guard series.unit.kind == .rate else { return ReportNumber.fixed(tick, scale.decimals) }
    return ReportNumber.fixed(100 * tick, max(0, scale.decimals - 2)) + "\u{A0}%"
  }

  /// Hatching over what was not compared.
  func masks() -> ReportMarkup {
    runs { !series.isCompared($0) }.map {
      run -> ReportMarkup in
      reportHatching(
        x: edge(run.lowerBound), y: top, width: Double(run.count) * step, height: bottom - top)
    }.joined()
  }

  func band() -> ReportMarkup {
    var path: ReportMarkup = ""
    for run in runs({ series.expected[$0] != nil && series.states[$0] != .missing }) {
      let points = run.compactMap { t in series.expected[t].map { (x: x(t), e: $0) } }
      guard let first = points.first, let last = points.last else { continue }
      // The band of a bucket reaches to its edges, so that a single one is visible.
      path += "M\(at: first.x - step / 2) \(at: y(first.e.hi))"
      for point in points { path += " \(at: point.x) \(at: y(point.e.hi))" }
      path += " \(at: last.x + step / 2) \(at: y(last.e.hi))"
      path += " \(at: last.x + step / 2) \(at: y(last.e.lo))"
      for point in points.reversed() { path += " \(at: point.x) \(at: y(point.e.lo))" }
      path += " \(at: first.x - step / 2) \(at: y(first.e.lo))z"
    }
    return "<path class=band d=\"\(path)\"/>"
  }

  func expectation() -> ReportMarkup {
    var path: ReportMarkup = ""
    for run in runs({ series.expected[$0] != nil && series.states[$0] != .missing }) {
      path += polyline(run.compactMap { t in series.expected[t].map { (x(t), y($0.value)) } })
    }
    return "<path class=expected d=\"\(path)\"/>"
  }

  /// Where the change lies with 95 % certainty.
  func place() -> ReportMarkup {
    guard finding.what.type == .shift || finding.what.type == .burst, finding.place.count > 1
    else { return "" }
    return """
      <rect class=place x="\(at: edge(finding.place.lowerBound))" y="\(at: top)" \
      width="\(at: Double(finding.place.count - 1) * step)" height="\(at: bottom - top)"/>
      """
  }

  func bars() -> ReportMarkup {
    guard hasBars, let most = series.sizes.max(), most > 0 else { return "" }
    var path: ReportMarkup = ""
    for t in series.sizes.indices where series.sizes[t] > 0 {
      let height = max(0.5, series.sizes[t] / most * (barBottom - barTop))
      path += "M\(at: x(t)) \(at: barBottom)v-\(at: height)"
    }
    return """
      <path class=bars stroke-width="\(at: step * 0.76)" d="\(path)"/>\
      <line class=axis x1="\(at: left)" x2="\(at: right)" y1="\(at: barBottom)" \
      y2="\(at: barBottom)"/>\
      <text x="\(at: left - 8)" y="\(at: barTop + 8)" text-anchor=end>\
      \(ReportNumber.plain(most))</text>\
      <text x="\(at: left - 8)" y="\(at: barBottom)" text-anchor=end>0</text>
      """
  }

  func dates() -> ReportMarkup {
    ReportDates(model.page.buckets, bucketDays: model.page.bucketDays).ticks.map {
      tick -> ReportMarkup in
      """
      <line class=axis x1="\(at: x(tick.bucket))" x2="\(at: x(tick.bucket))" y1="\(at: base)" \
      y2="\(at: base + 4)"/>\
      <text x="\(at: x(tick.bucket))" y="\(at: base + 18)" text-anchor=middle>\(tick.label)</text>
      """
    }.joined()
  }
}
