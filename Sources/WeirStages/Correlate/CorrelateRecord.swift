import WeirData
import WeirEngine
import WeirStatistics

/// The findings of the `correlate` stage, as objects and for the report.
struct CorrelateRecord {
  let rules: CorrelateRules
  let series: [TrendSeries]
  let parts: [[[UInt8]?]]
  let calendar: TrendCalendar
  let relations: Relations

  func findings(tested: Int) -> FindingSet {
    var objects: [JSONValue] = []
    var items: [RelationItem] = []
    for (at, i) in relations.believed.enumerated() {
      let (object, item) = finding(i, position: at + 1)
      objects.append(object)
      items.append(item)
    }
    let levels = FindingLevel.allCases.map { level in
      (level: level.name, count: level == .notice ? objects.count : 0)
    }
    let silent = series.count - tested
    let scope = trendScope(rules.series, series)
    return FindingSet(
      findings: objects, levels: levels,
      detail: RelationDetail(
        what: .correlate, scope: scope,
        coverage: TrendDetail(calendar, rules.series, scope: scope),
        tested: relations.results.count, unit: "pair",
        silent: silent == 0 ? [] : [("series that could not be correlated", silent)],
        q: rules.q, items: items))
  }

  private var bucket: String { rules.series.clock.isWeekly ? "week" : "day" }

  private func finding(_ i: Int, position: Int) -> (JSONValue, RelationItem) {
    var found = relations.results[i]
    var pair = relations.pairs[i]
    // The one that comes first is named first.
    if found.isLead, found.lag < 0 {
      found = found.reversed
      (pair.a, pair.b) = (pair.b, pair.a)
    }
    let isWeak = abs(found.r.value) < rules.minCorrelation
    let words = CorrelateText(
      a: series[pair.a], b: series[pair.b], by: rules.series.by, found: found, field: pair.field,
      isWeak: isWeak, minimum: rules.minCorrelation, bucket: bucket)
    let type = found.isLead ? "lead" : "correlation"
    let id = findingID(
      key(pair.a) + key(pair.b) + [Array(type.utf8), [found.r.value > 0 ? 1 : 0]])
    let text = ReportFindingText(id: id, headline: words.headline, detail: words.detail)
    let object: JSONValue = [
      "finding_id": .text(id), "level": .text(FindingLevel.notice.name), "type": .text(type),
      "direction": found.r.value > 0 ? "up" : "down", "series": seriesJSON(pair),
      "anchor": ["date": first, "ci_lo": first, "ci_hi": first],
      "window": [
        "from": first, "to": date(calendar.starts.last), "buckets": .int(calendar.starts.count),
        "valid": .int(found.pairs),
      ],
      "r": [
        "value": .measured(found.r.value), "lo": .measured(found.r.lo), "hi": .measured(found.r.hi),
        "at_zero": .measured(found.together),
      ],
      "lag": ["buckets": .int(found.lag), "lo": .int(found.lagLo), "hi": .int(found.lagHi)],
      "stats": [
        "test": "lead_lag", "p": .measured(found.p), "q": .measured(relations.q[i]),
        "pairs": .int(relations.results.count), "selected": .int(relations.believed.count),
        "n": .int(found.pairs), "n_eff": .measured(found.effective), "max_lag": .int(rules.maxLag),
      ],
      "rank": [
        "position": .int(position), "material": .bool(!isWeak),
        "reason": .text(
          isWeak
            ? "weaker than \(CorrelateText.number(rules.minCorrelation))"
            : "strong enough to look at"),
      ],
      "text": ["headline": .text(text.headline), "detail": .text(text.detail)],
      "engine_version": .text(weirVersion),
    ]
    return (object, item(found, text, isWeak: isWeak, q: relations.q[i]))
  }

  private var first: JSONValue { date(calendar.starts.first) }

  private func date(_ date: CivilDate?) -> JSONValue { date.map { .text($0.iso) } ?? .null }

  private func key(_ i: Int) -> [[UInt8]] {
    // No encoded value begins with 0xFF.
    parts[i].map { $0 ?? [0xFF] } + [Array(series[i].metric.utf8)]
  }

  private func seriesJSON(_ pair: SeriesPair) -> JSONValue {
    func members(_ i: Int) -> [JSONMember] {
      zip(rules.series.by, parts[i]).map { JSONMember($0, keyValue($1)) } + [
        JSONMember("metric", .text(series[i].metric)),
        JSONMember("kind", .text(series[i].kind.rawValue)),
      ]
    }
    func zone(_ i: Int) -> JSONMember {
      JSONMember("zone", .text(rules.series.zone.name(ofSeries: parts[i])))
    }
    return .object(
      members(pair.a) + [
        JSONMember("grain", .text(rules.series.clock.name)), zone(pair.a),
        JSONMember("with", .object(members(pair.b) + [zone(pair.b)])),
      ])
  }

  private func item(
    _ found: LeadLag, _ text: ReportFindingText, isWeak: Bool, q: Double
  ) -> RelationItem {
    let r = [found.r.lo, found.r.hi].map(CorrelateText.number)
    let lags = found.lagLo == found.lagHi ? "\(found.lagLo)" : "\(found.lagLo) to \(found.lagHi)"
    return RelationItem(
      text: text, level: .notice, isMaterial: !isWeak, isUp: found.r.value > 0,
      badge: found.isLead ? "Leads" : found.r.value > 0 ? "Together" : "Opposite",
      facts: [
        RelationFact("Correlation", CorrelateText.number(found.r.value), "\(r[0]) to \(r[1])"),
        RelationFact("Lag, \(bucket)s", "\(found.lag)", "95\u{A0}% interval \(lags)"),
        RelationFact(
          "\(bucket == "day" ? "Days" : "Weeks") compared", ReportNumber.integer(found.pairs),
          "worth \(ReportNumber.fixed(found.effective, 0)) independent ones"),
        RelationFact(
          "q, all pairs", ReportNumber.smallProbability(q),
          "p \(ReportNumber.smallProbability(found.p))"),
      ],
      picture: .lags(found.profile, best: found.lag), table: nil)
  }
}
