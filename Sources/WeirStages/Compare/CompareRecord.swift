import WeirData
import WeirEngine
import WeirStatistics

/// The findings of the `compare` stage, as objects and for the report.
struct CompareRecord {
  let rules: CompareRules
  let subjects: [CompareSubject]
  let results: [SideComparison]
  let comparisons: Comparisons
  let calendar: TrendCalendar
  let segments: TrendSegments

  /// Findings that are explained, the first by rank.
  private static let explainedMost = 2_000

  private var metrics: [TrendMetric] { rules.series.metrics }

  /// - Parameter kept: the candidates of evidence.
  func findings(_ kept: KeptParts) throws -> FindingSet {
    var objects: [JSONValue] = []
    var items: [RelationItem] = []
    let reasons = comparisons.believed.enumerated().map { at, i in explained(i, position: at + 1) }
    let evidence = try CompareEvidence(rules: rules, calendar: calendar).choose(
      zip(comparisons.believed, reasons).map { i, why in
        (subjects[i / metrics.count], results[i].statistic > 0, i % metrics.count, why.chosen)
      }, kept)
    for (at, i) in comparisons.believed.enumerated() {
      let (object, item) = finding(i, position: at + 1, reasons[at], evidence[at])
      objects.append(object)
      items.append(item)
    }
    let levels = FindingLevel.allCases.map { level in
      (
        level: level.name,
        count: comparisons.believed.count { comparisons.verdicts[$0].level == level }
      )
    }
    var set = FindingSet(
      findings: objects, levels: levels,
      detail: RelationDetail(
        what: .compare, scope: scope,
        coverage: TrendDetail(calendar, rules.series, scope: scope),
        tested: comparisons.tested, unit: "comparison", silent: silent,
        q: rules.series.settings.falseDiscoveryRate, items: items))
    set.evidence = items.filter { !$0.evidence.isEmpty }.map {
      FindingEvidence(
        findingID: $0.text.id, headline: $0.text.headline, records: $0.evidence)
    }
    return set
  }

  /// What carries the difference of a finding.
  private func explained(_ i: Int, position: Int) -> Explained {
    let fields =
      position <= Self.explainedMost
      ? segments.explain(
        subjects[i / metrics.count], metric: i % metrics.count, results[i], by: rules) : []
    return Explained(fields: fields, kind: results[i].kind)
  }

  private var silent: [(reason: String, count: Int)] {
    SeriesStatus.allReasons.compactMap { status, words in
      let count = results.count { $0.status == status }
      return count == 0 ? nil : (words, count)
    }
  }

  private var scope: String {
    let names = metrics.map { plainName($0.name) }
    let words = listed(names, last: "and")
    switch rules.sides {
    case .periods(let a, let b): return "\(words), \(b.name) against \(a.name)"
    case .values(_, let against):
      let field = rules.field.map(plainName) ?? ""
      switch against {
      case .rest: return "\(words), each \(field) against the rest"
      case .first: return "\(words), each \(field) against the first"
      case .eachOther: return "\(words), each \(field) against each other"
      }
    }
  }

  private func finding(
    _ i: Int, position: Int, _ why: Explained, _ evidence: [EvidenceRecord]
  ) -> (JSONValue, RelationItem) {
    let (subject, metric) = (subjects[i / metrics.count], i % metrics.count)
    let (result, verdict) = (results[i], comparisons.verdicts[i])
    let words = CompareText(
      subject: subject, result: result, by: rules.groupFields, field: rules.field,
      metric: metrics[metric].name, isWeekly: rules.series.clock.isWeekly, why: why,
      low: verdict.isMaterial ? nil : verdict.reason)
    let id = self.id(subject, metric)
    let text = ReportFindingText(id: id, headline: words.headline, detail: words.detail)
    let isUp = result.statistic > 0
    var members: [JSONMember] = [
      JSONMember("finding_id", .text(id)), JSONMember("level", .text(verdict.level.name)),
      JSONMember("type", "difference"), JSONMember("direction", isUp ? "up" : "down"),
      JSONMember("series", series(subject, metric)),
      JSONMember(
        "anchor",
        [
          "date": date(subject.b.from), "ci_lo": date(subject.b.from),
          "ci_hi": date(subject.b.from),
        ]
      ),
      JSONMember(
        "window",
        [
          "from": date(subject.b.from), "to": date(subject.b.to),
          "buckets": .int(subject.b.buckets.count), "valid": .int(result.bucketsB),
        ]),
      JSONMember(
        "baseline",
        level(result.a, result.kind, result.kA, result.nA, result.bucketsA, subject.a)),
      JSONMember(
        "observed",
        level(result.b, result.kind, result.kB, result.nB, result.bucketsB, subject.b)),
    ]
    members += [
      JSONMember(
        "effect",
        [
          "abs": .measured(result.difference?.value), "lo": .measured(result.difference?.lo),
          "hi": .measured(result.difference?.hi),
          // Nothing is a share of a baseline of zero.
          "rel": result.a?.value == 0 ? .null : .measured(result.relative),
          "unit": .text(metrics[metric].unit(rules.series.clock)),
        ]),
      JSONMember(
        "impact",
        [
          "items": .measured(result.impact?.value), "lo": .measured(result.impact?.lo),
          "hi": .measured(result.impact?.hi),
        ]),
      JSONMember(
        "stats",
        [
          "test": .text(result.test), "statistic": .measured(result.statistic),
          "p": .measured(result.p), "q": .measured(comparisons.q[i]),
          "comparisons": .int(comparisons.tested), "selected": .int(comparisons.believed.count),
          "phi": .measured(result.phi), "vif": .measured(result.inflation),
        ]),
      JSONMember("explain", why.json()),
      JSONMember("evidence", .array(evidence.map(\.json))),
      JSONMember(
        "rank",
        [
          "position": .int(position), "material": .bool(verdict.isMaterial),
          "reason": .text(verdict.reason),
        ]),
      JSONMember("text", ["headline": .text(text.headline), "detail": .text(text.detail)]),
      JSONMember("engine_version", .text(weirVersion)),
    ]
    var shown = item(
      subject, result, words, text, verdict.level, verdict.isMaterial, why, q: comparisons.q[i])
    shown.evidence = evidence
    return (.object(members), shown)
  }

