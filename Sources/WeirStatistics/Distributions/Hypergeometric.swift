import Glibc

/// The hypergeometric law: marked ones among `draws` out of `marked` + `others` without replacement.
public enum Hypergeometric {
  /// log P(X = x); -infinity where impossible. A ratio of three binomial densities, which keeps its
  /// digits where differences of log-gamma lose them.
  public static func logDensity(_ x: Int, draws: Int, marked: Int, others: Int) -> Double {
    let total = marked + others
    guard x >= max(0, draws - others), x <= min(draws, marked), draws <= total, draws >= 0 else {
      return -.infinity
    }
    guard draws > 0, draws < total, marked > 0, others > 0 else { return 0 }
    let p = Double(draws) / Double(total)
    func binomial(_ k: Int, _ n: Int) -> Double {
      SaddlePoint.logBinomial(
        Double(k), Double(n - k), p: p, q: Double(total - draws) / Double(total))
    }
    return binomial(x, marked) + binomial(draws - x, others) - binomial(draws, total)
  }

  /// Fisher's exact two-sided test of the table with `a` of `n1` and `b` of `n2`: the probability, given
  /// all margins, of the tables no likelier than this one, those within a ten-millionth of it counted
  /// too. O(smaller margin).
  public static func fisherExact(_ a: Int, of n1: Int, _ b: Int, of n2: Int) -> Double {
    let draws = a + b
    let low = max(0, draws - n2)
    let high = min(draws, n1)
    guard low < high else { return 1 }
    func density(_ x: Int) -> Double {
      logDensity(x, draws: draws, marked: n1, others: n2)
    }
    let own = density(a)
    let limit = own + 1e-7
    // Sums of the ratio to this table, from each end up to where tables are likelier.
    var sum = 0.0
    var above = low
    while above <= high {
      let d = density(above)
      if d > limit { break }
      sum += exp(d - own)
      above += 1
    }
    var below = high
    while below > above {
      let d = density(below)
      if d > limit { break }
      sum += exp(d - own)
      below -= 1
    }
    return min(1, sum * exp(own))
  }
}
