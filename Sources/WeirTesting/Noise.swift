import Glibc
import WeirStatistics

/// Invented series for tests and simulations of relations and comparisons.
public enum Noise {
  /// A stationary AR(1) of variance 1.
  public static func autoregressive(_ n: Int, phi: Double, _ random: inout SeededRandom) -> [Double]
  {
    var values: [Double] = []
    var last = normal(&random)
    for _ in 0..<n {
      last = phi * last + (1 - phi * phi).squareRoot() * normal(&random)
      values.append(last)
    }
    return values
  }

  public static func uniform(_ random: inout SeededRandom) -> Double {
    (Double(random.below(1 << 30)) + 0.5) / Double(1 << 30)
  }

  public static func normal(_ random: inout SeededRandom) -> Double {
    Normal.quantile(uniform(&random))
  }

  public static func poisson(_ mean: Double, _ random: inout SeededRandom) -> Double {
    guard mean < 400 else {
      return max(0, (mean + mean.squareRoot() * normal(&random)).rounded())
    }
    var product = uniform(&random)
    let limit = exp(-mean)
    var count = 0.0
    while product > limit {
      product *= uniform(&random)
      count += 1
    }
    return count
  }

  public static func binomial(_ n: Double, _ p: Double, _ random: inout SeededRandom) -> Double {
    (0..<Int(n)).reduce(0.0) { sum, _ in sum + (uniform(&random) < p ? 1 : 0) }
  }

  /// Daily counts with the logarithm of their mean moved by `moves`.
  public static func counts(
    _ moves: some Sequence<Double>, level: Double, _ random: inout SeededRandom
  ) -> TrendSeries {
    var buckets: [TrendBucket] = []
    for move in moves {
      let k = level > 0 ? poisson(level * exp(move), &random) : 0
      buckets.append(TrendBucket(state: k > 0 ? .closed : .zero, n: k, k: k))
    }
    return TrendSeries(key: ["a"], metric: "n", kind: .count, buckets: buckets, firstWeekday: 0)
  }

  /// Daily rates with their log odds moved by `moves`, of about `records` each.
  public static func rates(
    _ moves: some Sequence<Double>, rate: Double, records: Double, _ random: inout SeededRandom
  ) -> TrendSeries {
    var buckets: [TrendBucket] = []
    for move in moves {
      let n = poisson(records, &random)
      let odds = rate / (1 - rate) * exp(move)
      let k = binomial(n, odds / (1 + odds), &random)
      buckets.append(TrendBucket(state: n > 0 ? .closed : .zero, n: n, k: k))
    }
    return TrendSeries(key: ["a"], metric: "r", kind: .rate, buckets: buckets, firstWeekday: 0)
  }
}
