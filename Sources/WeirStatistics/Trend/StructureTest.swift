import Glibc

/// Tests a deseasonalised series for one trend or one shift.
struct StructureTest {
  let series: ComparedSeries
  let profile: WeekdayProfile
  let minSegment: Int
  /// The blocks that `series` has as buckets, and their days. Blocks are few, but their sampling
  /// variance is known and most of all there is; see ``BlockNoise``.
  var blocks: (blocks: WeekBlocks, daily: ComparedSeries)?

  /// How much likelier than a line a step must make the values, in log n: its place is free.
  static let stepPrice = 1.5

  func run() -> Structure {
    let n = series.count
    let a = (0..<n).map { series.y[$0] - profile.at($0, series) }
    let t = series.index.map(Double.init)
    let clean = Cleaned(a, t: t, series: series, profile: profile, width: 2 * minSegment - 1)
    // Masked buckets have no say here: only those kept are positions for the tests.
    let kept = (0..<n).filter { clean.weights[$0] > 0 }
    let y = kept.map { clean.values[$0] }
    let w = kept.map { clean.weights[$0] }
    let kt = kept.map { t[$0] }
    let m = Double(kept.count)
    // A weekday profile has used up some of the buckets.
    let spent = m / max(m / 2, m - profile.parameters)

    let line = WeightedLine(t: kt, y: y, w: w)
    let scan = ShiftScan.scan(y, weights: w, minSize: minSegment)
    let split = scan.split ?? kept.count / 2
    let before = weightedMean(y, w, 0..<split)
    let after = weightedMean(y, w, split..<kept.count)
    let all = weightedMean(y, w, 0..<kept.count)

    let flat = y.map { $0 - all }
    let fromLine = kept.indices.map { y[$0] - line.at(kt[$0]) }
    let fromStep = kept.indices.map { y[$0] - ($0 < split ? before : after) }
    let rss0 = sum(flat, w)
    let rssLine = sum(fromLine, w)
    let rssStep = sum(fromStep, w)

    let places = kept.map { series.index[$0] }
    let tests: Tests
    if blocks != nil {
      tests = blockTests(
        line, scan, weights: w, tau2: clean.tau2, places: places, residuals: (fromLine, fromStep),
        squares: (rss0, rssLine, rssStep))
    } else {
      tests = bucketTests(
        y, line, scan, weights: w, tau2: clean.tau2, places: places, spent: spent,
        residuals: (fromLine, fromStep), unit: rssStep / max(1, m - 3))
    }
    let (phiLine, phiStep) = (tests.line.phi, tests.step.phi)
    let (vifLine, vifStep) = (tests.line.inflation, tests.step.inflation)
    let (zTrend, zShift) = (tests.line.z, tests.step.z)
    let (pTrend, pShift) = (tests.line.p, tests.step.p)

    // Which description fits: residuals plus a price for each parameter (a step's place costs two).
    let best = max(min(rssLine, rssStep) / max(1, m - 4), 1e-12)
    let phi = min(phiLine, phiStep)
    let inflation = Autocorrelation.inflation(phi)
    let costLine = rssLine / best / inflation + 2 * log(m)
    let costStep = scan.split == nil ? .infinity : rssStep / best / inflation + 4 * log(m)
    let isTrend =
      blocks.map {
        $0.blocks.isLine(
          $0.daily, kept: kept, split: kept.isEmpty ? 0 : kept[split], inflation: inflation)
      } ?? (tests.gain.map { $0 <= Self.stepPrice * log(m) } ?? (costLine <= costStep))
    var unit = isTrend ? rssLine / max(1, m - 2) : rssStep / max(1, m - 3)
    let several = isTrend ? nil : tests.several
    let place = several?.last ?? tests.edge?.split ?? split
    let interval: (lo: Int, hi: Int)
    if let edge = several?.edge ?? tests.edge {
      let found = Structure.interval(of: edge.likelihoods, around: place - edge.first)
      interval = (found.lo + edge.first, found.hi + edge.first)
    } else {
      interval = splitInterval(y, w, split, unit: unit * (isTrend ? vifLine : vifStep))
    }
    var (phiShift, vifShift) = (phiStep, vifStep)
    if let several { (phiShift, vifShift, unit) = (several.phi, several.inflation, several.unit) }
    return Structure(
      label: isTrend ? .trend : .shift, pTrend: max(pTrend, 1e-300), pShift: max(pShift, 1e-300),
      pTwice: max(tests.twice.p, 1e-300),
      statistic: several.map { _ in 6 * tests.twice.p < 1.25 * min(pTrend, pShift) } ?? false
        ? tests.twice.z : isTrend ? zTrend : zShift, split: kept.isEmpty ? 0 : kept[place],
      splitLo: kept.isEmpty ? 0 : kept[interval.lo], splitHi: kept.isEmpty ? 0 : kept[interval.hi],
      earlier: several?.earlier.map { kept[$0] } ?? [],
      phi: isTrend ? phiLine : phiShift, inflation: max(1, isTrend ? vifLine : vifShift),
      tau2: clean.tau2, effectiveBuckets: m / max(1, isTrend ? vifLine : vifShift),
      values: clean.values, weights: clean.weights, unit: unit, line: line, fit: tests.fit)
  }

