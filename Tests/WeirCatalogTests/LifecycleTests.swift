import Testing
import WeirData
import WeirTesting

@testable import WeirCatalog

@Suite struct `The lifecycle of findings` {
  private func finding(
    _ day: String, type: String = "spike", market: String = "DE", metric: String = "rate",
    direction: String = "up", window: (String, String)? = nil, ci: (String, String)? = nil,
    id: String = "f"
  ) -> SeenFinding {
    let json: JSONValue = [
      "finding_id": .text(id), "level": "warning", "type": .text(type),
      "direction": .text(direction),
      "series": [
        "market": .text(market), "metric": .text(metric), "kind": "rate", "grain": "1d",
        "zone": "UTC",
      ],
      "anchor": [
        "date": .text(day), "ci_lo": .text(ci?.0 ?? day), "ci_hi": .text(ci?.1 ?? day),
      ],
      "window": ["from": .text(window?.0 ?? day), "to": .text(window?.1 ?? day)],
      "text": ["headline": "it rose"],
    ]
    return SeenFinding(json, stage: "trends")!
  }

  /// The nights one after the other, each with what the ones before knew.
  private func states(_ nights: [[SeenFinding]]) -> [[String]] {
    var known: [String: Lifecycle.Known] = [:]
    return nights.enumerated().map { night, findings in
      let lifecycle = Lifecycle(
        findings, known: known.keys.sorted().map { known[$0]! }, run: "r\(night)", seen: "t")
      for entry in lifecycle.entries {
        var now = entry.known
        now.isOpen = entry.state != .resolved
        known[now.lifecycle] = now
      }
      return lifecycle.entries.map(\.state.rawValue)
    }
  }

  @Test func `goes from new over ongoing and resolved to reopened`() {
    let spike = finding("2026-09-01")
    #expect(
      states([[spike], [spike], [], [], [spike], [spike]]) == [
        ["new"], ["ongoing"], ["resolved"], [], ["reopened"], ["ongoing"],
      ])
  }

  @Test func `follows a finding whose day is estimated anew`() {
    let nights = [
      [finding("2026-09-10", type: "shift", ci: ("2026-09-08", "2026-09-12"), id: "a")],
      [finding("2026-09-12", type: "shift", ci: ("2026-09-11", "2026-09-14"), id: "b")],
      [finding("2026-09-15", type: "shift", id: "c")],
    ]
    #expect(states(nights) == [["new"], ["ongoing"], ["ongoing"]])
  }

  @Test func `tells apart what differs in group, metric, type, direction or time`() {
    let first = finding("2026-09-01")
    for other in [
      finding("2026-09-01", market: "FR"), finding("2026-09-01", metric: "volume"),
      finding("2026-09-01", type: "season_break"), finding("2026-09-01", direction: "down"),
      finding("2026-09-02"),
    ] {
      #expect(states([[first], [other]]) == [["new"], ["new", "resolved"]])
    }
  }

  @Test func `follows a change from its first day to a new level`() {
    let nights = [
      [finding("2026-09-10", id: "a")],
      [
        finding(
          "2026-09-10", type: "level_change_unconfirmed", window: ("2026-09-10", "2026-09-12"),
          id: "b")
      ],
      [finding("2026-09-11", type: "shift", ci: ("2026-09-10", "2026-09-12"), id: "c")],
    ]
    #expect(states(nights) == [["new"], ["ongoing"], ["ongoing"]])
    // A day that stands out beside a level that stays is another one.
    let level = finding("2026-09-10", type: "shift", id: "d")
    #expect(
      states([[level], [finding("2026-09-11", id: "e"), level]]) == [["new"], ["new", "ongoing"]])
  }

  @Test func `pairs each of several with the closest`() {
    let a = finding("2026-09-03", type: "burst", window: ("2026-09-01", "2026-09-05"), id: "a")
    let b = finding("2026-09-06", type: "burst", window: ("2026-09-05", "2026-09-09"), id: "b")
    let b2 = finding("2026-09-07", type: "burst", window: ("2026-09-05", "2026-09-09"), id: "c")
    let lifecycle = Lifecycle(
      [b2, a], known: Lifecycle([a, b], known: [], run: "r0", seen: "t").entries.map(\.known),
      run: "r1", seen: "t")
    #expect(lifecycle.entries.map(\.state) == [.ongoing, .ongoing])
    let names = lifecycle.entries.map(\.known.lifecycle)
    let before = Lifecycle([a, b], known: [], run: "r0", seen: "t").entries.map(\.known.lifecycle)
    #expect(names == [before[1], before[0]])
  }

  /// Whatever comes and goes: each finding of a night has one entry, each open one of before is in
  /// it or resolved, and no lifecycle is there twice.
  @Test(arguments: [UInt64(1), 2, 3, 4])
  func `accounts for every finding of every night`(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var known: [Lifecycle.Known] = []
    for night in 0..<40 {
      let findings = (0..<random.below(8)).map { i in
        finding(
          "2026-09-0\(1 + random.below(9))", type: random.pick(["spike", "shift", "trend"]),
          market: random.pick(["DE", "FR"]), id: "\(night)-\(i)")
      }
      let lifecycle = Lifecycle(findings, known: known, run: "r\(night)", seen: "t")
      let present = lifecycle.entries.filter { $0.state != .resolved }
      #expect(present.map(\.known.finding) == findings)
      #expect(
        known.count { $0.isOpen }
          == lifecycle.count(.ongoing) + lifecycle.count(.resolved))
      #expect(Set(lifecycle.entries.map(\.known.lifecycle)).count == lifecycle.entries.count)
      for entry in lifecycle.entries {
        known.removeAll { $0.lifecycle == entry.known.lifecycle }
        var now = entry.known
        now.isOpen = entry.state != .resolved
        known.append(now)
        // What was written down reads back as the same.
        #expect(SeenFinding(entry: entry.json) == entry.known.finding)
      }
    }
  }

  @Test func `leaves out what has no series or day`() {
    #expect(SeenFinding(["type": "spike"], stage: "s") == nil)
    #expect(SeenFinding("text", stage: "s") == nil)
  }
}
