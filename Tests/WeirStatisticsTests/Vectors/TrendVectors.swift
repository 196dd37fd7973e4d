import Testing
import WeirStatistics

/// Trends by rank, robust estimates, corrections for many tests.
extension VectorChecker {
  func mannKendall(_ c: VectorCase) {
    let gaps = c.input.gaps("x")
    let x = gaps.compactMap { $0 }
    for name in c.expected.names {
      let e = c.expected[name]
      if c.expected.isError(name) { continue }
      var test: MannKendallResult?
      var line = MannKendall.senSlope(gaps)
      switch name {
      case "original_test": test = MannKendall.original(x)
      case "hamed_rao_modification_test": test = MannKendall.hamedRao(x)
      case "hamed_rao_modification_test:lag=1": test = MannKendall.hamedRao(x, lag: 1)
      case "yue_wang_modification_test:lag=1": test = MannKendall.yueWang(x)
      case "yue_wang_modification_test": test = MannKendall.yueWang(x, lag: x.count - 1)
      case "pre_whitening_modification_test": test = MannKendall.preWhitened(x)
      case "trend_free_pre_whitening_modification_test":
        test = MannKendall.trendFreePreWhitened(x)
      case "seasonal_test:period=7":
        test = MannKendall.seasonal(gaps, period: 7)
        line = MannKendall.seasonalSenSlope(gaps, period: 7)
      case "correlated_seasonal_test:period=7":
        test = MannKendall.correlatedSeasonal(gaps, period: 7)
        line = MannKendall.seasonalSenSlope(gaps, period: 7)
      case "seasonal_sens_slope:period=7": line = MannKendall.seasonalSenSlope(gaps, period: 7)
      case "sens_slope": break
      default: Issue.record("\(c.id): no function for \(name)")
      }
      if let test {
        for (field, value) in [
          ("s", test.s), ("var_s", test.variance), ("Tau", test.tau), ("z", test.z), ("p", test.p),
        ] { same(value, e.number(field), "\(c.id) \(name) \(field)") }
        let isTrend = (test.p ?? 1) < c.params.number("alpha") ?? 0.05
        let trend = !isTrend ? "no trend" : (test.z ?? 0) > 0 ? "increasing" : "decreasing"
        equal(isTrend, e.flag("h"), "\(c.id) \(name) h")
        equal(trend, e.text("trend"), "\(c.id) \(name) trend")
      }
      same(line?.slope, e.number("slope"), "\(c.id) \(name) slope")
      same(line?.intercept, e.number("intercept"), "\(c.id) \(name) intercept")
    }
    if c.has("expected_guard") {
      let guarded = MannKendall.hamedRao(x, guarded: true)
      let g = c["expected_guard"]
      same(guarded.variance, g.number("var_s"), "\(c.id) guard variance")
      same(guarded.z, g.number("z"), "\(c.id) guard z")
      same(guarded.p, g.number("p"), "\(c.id) guard p")
    }
  }

  func theilSen(_ c: VectorCase) {
    let (x, y) = (c.input.numbers("x"), c.input.numbers("y"))
    let got = TheilSen.fit(x: x, y: y, confidence: c.params.number("confidence") ?? 0.95)
    for (name, value) in [
      ("slope", got?.slope), ("intercept", got?.intercept), ("lo", got?.lo), ("hi", got?.hi),
    ] { same(value, c.expected.number(name), "\(c.id) \(name)") }
    let siegel = TheilSen.siegel(x: x, y: y)
    same(siegel?.slope, c.expected.number("siegel_slope"), "\(c.id) siegel slope")
    same(siegel?.intercept, c.expected.number("siegel_intercept"), "\(c.id) siegel intercept")
  }

  func robust(_ c: VectorCase) {
    let x = c.input.numbers("x")
    let e = c.expected
    same(Robust.median(x), e.number("median"), "\(c.id) median")
    same(Robust.mad(x), e.number("mad"), "\(c.id) mad")
    same(Robust.normalMAD(x), e.number("mad_normal"), "\(c.id) normal mad")
    same(Robust.zScores(x), e.gaps("robust_z"), "\(c.id) z")
    same(Robust.interquartileRange(x), e.number("iqr"), "\(c.id) iqr")
    same(Robust.trimmedMean(x, share: 0.1), e.number("trim_mean_10"), "\(c.id) trimmed mean")
    same(SampleMoments.mean(x), e.number("mean"), "\(c.id) mean")
    same(SampleMoments.variance(x), e.number("var_ddof1"), "\(c.id) variance")
    same(SampleMoments.skewness(x), e.number("skew"), "\(c.id) skewness")
    let sorted = x.sorted()
    for (field, rule) in [
      ("quantile_linear", QuantileRule.linear), ("quantile_inverted_cdf", .invertedCDF),
    ] {
      for name in e[field].names {
        same(
          quantile(ofSorted: sorted, Double(name) ?? .nan, rule: rule), e[field].number(name),
          "\(c.id) \(field) \(name)")
      }
    }
  }

  func multipleTesting(_ c: VectorCase) {
    let p = c.input.numbers("p")
    let q = c.params.number("q") ?? 0.05
    func check(_ name: String, _ adjusted: [Double]) {
      same(adjusted, c.expected[name].gaps("adjusted"), "\(c.id) \(name)")
      #expect(adjusted.map { $0 <= q } == c.expected[name].flags("reject"), "\(c.id) \(name)")
    }
    check("fdr_bh", MultipleTesting.benjaminiHochberg(p))
    check("fdr_by", MultipleTesting.benjaminiYekutieli(p))
    check("holm", MultipleTesting.holm(p))
    check("bonferroni", MultipleTesting.bonferroni(p))
    check("hommel", MultipleTesting.hommel(p))
    same(MultipleTesting.fisher(p).statistic, c.expected.number("fisher_stat"), "\(c.id) fisher")
    same(MultipleTesting.simes(p), c.expected.number("simes"), "\(c.id) simes")
  }

  func hierarchical(_ c: VectorCase) {
    let names = c.input["families"].names
    let families = names.map { c.input["families"].numbers($0) }
    let got = MultipleTesting.hierarchical(families, q: c.params.number("q") ?? 0.05)
    #expect(got.selected.filter { $0 }.count == c.expected.whole("R"), "\(c.id) R")
    for (i, name) in names.enumerated() {
      same(got.family[i], c.expected["simes"].number(name), "\(c.id) \(name)")
      let want = c.expected["families"][name]
      #expect(got.selected[i] == (want.flag("selected")), "\(c.id) \(name) selected")
      #expect(got.rejected[i] == want.flags("reject"), "\(c.id) \(name) reject")
    }
  }
}
