import Testing
import WeirStatistics

/// Correlation, lags, mix and causes.
extension VectorChecker {
  func correlation(_ c: VectorCase) {
    let (x, y) = (c.input.numbers("x"), c.input.numbers("y"))
    let e = c.expected
    let tests = [
      ("pearson", Correlation.pearson(x, y)), ("spearman", Correlation.spearman(x, y)),
      ("kendall_b", Correlation.kendall(x, y)),
    ]
    for (name, test) in tests {
      if e.flag("undefined") {
        equal(test, nil, "\(c.id) \(name) of nothing")
        continue
      }
      equal(test?.n, e.whole("n"), "\(c.id) n")
      same(test?.r, e[name].number("r"), "\(c.id) \(name) r")
      same(test?.p, e[name].number("p"), "\(c.id) \(name) p")
    }
    guard e.has("lags") else { return }
    let most = c.params.whole("maxlag") ?? 5
    for (name, kind) in [
      ("lag_pearson_overlap", CrossCorrelation.Kind.pearson), ("lag_spearman_overlap", .spearman),
    ] {
      let got = CrossCorrelation.overlapping(x, y, most: most, kind: kind)
      equal(got.map(\.lag), e.wholes("lags"), "\(c.id) lags")
      for (at, want) in zip(got, e.rows(name)) {
        same([at.test?.r, at.test?.p], want, "\(c.id) \(name) \(at.lag)")
      }
    }
    same(
      CrossCorrelation.biased(x, y, most: most), e.gaps("ccf_biased_x_leads_0..maxlag"),
      "\(c.id) biased")
    let (rx, ry) = (CrossCorrelation.lagOne(x), CrossCorrelation.lagOne(y))
    same(rx, e.number("r1_x"), "\(c.id) r1 x")
    same(ry, e.number("r1_y"), "\(c.id) r1 y")
    same(Autocorrelation.biased(x, lags: 1)[1], e.number("r1_x"), "\(c.id) r1 x")
    same(
      CrossCorrelation.effectiveSize(Double(x.count), r1x: rx, r1y: ry),
      e.number("n_eff_bartlett"), "\(c.id) n eff")
    same(
      CrossCorrelation.prewhitened(x, y, most: most).map { $0.test?.r },
      e.gaps("prewhitened_by_x_ar1"), "\(c.id) prewhitened")
  }

  func partialCorrelation(_ c: VectorCase) {
    let (x, y) = (c.input.numbers("x"), c.input.numbers("y"))
    let z = [c.input.numbers("z")]
    for (name, test) in [
      ("pearson_partial", PartialCorrelation.pearson(x, y, given: z)),
      ("spearman_partial", PartialCorrelation.spearman(x, y, given: z)),
    ] {
      same(test?.r, c.expected[name].number("r"), "\(c.id) \(name) r")
      same(test?.p, c.expected[name].number("p"), "\(c.id) \(name) p")
    }
  }

  func rateMix(_ c: VectorCase) {
    let i = c.input
    let got = RateMix(
      n0: i.numbers("n0"), k0: i.numbers("k0"), n1: i.numbers("n1"), k1: i.numbers("k1"))
    let e = c.expected
    same(got.before, e.number("R0"), "\(c.id) before")
    same(got.after, e.number("R1"), "\(c.id) after")
    same(got.change, e.number("delta"), "\(c.id) change")
    same(got.rateEffect, e.gaps("rate_effect"), "\(c.id) rate")
    same(got.mixEffect, e.gaps("mix_effect"), "\(c.id) mix")
    same(got.plainMixEffect, e.gaps("mix_effect_uncentred"), "\(c.id) plain mix")
    same(got.totalRate, e.number("total_rate"), "\(c.id) total rate")
    same(got.totalMix, e.number("total_mix"), "\(c.id) total mix")
    same(got.contribution, e.gaps("contribution"), "\(c.id) contribution")
    same(got.threeFold.rate, e["three_fold"].gaps("rate"), "\(c.id) three-fold rate")
    same(got.threeFold.mix, e["three_fold"].gaps("mix"), "\(c.id) three-fold mix")
    same(
      got.threeFold.interaction, e["three_fold"].gaps("interaction"), "\(c.id) interaction")
    equal(got.isReversed, e.flag("simpson_reversal"), "\(c.id) Simpson")
  }

  func adtributor(_ c: VectorCase) {
    let got = Adtributor.dimension(
      forecast: c.input.numbers("forecast"), actual: c.input.numbers("actual"))
    same(got.power, c.expected.gaps("explanatory_power"), "\(c.id) power")
    same(got.surprise, c.expected.gaps("surprise"), "\(c.id) surprise")
    same(got.totalSurprise, c.expected.number("dimension_surprise"), "\(c.id) total")
  }
}
