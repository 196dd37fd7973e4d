import Testing
import WeirData
import WeirStatistics

@testable import WeirStages

@Suite struct `Words of a finding` {
  let starts: [CivilDate] = {
    let first = CivilDate(year: 2026, month: 8, day: 24)?.daysSinceEpoch ?? 0
    return (0..<91).map { CivilDate(daysSinceEpoch: first + $0) }
  }()

  func finding(
    _ type: FindingType, _ direction: FindingDirection, _ window: ClosedRange<Int>,
    from baseline: Double, to observed: Double, effect: (Double, Double), impact: Estimate,
    n: Double = 47850, anchor: (Int, Int)? = nil, slope: Estimate? = nil, material: Bool = true,
    reason: String = "", away: [String] = []
  ) -> TrendFinding {
    TrendFinding(
      series: 0, type: type, direction: direction, anchor: window.lowerBound,
      anchorLo: anchor?.0 ?? window.lowerBound, anchorHi: anchor?.1 ?? window.lowerBound,
      window: window, windowValid: window.count,
      baseline: Estimate(value: baseline, lo: baseline, hi: baseline),
      observed: Estimate(value: observed, lo: observed, hi: observed), k: 0, n: n,
      effect: Estimate(value: observed - baseline, lo: effect.0, hi: effect.1),
      relative: baseline == 0 ? 1 : observed / baseline - 1, slopePerWeek: slope,
      impact: impact, test: TestRecord(name: "shift_scan", statistic: 1, p: 0.001),
      level: material ? .warning : .notice, isMaterial: material, materialityReason: reason,
      explainedAway: away)
  }

  func text(
    _ finding: TrendFinding, _ kind: MetricKind, _ metric: String,
    key: [String?] = ["DE", "hate_speech"]
  ) -> (headline: String, detail: String) {
    let series = TrendSeries(
      key: key, metric: metric, kind: kind, buckets: [], firstWeekday: 0)
    return findingText(finding, in: series, by: ["market", "queue"], bucketStarts: starts)
  }

