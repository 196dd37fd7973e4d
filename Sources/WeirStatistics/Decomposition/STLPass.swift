/// The loops of STL over one series, with memory that is used again by every pass.
final class STLPass {
  private let model: STL
  private let count: Int
  private let cycle: Loess?
  private let lowPass: Loess
  private let level: Loess
  /// Seasons of the series and of one period beyond each end.
  private let cycles: UnsafeMutablePointer<Double>
  private let first: UnsafeMutablePointer<Double>
  private let second: UnsafeMutablePointer<Double>
  private let phase: UnsafeMutablePointer<Double>
  private let phaseWeights: UnsafeMutablePointer<Double>
  private let phaseFit: UnsafeMutablePointer<Double>
  private let all: UnsafeMutablePointer<Double>

  init(_ model: STL, count n: Int) {
    self.model = model
    count = n
    let inPhase = (n - 1) / model.period + 1
    cycle = model.seasonal.map {
      Loess(length: $0, degree: model.seasonalDegree, jump: model.seasonalJump, longest: inPhase)
    }
    lowPass = Loess(
      length: model.lowPass, degree: model.lowPassDegree, jump: model.lowPassJump, longest: n)
    level = Loess(length: model.trend, degree: model.trendDegree, jump: model.trendJump, longest: n)
    let wide = n + 2 * model.period
    let phaseRoom = inPhase + 2
    all = .allocate(capacity: 3 * wide + 3 * phaseRoom)
    all.initialize(repeating: 0, count: 3 * wide + 3 * phaseRoom)
    cycles = all
    first = all + wide
    second = all + 2 * wide
    phase = all + 3 * wide
    phaseWeights = phase + phaseRoom
    phaseFit = phaseWeights + phaseRoom
  }

  deinit { all.deallocate() }

  func run(_ y: [Double]) -> Decomposition {
    let n = count
    var seasonal = [Double](repeating: 0, count: n)
    var trend = [Double](repeating: 0, count: n)
    var weights = [Double](repeating: 1, count: n)
    y.withUnsafeBufferPointer { y in
      guard let y = y.baseAddress else { return }
      for outer in 0...max(0, model.outerPasses) {
        if outer > 0 {
          let before = weights
          reweigh(&weights, y, seasonal, trend)
          let isSettled = weights.indices.allSatisfy {
            abs(weights[$0] - before[$0]) <= model.convergence
          }
          if outer > 1, model.convergence > 0, isSettled { break }
        }
        for _ in 0..<max(1, model.innerPasses) {
          inner(y, weights: outer > 0 ? weights : nil, &seasonal, &trend)
        }
      }
    }
    let rest = (0..<n).map { y[$0] - seasonal[$0] - trend[$0] }
    return Decomposition(seasonal: [seasonal], trend: trend, rest: rest, weights: weights)
  }

  private func inner(
    _ y: UnsafePointer<Double>, weights: [Double]?, _ seasonal: inout [Double],
    _ trend: inout [Double]
  ) {
    let (n, p) = (count, model.period)
    for i in 0..<n { first[i] = y[i] - trend[i] }
    if let weights {
      weights.withUnsafeBufferPointer { smoothPhases($0.baseAddress) }
    } else {
      smoothPhases(nil)
    }
    // The low-pass filter of the seasons: what of them is trend.
    average(cycles, n + 2 * p, over: p, into: second)
    average(second, n + p + 1, over: p, into: first)
    average(first, n + 2, over: 3, into: second)
    lowPass.smooth(second, count: n, weights: nil, into: first)
    for i in 0..<n {
      seasonal[i] = cycles[p + i] - first[i]
      first[i] = y[i] - seasonal[i]
    }
    trend.withUnsafeMutableBufferPointer { trend in
      guard let trend = trend.baseAddress else { return }
      if let weights {
        weights.withUnsafeBufferPointer {
          level.smooth(first, count: n, weights: $0.baseAddress, into: trend)
        }
      } else {
        level.smooth(first, count: n, weights: nil, into: trend)
      }
    }
  }

  /// Smooths the values of each phase in `first`, one place beyond each end, into `cycles`.
  private func smoothPhases(_ weights: UnsafePointer<Double>?) {
    let (n, p) = (count, model.period)
    for j in 0..<p {
      let k = (n - 1 - j) / p + 1
      for i in 0..<k { phase[i] = first[i * p + j] }
      if let weights {
        for i in 0..<k { phaseWeights[i] = weights[i * p + j] }
      }
      let w = weights == nil ? nil : UnsafePointer(phaseWeights)
      if let cycle {
        cycle.smooth(phase, count: k, weights: w, into: phaseFit + 1)
        let length = cycle.length
        phaseFit[0] =
          cycle.at(0, left: 1, right: min(length, k), phase, count: k, weights: w) ?? phaseFit[1]
        phaseFit[k + 1] =
          cycle.at(k + 1, left: max(1, k - length + 1), right: k, phase, count: k, weights: w)
          ?? phaseFit[k]
        for m in 0..<(k + 2) { cycles[m * p + j] = phaseFit[m] }
      } else {
        var (sum, weight) = (0.0, 0.0)
        for i in 0..<k {
          let u = w?[i] ?? 1
          sum += u * phase[i]
          weight += u
        }
        // A phase whose values all are outliers keeps their plain mean.
        if weight <= 0 {
          for i in 0..<k { sum += phase[i] }
          weight = Double(k)
        }
        for m in 0..<(k + 2) { cycles[m * p + j] = sum / weight }
      }
    }
  }

  /// Means of `length` neighbours: n - length + 1 values.
  private func average(
    _ x: UnsafePointer<Double>, _ n: Int, over length: Int, into out: UnsafeMutablePointer<Double>
  ) {
    var sum = 0.0
    for i in 0..<length { sum += x[i] }
    let share = Double(length)
    out[0] = sum / share
    for i in stride(from: length, to: n, by: 1) {
      sum += x[i] - x[i - length]
      out[i - length + 1] = sum / share
    }
  }

  /// Bisquare weights of |rest| in units of 6 medians of it; all 1 where the median is 0.
  private func reweigh(
    _ weights: inout [Double], _ y: UnsafePointer<Double>, _ seasonal: [Double], _ trend: [Double]
  ) {
    for i in weights.indices { weights[i] = abs(y[i] - (trend[i] + seasonal[i])) }
    let unit = 6 * (Robust.median(weights) ?? 0)
    for i in weights.indices {
      let r = weights[i]
      if unit == 0 || r <= 0.001 * unit {
        weights[i] = 1
      } else if r <= 0.999 * unit {
        let u = r / unit
        let v = 1 - u * u
        weights[i] = v * v
      } else {
        weights[i] = 0
      }
    }
  }
}
