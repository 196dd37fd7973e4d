import Testing
import WeirStatistics

/// STL, MSTL, segmentation, scan, outliers.
extension VectorChecker {
  func stl(_ c: VectorCase) {
    let y = c.input.numbers("y")
    let p = c.params
    func whole(_ name: String) -> Int { p.whole(name) ?? 1 }
    var model = STL(
      period: whole("period"), seasonal: whole("seasonal"), robust: p.flag("robust"))
    equal(model.trend == whole("trend") || c.id.hasPrefix("wide"), true, "\(c.id) default trend")
    equal(model.lowPass, whole("low_pass"), "\(c.id) default low pass")
    model.trend = whole("trend")
    model.lowPass = whole("low_pass")
    model.seasonalDegree = whole("seasonal_deg")
    model.trendDegree = whole("trend_deg")
    model.lowPassDegree = whole("low_pass_deg")
    model.seasonalJump = whole("seasonal_jump")
    model.trendJump = whole("trend_jump")
    model.lowPassJump = whole("low_pass_jump")
    model.innerPasses = whole("inner_iter")
    model.outerPasses = whole("outer_iter")
    guard let got = model.fit(y) else {
      Issue.record("\(c.id): no fit")
      return
    }
    let e = c.expected
    same(got.seasonal[0], e.gaps("seasonal"), "\(c.id) seasonal")
    same(got.trend, e.gaps("trend"), "\(c.id) trend")
    same(got.rest, e.gaps("resid"), "\(c.id) rest")
    // Of a series that is fitted exactly the library weighs the rounding errors.
    let largest = y.reduce(0) { max($0, abs($1)) }
    let isExact = e.numbers("resid").allSatisfy { abs($0) < 1e-13 * largest }
    if isExact {
      equal(Set(y).count > 1 || got.seasonalStrength == 0, true, "\(c.id) strength of nothing")
      equal(Set(y).count > 1 || got.trendStrength == 0, true, "\(c.id) strength of nothing")
    } else {
      same(got.weights, e.gaps("weights"), "\(c.id) weights")
      same(got.seasonalStrength, e.number("F_seasonal"), "\(c.id) F seasonal")
      same(got.trendStrength, e.number("F_trend"), "\(c.id) F trend")
    }
  }

  func mstl(_ c: VectorCase) {
    let windows = c.params.wholes("windows")
    let got = MSTL.fit(
      c.input.numbers("y"), periods: c.params.wholes("periods"),
      windows: windows.isEmpty ? nil : windows, robust: c.params.flag("robust"),
      rounds: c.params.whole("iterate") ?? 2)
    guard let got else {
      Issue.record("\(c.id): no fit")
      return
    }
    same(got.trend, c.expected.gaps("trend"), "\(c.id) trend")
    same(got.rest, c.expected.gaps("resid"), "\(c.id) rest")
    let want = c.expected.rows("seasonal")
    equal(got.seasonal.count, want.count, "\(c.id) periods")
    for (i, pair) in zip(got.seasonal, want).enumerated() {
      same(pair.0, pair.1, "\(c.id) seasonal \(i)")
    }
  }

  func penalizedSegments(_ c: VectorCase) {
    let y = c.input.numbers("y")
    let cost: SegmentCost
    switch c.params.text("model") {
    case "l2": cost = .mean(y)
    case "l1": cost = .absolute(y)
    case "normal": cost = .normal(y)
    default:
      Issue.record("\(c.id): no such cost")
      return
    }
    let got = Segmentation.penalized(
      cost, penalty: c.params.number("pen") ?? .nan, minSize: c.params.whole("min_size") ?? 1)
    equal(got.ends, c.expected.wholes("exact_optimum_breakpoints"), "\(c.id) breaks")
    same(got.objective, c.expected.number("exact_optimum_objective"), "\(c.id) objective")
  }

  func fixedSegments(_ c: VectorCase) {
    guard c.params.text("model") == "l2" else {
      Issue.record("\(c.id): no such cost")
      return
    }
    let cost = SegmentCost.mean(c.input.numbers("y"))
    let changes = c.params.whole("n_bkps") ?? 1
    let least = c.params.whole("min_size") ?? 1
    equal(
      Segmentation.binary(cost, changes: changes, minSize: least).ends,
      c.expected.wholes("binseg"), "\(c.id) binseg")
    equal(
      Segmentation.exact(cost, upTo: changes, minSize: least).last?.ends ?? [],
      c.expected.wholes("dynp"), "\(c.id) dynp")
  }

  func shiftScan(_ c: VectorCase) {
    let got = ShiftScan.scan(
      c.input.numbers("y"), minSize: c.params.whole("min_size") ?? 7)
    equal(got.split, c.expected.whole("k"), "\(c.id) k")
    same(got.statistic, c.expected.number("T"), "\(c.id) T")
    same(got.p, c.expected.number("p"), "\(c.id) p")
  }

  func generalizedESD(_ c: VectorCase) {
    let got = GeneralizedESD.test(
      c.input.numbers("x"), most: c.params.whole("max_outliers") ?? 1,
      level: c.params.number("alpha") ?? 0.05, robust: c.params.flag("robust"))
    same(got.statistics, c.expected.gaps("R"), "\(c.id) R")
    same(got.limits, c.expected.gaps("lambda"), "\(c.id) lambda")
    equal(got.removed, c.expected.wholes("removed"), "\(c.id) removed")
    equal(got.outliers, c.expected.wholes("outliers"), "\(c.id) outliers")
    equal(got.outliers.count, c.expected.whole("n_outliers"), "\(c.id) count")
  }
}
