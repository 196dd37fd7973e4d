/// Correlation of what is left of x and y when controls are taken out of both.
public enum PartialCorrelation {
  /// Of the least-squares residuals on a constant and the controls; p from Student's t with n - 2 - (number
  /// of independent controls) degrees of freedom. Rows with a NaN are left out. `nil` where nothing is left
  /// to vary. O(n c^2) for c controls (modified Gram-Schmidt, twice).
  public static func pearson(
    _ x: [Double], _ y: [Double], given controls: [[Double]]
  ) -> CorrelationTest? {
    let n = min(x.count, y.count)
    let rows = (0..<n).filter { i in
      !x[i].isNaN && !y[i].isNaN && controls.allSatisfy { !$0[i].isNaN }
    }
    return residual(
      rows.map { x[$0] }, rows.map { y[$0] }, controls.map { c in rows.map { c[$0] } })
  }

  /// The same of the average ranks.
  public static func spearman(
    _ x: [Double], _ y: [Double], given controls: [[Double]]
  ) -> CorrelationTest? {
    let n = min(x.count, y.count)
    let rows = (0..<n).filter { i in
      !x[i].isNaN && !y[i].isNaN && controls.allSatisfy { !$0[i].isNaN }
    }
    return residual(
      averageRanks(rows.map { x[$0] }), averageRanks(rows.map { y[$0] }),
      controls.map { c in averageRanks(rows.map { c[$0] }) })
  }

  private static func residual(
    _ x: [Double], _ y: [Double], _ controls: [[Double]]
  ) -> CorrelationTest? {
    var basis: [[Double]] = []
    for control in controls {
      guard let centred = centred(control) else { continue }
      let rest = without(basis, centred)
      let length = norm(rest)
      // A control that the others already say, or that is constant, takes out nothing.
      guard length > 1e-10 * norm(centred) else { continue }
      basis.append(rest.map { $0 / length })
    }
    guard let dx = centred(x), let dy = centred(y) else { return nil }
    let (rx, ry) = (without(basis, dx), without(basis, dy))
    guard norm(rx) > 1e-12 * norm(dx), norm(ry) > 1e-12 * norm(dy) else { return nil }
    guard let r = Correlation.coefficient(rx, ry) else { return nil }
    let degrees = Double(x.count - 2 - basis.count)
    return CorrelationTest(r: r, p: Correlation.p(r, degrees: degrees), n: x.count)
  }

  /// `nil` where nothing varies.
  private static func centred(_ v: [Double]) -> [Double]? {
    guard let mean = SampleMoments.mean(v) else { return nil }
    let d = v.map { $0 - mean }
    return norm(d) > 1e-15 * abs(mean) * Double(v.count).squareRoot() ? d : nil
  }

  private static func without(_ basis: [[Double]], _ v: [Double]) -> [Double] {
    var rest = v
    for _ in 0..<2 {
      for b in basis {
        var share = 0.0
        for i in rest.indices { share += rest[i] * b[i] }
        for i in rest.indices { rest[i] -= share * b[i] }
      }
    }
    return rest
  }

  private static func norm(_ v: [Double]) -> Double {
    v.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }
}
