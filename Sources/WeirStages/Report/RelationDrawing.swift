import WeirStatistics

/// The picture of a relation (correlations by lag) or of a difference (two levels with their intervals).
struct RelationDrawing {
  var picture: RelationPicture

  func markup() -> ReportMarkup {
    switch picture {
    case .lags(let profile, let best): lags(profile, best: best)
    case .sides(let sides): levels(sides)
    }
  }

  /// A bar for each lag, from −1 to 1.
  private func lags(_ profile: [Double?], best: Int) -> ReportMarkup {
    guard profile.count > 1 else { return "" }
    let most = profile.count / 2
    let (left, width, middle, height) = (60.0, 960.0, 62.0, 52.0)
    let step = width / Double(profile.count)
    var marks: ReportMarkup = ""
    for (i, r) in profile.enumerated() {
      let x = left + Double(i) * step
      if let r {
        let top = r > 0 ? middle - r * height : middle
        let kind: ReportMarkup = i - most == best ? (r > 0 ? "upfull" : "downfull") : "lag"
        marks += """
          <rect class=\(kind) x="\(at: x + step * 0.2)" y="\(at: top)" width="\(at: step * 0.6)" \
          height="\(at: abs(r) * height)"/>
          """
      }
      let lag = i - most
      let label = lag == 0 ? "same" : lag > 0 ? "+\(lag)" : "−\(-lag)"
      marks += """
        <text x="\(at: x + step / 2)" y=134 text-anchor=middle>\(value: label)</text>
        """
    }
    return """
      <div class=chart><svg viewBox="0 0 1080 142" role=img aria-label="Correlation by lag">\
      <path class=axis d="M\(at: left) \(at: middle)H\(at: left + width)"/>\
      <text x="\(at: left - 8)" y="\(at: middle - height + 8)" text-anchor=end>1</text>\
      <text x="\(at: left - 8)" y="\(at: middle + 4)" text-anchor=end>0</text>\
      <text x="\(at: left - 8)" y="\(at: middle + height)" text-anchor=end>−1</text>\(marks)</svg></div>
      """
  }

  /// A dot and a line for each side, on one scale that begins at 0 where it can.
  private func levels(_ sides: [(name: String, level: Estimate, words: String)]) -> ReportMarkup {
    let ends = sides.flatMap { [$0.level.lo, $0.level.hi, $0.level.value] }.filter(\.isFinite)
    guard let least = ends.min(), let largest = ends.max(), largest - least < 1e15 else {
      return ""
    }
    let low = least >= 0 && least < 0.7 * largest ? 0 : least - 0.1 * (largest - least)
    let high = largest > low ? largest + 0.05 * (largest - low) : low + 1
    func x(_ value: Double) -> Double {
      190 + 760 * min(1, max(0, (value - low) / (high - low)))
    }
    var marks: ReportMarkup = ""
    for (i, side) in sides.enumerated() {
      let y = 20 + 34 * Double(i)
      marks += """
        <text x=176 y="\(at: y + 4)" text-anchor=end>\(value: shortened(side.name))</text>\
        <path class=change d="M\(at: x(side.level.lo)) \(at: y - 6)v12M\(at: x(side.level.lo)) \
        \(at: y)H\(at: x(side.level.hi))M\(at: x(side.level.hi)) \(at: y - 6)v12"/>\
        <circle class=hollow cx="\(at: x(side.level.value))" cy="\(at: y)" r=5 />\
        <text class=strong x=962 y="\(at: y + 4)">\(value: side.words)</text>
        """
    }
    return """
      <div class=chart><svg viewBox="0 0 1080 \(at: 20 + 34 * Double(sides.count))" role=img \
      aria-label="Both levels with their intervals">\
      <path class=grid d="M\(at: x(low)) 4V\(at: 6 + 34 * Double(sides.count))"/>\(marks)</svg></div>
      """
  }

  /// A name that fits beside its line; cut between scalars.
  private func shortened(_ name: String) -> String {
    let scalars = Array(name.unicodeScalars)
    guard scalars.count > 22 else { return name }
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars.prefix(21))
    return String(view) + "…"
  }
}
