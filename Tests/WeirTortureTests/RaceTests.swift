import Glibc
import Testing
import WeirData
import WeirTesting

/// Two runs of one output at once. What must come of it: each ends with 0 or 75, at least one with 0; a
/// run that ends with 75 names the other; two that end with 0 did their work one after the other. The
/// outputs are those of one of the runs that ended with 0, whole.
@Suite(.enabled(if: FaultShim.isThere, "\(FaultShim.obstacle)"))
struct `Two runs of one output at once` {
  private static let rounds = Torture.isFull ? 200 : 24

  @Test(arguments: [1, 2])
  func `leave one whole result, from as many workspaces as`(workspaces: Int) throws {
    let scenario = try Scenario.named("next")
    let cases = (0..<Self.rounds).map { round in
      TortureCase(
        family: "race", name: "race | \(workspaces) workspaces | round \(round)"
      ) {
        let folder = try scenario.folder()
        defer { folder.remove() }
        var random = SeededRandom(seed: UInt64(round * 2 + workspaces))
        let others = workspaces == 2 ? try CaseFolder() : folder
        defer { if workspaces == 2 { others.remove() } }
        let arguments = scenario.arguments + ["--out", folder.path + "/" + Scenario.out]
        // One of them is held up at a call: where the other then is, is another place each time.
        let held = Faults(
          point: random.pick(scenario.points), action: .delay(random.below(30)),
          root: folder.path)
        let first = folder.start(arguments, faults: held)
        let second = folder.start(arguments + ["--workspace", others.path])
        let outcomes = [first.wait(), second.wait()]
        let (version, torn) = scenario.version(in: folder)
        var complaints = torn
        if version != .new { complaints.append("the outputs are the \(version) ones") }
        complaints += judge(outcomes)
        return complaints
          + scenario.recovered(folder, folder.weir(scenario.arguments), other: others)
      }
    }
    torture("races from \(workspaces) workspaces", points: Self.rounds, cases)
  }

  /// A run whose outputs are in place has a little left to do: another that starts then must neither
  /// take it for dead nor stumble over it.
  @Test func `do not stumble over one that is about to end`() throws {
    let scenario = try Scenario.named("next")
    let swap = scenario.points.firstIndex {
      $0.call == "rename" && $0.name.contains("-> \(Scenario.out) ")
    }
    let last = Array(scenario.points[(try #require(swap) + 1)...])
    let before = try scenario.folder()
    defer { before.remove() }
    let old = linkTarget(before.path + "/" + Scenario.out)
    let cases = Torture.some(last, oneIn: 30).map { point in
      TortureCase(family: "race", name: "race | about to end | \(point.name)") {
        let folder = try scenario.folder()
        defer { folder.remove() }
        let first = folder.start(
          scenario.arguments, faults: Faults(point: point, action: .delay(60)))
        let link = folder.path + "/" + Scenario.out
        let end = ContinuousClock.now + .seconds(10)
        while linkTarget(link) == old, ContinuousClock.now < end { sched_yield() }
        let second = folder.weir(scenario.arguments + ["--force"])
        let (version, torn) = scenario.version(in: folder)
        let complaints = torn + judge([first.wait(), second])
        return complaints + (version == .new ? [] : ["the outputs are the \(version) ones"])
          + scenario.recovered(folder)
      }
    }
    torture("races with one that is about to end", points: last.count, cases)
  }

  private func judge(_ outcomes: [RunningBinary.Outcome]) -> [String] {
    let runs = outcomes.map { $0.json?["run"]?.string ?? "no run" }
    var complaints: [String] = []
    if !outcomes.contains(where: { $0.exit == 0 }) { complaints.append("none went well") }
    for (i, outcome) in outcomes.enumerated() {
      switch outcome.exit {
      case 0: break
      case 75:
        let message = outcome.json?["error"]?["message"]?.string ?? ""
        // The holder may have given the lock back before its name was read.
        if !message.contains(runs[1 - i]), message != "held by " {
          complaints.append("it says \(message), and the other is \(runs[1 - i])")
        }
        if outcome.json?["retry"] != true { complaints.append("75 without retry") }
      default: complaints.append("it ended with \(outcome.exitText): \(outcome.errors)")
      }
    }
    return complaints
  }

  /// A run that is killed while it has the lock holds nobody up.
  @Test func `take over from one that was killed`() throws {
    let scenario = try Scenario.named("next")
    let locked = scenario.points.drop { $0.call != "lock" }
    let cases = Torture.some(Array(locked), oneIn: 30).map { point in
      TortureCase(family: "race", name: "takeover | \(point.name)") {
        let folder = try scenario.folder()
        defer { folder.remove() }
        let holder = folder.start(
          scenario.arguments, faults: Faults(point: point, action: .killBefore))
        // Started while the other still may hold it.
        let early = folder.weir(scenario.arguments)
        let killed = holder.wait()
        var complaints: [String] = []
        // Where the first came too late for the lock, it was not there to be killed at that point.
        if killed.signal != SIGKILL, killed.exit != 75, killed.exit != 0 {
          complaints.append("the holder ended with \(killed.exitText): \(killed.errors)")
        }
        if ![0, 75].contains(early.exit) {
          complaints.append("the other ended with \(early.exitText): \(early.errors)")
        }
        let (_, torn) = scenario.version(in: folder)
        return complaints + torn + scenario.recovered(folder)
      }
    }
    torture("takeovers", points: locked.count, cases)
  }
}
