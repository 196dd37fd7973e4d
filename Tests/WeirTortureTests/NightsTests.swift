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
      for market in markets.shuffled(using: &random) { try compare(world, market, news) }
    }
  }

  /// Killed at the n-th call; where it has fewer it just ends.
  private func crash(_ world: World, at call: Int, _ news: String) throws {
    let outcome = world.folder.weir(
      [], faults: Faults(point: FaultPoint("#\(call)"), action: .killBefore))
    #expect(outcome.signal == SIGKILL || outcome.exit == 0, "\(news): \(outcome.errors)")
  }

  private func compare(_ world: World, _ market: String, _ news: String) throws {
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
  }
}