  // MARK: The object

  private func id(_ subject: CompareSubject, _ metric: Int) -> String {
    // No encoded value begins with 0xFF.
    var fields = subject.key.map { $0 ?? [0xFF] } + [Array(metrics[metric].name.utf8)]
    for side in [subject.a, subject.b] {
      fields.append(side.value ?? Array(side.name.utf8))
      if rules.field == nil { fields.append(Array((side.from?.iso ?? "").utf8)) }
    }
    return findingID(fields + [Array((rules.field ?? "").utf8), Array("difference".utf8)])
  }

  private func date(_ day: CivilDate?) -> JSONValue { day.map { .text($0.iso) } ?? .null }

  private func series(_ subject: CompareSubject, _ metric: Int) -> JSONValue {
    func name(_ side: CompareSubject.Side) -> JSONValue {
      if let value = side.value { return keyValue(value) }
      return rules.field == nil ? .text(side.name) : "*"
    }
    return .object(
      zip(rules.groupFields, subject.key).map { JSONMember($0, keyValue($1)) } + [
        JSONMember("metric", .text(metrics[metric].name)),
        JSONMember("kind", .text(metrics[metric].kind.rawValue)),
        JSONMember("grain", .text(rules.series.clock.name)),
        JSONMember("zone", .text(zone(subject))),
        JSONMember(
          "between",
          [
            "field": rules.field.map { .text($0) } ?? .null, "a": name(subject.a),
            "b": name(subject.b),
          ]),
      ])
  }

  /// `local` where the sides have days of their own.
  private func zone(_ subject: CompareSubject) -> String {
    func name(_ side: CompareSubject.Side) -> String {
      let parts = subject.key + (rules.field == nil ? [] : [side.value])
      return rules.series.zone.name(ofSeries: parts)
    }
    let (a, b) = (name(subject.a), name(subject.b))
    return same(a, b) ? a : "local"
  }

  private func level(
    _ e: Estimate?, _ kind: MetricKind, _ k: Double, _ n: Double, _ buckets: Int,
    _ side: CompareSubject.Side
  ) -> JSONValue {
    return [
      "value": .measured(e?.value), "lo": .measured(e?.lo), "hi": .measured(e?.hi),
      "k": kind.hasEvents ? .measured(k) : .null, "n": .measured(n), "buckets": .int(buckets),
      "from": date(side.from), "to": date(side.to),
    ]
  }

  // MARK: The report

  private func item(
    _ subject: CompareSubject, _ result: SideComparison, _ words: CompareText,
    _ text: ReportFindingText, _ level: FindingLevel, _ isMaterial: Bool, _ why: Explained,
    q: Double?
  ) -> RelationItem {
    let unit = ReportUnit(kind: result.kind)
    func name(_ side: CompareSubject.Side) -> String {
      rules.field == nil ? side.name : side.value == nil ? "the rest" : side.name
    }
    var facts: [RelationFact] = []
    var levels: [(name: String, level: Estimate, words: String)] = []
    for (side, e, k, n) in [
      (subject.a, result.a, result.kA, result.nA), (subject.b, result.b, result.kB, result.nB),
    ] {
      guard let e else { continue }
      let support =
        result.kind == .rate
        ? "; \(ReportNumber.fixed(k, 0)) of \(ReportNumber.fixed(n, 0))" : ""
      facts.append(
        RelationFact(name(side), unit.level(e.value), unit.interval(e) + support))
      levels.append((name(side), e, unit.level(e.value)))
    }
    if let e = result.difference {
      facts.append(RelationFact("Difference", unit.change(e.value), unit.changeInterval(e)))
    }
    if let e = result.impact {
      facts.append(
        RelationFact(
          unit.impactHasSign ? "Impact, records" : "Concerned, records", unit.impact(e.value),
          unit.impactInterval(e) + "; q \(ReportNumber.smallProbability(q ?? 1))"))
    }
    return RelationItem(
      text: text, level: level, isMaterial: isMaterial, isUp: result.statistic > 0,
      badge: result.statistic > 0 ? "Higher" : "Lower", facts: facts, picture: .sides(levels),
      table: table(why, unit))
  }

  private func table(_ why: Explained, _ unit: ReportUnit) -> RelationTable? {
    guard let field = why.chosen ?? why.fields.first else { return nil }
    let name = plainName(field.field)
    return RelationTable(
      caption: "What the values of \(name) make of the difference: by their own "
        + (unit.kind == .count ? "numbers" : "levels") + ", and by their shares of the records.",
      columns: [name, "Own level", "Mix", "Share of it"],
      rows: Explained.largest(field).map { part in
        [
          keyText(field.values[part.segment]) ?? "", unit.change(part.rateEffect),
          unit.change(part.mixEffect), ReportNumber.fixed(100 * part.power, 0) + "\u{A0}%",
        ]
      })
  }
}

extension SeriesStatus {
  /// Why something was not tested, in words.
  static let allReasons: [(SeriesStatus, String)] = [
    (.insufficientHistory, "too few complete buckets on a side"),
    (.insufficientVolume, "too few events or records"),
    (.noEvents, "no event on either side, or nothing else"), (.constant, "always the same value"),
    (.short, "too short"),
  ]
}
