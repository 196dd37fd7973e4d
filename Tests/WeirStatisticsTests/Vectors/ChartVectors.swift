import Testing
import WeirStatistics

/// Control charts, funnels, streams.
extension VectorChecker {
  func shareChart(_ c: VectorCase) {
    let chart = AttributeCharts.shares(
      k: c.input.numbers("k"), n: c.input.numbers("n"), width: c.params.number("sigma") ?? 3)
    let e = c.expected
    same(chart.centre, e.number("pbar"), "\(c.id) pbar")
    equal(chart.outside(adjusted: false), e.wholes("out_p"), "\(c.id) outside")
    equal(chart.outside(adjusted: true), e.wholes("out_laney"), "\(c.id) outside Laney")
    guard e.has("z") else { return }
    same(chart.deviations, e.gaps("sigma_i"), "\(c.id) sigma")
    same(chart.z, e.gaps("z"), "\(c.id) z")
    same(chart.spread, e.number("sigma_z"), "\(c.id) sigma z")
    for (adjusted, name) in [(false, "p"), (true, "laney")] {
      let limits = chart.z.indices.map { chart.limits($0, adjusted: adjusted) }
      same(limits.map(\.lo), e.gaps("\(name)_lcl"), "\(c.id) \(name) lower")
      same(limits.map(\.hi), e.gaps("\(name)_ucl"), "\(c.id) \(name) upper")
    }
  }

  func rateChart(_ c: VectorCase) {
    let chart = AttributeCharts.rates(
      counts: c.input.numbers("count"), exposures: c.input.numbers("exposure"))
    let e = c.expected
    same(chart.centre, e.number("ubar"), "\(c.id) ubar")
    same(chart.z, e.gaps("z"), "\(c.id) z")
    same(chart.spread, e.number("sigma_z"), "\(c.id) sigma z")
    let limits = chart.z.indices.map { chart.limits($0, adjusted: false) }
    same(limits.map(\.lo), e.gaps("lcl"), "\(c.id) lower")
    same(limits.map(\.hi), e.gaps("ucl"), "\(c.id) upper")
  }

  func funnel(_ c: VectorCase) {
    let got = Funnel(
      k: c.input.numbers("k"), n: c.input.numbers("n"), winsor: c.params.number("winsor") ?? 0.1)
    let e = c.expected
    same(got.share, e.number("p0"), "\(c.id) p0")
    same(got.z, e.gaps("z"), "\(c.id) z")
    same(got.dispersion, e.number("phi"), "\(c.id) phi")
    same(got.betweenVariance, e.number("tau2"), "\(c.id) tau2")
    same(got.adjusted, e.gaps("z_adj"), "\(c.id) z adjusted")
    same(got.p, e.gaps("p"), "\(c.id) p")
    same(got.q, e.gaps("q_bh"), "\(c.id) q")
  }

  func sequentialCharts(_ c: VectorCase) {
    let x = c.input.numbers("x")
    func real(_ name: String) -> Double { c.params.number(name) ?? .nan }
    let e = c.expected
    let ewma = EWMAChart(
      x, mean: real("mu"), sigma: real("sigma"), lambda: real("lambda"), width: real("L"))
    same(ewma.values, e.gaps("ewma"), "\(c.id) ewma")
    same(ewma.halfWidths, e.gaps("limit_halfwidth"), "\(c.id) half width")
    equal(ewma.alarm, e.whole("ewma_first_alarm"), "\(c.id) ewma alarm")
    let cusum = CUSUMChart(
      x, mean: real("mu"), sigma: real("sigma"), slack: real("k"), limit: real("h"))
    same(cusum.up, e.gaps("cusum_up"), "\(c.id) up")
    same(cusum.down, e.gaps("cusum_down"), "\(c.id) down")
    equal(cusum.alarm, e.whole("cusum_first_alarm"), "\(c.id) cusum alarm")
  }

  func streams(_ c: VectorCase) {
    let x = c.input.numbers("x")
    let p = c.params["page_hinkley"]
    equal(p.text("mode"), "both", "\(c.id) mode")
    var test = PageHinkley(
      fewest: p.whole("min_instances") ?? 30, delta: p.number("delta") ?? .nan,
      threshold: p.number("threshold") ?? .nan, fading: p.number("alpha") ?? .nan)
    let changes = x.indices.filter { test.add(x[$0]) }
    equal(changes, c.expected.wholes("page_hinkley_drifts"), "\(c.id) Page-Hinkley")
    var window = ADWIN(delta: c.params["adwin"].number("delta") ?? .nan)
    let cuts = x.indices.filter { window.add(x[$0]) }
    equal(cuts, c.expected.wholes("adwin_drifts"), "\(c.id) ADWIN")
  }
}
