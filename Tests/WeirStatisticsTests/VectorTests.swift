import Testing
import WeirStatistics

/// Runs the reference vectors (see `Vectors` for where they are looked for).
@Suite(.enabled(if: Vectors.isThere, "needs the reference vectors: set WEIR_VECTORS"))
struct `Reference vectors` {
  static let covered: [String: @Sendable (VectorChecker, VectorCase) -> Void] = [
    "count_tails.json": { $0.countTails($1) },
    "hierarchical_fdr.json": { $0.hierarchical($1) },
    "mann_kendall.json": { $0.mannKendall($1) },
    "multiple_testing.json": { $0.multipleTesting($1) },
    "poisson_rates.json": { $0.poissonRates($1) },
    "proportion_ci.json": { $0.proportion($1) },
    "robust_stats.json": { $0.robust($1) },
    "shift_scan.json": { $0.shiftScan($1) },
    "theil_sen.json": { $0.theilSen($1) },
    "two_proportions.json": { $0.twoProportions($1) },
  ]

  /// Files with a test of their own.
  static let elsewhere = [
    "MANIFEST.json": "lists the others",
    "behaviour.json": "TrendBehaviourTests",
    "synth_series.jsonl": "TrendSynthTests",
  ]

  /// What this version has no function for, and why.
  static let notYet = [
    "adtributor.json": "root causes of a finding come with the evidence stage",
    "beta_binomial_eb.json": "quality of vendors and moderators comes with the quality stage",
    "calibration.json": "quality of models comes with the quality stage",
    "classification.json": "quality of models comes with the quality stage",
    "cohen_kappa.json": "agreement comes with the agreement stage",
    "confident_learning.json": "label errors come with the quality stage",
    "correlation.json": "lead and lag between series are not looked for",
    "crowdlab.json": "label aggregation comes with the quality stage",
    "dawid_skene.json": "label aggregation comes with the quality stage",
    "day_buckets.json": "buckets by civil day belong to WeirData and the trend stage",
    "ewma_cusum.json": "control charts are not drawn",
    "funnel.json": "quality of vendors and moderators comes with the quality stage",
    "gesd.json": "single buckets are tested by exact tails instead",
    "mstl.json": "the weekday profile is a robust mean a weekday instead",
    "multi_rater_agreement.json": "agreement comes with the agreement stage",
    "near_dup.json": "near duplicates belong to the record stages",
    "one_coin_wawa.json": "label aggregation comes with the quality stage",
    "p_chart.json": "control charts are not drawn",
    "page_hinkley.json": "nothing is watched as it streams",
    "partial_correlation.json": "lead and lag between series are not looked for",
    "pelt.json": "one shift a series is looked for",
    "ranking.json": "quality of models comes with the quality stage",
    "rate_mix.json": "rate and mix effects come with the evidence stage",
    "sampling.json": "sampling plans come with the quality stage",
    "segmentation_fixed_k.json": "one shift a series is looked for",
    "stl.json": "the weekday profile is a robust mean a weekday instead",
    "u_chart.json": "control charts are not drawn",
  ]

  @Test func `every file is covered or its absence has a reason`() throws {
    let known = Set(Self.covered.keys).union(Self.elsewhere.keys).union(Self.notYet.keys)
    let files = try Vectors.files()
    let unknown = files.filter { !known.contains($0) }
    #expect(unknown.isEmpty, "neither covered nor explained: \(unknown)")
  }

  @Test(arguments: covered.keys.sorted())
  func `all cases agree with the reference`(name: String) throws {
    let file = try Vectors.read(name)
    let check = try #require(Self.covered[name])
    #expect(!file.cases.isEmpty)
    let checker = VectorChecker(relative: file.relative, absolute: file.absolute)
    for one in file.cases { check(checker, one) }
  }
}

/// Compares values with a file's tolerance; one method a file.
struct VectorChecker {
  var relative: Double
  var absolute: Double

