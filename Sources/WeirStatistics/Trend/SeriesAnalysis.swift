import Glibc

/// What the tests say about one series alone; ``assembleReport(_:_:settings:)`` puts them together.
public struct SeriesAnalysis: Sendable {
  var status: SeriesStatus
  var compared: ComparedSeries
  var profile: WeekdayProfile
  var structure: Structure?
  /// Tested where there are 56 days with a level each.
  var season: SeasonBreak?
  /// Tested where nothing else about levels could be.
  var halves: WindowChange?
  var days: [DayResult]
  /// Level of each compared bucket that the days were tested against; `nil` where it is pooled.
  var level: [Double]?
  var parameters: Double
  /// What each bucket would show if nothing at all is reported; see ``ExpectedBand``.
  var expected: [Estimate?] = []
  var overall: Estimate?
  /// Compared buckets, and the first of them.
  var validBuckets: Int
  var firstBucket: Int?
  /// One p each: of the structure (or of the two halves), of the weekday profile, and of the most extreme
  /// day, already corrected for the number of days; empty where nothing was tested.
  var hypotheses: [(what: Hypothesis, p: Double)] = []

  enum Hypothesis: Sendable { case structure, halves, season, days }

  fileprivate func tests() -> [(what: Hypothesis, p: Double)] {
    switch status {
    case .insufficientHistory, .noEvents: return []
    case .constant: return [(.days, 1)]
    default: break
    }
    var found: [(what: Hypothesis, p: Double)] = []
    if let structure { found.append((.structure, structure.p)) }
    if let halves { found.append((.halves, halves.p)) }
    if let season { found.append((.season, season.p)) }
    if compared.count >= SeriesAnalysis.fewestForDays {
      found.append((.days, days.reduce(1) { min($0, $1.p) }))
    }
    return found
  }

  static let fewestBuckets = 5
  static let fewestForDays = 8
  /// Median events a bucket below which no level of a bucket is modelled: a lasting change is looked
  /// for in ``WeekBlocks``, single days are compared with the pooled level.
  static let smallestSize = 5.0
  /// A structural change this likely is taken out before days are tested.
  static let acceptedLevel = 0.05
}

/// Tests one series. Pure; series can be analysed in parallel.
///
/// O(n^2) for the signs of pairs, O(n) for each bucket that stands out.
public func analyzeSeries(_ series: TrendSeries, settings: TrendSettings) -> SeriesAnalysis {
  var analysis = tested(series, settings)
  analysis.overall = overallEstimate(analysis.compared)
  let none = [Bool](repeating: false, count: analysis.compared.count)
  analysis.expected = ExpectedBand(
    series: series, analysis: analysis, reported: Reported(), flagged: none
  ).estimates()
  analysis.hypotheses = analysis.tests()
  analysis.trim(settings)
  return analysis
}

private func tested(_ series: TrendSeries, _ settings: TrendSettings) -> SeriesAnalysis {
  let compared = ComparedSeries(series)
  var analysis = SeriesAnalysis(
    status: .ok, compared: compared, profile: WeekdayProfile(), structure: nil, season: nil,
    halves: nil, days: [], level: nil, parameters: 1, validBuckets: compared.count,
    firstBucket: compared.index.first)
  let n = compared.count
  guard n >= SeriesAnalysis.fewestBuckets else {
    analysis.status = .insufficientHistory
    return analysis
  }
  if let status = unvarying(compared) {
    analysis.status = status
    return analysis
  }
  let isModelled = compared.size >= SeriesAnalysis.smallestSize
  if n < settings.minHistory {
    analysis.status = .short
  } else if !isModelled {
    analysis.structure = WeekBlocks(series, compared)?.structure(of: compared)
    if analysis.structure == nil { analysis.status = .insufficientVolume }
  }
  var phi = 0.0
  if isModelled {
    if n >= settings.minHistory { analysis.findProfile(series) }
    if n >= max(settings.minHistory, 2 * settings.minSegment) {
      let structure = StructureTest(
        series: compared, profile: analysis.profile, minSegment: settings.minSegment
      ).run()
      analysis.structure = structure
      phi = structure.phi
    }
    let accepted = acceptedLevel(analysis)
    analysis.level = accepted.level
    analysis.parameters = accepted.parameters + analysis.profile.parameters
  }
  if analysis.structure == nil { analysis.halves = WindowChange(compared) }
  if n >= SeriesAnalysis.fewestForDays {
    analysis.days = analysis.dayTest(phi: phi).run()
  }
  return analysis
}

