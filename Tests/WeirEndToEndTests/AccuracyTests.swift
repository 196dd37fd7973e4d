import Foundation
import Testing
import WeirData
import WeirStatistics
import WeirTesting

@testable import weir_bench

@Suite struct `Scores on labelled series` {
  private func finding(
    _ type: FindingType, at: Int, to: Int? = nil, up: Bool = true
  ) -> TrendFinding {
    let one = Estimate(value: 1, lo: 1, hi: 1)
    return TrendFinding(
      series: 0, type: type, direction: up ? .up : .down, anchor: at, anchorLo: at, anchorHi: at,
      window: at...(to ?? at), windowValid: 1, baseline: one, observed: one, k: 1, n: 1,
      effect: one, relative: 1, slopePerWeek: nil, impact: one,
      test: TestRecord(name: "poisson", statistic: 1, p: 0.001), level: .notice,
      isMaterial: true, materialityReason: "")
  }

  private func event(_ type: String, at: Int? = nil, effect: Double = 1) -> PlantedEvent {
    PlantedEvent(type: type, at: at, effect: effect, oracle_z: 6)
  }

  private func match(_ a: TrendFinding, _ b: PlantedEvent) -> [Bool] {
    let match = AccuracyScore.match(ScoredFinding(a), b)
    return [match.strict, match.lenient]
  }

  @Test func `type, place and direction must be right`() {
    #expect(match(finding(.shift, at: 33), event("shift", at: 30)) == [true, true])
    #expect(match(finding(.shift, at: 34), event("shift", at: 30)) == [false, true])
    #expect(match(finding(.shift, at: 30, up: false), event("shift", at: 30)) == [false, false])
    #expect(match(finding(.trend, at: 0), event("shift", at: 30)) == [false, true])
    #expect(match(finding(.windowChange, at: 6), event("shift", at: 4)) == [false, true])
    #expect(match(finding(.trend, at: 0, up: false), event("trend", effect: -1)) == [true, true])
    #expect(match(finding(.spike, at: 9), event("spike", at: 10)) == [true, true])
    #expect(match(finding(.spike, at: 8), event("spike", at: 10)) == [false, false])
    #expect(match(finding(.spike, at: 10), event("shift", at: 10)) == [false, false])
    #expect(match(finding(.burst, at: 9, to: 11), event("spike", at: 10)) == [true, true])
    #expect(match(finding(.burst, at: 9, to: 12), event("spike", at: 10)) == [false, false])
    let down = finding(.seasonBreak, at: 32, up: false)
    #expect(match(down, event("season_break", at: 32)) == [true, true])
    #expect(match(down, event("dip", at: 32, effect: -1)) == [false, false])
  }

  @Test func `a file is read, scored and told apart line by line`() throws {
    try withTemporaryFolder { folder in try scores(folder.path + "/labelled.jsonl") }
  }

  private func scores(_ path: String) throws {
    let flat = (0..<40).map { "\(100 + ($0 * 37) % 11)" }.joined(separator: ",")
    let stepped = (0..<40).map { "\((100 + ($0 * 37) % 11) * ($0 < 20 ? 1 : 2))" }
      .joined(separator: ",")
    let truth = #"[{"type":"shift","at":20,"effect":0.7,"oracle_z":40}]"#
    try """
    {"id":"a","kind":"count","k":[\(flat)],"truth":[]}
    {"id":"b","kind":"count","k":[\(stepped)],"truth":\(truth)}

    """.write(toFile: path, atomically: true, encoding: .utf8)
    let labelled = try LabelledSeries.read(path)
    #expect(labelled.count == 2)
    var score = AccuracyScore()
    score.add(labelled, analyze(labelled.map(\.series), settings: TrendSettings()))
    #expect(score.flagged == 1 && score.flaggedEmpty == 0 && score.findings == 1)
    #expect(score.recallStrict == 1 && score.misplacedMedian == 0)
    let json = AccuracyText(score: score).json
    for key in [
      "series_fdr", "fdp_lenient", "fdp_strict", "recall_lenient", "recall_strict",
      "recall_by_type", "all_null_any", "ms_per_series",
    ] {
      #expect(json[key] != nil, "\(key)")
    }
    #expect(json["all_null_any"] == .null)
    try #"{"kind":"rate","k":[1,2]}"#.write(toFile: path, atomically: true, encoding: .utf8)
    let error = #expect(throws: FileError.self) { try LabelledSeries.read(path) }
    #expect(error?.description.contains("line 1") == true)
  }

  @Test func `changes planted in records are found by the whole pipeline`() async throws {
    let start = try #require(CivilDate(iso: "2026-01-05"))
    let calendar = Calendar(start: start, days: 42, rows: 60_000)
    let planted = PlantedRecords(calendar: calendar, seed: 3, isEmpty: false)
    let empty = PlantedRecords(calendar: calendar, seed: 3, isEmpty: true)
    #expect(planted.truth.count == 96 * 3 && empty.truth.count == 96 * 3)
    #expect(empty.truth.values.allSatisfy(\.isEmpty) && empty.effects.list.isEmpty)
    #expect((60...140).contains(planted.truth.values.count { !$0.isEmpty }))
    let report = try await RecordsReport.make(planted, seed: 3, shards: 42, workers: 2)
    var score = AccuracyScore()
    score.add(planted, report)
    #expect(score.series == 96 * 3 && report.speaks)
    #expect(score.detectable > 20)
    #expect(
      (score.recallStrict ?? 0) > 0.7 && score.seriesFDR < 0.2,
      "\(AccuracyText(score: score).lines)")
  }
}
