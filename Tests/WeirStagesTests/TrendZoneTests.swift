import Testing
import WeirData
import WeirStatistics
import WeirTesting

@testable import WeirEngine
@testable import WeirStages

@Suite struct `Trends by local days` {
  private func spec(_ more: String = "") -> String {
    """
    { "type": "trend", "inputs": ["a"], "time": "ts", "by": ["market"]\(more),
      "metrics": { "volume": { "count": true } } }
    """
  }

  /// One record an hour, at half past, from 20 October 2026 at 22:30 UTC, half past midnight in Berlin.
  private func hours(_ count: Int, market: String = "DE") -> [String] {
    (0..<count).map { hour in
      let date = CivilDate(iso: "2026-10-20")!
      let all = 22 + hour
      let day = CivilDate(daysSinceEpoch: date.daysSinceEpoch + all / 24).iso
      let time = "\(all % 24 < 10 ? "0" : "")\(all % 24):30:00Z"
      return #"{"ts":"\#(day)T\#(time)","market":"\#(market)","day":"d"}"#
    }
  }

  @Test func `a day is that of the zone, with 25 hours where clocks go back`() throws {
    let outcome = try TrendBench(spec(), zone: "Europe/Berlin").run([hours(24 * 7 + 1)])
    #expect(outcome.column("bucket", ["DE"], "volume") == (21...27).map { "2026-10-\($0)" })
    #expect(outcome.column("n", ["DE"], "volume") == ["24", "24", "24", "24", "25", "24", "24"])
    #expect(outcome.column("state", ["DE"], "volume").allSatisfy { $0 == "closed" })
    let exposures = try outcome.detail.report.series[0].buckets.map(\.exposure)
    #expect(exposures == [1, 1, 1, 1, 25.0 / 24, 1, 1])
    #expect(try outcome.detail.zone == "Europe/Berlin")
    // In UTC the first day has two hours and the last is not over.
    let plain = try TrendBench(spec()).run([hours(24 * 7 + 1)])
    #expect(plain.column("n", ["DE"], "volume").first == "2")
    #expect(plain.column("state", ["DE"], "volume").first == "partial")
    #expect(try plain.detail.zone == "UTC")
  }

  @Test func `each market has the days of its own zone`() throws {
    let zones =
      #", "zones": { "by": "market", "names": { "DE": "Europe/Berlin", "JP": "Asia/Tokyo" } }"#
    let shard = zip(hours(190), zip(hours(190, market: "JP"), hours(190, market: "US")))
      .flatMap { [$0, $1.0, $1.1] }
    let outcome = try TrendBench(spec(zones), zone: "America/New_York").run([shard])
    /// What a market alone has in its zone, by day.
    func alone(_ market: String, _ zone: String) throws -> [String: String] {
      let one = try TrendBench(spec(), zone: zone).run([hours(190, market: market)])
      let days = one.column("bucket", [market], "volume")
      return Dictionary(uniqueKeysWithValues: zip(days, one.column("n", [market], "volume")))
    }
    for (market, zone) in [
      ("DE", "Europe/Berlin"), ("JP", "Asia/Tokyo"), ("US", "America/New_York"),
    ] {
      let wanted = try alone(market, zone)
      let days = outcome.column("bucket", [market], "volume")
      for (day, n) in zip(days, outcome.column("n", [market], "volume")) {
        #expect(n == wanted[day] ?? "0", "\(market) \(day)")
      }
    }
    // The first two days and the last two are not whole everywhere.
    #expect(
      outcome.column("state", ["JP"], "volume")
        == ["partial", "partial"] + [String](repeating: "closed", count: 6) + ["open", "open"])
    let report = try outcome.detail.report
    let changed = try #require(
      outcome.column("bucket", ["DE"], "volume").firstIndex(of: "2026-10-25"))
    func exposure(_ key: String?) throws -> Double {
      try #require(report.series.first { $0.key == [key] }).buckets[changed].exposure
    }
    #expect(try exposure("DE") == 25.0 / 24 && exposure("JP") == 1 && exposure("US") == 1)
    // A third of the records of the total are German.
    #expect(abs(try exposure(nil) - (1 + 1.0 / 72)) < 1e-12)
    #expect(try outcome.detail.zone == "local")
  }

  @Test func `codes and cuts change no byte`() throws {
    let zones = #", "zones": { "by": "market", "names": { "DE": "Asia/Kolkata" } }"#
    let bench = try TrendBench(spec(zones), zone: "+05:30")
    let text = Array(
      (hours(90) + hours(90, market: "FR")).map { $0 + "\n" }.joined().utf8)
    var refused: [String] = []
    let whole = bench.partial(text, refused: &refused)
    for rows in [1, 13] {
      for mode in CodedColumns.Mode.allCases {
        let coder = CodedColumns(mode, seed: 3)
        #expect(bench.partial(text, rows: rows, coder: coder, refused: &refused) == whole)
      }
    }
    #expect(refused == [])
  }

  @Test(arguments: ["Europe/Nowhere", "../etc/passwd", "", "Europe//Berlin"])
  func `refuses what is no zone`(name: String) {
    let zones = #", "zones": { "by": "market", "names": { "DE": "\#(name)" } }"#
    let error = #expect(throws: TrendBench.Refused.self) { _ = try TrendBench(spec(zones)) }
    #expect(error?.codes == ["unknown_zone"])
  }

  @Test func `refuses a field that is not one of the group, and no zones`() {
    let field = #", "zones": { "by": "queue", "names": { "DE": "UTC" } }"#
    let error = #expect(throws: TrendBench.Refused.self) { _ = try TrendBench(spec(field)) }
    #expect(error?.codes == ["bad_zone_field"])
    let none = #", "zones": { "by": "market", "names": {} }"#
    let empty = #expect(throws: TrendBench.Refused.self) { _ = try TrendBench(spec(none)) }
    #expect(empty?.codes == ["no_zones"])
  }
}