  private struct One {
    /// Deviate, with what autocorrelation makes of it.
    var z = 0.0
    var p = 1.0
    var phi = 0.0
    /// Of the variance that ``Structure/unit`` over the weights gives.
    var inflation = 1.0
  }

  private struct Tests {
    var line = One()
    var step = One()
    /// Of ``TwoStepTest``: its statistic and p alone.
    var twice = One()
    /// Twice the logarithm of how much likelier a step makes the values than a line; `nil` for blocks.
    var gain: Double?
    /// Where the step is, and the likelihoods of the places around it; `nil` for blocks.
    var edge: Edge?
    /// Where the level moved more than once.
    var several: Several?
    var fit: FindingModel.Fit?
  }

  /// Of a level that moved more than once.
  private struct Several {
    var earlier: [Int]
    var edge: Edge
    var phi: Double
    var inflation: Double
    /// Weighted residual variance.
    var unit: Double
    var last: Int { edge.split }
  }

  private struct Edge {
    var split: Int
    /// First of the places, and their likelihoods with that of the best as 1.
    var first: Int
    var likelihoods: [Double]
  }

  /// Nothing this unlikely to be a change is described further.
  private static let unlikely = 0.25

  /// Places on each side of the best step by levels alone that are looked at.
  private static let edgeReach = 15

