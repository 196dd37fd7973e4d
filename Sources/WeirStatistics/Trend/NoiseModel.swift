import Glibc

/// What the unrest of a series may be like: sampling noise of known variance that forgets, and process
/// noise of unknown variance that remembers, an AR(1).
///
///     y_t = X_t b + u_t + e_t,   cov(u_s, u_t) = tau^2 phi^|s - t|,   var(e_t) = s_t^2
///
/// Lag-one autocorrelation alone mistakes the two together for one AR(1) that forgets sooner. Neither tau^2
/// nor phi is known well from a few dozen buckets, so a test is made under each of a grid of pairs and
/// its p averaged, weighted by the restricted likelihood of the pair and by ``prior(_:)``: the far tail
/// is then decided by the pairs that can still not be ruled out.
struct NoiseModel {
  struct Node {
    var phi: Double
    var tau2: Double
    /// Place of ``phi`` among ``phis``.
    var row: Int
    /// Restricted log-likelihoods with a line, and with a step, taken out.
    var line = 0.0
    var step = 0.0
    /// The likelihoods themselves.
    var lineFit = 0.0
    var stepFit = 0.0
  }
  private(set) var nodes: [Node] = []
  let y: [Double]
  let t: [Int]
  let s2: [Double]

  /// Autocorrelations of the process, by one bucket.
  static let phis = [0.0, 0.25, 0.5, 0.68, 0.8, 0.88]
  /// Variances of the process, as shares of the residual variance.
  static let shares = [0.0, 0.15, 0.4, 0.8, 1.4, 2.6]
  /// What a bucket is worth before the data falls with its memory as exp(-3 phi): with all alike, a few
  /// dozen independent buckets are taken for strongly dependent ones.
  private static let priorSlope = 3.0

  /// - Parameters:
  ///   - y: values without what is known of them, at the rising places `t`.
  ///   - s2: their sampling variances.
  ///   - split: first place of the step.
  ///   - variance: residual variance, for the scale of the grid.
  init(_ y: [Double], at t: [Int], sampling s2: [Double], split: Int, variance: Double) {
    self.y = y
    self.t = t
    self.s2 = s2
    nodes = NoiseModel.grid(variance)
    for i in nodes.indices { fit(&nodes[i], split: split) }
  }

  private static func grid(_ variance: Double) -> [Node] {
    let unit = max(variance, 1e-18)
    var nodes: [Node] = []
    for (row, phi) in phis.enumerated() {
      for share in shares where phi == 0 || share > 0 {
        nodes.append(Node(phi: phi, tau2: max(share * unit, 1e-18), row: row))
      }
    }
    return nodes
  }

  /// The same values and places under nodes for another residual variance, without a line or a step.
  func scaled(to variance: Double) -> NoiseModel {
    var other = self
    other.nodes = NoiseModel.grid(variance)
    return other
  }

  /// Weights of the nodes, adding up to 1.
  func weights(_ likelihood: KeyPath<Node, Double>) -> [Double] {
    let values = nodes.map { $0[keyPath: likelihood] + NoiseModel.prior($0.phi) }
    let top = values.max() ?? 0
    let mass = values.map { exp($0 - top) }
    let whole = mass.reduce(0, +)
    return mass.map { $0 / whole }
  }

  /// Logarithm of what a phi is taken to be worth before the data.
  static func prior(_ phi: Double) -> Double { -priorSlope * phi }

  /// log of the mean likelihood over the nodes, up to a constant.
  func evidence(_ fit: KeyPath<Node, Double>) -> Double {
    let values = nodes.map { $0[keyPath: fit] + NoiseModel.prior($0.phi) }
    let top = values.max() ?? 0
    guard top > -.infinity else { return top }
    return top + log(values.reduce(0) { $0 + exp($1 - top) })
  }

