import Testing
import WeirStatistics

/// The acceptance cases of `behaviour.json`, each a report of one series.
@Suite(.enabled(if: Vectors.isThere, "needs the reference vectors: set WEIR_VECTORS"))
struct `Trend behaviour` {
  @Test func `holds in every case`() throws {
    let file = try Vectors.read("behaviour.json")
    #expect(file.cases.count >= 26)
    for c in file.cases {
      let i = c.input
      let series: TrendSeries
      if i.text("kind") == "rate" {
        series = Make.rate(i.gaps("k"), of: i.numbers("n"), complete: i.flags("complete"))
      } else {
        let hours = i.numbers("bucket_hours")
        series = Make.count(
          i.gaps("k"), complete: i.flags("complete"), hours: hours.isEmpty ? nil : hours)
      }
      let report = analyze([series], settings: TrendSettings())
      #expect(isSound(report), "\(c.id)")
      check(c, report)
    }
  }

  private func check(_ c: VectorCase, _ report: TrendReport) {
    let expected = c.expected
    let types = report.findings.map(\.type.rawValue)
    for type in expected.fields["must_not_find"] as? [String] ?? [] {
      #expect(!types.contains(type), "\(c.id) must not find \(type)")
    }
    if let status = expected.text("status") {
      #expect(report.verdicts[0].status.rawValue == status, "\(c.id) status")
    }
    for fields in expected.fields["must_find"] as? [[String: Any]] ?? [] {
      let want = VectorCase(fields: fields)
      var wanted = want.fields["type_any"] as? [String] ?? []
      if let type = want.text("type") { wanted.append(type) }
      // Days beside each other are one burst.
      if wanted.contains("dip") || wanted.contains("spike") {
        wanted += ["burst", "level_change_unconfirmed"]
      }
      let hit = report.findings.contains { f in
        if !wanted.contains(f.type.rawValue) { return false }
        if let at = want.number("at"),
          abs(Double(f.anchor) - at) > want.number("tolerance") ?? 1
        {
          return false
        }
        if let from = want.number("at_from"), Double(f.anchor) < from { return false }
        if let from = want.number("from"), let to = want.number("to"),
          f.window != Int(from)...Int(to)
        {
          return false
        }
        if let sign = want.number("direction"), (f.direction == .up) != (sign > 0) { return false }
        return true
      }
      #expect(hit, "\(c.id) must find \(fields), found \(report.findings.map(\.type))")
    }
  }
}

/// Labelled series: 700 of them, half with a change.
@Suite(.enabled(if: Vectors.isThere, "needs the reference vectors: set WEIR_VECTORS"))
struct `Trend calibration on labelled series` {
  @Test func `holds the false discovery rate and finds what can be found`() throws {
    let lines = try Vectors.lines("synth_series.jsonl")
    let series = lines.map { c in
      c.text("kind") == "rate"
        ? Make.rate(c.gaps("k"), of: c.numbers("n"), complete: c.flags("complete"))
        : Make.count(c.gaps("k"), complete: c.flags("complete"))
    }
    let report = analyze(series, settings: TrendSettings())
    #expect(isSound(report))
    let said = report.findings.filter(\.type.isTested)
    let flagged = Set(said.map(\.series))
    let empty = lines.indices.filter { truth(lines[$0]).isEmpty }
    let falsely = empty.filter { flagged.contains($0) }.count
    #expect(Double(falsely) <= 0.05 * Double(flagged.count))
    var (detectable, found) = (0, 0)
    for (i, line) in lines.enumerated() {
      for t in truth(line) where t.number("oracle_z") ?? 0 >= 5 {
        detectable += 1
        if said.contains(where: { $0.series == i && matches($0, t) }) { found += 1 }
      }
    }
    #expect(detectable > 100)
    #expect(
      Double(found) >= 0.85 * Double(detectable), "found \(found) of \(detectable) detectable")
  }

  private func truth(_ c: VectorCase) -> [VectorCase] {
    (c.fields["truth"] as? [[String: Any]] ?? []).map { VectorCase(fields: $0) }
  }

  private func matches(_ f: TrendFinding, _ t: VectorCase) -> Bool {
    if t.text("type") == "season_break" { return f.type == .seasonBreak }
    let at = Int(t.number("at") ?? 0)
    guard (f.direction == .up) == (t.number("effect") ?? 0 > 0) else { return false }
    switch t.text("type") {
    case "trend": return f.type == .trend
    case "shift": return f.type == .shift && abs(f.anchor - at) <= 3
    default:
      return [.spike, .dip, .burst, .unconfirmedLevel].contains(f.type) && abs(f.anchor - at) <= 1
    }
  }
}
