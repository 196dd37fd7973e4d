import Glibc
import Testing
import WeirData
import WeirTesting

@Suite(.enabled(if: FaultShim.isThere, "\(FaultShim.obstacle)"))
struct `Many nights` {
  private static let nights = Torture.isFull ? 60 : 12

  /// In one workspace, with a crash every fifth night, two runs at once every tenth, and the run of
  /// another market in between: what stands there each morning is what a run from nothing makes.
  @Test func `leave each morning what a run from nothing makes of the same inputs`() throws {
    var world = try World()
    defer { world.folder.remove() }
    var random = SeededRandom(seed: 5)
    for night in 1...Self.nights {
      try world.pass(night)
      let news = "night \(night): \(world.news.joined(separator: ", "))"
      if night % 5 == 0 {
        for _ in 0..<2 { try crash(world, at: 1 + random.below(400), news) }
      }
      if night % 10 == 0 {
        let both = (0..<2).map { _ in world.folder.start([]) }
        let exits = both.map { $0.wait().exit }
        #expect(exits.contains(0) && exits.allSatisfy { $0 == 0 || $0 == 75 }, "\(news): \(exits)")
      }
      let markets = night % 3 == 0 ? ["*", random.pick(["DE", "FR", "JP"])] : ["*"]
      for market in markets.shuffled(using: &random) { try compare(world, market, night, news) }
    }
  }

  /// Killed at the n-th call; where it has fewer it just ends.
  private func crash(_ world: World, at call: Int, _ news: String) throws {
    let outcome = world.folder.weir(
      [], faults: Faults(point: FaultPoint("#\(call)"), action: .killBefore))
    #expect(outcome.signal == SIGKILL || outcome.exit == 0, "\(news): \(outcome.errors)")
  }

  /// Killed three times, with two runs at once; what is missing is done, and no more.
  @Test func `are made up for by a backfill that goes on where it was killed`() throws {
    let spec = #"""
      { "name": "night",
        "partition": ["day"],
        "params": { "day": { "type": "date" } },
        "sources": { "s": { "type": "jsonl", "paths": ["data/${param.day}.jsonl"],
                            "fields": { "id": "string" } } },
        "transforms": { "d": { "type": "dedupe", "inputs": ["s"], "key": ["id"] } },
        "sinks": { "o": { "type": "jsonl", "inputs": ["d"], "path": "o.jsonl" } } }
      """#
    let folder = try CaseFolder()
    defer { folder.remove() }
    try writeFile(Array(spec.utf8), to: folder.path + "/p.json")
    try makeFolder(folder.path + "/data")
    let days = (10..<22).map { "2026-11-\($0)" }
    for (i, day) in days.enumerated() {
      let text = SampleShard.text((0..<30).map { #"{"id":"\#($0 % (i + 3))"}"# })
      try writeFile(text, to: folder.path + "/data/\(day).jsonl")
    }
    let command = [
      "backfill", "p.json", "--from", days[0], "--to", days[11], "--jobs", "2", "--json", "--quiet",
    ]
    var random = SeededRandom(seed: 8)
    for _ in 0..<3 {
      let call = FaultPoint("#\(700 + random.below(1_500))")
      let killed = folder.weir(
        [], command: command, faults: Faults(point: call, action: .killBefore))
      #expect(killed.signal == SIGKILL, "\(killed.errors)")
    }
    let before = days.filter {
      listFolder("\(folder.path)/out/night/day=\($0)").contains("manifest.json")
    }
    let outcome = folder.weir([], command: command)
    #expect(outcome.exit == 0, "\(outcome.lastLine) \(outcome.errors)")
    #expect(outcome.json?["unchanged"]?.integer == before.count)
    #expect(outcome.json?["done"]?.integer == days.count - before.count)
    #expect(before.count > 0)
    for (i, day) in days.enumerated() {
      let found = try readFile("\(folder.path)/out/night/day=\(day)/o.jsonl")
      #expect(lines(of: found).count == i + 3, "\(day)")
    }
    let strays = listFolder(folder.path + "/out/night").filter { $0.contains("staging") }
    #expect(strays.isEmpty, "\(strays)")
  }

  private func compare(_ world: World, _ market: String, _ night: Int, _ news: String) throws {
    let name = market == "*" ? "%2A" : market
    let arguments = ["--param", "market=\(market)"]
    let outcome = world.folder.weir(arguments)
    try #require(outcome.exit == 0, "\(news): \(outcome.errors)")
    let nothing = try CaseFolder()
    defer { nothing.remove() }
    let fresh = world.folder.weir(arguments + ["--workspace", nothing.path])
    try #require(fresh.exit == 0, "\(news): \(fresh.errors)")
    let partition = "/out/night/market=\(name)"
    let (found, expected) = (
      try filesBelow(world.folder.path + partition), try filesBelow(nothing.path + partition)
    )
    let wrong = Set(found.keys).union(expected.keys).filter { found[$0] != expected[$0] }.sorted()
    #expect(wrong.isEmpty, "\(news), market \(market): \(wrong.joined(separator: ", ")) differ")
    #expect(outcome.json?["records"] == fresh.json?["records"], "\(news)")
    #expect(outcome.json?["quarantine"] == fresh.json?["quarantine"], "\(news)")
    #expect(outcome.json?["run_key"] == fresh.json?["run_key"], "\(news)")
    // What stood there the day before was not done again.
    if night > 2, !world.isNewSchema, outcome.json?["unchanged"] == false {
      #expect((outcome.json?["reused"]?.integer ?? 0) > 0, "\(news): nothing was reused")
    }
  }
}
