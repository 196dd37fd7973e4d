import Glibc
import Testing
import WeirData
import WeirTesting

@Suite(.enabled(if: FaultShim.isThere, "\(FaultShim.obstacle)"))
struct `A run that is told to stop at a call` {
  /// A machine that does much else may be slow; a run that waits for its end is slower.
  private static let patience = Duration.seconds(Torture.isFull ? 2 : 6)

  @Test(arguments: [(SIGTERM, 143), (SIGINT, 130)] as [(Int32, Int32)])
  func `stops soon, leaves the old outputs, and says how to go on`(signal: Int32, exit: Int32)
    throws
  {
    var cases: [TortureCase] = []
    var points = 0
    for (turn, scenario) in try Scenario.all().enumerated() {
      let struck = Torture.some(scenario.points, oneIn: 60, turn: turn + Int(signal))
      points += struck.count
      for point in struck {
        cases.append(
          TortureCase(
            family: "signal", name: "signal \(signal) | \(scenario.name) | \(point.name)"
          ) {
            let folder = try scenario.folder()
            defer { folder.remove() }
            let started = ContinuousClock.now
            let outcome = folder.weir(
              scenario.arguments, faults: Faults(point: point, action: .signal(signal)))
            let seconds = ContinuousClock.now - started
            var complaints: [String] = []
            if seconds > Self.patience { complaints.append("it took \(seconds)") }
            complaints += judge(outcome, exit, scenario, folder)
            return complaints + scenario.recovered(folder)
          })
      }
    }
    torture("signal \(signal)", points: points, cases)
  }

  private func judge(
    _ outcome: RunningBinary.Outcome, _ exit: Int32, _ scenario: Scenario, _ folder: CaseFolder
  ) -> [String] {
    let (version, torn) = scenario.version(in: folder)
    guard torn.isEmpty else { return torn }
    // It may have had nothing left to do.
    if outcome.exit == 0 {
      return version == .new ? [] : ["it says that it is done and the outputs are the old ones"]
    }
    var complaints: [String] = []
    if outcome.exit != exit { complaints.append("it ended with \(outcome.exitText)") }
    if version == .new, scenario.old != scenario.new {
      complaints.append("it says that it stopped and the outputs are the new ones")
    }
    if outcome.json?["status"] != "interrupted" || outcome.json?["retry"] != true {
      complaints.append("its last line is \(outcome.lastLine)")
    }
    if !outcome.errors.contains("weir run p.json"), !outcome.errors.contains("weir resume") {
      complaints.append("it does not say how to go on: \(outcome.errors)")
    }
    return complaints
  }
}