  func same(_ got: Double?, _ want: Double?, _ what: String) {
    guard let got, let want else {
      #expect(got == nil && want == nil, "\(what): got \(got as Any), want \(want as Any)")
      return
    }
    #expect(
      abs(got - want) <= absolute + relative * abs(want), "\(what): got \(got), want \(want)")
  }

  func same(_ got: [Double?], _ want: [Double?], _ what: String) {
    #expect(got.count == want.count, "\(what): count")
    for (i, pair) in zip(got, want).enumerated() { same(pair.0, pair.1, "\(what)[\(i)]") }
  }

  func same(_ got: (lo: Double, hi: Double), _ want: [Double?], _ what: String) {
    same([got.lo, got.hi], want, what)
  }

  func countTails(_ c: VectorCase) {
    let i = c.input
    func whole(_ name: String) -> Int { Int(i.number(name) ?? 0) }
    func real(_ name: String) -> Double { i.number(name) ?? .nan }
    func check(_ name: String, _ tails: MidTails) {
      let e = c.expected[name]
      same(tails.upper, e.number("upper_mid"), "\(c.id) \(name) upper")
      same(tails.lower, e.number("lower_mid"), "\(c.id) \(name) lower")
      same(tails.twoSided, e.number("two_sided_mid"), "\(c.id) \(name) two-sided")
    }
    check("poisson", CountTails.poisson(whole("x"), mean: real("mu")))
    check(
      "negbin",
      CountTails.negativeBinomial(whole("x"), mean: real("mu"), alpha: real("nb_alpha")))
    check("binomial", CountTails.binomial(whole("k"), of: whole("n"), p: real("p")))
    check(
      "betabinom",
      CountTails.betaBinomial(whole("k"), of: whole("n"), p: real("p"), rho: real("bb_rho")))
  }

  func hierarchical(_ c: VectorCase) {
    let names = c.input["families"].names
    let families = names.map { c.input["families"].numbers($0) }
    let got = MultipleTesting.hierarchical(families, q: c.params.number("q") ?? 0.05)
    #expect(Double(got.selected.filter { $0 }.count) == c.expected.number("R"), "\(c.id) R")
    for (i, name) in names.enumerated() {
      same(got.family[i], c.expected["simes"].number(name), "\(c.id) \(name)")
      let want = c.expected["families"][name]
      #expect(got.selected[i] == (want.number("selected") == 1), "\(c.id) \(name) selected")
      #expect(got.rejected[i] == want.flags("reject"), "\(c.id) \(name) reject")
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
    same(MultipleTesting.simes(p), c.expected.number("simes"), "\(c.id) simes")
  }

  func poissonRates(_ c: VectorCase) {
    guard let count = c.input.number("count"), let exposure = c.input.number("exposure") else {
      return  // two-sample cases: two Poisson rates are not compared anywhere
    }
    same(
      PoissonInterval.garwood(count: count, exposure: exposure),
      c.expected.gaps("exact_garwood"), "\(c.id) garwood")
    same(
      PoissonInterval.score(count: count, exposure: exposure), c.expected.gaps("score"),
      "\(c.id) score")
  }

  func proportion(_ c: VectorCase) {
    let k = c.input.number("k") ?? .nan
    let n = c.input.number("n") ?? .nan
    for name in c.expected.names {
      let parts = name.split(separator: "@")
      let level = Double(parts[1]) ?? .nan
      let got: ProportionInterval.Bounds
      switch parts[0] {
      case "wilson": got = ProportionInterval.wilson(k: k, n: n, confidence: level)
      case "beta": got = ProportionInterval.clopperPearson(k: k, n: n, confidence: level)
      case "jeffreys": got = ProportionInterval.jeffreys(k: k, n: n, confidence: level)
      case "agresti_coull": got = ProportionInterval.agrestiCoull(k: k, n: n, confidence: level)
      default: got = ProportionInterval.normal(k: k, n: n, confidence: level)
      }
      same(got, c.expected.gaps(name), "\(c.id) \(name)")
    }
  }

  func robust(_ c: VectorCase) {
    let x = c.input.numbers("x")
    let e = c.expected
    same(Robust.median(x), e.number("median"), "\(c.id) median")
    same(Robust.mad(x), e.number("mad"), "\(c.id) mad")
    same(Robust.normalMAD(x), e.number("mad_normal"), "\(c.id) normal mad")
    same(Robust.zScores(x), e.gaps("robust_z"), "\(c.id) z")
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

  func shiftScan(_ c: VectorCase) {
    let got = ShiftScan.scan(
      c.input.numbers("y"), minSize: Int(c.params.number("min_size") ?? 7))
    same(got.split.map(Double.init), c.expected.number("k"), "\(c.id) k")
    same(got.statistic, c.expected.number("T"), "\(c.id) T")
    same(got.p, c.expected.number("p"), "\(c.id) p")
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

  func twoProportions(_ c: VectorCase) {
    let i = c.input
    func real(_ name: String) -> Double { i.number(name) ?? .nan }
    same(
      ProportionInterval.newcombeDifference(
        k1: real("k1"), n1: real("n1"), k2: real("k2"), n2: real("n2")),
      c.expected.gaps("newcombe_diff"), "\(c.id) newcombe")
  }

  func mannKendall(_ c: VectorCase) {
    let gaps = c.input.gaps("x")
    let x = gaps.compactMap { $0 }
    for name in c.expected.names {
      let e = c.expected[name]
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
      }
      same(line?.slope, e.number("slope"), "\(c.id) \(name) slope")
      same(line?.intercept, e.number("intercept"), "\(c.id) \(name) intercept")
    }
    if c.has("expected_guard") {
      let guarded = MannKendall.hamedRao(x, guarded: true)
      same(guarded.p, c["expected_guard"].number("p"), "\(c.id) guard p")
    }
  }
}
