import Glibc

/// Whether the level of a series moved more than once.
///
/// The places of 2 ... 4 steps are the best ones by weighted squares (exact, ``Segmentation``), then each is
/// moved to where the likelihood under memory is largest. A further step is believed where it makes the
/// values likelier by ``price`` log n in 2 log L, under the noise that fits best *with* it: what a step
/// explains no longer looks like memory. Only asked where the test of one structure says that something
/// moved, so it changes nothing of what is selected.
struct StepSearch {
  let noise: NoiseModel
  let y: [Double]
  let weights: [Double]
  let minSegment: Int

  struct Found {
    /// First position of each new level, rising.
    var places: [Int]
    /// log of the mean likelihood over the noise.
    var evidence: Double
    /// Of the last place: the first that was looked at, and likelihoods with that of the best as 1.
    var first: Int
    var likelihoods: [Double]
    /// The noise that fits with them, and the weights of its nodes.
    var noise: NoiseModel
    var nodes: [Double]
  }

  /// Steps that are looked for.
  static let most = 4
  /// Of a further step, in log n: its place and its level, and what looking for it costs.
  static let price = 4.0
  /// Places on each side of a step that are looked at.
  private static let reach = 15

  /// - Parameters:
  ///   - single: the log of the mean likelihood of the best place of one step.
  ///   - line: the same of a line.
  ///   - two: places of two steps to begin from as well; empty: none.
  /// - Returns: `nil` where one step or the line do as well.
  func run(single: Double, line: Double, two: [Int]) -> Found? {
    let n = y.count
    guard n >= 3 * minSegment else { return nil }
    let unit = log(Double(n))
    let found = Segmentation.exact(
      .mean(y, weights: weights), upTo: Self.most, minSize: minSegment)
    let one = found.first { $0.ends.count == 2 }?.objective ?? 0
    var best: (search: StepSearch, places: [Int])?
    var value = max(2 * single, 2 * line + StructureTest.stepPrice * unit)
    var candidates = found.compactMap { segments -> [Int]? in
      let steps = segments.changes.count
      guard steps > 1, one > 0 else { return nil }
      // Where they would not pay in independent noise either, they are not looked at closer.
      let gain = Double(n) * log(one / max(segments.objective, 1e-300))
      return gain > Self.price * Double(steps - 1) * unit ? segments.changes : nil
    }
    if !two.isEmpty { candidates.append(two) }
    for candidate in candidates {
      let scaled = StepSearch(
        noise: noise.scaled(to: TwoStepTest.variance(y, candidate)), y: y, weights: weights,
        minSegment: minSegment)
      let places = scaled.improved(candidate)
      let price = Self.price * Double(places.count - 1) * unit
      let gain = 2 * scaled.noise.evidence(of: scaled.noise.fits(stepsAt: places)) - price
      if gain > value { (best, value) = ((scaled, places), gain) }
    }
    return best.map { $0.search.describe($0.places) }
  }

  /// Each place moved to where it fits best, the others held.
  func improved(_ candidate: [Int]) -> [Int] {
    var places = candidate
    let node = noise.likeliest(noise.fits(stepsAt: places))
    for _ in 0..<2 {
      let before = places
      for i in places.indices {
        let near = near(places, i, reach: 4)
        let fits = near.map { place -> Double in
          var moved = places
          moved[i] = place
          return noise.fit(node, stepsAt: moved)
        }
        places[i] = near.lowerBound + largest(fits, else: places[i] - near.lowerBound)
      }
      if places == before { break }
    }
    return places
  }

  private func describe(_ places: [Int]) -> Found {
    var places = places
    let last = places.count - 1
    let fits = noise.fits(stepsAt: places)
    let node = noise.likeliest(fits)
    let near = near(places, last, reach: Self.reach)
    let likelihoods = near.map { place -> Double in
      var moved = places
      moved[last] = place
      return noise.fit(node, stepsAt: moved)
    }
    let best = largest(likelihoods, else: places[last] - near.lowerBound)
    places[last] = near.lowerBound + best
    let again = noise.fits(stepsAt: places)
    return Found(
      places: places, evidence: noise.evidence(of: again), first: near.lowerBound,
      likelihoods: likelihoods.map { exp($0 - likelihoods[best]) }, noise: noise,
      nodes: noise.weights(of: again))
  }

  /// Where place i may stand, between its neighbours.
  private func near(_ places: [Int], _ i: Int, reach: Int) -> ClosedRange<Int> {
    let from = (i > 0 ? places[i - 1] : 0) + minSegment
    let to = (i + 1 < places.count ? places[i + 1] : y.count) - minSegment
    return max(from, places[i] - reach)...min(to, places[i] + reach)
  }

