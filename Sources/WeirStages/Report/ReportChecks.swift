import WeirStatistics

/// What could have made a finding without anything having changed, and what became of it.
struct ReportChecks {
  var model: ReportModel
  var finding: ReportFinding

  private var what: TrendFinding { finding.what }
  private var series: ReportSeries { model.series(of: finding) }

  func markup() -> ReportMarkup {
    let checks = finding.hasSize ? [chance, weekday, gaps, lasting, memory] + other : [absence]
    return checks.map { check -> ReportMarkup in
      check.passed
        ? "<li class=pass><span aria-hidden=true>✓</span>\(check.text)</li>"
        : "<li class=mind><span aria-hidden=true>!</span>\(check.text)</li>"
    }.joined()
  }

  private typealias Check = (passed: Bool, text: String)

  private var chance: Check {
    let rate = ReportNumber.chosenPercent(model.page.settings.falseDiscoveryRate)
    let q = ReportNumber.probability(what.test.q)
    return (
      what.test.q <= model.page.settings.falseDiscoveryRate,
      "Not chance: q \(q.utf8.first == UInt8(ascii: "<") ? "" : "= ")\(q); false discovery rate "
        + "held at \(rate) over \(ReportNumber.integer(what.test.families)) series"
    )
  }

  private var weekday: Check {
    series.hasWeekdays
      ? (true, "Not the weekday: each day is held against its own weekday")
      : (false, "Weekday: not looked at, a \(model.bucketWord) is not one day")
  }

  private var gaps: Check {
    let window = finding.window
    let missing = window.count { series.states[$0] == .missing }
    if missing == 0 {
      let all =
        window.count == 1
        ? "the \(model.bucketWord) has" : "all \(model.bucketWords(window.count)) have"
      return (true, "Not missing data: \(all) records")
    }
    return (
      false,
      "\(missing) of its \(model.bucketWords(window.count)) "
        + "\(missing == 1 ? "has" : "have") no data and \(missing == 1 ? "is" : "are") left out"
    )
  }

  private var absence: Check {
    (
      false,
      what.type == .openBucket
        ? "Known, not tested: more records may come, so it is compared with nothing"
        : "Known, not tested: no record of any group reaches it, so it is masked and can not be "
          + "taken for a dip"
    )
  }

  private var lasting: Check {
    let lasts = model.lasts(finding)
    switch what.type {
    case .shift, .windowChange:
      return (
        true,
        "Not one bad \(model.bucketWord): \(model.bucketWords(what.windowValid)) at the new level"
      )
    case .trend:
      return (
        true, "Not one bad \(model.bucketWord): it runs over \(model.length(finding.window.count))"
      )
    case .burst:
      return (true, "\(model.bucketWords(finding.window.count)) in a row on the same side")
    case .unconfirmedLevel:
      return (
        false,
        "\(model.bucketWords(finding.window.count)) in a row on the same side up to the last one: whether "
          + "it is a new level, \(model.bucketWords(model.page.settings.minSegment)) will tell"
      )
    case .seasonBreak:
      return (
        true, "Not one bad week: \(model.bucketWords(what.windowValid)) with the new weekdays"
      )
    case .spike, .dip, .dataMissing, .openBucket:
      return lasts
        ? (false, "One \(model.bucketWord) so far: the next one will tell it from a new level")
        : (true, "One \(model.bucketWord): those after it are back where they were")
    }
  }

  private var memory: Check {
    let phi = ReportNumber.fixed(what.test.phi, 2)
    return (
      true,
      "Not carry-over from \(model.bucketWord) to \(model.bucketWord): autocorrelation \(phi), "
        + "variance × \(ReportNumber.fixed(what.test.varianceInflation, 2))"
    )
  }

  private var other: [Check] {
    var checks: [Check] = []
    if !what.explainedAway.isEmpty {
      let names = what.explainedAway.map(reportWords).joined(separator: ", ")
      checks.append((true, "Also described as \(names), less well"))
    }
    if !what.materialityReason.isEmpty {
      checks.append(
        (
          what.isMaterial,
          what.isMaterial
            ? reportTitle(what.materialityReason) : "Small: \(what.materialityReason)"
        ))
    }
    return checks
  }

  /// The name of a test as a person says it.
  static func testWords(_ name: String) -> String {
    switch name {
    case "betabinomial": "Tail of the beta-binomial"
    case "negbinomial": "Tail of the negative binomial"
    case "poisson": "Tail of the Poisson"
    case "binomial": "Tail of the binomial"
    case "student_t": "Student's t"
    case "log_normal": "shifted log-normal, for records with a long tail"
    case "mann_kendall": "Mann-Kendall, corrected for autocorrelation"
    case "shift_scan": "Scan for one change of level"
    case "two_steps": "Likelihood of two changes of level against none"
    case "weighted_line": "Weighted line through blocks of seven days"
    case "weekday_contrasts": "F test of the differences between weekdays"
    case "halves": "Second half against the first, Student's t"
    case "coverage": "None: what the data cover is known"
    default: reportWords(name)
    }
  }
}
