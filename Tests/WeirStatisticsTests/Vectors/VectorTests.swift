import Foundation
import Testing
import WeirStatistics

/// Runs the reference vectors (see `Vectors` for where they are looked for). With
/// WEIR_VECTORS_VERBOSE set it prints the largest relative error of each file.
@Suite(.enabled(if: Vectors.isThere, "needs the reference vectors: set WEIR_VECTORS"))
struct `Reference vectors` {
  static let covered: [String: @Sendable (VectorChecker, VectorCase) -> Void] = [
    "adtributor.json": { $0.adtributor($1) },
    "beta_binomial_eb.json": { $0.betaBinomialPrior($1) },
    "correlation.json": { $0.correlation($1) },
    "count_tails.json": { $0.countTails($1) },
    "ewma_cusum.json": { $0.sequentialCharts($1) },
    "funnel.json": { $0.funnel($1) },
    "gesd.json": { $0.generalizedESD($1) },
    "hierarchical_fdr.json": { $0.hierarchical($1) },
    "mann_kendall.json": { $0.mannKendall($1) },
    "mstl.json": { $0.mstl($1) },
    "multiple_testing.json": { $0.multipleTesting($1) },
    "p_chart.json": { $0.shareChart($1) },
    "page_hinkley.json": { $0.streams($1) },
    "partial_correlation.json": { $0.partialCorrelation($1) },
    "pelt.json": { $0.penalizedSegments($1) },
    "poisson_rates.json": { $0.poissonRates($1) },
    "proportion_ci.json": { $0.proportion($1) },
    "rate_mix.json": { $0.rateMix($1) },
    "robust_stats.json": { $0.robust($1) },
    "sampling.json": { $0.sampling($1) },
    "segmentation_fixed_k.json": { $0.fixedSegments($1) },
    "shift_scan.json": { $0.shiftScan($1) },
    "stl.json": { $0.stl($1) },
    "theil_sen.json": { $0.theilSen($1) },
    "two_proportions.json": { $0.twoProportions($1) },
    "u_chart.json": { $0.rateChart($1) },
  ]

  /// Files with a test of their own.
  static let elsewhere = [
    "MANIFEST.json": "lists the others",
    "behaviour.json": "TrendBehaviourTests",
    "synth_series.jsonl": "TrendBehaviourTests",
  ]

  /// What this version has no function for, and why.
  static let notYet = [
    "calibration.json": "quality of models comes with the quality stage",
    "classification.json": "quality of models comes with the quality stage",
    "cohen_kappa.json": "agreement comes with the agreement stage",
    "confident_learning.json": "label errors come with the quality stage",
    "crowdlab.json": "label aggregation comes with the quality stage",
    "dawid_skene.json": "label aggregation comes with the quality stage",
    "day_buckets.json": "buckets by civil day: CivilZoneTests in WeirExpressionsTests",
    "multi_rater_agreement.json": "agreement comes with the agreement stage",
    "near_dup.json": "near duplicates belong to the record stages",
    "one_coin_wawa.json": "label aggregation comes with the quality stage",
    "ranking.json": "quality of models comes with the quality stage",
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
    let checker = VectorChecker(file)
    for one in file.cases { check(checker, one) }
    #expect(checker.record.compared > 0)
    if ProcessInfo.processInfo.environment["WEIR_VECTORS_VERBOSE"] != nil {
      print("\(name): \(checker.record)")
    }
  }
}