  private func largest(_ values: [Double], else start: Int) -> Int {
    var best = start
    for (i, value) in values.enumerated() where value > values[best] { best = i }
    return best
  }
}

extension NoiseModel {
  /// Log-likelihood of each node with a level that changes at each of `places`.
  func fits(stepsAt places: [Int]) -> [Double] { nodes.map { fit($0, stepsAt: places) } }

  /// log of the mean likelihood over the nodes, up to the constant of ``evidence(_:)``.
  func evidence(of fits: [Double]) -> Double {
    let values = zip(nodes, fits).map { $1 + NoiseModel.prior($0.phi) }
    let top = values.max() ?? 0
    guard top > -.infinity else { return top }
    return top + log(values.reduce(0) { $0 + exp($1 - top) })
  }

  /// Weights of the nodes, adding up to 1.
  func weights(of fits: [Double]) -> [Double] {
    let values = zip(nodes, fits).map { $1 + NoiseModel.prior($0.phi) }
    let top = values.max() ?? 0
    let mass = values.map { exp($0 - top) }
    let whole = mass.reduce(0, +)
    return mass.map { $0 / whole }
  }

  func likeliest(_ fits: [Double]) -> Node {
    let values = zip(nodes, fits).map { $1 + NoiseModel.prior($0.phi) }
    var best = 0
    for (i, value) in values.enumerated() where value > values[best] { best = i }
    return nodes[best]
  }

  /// Kalman filter over y, 1 and one column for each step at once. O(n k^2) for k steps.
  func fit(_ node: Node, stepsAt places: [Int]) -> Double {
    let n = y.count
    let size = places.count + 1
    guard n > size + 2 else { return -.infinity }
    let (phi, tau2) = (node.phi, node.tau2)
    var (whole, logs, product) = (0.0, 0.0, 1.0)
    let unit = 1 / (tau2 + s2[0])
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: size * (size + 3)) { memory in
      memory.initialize(repeating: 0)
      let means = memory.baseAddress!
      let (moves, cross, square) = (means + size, means + 2 * size, means + 3 * size)
      var (p, mean) = (tau2, 0.0)
      // Levels that have begun: columns of later steps are 0 up to there.
      var begun = 1
      y.withUnsafeBufferPointer { y in
        t.withUnsafeBufferPointer { t in
          s2.withUnsafeBufferPointer { s2 in
            for i in 0..<n {
              if i > 0 {
                let a = power(phi, t[i] &- t[i &- 1])
                p = a * a * (p - tau2) + tau2
                mean *= a
                for j in 0..<begun { means[j] *= a }
              }
              while begun < size, i >= places[begun - 1] { begun += 1 }
              let w = 1 / (p + s2[i])
              let gain = p * w
              let v = y[i] - mean
              mean += gain * v
              for j in 0..<begun {
                moves[j] = 1 - means[j]
                means[j] += gain * moves[j]
              }
              p *= 1 - gain
              product *= unit / w
              if product < 1e-200 || product > 1e200 {
                logs += log(product)
                product = 1
              }
              whole += w * v * v
              for j in 0..<begun {
                let move = w * moves[j]
                cross[j] += move * v
                for k in 0...j { square[j * size + k] += move * moves[k] }
              }
            }
          }
        }
      }
      logs += log(product) - Double(n) * log(unit)
      guard let fitted = NoiseModel.explained(square, cross, size) else { return -.infinity }
      return -0.5 * (logs + max(0, whole - fitted))
    }
  }

  /// b' A^-1 b by Cholesky, in the place of both; `nil` where A is singular.
  private static func explained(
    _ a: UnsafeMutablePointer<Double>, _ b: UnsafeMutablePointer<Double>, _ size: Int
  ) -> Double? {
    var sum = 0.0
    for j in 0..<size {
      let diagonal = a[j * size + j]
      for k in 0..<j { a[j * size + j] -= a[j * size + k] * a[j * size + k] }
      guard a[j * size + j] > 1e-12 * diagonal else { return nil }
      a[j * size + j] = a[j * size + j].squareRoot()
      for i in stride(from: j + 1, to: size, by: 1) {
        for k in 0..<j { a[i * size + j] -= a[i * size + k] * a[j * size + k] }
        a[i * size + j] /= a[j * size + j]
      }
      for k in 0..<j { b[j] -= a[j * size + k] * b[k] }
      b[j] /= a[j * size + j]
      sum += b[j] * b[j]
    }
    return sum
  }
}
