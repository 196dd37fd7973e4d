import Glibc
import Testing
import WeirData
import WeirTesting

@Suite(.enabled(if: FaultShim.isThere, "\(FaultShim.obstacle)"))
struct `A run that is killed at a call` {
  @Test func `leaves the old outputs or the new ones, and the next one finishes`() throws {
    var cases: [TortureCase] = []
    var points = 0
    for (turn, scenario) in try Scenario.all().enumerated() {
      let struck = Torture.some(scenario.points, oneIn: 40, turn: turn)
      points += struck.count
      for point in struck {
        for action in [FaultAction.killBefore, .killAfter] {
          cases.append(killCase(scenario, point, action))
        }
      }
    }
    torture("kill -9", points: points, cases)
  }

  /// Killed at one point, the next run killed at another, drawn from a seed; then a third.
  @Test func `finishes also when the next one is killed`() throws {
    var cases: [TortureCase] = []
    var points = 0
    for (turn, scenario) in try Scenario.all().enumerated() {
      var random = SeededRandom(seed: UInt64(turn))
      let struck = Torture.some(scenario.points, oneIn: 80, turn: turn * 8)
      points += struck.count
      for point in struck {
        let second = random.pick(scenario.points)
        cases.append(
          TortureCase(
            family: "kill",
            name: "kill twice | \(scenario.name) | \(point.name) | \(second.name)"
          ) {
            let folder = try scenario.folder()
            defer { folder.remove() }
            _ = folder.weir(
              scenario.arguments, faults: Faults(point: point, action: .killAfter))
            // That it may end without coming to that point is right: it has less to do.
            _ = folder.weir(
              scenario.arguments, faults: Faults(point: second, action: .killBefore))
            let (_, torn) = scenario.version(in: folder)
            return torn + scenario.recovered(folder)
          })
      }
    }
    torture("kill -9 twice", points: points, cases)
  }

  private func killCase(
    _ scenario: Scenario, _ point: FaultPoint, _ action: FaultAction
  ) -> TortureCase {
    TortureCase(family: "kill", name: "\(action.words) | \(scenario.name) | \(point.name)") {
      let folder = try scenario.folder()
      defer { folder.remove() }
      let outcome = folder.weir(
        scenario.arguments, faults: Faults(point: point, action: action))
      // How often workers write down what they kept is not the same each time.
      if outcome.exit == 0, point.isOfTheDigests { return scenario.recovered(folder) }
      guard outcome.signal == SIGKILL else {
        return ["it was not killed: \(outcome.exitText) \(outcome.errors)"]
      }
      let (_, torn) = scenario.version(in: folder)
      let done = folder.tasksKept - scenario.tasksKeptBefore
      let next = folder.weir(scenario.arguments)
      return torn + repeated(next, done, scenario) + scenario.recovered(folder, next)
    }
  }

  /// What was finished before the end is not done again.
  private func repeated(
    _ next: RunningBinary.Outcome, _ done: Int, _ scenario: Scenario
  ) -> [String] {
    guard let json = next.json, json["unchanged"] == false else { return [] }
    let reused = json["reused"]?.integer ?? 0
    let expected = scenario.tasksReused + done
    return reused >= expected
      ? [] : ["\(reused) tasks were taken as they were, and \(expected) were done"]
  }
}
