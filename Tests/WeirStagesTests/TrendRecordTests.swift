import Testing
import WeirData
import WeirEngine
import WeirStatistics
import WeirTesting

@testable import WeirStages

/// What a finding says beyond its size: how the series was read, what could be compared, what it makes of
/// the total, and what moves with it.
@Suite struct TrendRecordTests {
  private func found(
    _ shards: [[String]], _ more: String = "", where matches: (JSONValue) -> Bool
  ) throws -> JSONValue? {
    let spec = TrendExample.spec.replacing("\"by\"", with: more + #""by""#)
    return try TrendBench(spec).run(shards).findings.findings.first(where: matches)
  }

  private func isShift(_ finding: JSONValue) -> Bool {
    finding["type"] == "shift" && finding["series"]?["market"] == "DE"
      && finding["series"]?["queue"] == "hate"
  }

  // MARK: Lateness

  @Test func `a bucket stays open until the latest record lies past it by the allowed lateness`()
    throws
  {
    let shards = TrendExample.shards(days: 20)
    func open(_ more: String, _ more2: [[String]] = []) throws -> [Int] {
      let spec = TrendExample.spec.replacing("\"by\"", with: more + #""by""#)
      let states = try TrendBench(spec).run(shards + more2).column(
        "state", ["DE", "hate"], "volume")
      return states.indices.filter { states[$0] == "open" }
    }
    let next = (0..<40).map { i in
      TrendExample.line(
        20, "0\(i / 10):\(i % 10)0:00", market: i % 2 == 0 ? "DE" : "FR",
        queue: i % 4 < 2 ? "hate" : "scam")
    }
    #expect(try open("") == [])
    #expect(try open(#""allowed_lateness": "6h", "#) == [19])
    // Records up to 03:30 of the next day.
    #expect(try open(#""allowed_lateness": "6h", "#, [next]) == [19, 20])
    #expect(try open(#""allowed_lateness": "3h", "#, [next]) == [20])
    #expect(try open(#""allowed_lateness": "3h", "through": "latest-1d", "#, [next]) == [])
    #expect(try open(#""allowed_lateness": "2d", "#, [next]) == [18, 19, 20])
    // A date is believed.
    let day = TrendExample.date(19)
    #expect(try open(#""allowed_lateness": "6h", "through": "\#(day)", "#, [next]) == [])
  }

  // MARK: The record

  @Test func `says what it was taken for and what could be compared`() throws {
    let shards = TrendExample.shards().enumerated().map { day, lines in
      day == 10 || day == 11 ? [] : day == 55 ? lines.filter { !$0.contains("T23:") } : lines
    }
    let finding = try #require(try found(shards, where: isShift))
    let model = try #require(finding["model"])
    #expect(model["label"] == "step" && model["scale"] == "logit")
    let fit = try #require(model["fit"])
    #expect(fit["step"]!.number! > fit["line"]!.number! + 3 && fit["steps"] == .null)
    let quality = try #require(finding["data_quality"])
    #expect(quality["buckets"] == .int(56) && quality["compared"] == .int(53))
    #expect(abs(quality["coverage"]!.number! - 53.0 / 56) < 1e-9)
    #expect(
      quality["missing"] == [
        ["from": .text(TrendExample.date(10)), "to": .text(TrendExample.date(11))]
      ])
    #expect(quality["open"] == [.text(TrendExample.date(55))] && quality["partial"] == [])
  }

  @Test func `says the weekdays that it took out`() throws {
    // Saturdays and Sundays have half of the decisions. The first day is a Monday.
    let shards = TrendExample.shards().enumerated().map { day, lines in
      lines.enumerated().filter { day % 7 < 5 || $0.offset % 2 == 0 }.map(\.element)
    }
    let finding = try #require(
      try found(shards) { $0["type"] == "dip" && $0["series"]?["metric"] == "volume" })
    let season = try #require(finding["model"]?["season"])
    let profile = try #require(season["profile"]?.asArray).map { $0.number! }
    #expect(profile.count == 7 && season["before"] == .null)
    #expect(season["strength"]!.number! > 0.7)
    #expect(profile[..<5].allSatisfy { $0 > 0 } && profile[5] < -0.3 && profile[6] < -0.3)
  }