  @Test func `a shift of a rate`() {
    let said = text(
      finding(
        .shift, .up, 41...89, from: 0.0816, to: 0.1362, effect: (0.0503, 0.0589),
        impact: Estimate(value: 2630, lo: 2407, hi: 2854), anchor: (40, 42), away: ["trend"]),
      .rate, "violation_rate")
    #expect(
      said.headline == "hate_speech in DE: violation rate rose from 8.2 % to 13.6 % on 4 Oct")
    #expect(
      said.detail
        == "The change is +5.5 points (95 % interval +5.0 to +5.9), +67 %. Against what was expected "
        + "that is +2,630 among 47,850 records (95 % interval +2,407 to +2,854), over 49 days from "
        + "4 Oct to 21 Nov. The new level began between 3 Oct and 5 Oct, most likely on 4 Oct. A "
        + "steady movement would also describe it, but less well.")
  }

  @Test func `a shift that was not the first, and is young`() {
    var third = finding(
      .shift, .down, 80...89, from: 350, to: 201, effect: (-170, -130),
      impact: Estimate(value: -1490, lo: -1700, hi: -1300), n: 2010)
    third.earlier = [
      EarlierShift(anchor: 20, from: 200.4, to: 280), EarlierShift(anchor: 50, from: 280, to: 350),
    ]
    let said = text(third, .count, "volume")
    #expect(said.headline == "hate_speech in DE: volume fell from 350 to 201 a day on 12 Nov")
    #expect(
      said.detail.hasSuffix(
        "The level had changed before: from 200 to 280 a day on 13 Sep and from 280 to 350 a day on "
          + "13 Oct. The new level is 10 days old: whether it lasts, more of them will tell."),
      "\(said.detail)")
  }

  @Test func `a shift of a count`() {
    let said = text(
      finding(
        .shift, .down, 75...89, from: 504.2, to: 248.4, effect: (-274, -238),
        impact: Estimate(value: -4079, lo: -4372, hi: -3785)), .count, "volume",
      key: ["ID", "live_scam"])
    #expect(said.headline == "live_scam in ID: volume fell from 504 to 248 a day on 7 Nov")
    #expect(
      said.detail
        == "The change is \u{2212}256 a day (95 % interval \u{2212}274 to \u{2212}238), \u{2212}51 %. "
        + "Against what was expected that is \u{2212}4,079 (95 % interval \u{2212}4,372 to "
        + "\u{2212}3,785), over 15 days from 7 Nov to 21 Nov.")
  }

  @Test func `a trend`() {
    let said = text(
      finding(
        .trend, .up, 0...89, from: 0.087, to: 0.131, effect: (0.03, 0.055),
        impact: Estimate(value: 567, lo: 298, hi: 836),
        slope: Estimate(value: 0.0034, lo: 0.002, hi: 0.0046)), .rate, "violation_rate",
      key: ["US", "live_nudity"])
    #expect(
      said.headline
        == "live_nudity in US: violation rate has been rising for 13 weeks, 8.7 % to 13.1 %")
    #expect(said.detail.contains("That is +0.34 points (95 % interval +0.20 to +0.46) a week."))
  }

  @Test func `a spike, a dip and a burst`() {
    let spike = text(
      finding(
        .spike, .up, 89...89, from: 0.229, to: 0.506, effect: (0.2, 0.33),
        impact: Estimate(value: 148, lo: 117, hi: 178)), .rate, "violation_rate",
      key: ["BR", "gifting_fraud"])
    #expect(
      spike.headline
        == "gifting_fraud in BR: violation rate spiked to 50.6 % on Sat 21 Nov, 22.9 % expected")
    #expect(
      spike.detail
        == "The change is +27.7 points (95 % interval +20.0 to +33.0), 2.2 times the baseline. "
        + "Against what was expected that is +148 among 47,850 records (95 % interval +117 to +178), "
        + "on Sat 21 Nov.")
    let dip = text(
      finding(
        .dip, .down, 55...55, from: 144.6, to: 13, effect: (-150, -110),
        impact: Estimate(value: -131.6, lo: -150, hi: -110)), .count, "volume", key: [nil, nil])
    #expect(dip.headline == "everything: volume dropped to 13 on Sun 18 Oct, 145 expected")
    let burst = text(
      finding(
        .burst, .up, 45...48, from: 0.175, to: 0.31, effect: (0.1, 0.16),
        impact: Estimate(value: 124, lo: 95, hi: 153)), .rate, "violation_rate",
      key: ["FR", nil])
    #expect(
      burst.headline
        == "all queues in FR: violation rate was 31.0 % from 8 Oct to 11 Oct, 17.5 % expected")
  }

  @Test func `missing data name nobody`() {
    let none = Estimate(value: 0, lo: 0, hi: 0)
    let said = text(
      finding(.dataMissing, .down, 67...67, from: 0, to: 0, effect: (0, 0), impact: none), .count,
      "volume", key: [nil, nil])
    #expect(said.headline == "No data on Fri 30 Oct")
    #expect(said.detail.contains("not a drop"))
  }

  @Test func `small things say that they are small`() {
    let said = text(
      finding(
        .trend, .up, 0...89, from: 0.1622, to: 0.1624, effect: (0.0001, 0.0006),
        impact: Estimate(value: 12, lo: 1, hi: 30), material: false,
        reason: "less than 10 % of the baseline"), .rate, "violation_rate")
    // Two values that differ are never printed alike.
    #expect(said.headline.contains("16.22 % to 16.24 %"))
    #expect(said.detail.contains("Listed low: less than 10 % of the baseline."))
  }

  @Test func `groups read well`() {
    #expect(groupText(["DE", "hate_speech"], by: ["market", "queue"]) == "hate_speech in DE")
    #expect(groupText(["DE", nil], by: ["market", "queue"]) == "all queues in DE")
    #expect(groupText([nil, "DL"], by: ["market", "queue"]) == "DL at all markets")
    #expect(groupText([nil, nil], by: ["market", "queue"]) == "everything")
    #expect(groupText([], by: []) == "everything")
    #expect(groupText(["DE"], by: ["market"]) == "DE")
    #expect(groupText(["v1", nil], by: ["vendor", "policy"]) == "v1, all policies")
    #expect(
      groupText([nil, "", "q"], by: ["market", "team_name", "queue"]) == "(empty), q at all markets"
    )
  }

  @Test func `numbers are printed one way`() {
    #expect(PlainNumbers.fixed(3_919_153, decimals: 0) == "3,919,153")
    #expect(PlainNumbers.fixed(13.6449, decimals: 1) == "13.6")
    #expect(PlainNumbers.fixed(-1234.5, decimals: 1) == "\u{2212}1,234.5")
    #expect(PlainNumbers.fixed(-0.01, decimals: 1) == "0.0")
    #expect(PlainNumbers.signed(0.01, decimals: 1) == "0.0")
    #expect(PlainNumbers.signed(-0.01, decimals: 0) == "0")
    #expect(PlainNumbers.signed(0.4, decimals: 1) == "+0.4")
    #expect(PlainNumbers.fixed(.nan, decimals: 1) == "unknown")
    #expect(PlainNumbers.fixed(1e300, decimals: 2) == "1e+300")
    #expect(PlainNumbers.fixed(0.0345, decimals: PlainNumbers.decimals(for: 0.0345)) == "0.035")
    #expect(PlainNumbers.decimals(for: 0) == 0)
  }
}