  /// Variance of sum c_i y_i under each node, and what it were without memory. O(n) for each phi.
  func variances(_ c: [Double]) -> [(whole: Double, alone: Double)] {
    var (sampling, flat) = (0.0, 0.0)
    for i in c.indices {
      sampling += c[i] * c[i] * s2[i]
      flat += c[i] * c[i]
    }
    let process = NoiseModel.phis.map { phi -> Double in
      var (sum, carried) = (0.0, 0.0)
      for i in c.indices {
        if i > 0 { carried = (carried + c[i - 1]) * power(phi, t[i] - t[i - 1]) }
        sum += c[i] * (c[i] + 2 * carried)
      }
      return sum
    }
    return nodes.map {
      (sampling + $0.tau2 * process[$0.row], sampling + $0.tau2 * flat)
    }
  }

  func power(_ phi: Double, _ gap: Int) -> Double {
    gap == 1 ? phi : phi == 0 ? 0 : exp(Double(gap) * log(phi))
  }

  /// Kalman filter over y, 1, time and step at once: the same gains whiten all of them. O(n).
  private func fit(_ node: inout Node, split: Int) {
    let n = y.count
    guard n > 3 else { return }
    let centre = 0.5 * Double(t[0] + t[n - 1])
    let reach = max(1, 0.5 * Double(t[n - 1] - t[0]))
    let (phi, tau2) = (node.phi, node.tau2)
    var p = tau2
    var (my, m1, mt, ms) = (0.0, 0.0, 0.0, 0.0)
    // The logarithm of a product of many is taken now and then only.
    let unit = 1 / (tau2 + s2[0])
    var (logs, product) = (-Double(n) * log(unit), 1.0)
    var (s11, s1t, stt, s1s, sss) = (0.0, 0.0, 0.0, 0.0, 0.0)
    var (sy1, syt, sys, syy) = (0.0, 0.0, 0.0, 0.0)
    y.withUnsafeBufferPointer { y in
      t.withUnsafeBufferPointer { t in
        s2.withUnsafeBufferPointer { s2 in
          for i in 0..<n {
            if i > 0 {
              let gap = t[i] &- t[i &- 1]
              let a = gap == 1 ? phi : power(phi, gap)
              p = a * a * (p - tau2) + tau2
              my *= a
              m1 *= a
              mt *= a
              ms *= a
            }
            let f = p + s2[i]
            let w = 1 / f
            let gain = p * w
            let vy = y[i] - my
            let v1 = 1 - m1
            let vt = (Double(t[i]) - centre) / reach - mt
            let vs = (i >= split ? 1.0 : 0.0) - ms
            my += gain * vy
            m1 += gain * v1
            mt += gain * vt
            ms += gain * vs
            p *= 1 - gain
            product *= f * unit
            if product < 1e-200 || product > 1e200 {
              logs += log(product)
              product = 1
            }
            s11 += w * v1 * v1
            s1t += w * v1 * vt
            stt += w * vt * vt
            s1s += w * v1 * vs
            sss += w * vs * vs
            sy1 += w * vy * v1
            syt += w * vy * vt
            sys += w * vy * vs
            syy += w * vy * vy
          }
        }
      }
    }
    logs += log(product)
    func fits(_ b: Double, _ bb: Double, _ yb: Double) -> (restricted: Double, full: Double) {
      let det = s11 * bb - b * b
      guard det > 1e-12 * s11 * bb else { return (-.infinity, -.infinity) }
      let fit = (bb * sy1 * sy1 - 2 * b * sy1 * yb + s11 * yb * yb) / det
      let full = -0.5 * (logs + max(0, syy - fit))
      return (full - 0.5 * log(det), full)
    }
    (node.line, node.lineFit) = fits(s1t, stt, syt)
    (node.step, node.stepFit) = fits(s1s, sss, sys)
  }

  /// Log-likelihoods of a step at each of `places`, under the likeliest node for a step. O(n) a place.
  ///
  /// Where the noise remembers, a step is told from it by its edge and not only by its two levels.
  func steps(at places: ClosedRange<Int>) -> [Double] {
    guard var best = nodes.first else { return [] }
    for node in nodes.dropFirst()
    where node.step + NoiseModel.prior(node.phi) > best.step + NoiseModel.prior(best.phi) {
      best = node
    }
    return places.map { place in
      var node = best
      fit(&node, split: place)
      return node.stepFit
    }
  }
}