  @Test func `says how far it moved the total`() throws {
    let finding = try #require(try found(TrendExample.shards(), where: isShift))
    let impact = try #require(finding["impact"])
    #expect(impact["share_of"] == ["market": "DE", "queue": "*"])
    let whole = try TrendBench(TrendExample.spec).run(TrendExample.shards())
    let events = whole.column("k", ["DE", "*"], "violation_rate").suffix(21).reduce(0.0) {
      $0 + Double($1)!
    }
    let items = impact["items"]!.number!
    #expect(abs(impact["share"]!.number! - items / (events - items)) < 1e-6)
    let all = try found(TrendExample.shards()) {
      $0["series"]?["market"] == "*" && $0["series"]?["queue"] == "*" && $0["direction"] != .null
    }
    #expect(try #require(all)["impact"]?["share"] == .null)
  }

  // MARK: Several days at the end

  @Test func `days off the level up to the last one are an unconfirmed change of it`() throws {
    let shards = TrendExample.shards().enumerated().map { day, lines in
      day < 52 ? lines : lines.filter { !$0.contains(#""FR","queue":"scam""#) || $0.contains("T1") }
    }
    let finding = try #require(
      try found(shards) {
        $0["type"] == "level_change_unconfirmed" && $0["series"]?["market"] == "FR"
          && $0["series"]?["queue"] == "scam"
      })
    #expect(finding["window"]?["from"] == .text(TrendExample.date(52)))
    #expect(finding["window"]?["to"] == .text(TrendExample.date(55)))
    let headline = finding["text"]!["headline"]!.plain
    #expect(headline.hasPrefix("scam in FR: volume has been "), "\(headline)")
    #expect(headline.contains(" a day since 29 Oct, "), "\(headline)")
    #expect(finding["text"]!["detail"]!.plain.contains("It reaches the last day"))
  }

  // MARK: What moves with it

  @Test func `names the series that moves first`() throws {
    var random = SeededRandom(seed: 9)
    // FR follows DE a day later; both have a day of their own that stands out.
    var moods = (0..<91).map { _ in random.below(60) }
    moods[30] = 200
    let shards = (0..<90).map { day in
      ["DE", "FR"].flatMap { market -> [String] in
        let mood = market == "DE" ? moods[day + 1] : moods[day]
        return (0..<(70 + mood + random.below(6))).map { i in
          TrendExample.line(day, i == 0 ? "23:59:00" : "12:00:00", market: market, queue: "q")
        }
      }
    }
    func isOf(_ market: String) -> (JSONValue) -> Bool {
      { $0["series"]?["market"] == .text(market) && $0["series"]?["metric"] == "volume" }
    }
    let first = try #require(try found(shards, where: isOf("DE")))
    let second = try #require(try found(shards, where: isOf("FR")))
    let leads = try #require(
      first["related"]?.asArray?.first { $0["finding_id"] == second["finding_id"] })
    #expect(leads["relation"] == "leads" && leads["lag"] == .int(1))
    #expect(leads["r"]!.number! > 0.8 && leads["q"]!.number! < 0.001)
    let follows = try #require(
      second["related"]?.asArray?.first { $0["finding_id"] == first["finding_id"] })
    #expect(follows["relation"] == "follows" && follows["lag"] == .int(-1))
    #expect(
      first["text"]!["detail"]!.plain.contains(
        "From day to day it moves 1 day before volume of q in FR (r 0."),
      "\(first["text"]!["detail"]!.plain)")
  }

  // MARK: Moments

  @Test func `moments are the same however they are cut, up to rounding`() {
    var random = SeededRandom(seed: 3)
    let values = (0..<500).map { _ in Double(random.below(1_000)) * Double(random.below(1_000)) }
    let mean = values.reduce(0, +) / 500
    let cubes = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) * ($1 - mean) }
    for cut in [1, 7, 250, 499] {
      var parts = [TrendMoments(), TrendMoments()]
      for (i, value) in values.enumerated() { parts[i < cut ? 0 : 1].add(value) }
      var whole = parts[0]
      whole.merge(parts[1])
      #expect(abs(whole.cubes / cubes - 1) < 1e-9)
      #expect(whole.count == 500 && abs(whole.mean! / mean - 1) < 1e-12)
    }
    // What nobody knows of a part nobody knows of the whole.
    var unknown = TrendMoments(count: 3, sum: 6, squares: 2, cubes: .nan)
    unknown.add(4)
    #expect(unknown.cubes.isNaN && unknown.count == 4)
  }
}
