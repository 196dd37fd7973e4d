import WeirData
import WeirEngine

/// What came of the tests of one spec.
struct TestReport {
  let spec: String
  var problems = Problems()
  var outcomes: [TestOutcome] = []
  /// Tests whose expectations were written anew.
  var updated = 0
  /// Keys that everyone can make stood in the place of secrets.
  var usesStandIns = false

  init(spec: String) { self.spec = spec }

  var isInvalid: Bool { problems.hasErrors || outcomes.contains { $0.problems.hasErrors } }
  var passes: Bool { !isInvalid && outcomes.allSatisfy(\.passes) }

  /// The tests that fail, each with what differs; one line where all pass.
  var text: String {
    if problems.hasErrors {
      var text = problems.text
      if text.utf8.last == 0x0A { text.removeLast() }
      return text
    }
    var lines: [String] = []
    for outcome in outcomes where !outcome.passes {
      let place = outcome.test.node.source.place(of: outcome.test.node.range.lowerBound)
      let file = printable(outcome.test.node.source.name)
      lines.append("FAIL \(file):\(place.line): \(printable(outcome.test.name))")
      for failure in outcome.failures {
        lines += failure.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).map {
          "  " + Columns.trimmed(printable($0))
        }
      }
      if let error = outcome.error { lines.append("  " + error) }
      if outcome.problems.hasErrors { lines.append(outcome.problems.text) }
    }
    let passed = outcomes.count(where: \.passes)
    lines.append(
      "\(printable(spec)): \(passed) of \(counted(outcomes.count, "test")) \(passed == 1 ? "passes" : "pass")"
        + (updated > 0 ? ", \(updated) with a new expectation" : ""))
    if usesStandIns {
      lines.append("  its secrets are not used here: a fixed key stands in their place")
    }
    return lines.joined(separator: "\n")
  }

  static func summary(_ reports: [TestReport]) -> String {
    let outcomes = reports.flatMap(\.outcomes)
    let failed = outcomes.count { !$0.passes }
    let broken = reports.count { $0.problems.hasErrors }
    var parts = ["\(counted(outcomes.count, "test")) of \(counted(reports.count, "spec"))"]
    if failed > 0 { parts.append("\(failed) failed") }
    if broken > 0 { parts.append("\(counted(broken, "test file")) cannot be used") }
    if failed == 0, broken == 0 { parts.append("all pass") }
    return parts.joined(separator: ", ")
  }

  static func json(_ reports: [TestReport]) -> JSONValue {
    [
      "passed": .int(reports.flatMap(\.outcomes).count(where: \.passes)),
      "failed": .int(reports.flatMap(\.outcomes).count { !$0.passes }),
      "specs": .array(
        reports.map { report in
          [
            "spec": .text(report.spec), "valid": .bool(!report.isInvalid),
            "updated": .int(report.updated), "stand_in_keys": .bool(report.usesStandIns),
            "problems": problems(report.problems),
            "tests": .array(
              report.outcomes.map { outcome in
                [
                  "name": .text(outcome.test.name), "passes": .bool(outcome.passes),
                  "failures": .array(outcome.failures.map { .text($0) }),
                  "error": outcome.error.map { .text($0) } ?? .null,
                  "problems": problems(outcome.problems), "seconds": .number(outcome.seconds),
                ]
              }),
          ]
        }),
    ]
  }

  private static func problems(_ problems: Problems) -> JSONValue {
    .array(
      problems.sorted.map { (try? JSONValue(reading: Array($0.json.utf8))) ?? .text($0.message) })
  }

  // MARK: JUnit

  static func junit(_ reports: [TestReport]) -> String {
    let all = reports.flatMap(\.outcomes)
    let broken = reports.filter(\.problems.hasErrors)
    let errors = all.count { $0.error != nil || $0.problems.hasErrors } + broken.count
    let failures = all.count { !$0.passes && $0.error == nil && !$0.problems.hasErrors }
    var lines = [
      #"<?xml version="1.0" encoding="UTF-8"?>"#,
      #"<testsuites name="weir" tests="\#(all.count + broken.count)" failures="\#(failures)" errors="\#(errors)">"#,
    ]
    for report in reports {
      let mine = report.outcomes
      let extra = report.problems.hasErrors ? 1 : 0
      let bad = mine.count { $0.error != nil || $0.problems.hasErrors } + extra
      let failed = mine.count { !$0.passes && $0.error == nil && !$0.problems.hasErrors }
      lines.append(
        #"  <testsuite name="\#(xml(report.spec))" tests="\#(mine.count + extra)" failures="\#(failed)" errors="\#(bad)" time="\#(fixed(mine.reduce(0) { $0 + $1.seconds }, 3))">"#
      )
      if extra > 0 {
        lines.append(#"    <testcase classname="\#(xml(report.spec))" name="the test file">"#)
        lines.append("      <error message=\"cannot be used\">\(xml(report.problems.text))</error>")
        lines.append("    </testcase>")
      }
      for outcome in mine {
        let start =
          #"    <testcase classname="\#(xml(report.spec))" name="\#(xml(outcome.test.name))" time="\#(fixed(outcome.seconds, 3))""#
        guard !outcome.passes else {
          lines.append(start + "/>")
          continue
        }
        lines.append(start + ">")
        if outcome.error != nil || outcome.problems.hasErrors {
          lines.append(
            "      <error message=\"could not be run\">\(xml((outcome.error ?? "") + outcome.problems.text))</error>"
          )
        } else {
          lines.append(
            "      <failure message=\"\(counted(outcome.failures.count, "difference"))\">\(xml(outcome.failures.joined(separator: "\n")))</failure>"
          )
        }
        lines.append("    </testcase>")
      }
      lines.append("  </testsuite>")
    }
    return (lines + ["</testsuites>"]).joined(separator: "\n") + "\n"
  }

  /// Text for XML: what XML cannot hold is replaced, new lines stay.
  private static func xml(_ text: String) -> String {
    var out: [UInt8] = []
    for line in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false) {
      if !out.isEmpty || line.startIndex != text.utf8.startIndex { out.append(0x0A) }
      for byte in printable(line).utf8 {
        switch byte {
        case UInt8(ascii: "&"): out += Array("&amp;".utf8)
        case UInt8(ascii: "<"): out += Array("&lt;".utf8)
        case UInt8(ascii: ">"): out += Array("&gt;".utf8)
        case UInt8(ascii: "\""): out += Array("&quot;".utf8)
        default: out.append(byte)
        }
      }
    }
    return String(decoding: out, as: UTF8.self)
  }
}
