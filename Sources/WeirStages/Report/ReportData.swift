import WeirStatistics

/// What the report had to work with: which days have data, and what is open, missing or late.
struct ReportData {
  var model: ReportModel

  private static let rowsMost = 30

  func markup() -> ReportMarkup {
    """
    <section id=data><h2>Data: what is in, open or missing</h2>\
    <p class=lead>A missing \(model.bucketWord) is left out, never counted as zero. An open one is \
    shown and not compared.</p>\(strips())\(notes())</section>
    """
  }

  /// What is missing, late or in the future.
  func notes() -> ReportMarkup {
    let notes = model.page.notes.map { note -> ReportMarkup in
      """
      <tr><th scope=row><span class="badge \(note.isProblem ? "warning" : "notice")">\(note.label)\
      </span></th><td>\(note.place)</td><td>\(note.effect)</td></tr>

      """
    }
    return notes.isEmpty
      ? "<p>Nothing is missing, late or in the future.</p>"
      : """
      <div class=scroll><table><thead><tr><th scope=col>What</th><th scope=col>Where</th>\
      <th scope=col>Effect on this report</th></tr></thead><tbody>
      \(notes.joined())</tbody></table></div>
      """
  }

  private enum Cover: Equatable { case full, zero, open, missing }

  private struct Strip {
    var name: String?
    var cover: [Cover]
  }

  /// The cover of each value of the first field, or of everything where they do not differ.
  private func groups() -> [Strip] {
    var strips: [Strip] = []
    var places: [ReportKey: Int] = [:]
    for series in model.series {
      let name = series.key.first ?? nil
      guard let name else { continue }
      let place = places[ReportKey(name)] ?? strips.count
      if place == strips.count {
        places[ReportKey(name)] = place
        strips.append(
          Strip(name: name, cover: Array(repeating: .missing, count: series.states.count)))
      }
      for (t, state) in series.states.enumerated() {
        strips[place].cover[t] = better(strips[place].cover[t], state)
      }
    }
    strips.sort { ReportKey($0.name ?? "") < ReportKey($1.name ?? "") }
    if strips.isEmpty {
      var all = Strip(
        name: nil, cover: Array(repeating: .missing, count: model.page.buckets.count))
      for series in model.series {
        for (t, state) in series.states.enumerated() { all.cover[t] = better(all.cover[t], state) }
      }
      return [all]
    }
    let first = strips[0].cover
    return strips.allSatisfy { $0.cover == first } ? [Strip(name: nil, cover: first)] : strips
  }

  private func better(_ cover: Cover, _ state: BucketState) -> Cover {
    switch (cover, state) {
    case (.full, _), (_, .closed): .full
    case (.open, _), (_, .open), (_, .partial): .open
    case (.zero, _), (_, .zero): .zero
    case (.missing, .missing): .missing
    }
  }

  private func strips() -> ReportMarkup {
    let count = model.page.buckets.count
    guard count > 0, !model.series.isEmpty else { return "" }
    let all = groups()
    let shown = all.prefix(Self.rowsMost)
    let left = 96.0
    let step = (1_072 - left) / Double(count)
    var rows: ReportMarkup = ""
    for (i, strip) in shown.enumerated() {
      let y = Double(i) * 17
      let name = strip.name ?? "all"
      rows += """
        <text x="\(at: left - 10)" y="\(at: y + 11.5)" text-anchor=end>\(value: shortened(name))</text>
        """
      var from = 0
      for t in 0...count where t == count || strip.cover[t] != strip.cover[from] {
        let place = (x: left + Double(from) * step, width: Double(t - from) * step)
        rows += bar(strip.cover[from], x: place.x, y: y, width: max(0.6, place.width - 0.5))
        from = t
      }
    }
    let bottom = Double(shown.count) * 17
    let dates = ReportDates(model.page.buckets, bucketDays: model.page.bucketDays).ticks.map {
      tick -> ReportMarkup in
      """
      <text x="\(at: left + (Double(tick.bucket) + 0.5) * step)" y="\(at: bottom + 14)" \
      text-anchor=middle>\(tick.label)</text>
      """
    }
    let rest = when(
      all.count > shown.count,
      "<p class=note>\(ReportNumber.integer(all.count - shown.count)) more are not drawn.</p>")
    return """
      <div class=chart><svg viewBox="0 0 1080 \(at: bottom + 20)" role=img \
      aria-labelledby=cover-t><title id=cover-t>Which \(model.bucketWord)s have data\
      </title>\(rows)\(dates.joined())</svg></div>\
      <p class=key><span><i class=full></i>data</span><span><i class=zero></i>none of this group, \
      counted as zero</span><span><i class=gap></i>no data at all</span>\
      <span><i class=few></i>open</span></p>\(rest)
      """
  }

  private func bar(_ cover: Cover, x: Double, y: Double, width: Double) -> ReportMarkup {
    let kind: ReportMarkup =
      switch cover {
      case .full: "full"
      case .zero: "zero"
      case .missing: "gap"
      case .open: "none"
      }
    if cover == .open { return reportHatching(x: x, y: y, width: width, height: 14) }
    return """
      <rect class=\(kind) x="\(at: x)" y="\(at: y)" width="\(at: width)" height=14 />
      """
  }

  /// A name that fits beside its strip; cut between scalars.
  private func shortened(_ name: String) -> String {
    let scalars = Array(name.unicodeScalars)
    guard scalars.count > 12 else { return name }
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars.prefix(11))
    return String(view) + "…"
  }
}
