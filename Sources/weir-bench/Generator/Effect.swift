/// A change that is planted in one metric of one (market, queue).
struct Effect {
  enum Metric: String, CaseIterable, Decodable {
    case violationRate = "violation_rate"
    case volume
    case handleMs = "handle_ms"
  }

  /// The shape over time.
  enum Shape: String, CaseIterable, Decodable {
    /// From `day` on.
    case shift
    /// Grows evenly from `day` on and is whole on the last of its days.
    case drift
    /// Up for a short while.
    case spike
    /// Down for a short while.
    case dip
    /// Fewer decisions from `day` on.
    case volumeDrop = "volume_drop"
    /// More decisions for a short while.
    case volumeSurge = "volume_surge"

    /// Whether it lasts to the end of the data unless `days` says otherwise; else one day.
    var lasts: Bool { self == .shift || self == .drift || self == .volumeDrop }
    var isDown: Bool { self == .dip || self == .volumeDrop }
    /// A shift and a drift have a sign of their own.
    var isSigned: Bool { self == .shift || self == .drift }
  }

  let shape: Shape
  let metric: Metric
  /// Index in ``World/markets`` and ``World/queues``.
  let market: Int
  let queue: Int
  /// First day, 0 = the first day of the data.
  let day: Int
  /// How many days.
  let days: Int
  /// With its sign. For the violation rate: what is added to it, 0.1 = ten points. For volume and
  /// handle time: the relative change, -0.4 = 40 % less.
  let size: Double

  var series: Int { World.series(market: market, queue: queue) }
  var lastDay: Int { day + days - 1 }

  /// How much of ``size`` is there on `day`: 0 to 1.
  func share(onDay at: Int) -> Double {
    guard at >= day, at <= lastDay else { return 0 }
    return shape == .drift ? Double(at - day + 1) / Double(days) : 1
  }
}

/// All planted effects and what they do to the expected values of each series and day.
struct Effects {
  let list: [Effect]
  private var bySeries: [[Effect]]

  init(_ list: [Effect]) {
    self.list = list
    bySeries = Array(repeating: [], count: World.seriesCount)
    for effect in list { bySeries[effect.series].append(effect) }
  }

  /// The factor on the expected count.
  func volumeFactor(series: Int, day: Int) -> Double {
    factor(.volume, series: series, day: day)
  }

  /// The factor on handle times.
  func handleFactor(series: Int, day: Int) -> Double {
    factor(.handleMs, series: series, day: day)
  }

  /// The probability of a violation.
  func violationRate(series: Int, day: Int) -> Double {
    var rate = World.violationRate(ofSeries: series)
    for effect in bySeries[series] where effect.metric == .violationRate {
      rate += effect.size * effect.share(onDay: day)
    }
    return rate
  }

  private func factor(_ metric: Effect.Metric, series: Int, day: Int) -> Double {
    var factor = 1.0
    for effect in bySeries[series] where effect.metric == metric {
      factor *= 1 + effect.size * effect.share(onDay: day)
    }
    return factor
  }
}
