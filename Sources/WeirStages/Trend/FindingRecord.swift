import WeirData
import WeirEngine
import WeirStatistics

/// A finding as one JSON object, the same for the same counts whenever and wherever it is made.
struct FindingRecord {
  let rules: TrendRules
  let starts: [CivilDate]

  /// - Parameters:
  ///   - parts: encoded values of the group (see ``TrendKey``).
  ///   - position: place in the reading order, from 1.
  ///   - share: see ``FindingTotals``.
  ///   - explain: see ``ExplanationRecord``.
  ///   - company: see ``FindingCompany``.
  func json(
    _ finding: TrendFinding, in series: TrendSeries, parts: [[UInt8]?], metric: TrendMetric,
    position: Int, text: ReportFindingText, share: (share: Double, of: [[UInt8]?])? = nil,
    explain: JSONValue = .null,
    company: [JSONMember] = []
  ) -> JSONValue {
    let isTested = finding.type.isTested
    func sized(_ value: JSONValue) -> JSONValue { isTested ? value : .null }
    var members: [JSONMember] = [
      JSONMember("finding_id", .text(text.id)),
      JSONMember("level", .text(finding.level.name)),
      JSONMember("type", .text(finding.type.rawValue)),
      JSONMember("direction", sized(.text(finding.direction.rawValue))),
      JSONMember("series", seriesJSON(series, parts)),
      JSONMember(
        "anchor",
        [
          "date": date(finding.anchor), "ci_lo": date(finding.anchorLo),
          "ci_hi": date(finding.anchorHi),
        ]),
      JSONMember(
        "window",
        [
          "from": date(finding.window.lowerBound), "to": date(finding.window.upperBound),
          "buckets": .int(finding.window.count), "valid": .int(finding.windowValid),
        ]),
      JSONMember("baseline", sized(.object(estimate(finding.baseline)))),
    ]
    let observed =
      estimate(finding.observed) + [
        JSONMember("k", series.kind.hasEvents ? .measured(finding.k) : .null),
        JSONMember("n", .measured(finding.n)),
      ]
    members += [
      JSONMember("observed", sized(.object(observed))),
      JSONMember("effect", sized(effect(finding, unit: metric.unit(rules.clock)))),
      JSONMember(
        "impact",
        sized([
          "items": .measured(finding.impact.value), "lo": .measured(finding.impact.lo),
          "hi": .measured(finding.impact.hi), "share": .measured(share?.share),
          "share_of": share.map { share in
            .object(zip(rules.by, share.of).map { JSONMember($0, keyValue($1)) })
          } ?? .null,
        ])),
      JSONMember("stats", sized(stats(finding.test))),
      JSONMember("model", model(finding.model)),
      JSONMember("data_quality", quality(series)),
      JSONMember("explained_away", .array(finding.explainedAway.map { .text($0) })),
      JSONMember(
        "earlier_changes",
        .array(
          finding.earlier.map {
            ["date": date($0.anchor), "from": .measured($0.from), "to": .measured($0.to)]
          })),
      JSONMember("explain", explain),
    ]
    members += company
    members += [
      JSONMember(
        "rank",
        [
          "position": .int(position), "score": .measured(finding.score),
          "material": .bool(finding.isMaterial),
          "reason": .text(finding.materialityReason),
        ]),
      JSONMember("text", ["headline": .text(text.headline), "detail": .text(text.detail)]),
      JSONMember("engine_version", .text(weirVersion)),
    ]
    return .object(members)
  }

  /// The first twelve hexadecimal digits of the SHA-256 of group, metric, type and day: the same in
  /// every pipeline and every run that finds it.
  func id(_ finding: TrendFinding, in series: TrendSeries, parts: [[UInt8]?]) -> String {
    // No encoded value begins with 0xFF.
    findingID(
      parts.map { $0 ?? [0xFF] }
        + [series.metric, finding.type.rawValue, starts[finding.anchor].iso].map { Array($0.utf8) })
  }

  private func date(_ bucket: Int) -> JSONValue { .text(starts[bucket].iso) }

  private func seriesJSON(_ series: TrendSeries, _ parts: [[UInt8]?]) -> JSONValue {
    .object(
      zip(rules.by, parts).map { JSONMember($0, keyValue($1)) } + [
        JSONMember("metric", .text(series.metric)),
        JSONMember("kind", .text(series.kind.rawValue)),
        JSONMember("grain", .text(rules.clock.name)),
        JSONMember("zone", .text(rules.zone.name(ofSeries: parts))),
      ])
  }

  private func estimate(_ e: Estimate) -> [JSONMember] {
    [
      JSONMember("value", .measured(e.value)), JSONMember("lo", .measured(e.lo)),
      JSONMember("hi", .measured(e.hi)),
    ]
  }

  private func effect(_ finding: TrendFinding, unit: String) -> JSONValue {
    [
      "abs": .measured(finding.effect.value), "lo": .measured(finding.effect.lo),
      "hi": .measured(finding.effect.hi),
      // Nothing is a share of a baseline of zero.
      "rel": finding.baseline.value == 0 ? .null : .measured(finding.relative),
      "unit": .text(unit),
      "slope_per_week": finding.slopePerWeek.map { .object(estimate($0)) } ?? .null,
    ]
  }

  private func model(_ model: FindingModel?) -> JSONValue {
    guard let model else { return .null }
    func offsets(_ values: [Double]) -> JSONValue { .array(values.map { .measured($0) }) }
    return [
      "label": .text(model.label.rawValue), "scale": .text(model.scale),
      "fit": model.fit.map { fit in
        [
          "line": .measured(fit.line), "step": .measured(fit.step), "steps": .measured(fit.steps),
        ]
      } ?? .null,
      "season": model.season.map { season in
        [
          "strength": .measured(season.strength), "profile": offsets(season.profile),
          "before": season.before.map(offsets) ?? .null,
        ]
      } ?? .null,
    ]
  }

  /// What of its series could be compared, from its first compared bucket on.
  private func quality(_ series: TrendSeries) -> JSONValue {
    let states = series.buckets.map(\.state)
    let first = states.firstIndex(where: \.isCompared) ?? states.count
    let compared = states.count(where: \.isCompared)
    let missing = states.runs(of: .missing).filter { $0.lowerBound >= first }
    func dates(_ state: BucketState) -> JSONValue {
      .array(states.indices.filter { states[$0] == state }.map { date($0) })
    }
    let all = states.count - first
    return [
      "buckets": .int(all), "compared": .int(compared),
      "coverage": .measured(all > 0 ? Double(compared) / Double(all) : 0),
      "missing": .array(
        missing.map { ["from": date($0.lowerBound), "to": date($0.upperBound)] }),
      "open": dates(.open), "partial": dates(.partial),
    ]
  }

  private func stats(_ test: TestRecord) -> JSONValue {
    [
      "test": .text(test.name), "statistic": .measured(test.statistic), "p": .measured(test.p),
      "p_family": .measured(test.pFamily), "q": .measured(test.q), "families": .int(test.families),
      "selected": .int(test.selected), "phi": .measured(test.phi),
      "vif": .measured(test.varianceInflation), "tau2": .measured(test.tau2),
      "n_eff": .measured(test.effectiveBuckets),
    ]
  }
}

extension MetricKind {
  /// Whether `k` counts something.
  var hasEvents: Bool { self == .count || self == .rate }
}