extension SeriesAnalysis {
  /// Drops what only a finding needs where there will be none: of most series that is 150 bytes a bucket.
  ///
  /// Benjamini-Hochberg selects no family above q, whatever the others are. Twice that leaves room for
  /// rounding.
  fileprivate mutating func trim(_ settings: TrendSettings) {
    let p = MultipleTesting.simes(hypotheses.map(\.p))
    guard hypotheses.isEmpty || p > 2 * settings.falseDiscoveryRate else { return }
    compared.forget()
    structure = nil
    days = []
    level = nil
  }

  /// One weekday profile, or two where the last four weeks plainly have their own.
  fileprivate mutating func findProfile(_ series: TrendSeries) {
    profile = WeekdayProfile(compared)
    guard compared.count >= SeasonBreak.fewest, !compared.weekday.isEmpty else { return }
    let split = WeekdayProfile(compared, from: series.buckets.count - SeasonBreak.window)
    season = SeasonBreak(split, compared)
    guard let found = season, found.p <= SeasonBreak.acceptedLevel, let parts = split.parts else {
      // What is not taken out of the days is not said either.
      season?.p = 1
      return
    }
    // Since when, whether that is a change too, and whether the weeks since then agree.
    let place = SeasonPlace(parts, compared, else: found.from)
    let dated =
      place.from == found.from ? split : WeekdayProfile(compared, from: place.from)
    guard var described = SeasonBreak(dated, compared), let fit = dated.parts,
      described.p <= SeasonBreak.acceptedLevel,
      described.steadiness(fit, compared, freedom: described.freedom) > SeasonBreak.steadyLevel
    else {
      season?.p = 1
      return
    }
    (described.p, described.statistic) = (found.p, found.statistic)
    (described.lo, described.hi) = (place.lo, place.hi)
    season = described
    profile = dated
  }

  func dayTest(phi: Double = 0) -> DayTest {
    DayTest(series: compared, profile: profile, level: level, parameters: parameters, phi: phi)
  }

  /// The structure that was taken out of the days.
  var accepted: Structure.Label? {
    structure.flatMap { $0.p <= SeriesAnalysis.acceptedLevel ? $0.label : nil }
  }

  /// The level of each compared bucket that `structure` describes as `label`, without weekdays.
  func level(of structure: Structure, as label: Structure.Label) -> [Double] {
    switch label {
    case .trend: return compared.index.map { structure.line.at(Double($0)) }
    case .shift:
      return structure.levels.flatMap { range in
        [Double](repeating: structure.mean(range), count: range.count)
      }
    }
  }
}

/// `constant` or `no_events` where there is nothing that could have changed.
func unvarying(_ s: ComparedSeries) -> SeriesStatus? {
  guard let first = s.seen.first else { return nil }
  switch s.kind {
  case .rate:
    if s.k.allSatisfy({ $0 == 0 }) || s.index.indices.allSatisfy({ s.k[$0] == s.n[$0] }) {
      return .noEvents
    }
  case .count, .distinct: if s.k.allSatisfy({ $0 == 0 }) { return .noEvents }
  case .mean, .quantile: break
  }
  guard s.seen.allSatisfy({ $0 == first }), s.exposure.allSatisfy({ $0 == s.exposure[0] }) else {
    return nil
  }
  return .constant
}

/// The structure where it is likely, else a constant: the level each bucket is compared with.
private func acceptedLevel(_ a: SeriesAnalysis) -> (level: [Double], parameters: Double) {
  let n = a.compared.count
  if let s = a.structure {
    guard let label = a.accepted else {
      return ([Double](repeating: s.mean(0..<n), count: n), 1)
    }
    return (a.level(of: s, as: label), Double(2 + s.earlier.count))
  }
  // Too short for a structure: a clipped mean about the median.
  let centre = Robust.median(a.compared.y) ?? 0
  let scale = max(Robust.normalMAD(a.compared.y) ?? 0, 1e-12)
  let s2 = a.compared.samplingVariance(0, level: centre)
  let limit = 3 * max(scale, s2.squareRoot())
  let mean =
    a.compared.y.reduce(0) { $0 + centre + min(limit, max(-limit, $1 - centre)) } / Double(n)
  return ([Double](repeating: mean, count: n), 1)
}
