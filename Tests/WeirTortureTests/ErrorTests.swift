import Glibc
import Testing
import WeirData
import WeirTesting

@Suite(.enabled(if: FaultShim.isThere, "\(FaultShim.obstacle)"))
struct `A run whose calls fail` {
  /// Each point with each error that it may give, once and from then on.
  @Test func `goes well or fails as a whole, says which, and the next one goes well`() throws {
    for goesOn in [false, true] {
      var cases: [TortureCase] = []
      var points = 0
      for (turn, scenario) in try Scenario.all().enumerated() {
        let struck = Torture.some(scenario.points, oneIn: 60, turn: turn + (goesOn ? 7 : 0))
        points += struck.count
        for point in struck {
          for code in point.errors where !goesOn || FaultPoint.staying.contains(code) {
            cases.append(errorCase(scenario, point, .fail(code, goesOn: goesOn)))
          }
          if !goesOn, ["read", "pread", "write", "pwrite"].contains(point.call) {
            cases.append(errorCase(scenario, point, .short))
          }
        }
      }
      if goesOn {
        // A run waits for seconds before it tries again: many can wait side by side.
        torture("errors that stay", points: points, threads: 8 * Torture.threads, cases)
      } else {
        torture("single errors", points: points, cases)
      }
    }
  }

  private func errorCase(
    _ scenario: Scenario, _ point: FaultPoint, _ action: FaultAction
  ) -> TortureCase {
    TortureCase(family: "error", name: "\(action.words) | \(scenario.name) | \(point.name)") {
      let folder = try scenario.folder()
      defer { folder.remove() }
      let outcome = folder.weir(
        scenario.arguments, faults: Faults(point: point, action: action))
      var complaints = judge(outcome, scenario, point, action, in: folder)
      if case .fail(_, goesOn: true) = action {
      } else if access(folder.path + "/.weir/catalog.db.damaged", F_OK) == 0 {
        complaints.append("a catalogue is set aside for one call that failed")
      }
      complaints += scenario.recovered(folder)
      return complaints
    }
  }

  /// Whether the exit, the message and the outputs agree with each other and with what was done.
  private func judge(
    _ outcome: RunningBinary.Outcome, _ scenario: Scenario, _ point: FaultPoint,
    _ action: FaultAction, in folder: CaseFolder
  ) -> [String] {
    let (version, complaints) = scenario.version(in: folder)
    guard complaints.isEmpty else { return complaints }
    guard let exit = outcome.exit, let json = outcome.json else {
      return ["it ended with \(outcome.exitText) and this: \(outcome.lastLine)\(outcome.errors)"]
    }
    guard json["exit"]?.integer == Int(exit) else {
      return ["it ended with \(exit) and says \(json["exit"]?.text ?? "nothing")"]
    }
    if exit == 0 {
      return version == .new && json["status"] == "done"
        ? [] : ["it says that it is done and the outputs are the \(version) ones"]
    }
    guard case .fail(let code, let goesOn) = action, code != EINTR else {
      return ["\(action.words) is no reason to fail: \(outcome.errors)"]
    }
    // What a later pass wants of a digest that it cannot read it has to make again, in another run.
    let isNeeded = point.isOfTheDigests && ["pread", "read"].contains(point.call)
    if point.isSpare, !goesOn, !isNeeded {
      return ["the run failed for what it can do without: \(outcome.errors)"]
    }
    if version == .new, scenario.old != scenario.new {
      return ["it says that it failed and the outputs are the new ones"]
    }
    return point.isOfTheSpec && !FaultPoint.passing.contains(code)
      ? (exit == 78 ? [] : ["a spec that cannot be read ends with \(exit)"])
      : words(json, exit, point, code)
  }

  private func words(
    _ json: JSONValue, _ exit: Int32, _ point: FaultPoint, _ code: Int32
  ) -> [String] {
    if code == EAGAIN, point.call == "lock" {
      return exit == 75 && json["retry"] == true && json["status"] == "locked"
        ? [] : ["a lock that is held ends with \(exit)"]
    }
    var complaints: [String] = []
    if exit != 1 { complaints.append("it ended with \(exit)") }
    if json["status"] != "failed" { complaints.append("the status is \(json["status"] ?? .null)") }
    let message = json["error"]?["message"]?.string ?? ""
    if !message.contains(String(cString: strerror(code))) {
      complaints.append("the message does not say \(errorName(code)): \(message)")
    }
    if (json["error"]?["fix"]?.string ?? "").isEmpty { complaints.append("there is no fix") }
    let mayPass = FaultPoint.passing.contains(code)
    if json["retry"] != .bool(mayPass) {
      complaints.append("retry is \(json["retry"]?.text ?? "nothing") for \(errorName(code))")
    }
    return complaints
  }
}

extension FaultPoint {
  /// Errors that stay until somebody does something: a full disk, a right that is missing.
  static let staying = [ENOSPC, EACCES, EIO, EMFILE]

  /// Errors after which the same command may go well.
  static let passing = [ENOSPC, EDQUOT, EIO, EMFILE, EINTR, EAGAIN, ENOLCK]

  var isOfTheSpec: Bool { path == "p.json" }
}
