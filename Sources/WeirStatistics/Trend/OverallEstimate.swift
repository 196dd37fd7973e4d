/// The value over all compared buckets, whatever else is said of the series.
func overallEstimate(_ s: ComparedSeries) -> Estimate? {
  let m = Double(s.count)
  guard m > 0 else { return nil }
  switch s.kind {
  case .rate:
    let k = s.k.reduce(0, +)
    let n = s.n.reduce(0, +)
    let range = ProportionInterval.wilson(k: k, n: n)
    return Estimate(value: k / n, lo: range.lo, hi: range.hi)
  case .count:
    let total = s.k.reduce(0, +)
    // Exact where it differs; the score interval agrees to a thousandth of its width above.
    let range =
      total < 1000
      ? PoissonInterval.garwood(count: total, exposure: m)
      : PoissonInterval.score(count: total, exposure: m)
    return Estimate(value: total / m, lo: range.lo, hi: range.hi)
  case .mean, .quantile, .distinct:
    // Mean of the buckets, with Student's interval from their spread.
    let mean = s.seen.reduce(0, +) / m
    guard s.count > 1 else { return Estimate(value: mean, lo: mean, hi: mean) }
    let square = s.seen.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let reach =
      StudentT.upperQuantile(0.025, df: m - 1) * (square / (m - 1) / m).squareRoot()
    return Estimate(value: mean, lo: mean - reach, hi: mean + reach)
  }
}
