import WeirStatistics

/// What is right and wrong in the findings over labelled series, in counts that can be added up.
///
/// A finding is right in the strict sense when a planted change of its series has its type and direction,
/// and its place: within three buckets for a shift, one for a spike or a dip. In the lenient sense a
/// shift may lie anywhere, and trend, shift and window change count as one another. A burst of at most
/// three buckets stands for a spike or a dip on one of them.
struct AccuracyScore {
  struct Recall {
    var planted = 0
    var detectable = 0
    var strict = 0
    var lenient = 0
  }
  var reports = 0
  var series = 0
  var emptySeries = 0
  var flagged = 0
  var flaggedEmpty = 0
  var findings = 0
  var wrongStrict = 0
  var wrongLenient = 0
  /// Of findings by type: all, and those that are wrong in the lenient sense.
  var findingsByType: [String: (all: Int, wrong: Int)] = [:]
  var recall: [String: Recall] = [:]
  /// Buckets between a shift that was found and the one that was planted.
  var misplaced: [Int] = []
  /// Reports made of series without any change, and those of them with a finding.
  var emptyReports = 0
  var speakingEmptyReports = 0
  /// p of the tested series without a change.
  var emptyP: [Double] = []
  var seconds = 0.0

  mutating func add(_ labelled: [LabelledSeries], _ report: TrendReport) {
    reports += 1
    var said = [[ScoredFinding]](repeating: [], count: labelled.count)
    for finding in report.findings where finding.type.isTested {
      said[finding.series].append(ScoredFinding(finding))
    }
    for (i, one) in labelled.enumerated() { add(one.truth, said[i], p: report.verdicts[i].p) }
  }

  mutating func add(_ planted: PlantedRecords, _ report: RecordsReport) {
    reports += 1
    seconds += report.seconds
    for (name, truth) in planted.truth {
      add(truth, report.findings[name] ?? [], p: report.p[name])
    }
  }

  /// A report of series without any change.
  mutating func addEmpty(_ report: TrendReport) {
    addEmpty(speaks: report.findings.contains { $0.type.isTested })
  }

  mutating func addEmpty(speaks: Bool) {
    emptyReports += 1
    if speaks { speakingEmptyReports += 1 }
  }

  private mutating func add(_ truth: [PlantedEvent], _ said: [ScoredFinding], p: Double?) {
    series += 1
    if truth.isEmpty, let p { emptyP.append(p) }
    if !said.isEmpty { flagged += 1 }
    if truth.isEmpty {
      emptySeries += 1
      if !said.isEmpty { flaggedEmpty += 1 }
    }
    for finding in said {
      let matches = truth.map { Self.match(finding, $0) }
      findings += 1
      findingsByType[finding.type.rawValue, default: (0, 0)].all += 1
      if !matches.contains(where: \.strict) { wrongStrict += 1 }
      if !matches.contains(where: \.lenient) {
        wrongLenient += 1
        findingsByType[finding.type.rawValue, default: (0, 0)].wrong += 1
      }
    }
    for event in truth {
      let matches = said.map { Self.match($0, event) }
      recall[event.type, default: Recall()].planted += 1
      if event.isDetectable {
        recall[event.type, default: Recall()].detectable += 1
        if matches.contains(where: \.strict) { recall[event.type]?.strict += 1 }
        if matches.contains(where: \.lenient) { recall[event.type]?.lenient += 1 }
      }
      guard event.type == "shift", let at = event.at else { continue }
      for (finding, match) in zip(said, matches) where finding.type == .shift && match.lenient {
        misplaced.append(abs(finding.anchor - at))
      }
    }
  }

  static func match(
    _ finding: ScoredFinding, _ event: PlantedEvent
  ) -> (strict: Bool, lenient: Bool) {
    if event.type == "season_break" || finding.type == .seasonBreak {
      let isRight = finding.type.rawValue == event.type
      return (isRight, isRight)
    }
    guard finding.isUp == (event.effect > 0) else { return (false, false) }
    let at = event.at ?? 0
    let levels = ["trend", "shift", "window_change"]
    switch finding.type {
    case .spike, .dip:
      let isRight = finding.type.rawValue == event.type && abs(finding.anchor - at) <= 1
      return (isRight, isRight)
    case .burst, .unconfirmedLevel:
      let isRight =
        (event.type == "spike" || event.type == "dip") && finding.window.count <= 3
        && finding.window.lowerBound - 1 <= at && at <= finding.window.upperBound + 1
      return (isRight, isRight)
    case .shift where event.type == "shift": return (abs(finding.anchor - at) <= 3, true)
    case .trend where event.type == "trend": return (true, true)
    case .shift, .trend, .windowChange: return (false, levels.contains(event.type))
    case .seasonBreak, .dataMissing, .openBucket: return (false, false)
    }
  }
}

/// What of a finding is right or wrong.
struct ScoredFinding {
  var type: FindingType
  var isUp: Bool
  /// Buckets, from the first one of the series.
  var anchor: Int
  var window: ClosedRange<Int>

  init(type: FindingType, isUp: Bool, anchor: Int, window: ClosedRange<Int>) {
    self.type = type
    self.isUp = isUp
    self.anchor = anchor
    self.window = window
  }

  init(_ finding: TrendFinding) {
    self.init(
      type: finding.type, isUp: finding.direction == .up, anchor: finding.anchor,
      window: finding.window)
  }
}

extension AccuracyScore {
  /// Of the series that findings speak of, the share without any change.
  var seriesFDR: Double { share(flaggedEmpty, flagged) ?? 0 }
  var fdpStrict: Double { share(wrongStrict, findings) ?? 0 }
  var fdpLenient: Double { share(wrongLenient, findings) ?? 0 }
  var recallStrict: Double? { share(recall.values.reduce(0) { $0 + $1.strict }, detectable) }
  var recallLenient: Double? { share(recall.values.reduce(0) { $0 + $1.lenient }, detectable) }
  var detectable: Int { recall.values.reduce(0) { $0 + $1.detectable } }
  var allNullAny: Double? { share(speakingEmptyReports, emptyReports) }
  var millisecondsPerSeries: Double { series > 0 ? 1e3 * seconds / Double(series) : 0 }

  var misplacedMedian: Double? {
    let sorted = misplaced.sorted()
    guard let last = sorted.indices.last else { return nil }
    return 0.5 * Double(sorted[last / 2] + sorted[(last + 1) / 2])
  }

  /// Share of the tested series without a change whose p is at most `level`.
  func emptyShare(within level: Double) -> Double? {
    share(emptyP.count { $0 <= level }, emptyP.count)
  }

  func share(_ part: Int, _ whole: Int) -> Double? {
    whole > 0 ? Double(part) / Double(whole) : nil
  }
}
