/// A series as the sum of seasons, a trend and a rest.
public struct Decomposition: Sendable, Equatable {
  /// One component a period.
  public var seasonal: [[Double]]
  public var trend: [Double]
  /// y - seasonal - trend.
  public var rest: [Double]
  /// Robustness weights of the last pass, 0 (no say) ... 1; all 1 for a fit that is not robust.
  public var weights: [Double]

  /// How much of the series without its trend the seasons are: max(0, 1 - var(rest) / var(seasonal +
  /// rest)), 0 ... 1 (R. Hyndman and G. Athanasopoulos, "Forecasting", 6.7). 0 where nothing varies but
  /// for rounding.
  public var seasonalStrength: Double {
    strength(rest.indices.map { i in seasonal.reduce(rest[i]) { $0 + $1[i] } })
  }

  /// How much of the series without its seasons the trend is: max(0, 1 - var(rest) / var(trend + rest)).
  public var trendStrength: Double { strength(rest.indices.map { trend[$0] + rest[$0] }) }

  private func strength(_ part: [Double]) -> Double {
    let all = SampleMoments.variance(part, lessThanCount: 0) ?? 0
    var scale = 0.0
    for i in rest.indices { scale = max(scale, abs(trend[i]), abs(rest[i])) }
    let rounding = 1e-14 * scale
    guard all > rounding * rounding * 100 else { return 0 }
    return max(0, 1 - (SampleMoments.variance(rest, lessThanCount: 0) ?? 0) / all)
  }
}

/// Seasonal-trend decomposition by local regression (R. Cleveland, W. Cleveland, J. McRae, I. Terpenning,
/// Journal of Official Statistics 6, 1990), in the arithmetic of the authors' Fortran program.
///
/// Values must be finite and equally spaced: gaps are to be filled before and masked afterwards.
/// One inner pass costs O(n (seasonal / period + lowPass + trend)) kernel sums; a robust fit makes 32.
public struct STL: Sendable, Equatable {
  /// Values a season, at least 2.
  public var period: Int
  /// Window over the values of one phase, odd, at least 3. `nil` is a season that never changes: the
  /// limit of an ever longer window of degree 0, the (robustness-weighted) mean of each phase.
  public var seasonal: Int?
  /// Window of the trend, odd and longer than the period.
  public var trend: Int
  /// Window of the low-pass filter, odd and longer than the period.
  public var lowPass: Int
  /// 0 fits local means, 1 local lines.
  public var seasonalDegree = 1
  public var trendDegree = 1
  public var lowPassDegree = 1
  /// Every how manieth value is fitted; between them lines.
  public var seasonalJump = 1
  public var trendJump = 1
  public var lowPassJump = 1
  public var innerPasses: Int
  /// Passes with bisquare robustness weights after the first; 0 for a fit that is not robust.
  public var outerPasses: Int
  /// Robust passes end once no weight moves by more than this from one to the next; 0 makes them all.
  /// 0.01 saves two thirds of the time and moved no value of 200 series by a tenth of their noise.
  public var convergence = 0.0

  /// The usual windows: trend = smallest odd >= 1.5 period / (1 - 1.5 / seasonal), lowPass = smallest odd >
  /// period; 5 inner passes, or 2 and 15 outer ones when `robust`.
  public init(period: Int, seasonal: Int? = 7, robust: Bool = false) {
    self.period = period
    self.seasonal = seasonal
    let stretch = seasonal.map { 1 - 1.5 / Double($0) } ?? 1
    let width = Int((1.5 * Double(period) / max(stretch, 0.1)).rounded(.up))
    trend = width + (width % 2 == 0 ? 1 : 0)
    lowPass = period + 1 + period % 2
    innerPasses = robust ? 2 : 5
    outerPasses = robust ? 15 : 0
  }

  /// `nil` for a series shorter than two periods or a period below 2.
  public func fit(_ y: [Double]) -> Decomposition? {
    guard period >= 2, y.count >= 2 * period, trend >= 1, lowPass >= 1, (seasonal ?? 1) >= 1 else {
      return nil
    }
    let pass = STLPass(self, count: y.count)
    return pass.run(y)
  }
}

/// Several seasons: STL for each period in turn on what the others leave (K. Bandara, R. Hyndman,
/// C. Bergmeir, "MSTL", 2021).
public enum MSTL {
  /// `windows` default to 11, 15, 19, ... for the periods in rising order; periods of half the series or
  /// more are left out. `adjust` changes the STL of each period, for example its passes. `nil` where no
  /// period is left. Costs `rounds` times the STL of each period.
  public static func fit(
    _ y: [Double], periods: [Int], windows: [Int?]? = nil, robust: Bool = false, rounds: Int = 2,
    adjust: ((inout STL) -> Void)? = nil
  ) -> Decomposition? {
    let order = periods.indices.sorted { (periods[$0], $0) < (periods[$1], $1) }
    var models: [STL] = []
    for (place, i) in order.enumerated() where 2 * periods[i] < y.count {
      let given = windows.map { $0[i] } ?? 7 + 4 * (place + 1)
      var model = STL(period: periods[i], seasonal: given, robust: robust)
      adjust?(&model)
      models.append(model)
    }
    guard !models.isEmpty else { return nil }
    var seasonal = models.map { _ in [Double](repeating: 0, count: y.count) }
    var left = y
    var last: Decomposition?
    for _ in 0..<(models.count == 1 ? 1 : max(1, rounds)) {
      for (i, model) in models.enumerated() {
        for t in left.indices { left[t] += seasonal[i][t] }
        guard let part = model.fit(left) else { return nil }
        seasonal[i] = part.seasonal[0]
        for t in left.indices { left[t] -= seasonal[i][t] }
        last = part
      }
    }
    guard var whole = last else { return nil }
    whole.seasonal = seasonal
    whole.rest = left.indices.map { left[$0] - whole.trend[$0] }
    return whole
  }
}