  /// Under each pair of process noise and memory that the residuals allow; see ``NoiseModel``.
  private func bucketTests(
    _ y: [Double], _ line: WeightedLine, _ scan: ShiftScanResult, weights w: [Double],
    tau2: Double, places: [Int], spent: Double, residuals: (line: [Double], step: [Double]),
    unit: Double
  ) -> Tests {
    let m = y.count
    var tests = Tests()
    guard m > 4 else { return tests }
    func variance(_ r: [Double]) -> Double {
      r.reduce(0) { $0 + $1 * $1 } / Double(max(1, m - 3))
    }
    let split = scan.split ?? m / 2
    let noise = NoiseModel(
      y.map { $0 - line.level }, at: places, sampling: w.map { max(1 / $0 - tau2, 0) },
      split: split, variance: min(variance(residuals.line), variance(residuals.step)))

    let moment = 1 / line.slopeVariance
    let slopes = noise.variances(
      places.indices.map { w[$0] * (Double(places[$0]) - line.centre) / moment })
    // Mann-Kendall needs no scale: only how much more a slope varies than without memory.
    let rank = rankDeviate(y)
    (tests.line.p, tests.line.inflation) = (0, 0)
    for (i, weight) in noise.weights(\.line).enumerated() {
      let inflation = max(1, slopes[i].whole / slopes[i].alone) * spent
      tests.line.p += weight * min(1, 2 * Normal.sf(abs(rank) / inflation.squareRoot()))
      tests.line.phi += weight * noise.nodes[i].phi
      tests.line.inflation += weight * inflation
    }
    tests.line.z = signed(tests.line.p / 2, like: rank)

    guard scan.split != nil else { return tests }
    let (first, second) = (w[..<split].reduce(0, +), w[split...].reduce(0, +))
    let contrast = w.indices.map { $0 < split ? -w[$0] / first : w[$0] / second }
    let step = w.indices.reduce(0) { $0 + contrast[$1] * y[$1] }
    let steps = noise.variances(contrast)
    let flat = contrast.indices.reduce(0) { $0 + contrast[$1] * contrast[$1] / w[$1] }
    let trimmed = Double(minSegment) / Double(m)
    tests.step.p = 0
    var mean = 0.0
    for (i, weight) in noise.weights(\.step).enumerated() {
      let z = abs(step) / (steps[i].whole * spent).squareRoot()
      tests.step.p +=
        weight
        * ShiftScan.tail(
          z, trimmed: trimmed, count: Double(m) * min(1, steps[i].alone / steps[i].whole))
      tests.step.phi += weight * noise.nodes[i].phi
      mean += weight * steps[i].whole * spent
    }
    tests.step.inflation = mean / max(1e-300, flat * max(0.25, unit))
    tests.step.z = step / mean.squareRoot()

    let twice = TwoStepTest(y, weights: w, noise: noise, minSegment: minSegment)
    (tests.twice.p, tests.twice.z) = (twice.p, twice.statistic)
    guard min(tests.line.p, tests.step.p, twice.p) <= Self.unlikely else { return tests }
    let near = max(minSegment, split - Self.edgeReach)...min(m - minSegment, split + Self.edgeReach)
    let likelihoods = noise.steps(at: near)
    var best = split - near.lowerBound
    let before = likelihoods[best]
    for (i, value) in likelihoods.enumerated() where value > likelihoods[best] { best = i }
    tests.edge = Edge(
      split: near.lowerBound + best, first: near.lowerBound,
      likelihoods: likelihoods.map { exp($0 - likelihoods[best]) })
    let single = noise.evidence(\.stepFit) + likelihoods[best] - before
    let lineEvidence = noise.evidence(\.lineFit)
    tests.gain = 2 * (single - lineEvidence)
    guard min(tests.line.p, tests.step.p, twice.p) <= SeriesAnalysis.acceptedLevel else {
      return tests
    }
    let search = StepSearch(noise: noise, y: noise.y, weights: w, minSegment: minSegment)
    let level = noise.evidence(of: noise.fits(stepsAt: []))
    tests.fit = FindingModel.Fit(line: 2 * (lineEvidence - level), step: 2 * (single - level))
    if let found = search.run(single: single, line: lineEvidence, two: twice.places) {
      tests.several = several(found, y, w, spent: spent)
      tests.fit?.steps = 2 * (found.evidence - level)
      tests.gain = .infinity
    }
    return tests
  }

  private func several(
    _ found: StepSearch.Found, _ y: [Double], _ w: [Double], spent: Double
  ) -> Several {
    let starts = [0] + found.places
    let levels = zip(starts, starts.dropFirst() + [y.count]).map { $0..<$1 }
    var rss = 0.0
    for range in levels {
      let mean = weightedMean(y, w, range)
      for i in range { rss += w[i] * (y[i] - mean) * (y[i] - mean) }
    }
    let unit = rss / max(1, Double(y.count - levels.count - 1))
    // The last step: its level against the one before.
    var contrast = [Double](repeating: 0, count: y.count)
    for (range, sign) in zip(levels.suffix(2), [-1.0, 1]) {
      let weight = range.reduce(0) { $0 + w[$1] }
      for i in range { contrast[i] = sign * w[i] / weight }
    }
    let flat = contrast.indices.reduce(0) { $0 + contrast[$1] * contrast[$1] / w[$1] }
    let variances = found.noise.variances(contrast)
    var (phi, mean) = (0.0, 0.0)
    for (i, weight) in found.nodes.enumerated() {
      phi += weight * found.noise.nodes[i].phi
      mean += weight * variances[i].whole * spent
    }
    return Several(
      earlier: Array(found.places.dropLast()),
      edge: Edge(
        split: found.places[found.places.count - 1], first: found.first,
        likelihoods: found.likelihoods),
      phi: phi, inflation: mean / max(1e-300, flat * max(0.25, unit)), unit: unit)
  }

