/// How clearly an effect stands out of the noise for one who knows everything but whether it is
/// there: where, when, which shape, the weekday profile and the distribution.
struct Oracle {
  /// The square root of twice the expected log-likelihood ratio between the truth and the best
  /// model with a constant level (times the known weekday profile): what a z statistic would be
  /// on average.
  ///
  /// With n the expected records of a day and sums over all days:
  /// - violation rate, rate p a day, constant level P = sum(n p) / sum(n):
  ///   z^2 = 2 sum n (p ln(p / P) + (1 - p) ln((1 - p) / (1 - P)))
  /// - volume, expected count m without and n with the effect, c = sum(n) / sum(m):
  ///   z^2 = 2 sum n ln(n / (c m))
  /// - handle time, normal in the logarithm with deviation s, mean l a day, L = sum(n l) / sum(n):
  ///   z^2 = sum n (l - L)^2 / s^2
  ///
  /// Other effects on the same metric of the same series are left out; effects on its volume
  /// count, as they change n.
  let z: Double
  /// Expected unique records of the series before the effect begins and while it is there.
  let recordsBefore: Double
  let recordsDuring: Double
  /// Expected violation rate, records a day, or median handle time in milliseconds, before and
  /// during; for a drift the latter is its mean, weighted by records.
  let valueBefore: Double
  let valueDuring: Double

  init(_ effect: Effect, among effects: Effects, calendar: Calendar) {
    let series = effect.series
    let days = 0..<calendar.days
    let alone = Effects([effect])
    let volume = effect.metric == .volume ? alone : effects
    let plain = days.map { calendar.expectedCount(series: series, day: $0) }
    let n = days.map { plain[$0] * volume.volumeFactor(series: series, day: $0) }
    let before = 0..<effect.day
    let during = effect.day...effect.lastDay
    recordsBefore = before.reduce(0) { $0 + n[$1] }
    recordsDuring = during.reduce(0) { $0 + n[$1] }

    let total = n.reduce(0, +)
    func mean(_ values: [Double], over range: some Sequence<Int>) -> Double {
      var sum = 0.0
      var weight = 0.0
      for day in range {
        sum += n[day] * values[day]
        weight += n[day]
      }
      return weight > 0 ? sum / weight : 0
    }

    var square = 0.0
    switch effect.metric {
    case .violationRate:
      let p = days.map { alone.violationRate(series: series, day: $0) }
      let level = mean(p, over: days)
      for day in days {
        square += 2 * n[day] * (xLog(p[day], over: level) + xLog(1 - p[day], over: 1 - level))
      }
      valueBefore = mean(p, over: before)
      valueDuring = mean(p, over: during)
    case .volume:
      let c = total / plain.reduce(0, +)
      for day in days { square += 2 * xLog(n[day], over: c * plain[day]) }
      valueBefore = before.isEmpty ? 0 : recordsBefore / Double(before.count)
      valueDuring = recordsDuring / Double(during.count)
    case .handleMs:
      let l = days.map { portableLog(alone.handleFactor(series: series, day: $0)) }
      let level = mean(l, over: days)
      let s = World.logHandle.deviation
      for day in days { square += n[day] * (l[day] - level) * (l[day] - level) / (s * s) }
      valueBefore = portableExp(World.logHandle.mean + mean(l, over: before))
      valueDuring = portableExp(World.logHandle.mean + mean(l, over: during))
    }
    z = max(0, square).squareRoot()
  }
}

/// x ln(x / y), 0 where x is 0.
private func xLog(_ x: Double, over y: Double) -> Double {
  x > 0 ? x * portableLog(x / y) : 0
}
