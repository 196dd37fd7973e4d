import Glibc

/// Log-likelihood (binomial or Poisson, up to a constant) of simple descriptions of a daily series
/// whose days have too few events for a normal law. Says how a change that ``WeekBlocks`` showed is
/// best described, and when it began.
struct DayLikelihood {
  private let isRate: Bool
  /// Events, records (exposure) and time of the days that count, and their positions.
  private let k: [Double]
  private let n: [Double]
  private let t: [Double]
  private let at: [Int]

  init(_ daily: ComparedSeries, over positions: [Int]) {
    isRate = daily.kind == .rate
    at = positions
    k = positions.map { daily.k[$0] }
    n = positions.map { daily.kind == .rate ? daily.n[$0] : daily.exposure[$0] }
    t = positions.map { Double(daily.index[$0]) }
  }

  var count: Int { at.count }

  /// Of two levels, the second from each position in `places` on; each level the one that fits best.
  func steps(_ places: Range<Int>) -> [Double] {
    let (allK, allN) = (k.reduce(0, +), n.reduce(0, +))
    var (k0, n0, next) = (0.0, 0.0, 0)
    return places.map { place in
      while next < at.count, at[next] < place {
        k0 += k[next]
        n0 += n[next]
        next += 1
      }
      return level(k0, n0) + level(allK - k0, allN - n0)
    }
  }

  private func level(_ k: Double, _ n: Double) -> Double {
    func part(_ a: Double) -> Double { a > 0 && n > 0 ? a * log(a / n) : 0 }
    return isRate ? part(k) + part(n - k) : part(k) - k
  }

  /// Dispersion left by a description: its mean deviance from the days themselves, at least 1.
  func dispersion(leftBy likelihood: Double) -> Double {
    let whole = k.indices.reduce(0) { $0 + level(k[$1], n[$1]) }
    return max(1, 2 * (whole - likelihood) / Double(max(1, count - 3)))
  }

  /// Of a line on the scale (log odds or log), fitted by Newton's method with halved steps.
  func line() -> Double {
    let centre = t.reduce(0, +) / Double(max(1, t.count))
    let reach = max(1, (t.last ?? 0) - centre)
    let u = t.map { ($0 - centre) / reach }
    let (allK, allN) = (k.reduce(0, +), n.reduce(0, +))
    guard allK > 0, allN > 0, !isRate || allK < allN else { return level(allK, allN) }
    var a = isRate ? log(allK / (allN - allK)) : log(allK / allN)
    var b = 0.0
    func value(_ a: Double, _ b: Double) -> Double {
      u.indices.reduce(0) { sum, i in
        let x = min(700, max(-700, a + b * u[i]))
        return sum + k[i] * x - n[i] * (isRate ? log1p(exp(x)) : exp(x))
      }
    }
    var best = value(a, b)
    for _ in 0..<20 {
      var (ga, gb, haa, hab, hbb) = (0.0, 0.0, 0.0, 0.0, 0.0)
      for i in u.indices {
        let x = min(700, max(-700, a + b * u[i]))
        let mean = n[i] * (isRate ? 1 / (1 + exp(-x)) : exp(x))
        let w = isRate && n[i] > 0 ? mean * (1 - mean / n[i]) : mean
        ga += k[i] - mean
        gb += (k[i] - mean) * u[i]
        haa += w
        hab += w * u[i]
        hbb += w * u[i] * u[i]
      }
      let det = haa * hbb - hab * hab
      guard det > 0 else { break }
      var (da, db) = ((hbb * ga - hab * gb) / det, (haa * gb - hab * ga) / det)
      var next = value(a + da, b + db)
      for _ in 0..<10 where !(next >= best) {
        (da, db) = (da / 2, db / 2)
        next = value(a + da, b + db)
      }
      guard next > best + 1e-9 else { break }
      (a, b, best) = (a + da, b + db, next)
    }
    return best
  }
}