  private func signed(_ tail: Double, like z: Double) -> Double {
    let size = tail <= 0 ? 38 : max(0, Normal.upperQuantile(min(0.5, tail)))
    return z < 0 ? -size : size
  }

  private func blockTests(
    _ line: WeightedLine, _ scan: ShiftScanResult, weights w: [Double], tau2: Double,
    places: [Int], residuals: (line: [Double], step: [Double]),
    squares: (none: Double, line: Double, step: Double)
  ) -> Tests {
    let m = Double(w.count)
    func lagOne(_ residuals: [Double], rss: Double, fitted: Double) -> Double {
      let phi = Autocorrelation.lagOne(residuals, index: places, fitted: fitted)
      let unit = rss / max(1, m - fitted - 1)
      return min(phi, BlockNoise.autocorrelation(unit: unit, weights: w, tau2: tau2))
    }
    var tests = Tests()
    tests.line.phi = lagOne(residuals.line, rss: squares.line, fitted: 1)
    tests.step.phi = lagOne(residuals.step, rss: squares.step, fitted: 2)
    tests.line.inflation = Autocorrelation.inflation(tests.line.phi)
    tests.step.inflation = Autocorrelation.inflation(tests.step.phi)
    tests.line.z = BlockNoise.deviate(
      line.slope / max(line.slopeVariance, 1e-300).squareRoot(),
      unit: squares.line / max(1, m - 2), inflation: tests.line.inflation)
    if scan.split != nil, squares.none > 0 {
      tests.step.z = BlockNoise.deviate(
        scan.statistic * (squares.none / m).squareRoot(), unit: squares.step / max(1, m - 3),
        inflation: tests.step.inflation)
      tests.step.p = ShiftScan.tail(tests.step.z, trimmed: Double(minSegment) / m)
    }
    tests.line.p = min(1, 2 * Normal.sf(abs(tests.line.z)))
    return tests
  }

  /// Places that carry 95 % of exp(-RSS/2) around the best one, all splits alike before the data.
  private func splitInterval(
    _ y: [Double], _ w: [Double], _ split: Int, unit: Double
  ) -> (lo: Int, hi: Int) {
    let n = y.count
    guard n >= 2 * minSegment, unit > 0 else { return (split, split) }
    let total = w.reduce(0, +)
    let whole = zip(w, y).reduce(0) { $0 + $1.0 * $1.1 }
    // Minus RSS up to a constant: the between-groups sum of squares.
    var gain = [Double](repeating: -.infinity, count: n)
    var (part, partial) = (0.0, 0.0)
    for k in 1..<n {
      part += w[k - 1]
      partial += w[k - 1] * y[k - 1]
      guard k >= minSegment, k <= n - minSegment, part > 0, total - part > 0 else { continue }
      let rest = whole - partial
      gain[k] = partial * partial / part + rest * rest / (total - part)
    }
    let top = gain[split]
    let mass = gain.map { $0 == -.infinity ? 0 : exp(min(0, ($0 - top) / (2 * unit))) }
    return Structure.interval(of: mass, around: split)
  }

  /// Mann-Kendall's deviate without memory.
  private func rankDeviate(_ y: [Double]) -> Double {
    let s = MannKendall.score(y)
    let variance = MannKendall.variance(y)
    guard s != 0, variance > 0 else { return 0 }
    return (s > 0 ? s - 1 : s + 1) / variance.squareRoot()
  }

  private func weightedMean(_ y: [Double], _ w: [Double], _ range: Range<Int>) -> Double {
    var (s, t) = (0.0, 0.0)
    for i in range {
      s += w[i] * y[i]
      t += w[i]
    }
    return t > 0 ? s / t : 0
  }

  private func sum(_ r: [Double], _ w: [Double]) -> Double {
    var s = 0.0
    for i in r.indices { s += w[i] * r[i] * r[i] }
    return s
  }
}
