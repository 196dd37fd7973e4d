import ArgumentParser
import WeirData
import WeirStatistics
import WeirTesting

/// Reports of series that have nothing in common and of sides that do not differ: how often the
/// `correlate` and `compare` stages would say something all the same.
struct RelationsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "relations",
    abstract: "Simulate reports without any relation or difference, and count the false ones.")

  @Option(help: "Reports of each kind.") var reports = 400
  @Option(help: "Series of a report of correlations; a third of it of one of comparisons.")
  var series = 20
  @Option(help: "First seed; each report has the next one.") var seed = 50_001

  func run() throws {
    var members: [JSONMember] = [
      JSONMember("reports", .int(reports)), JSONMember("series", .int(series)),
      JSONMember("seed", .int(seed)),
    ]
    for (name, phis) in [("ar_0_to_0.5", 0.0...0.5), ("ar_0.5_to_0.8", 0.5...0.8)] {
      members.append(
        JSONMember(
          name,
          .object([
            JSONMember("correlate", tally { correlations(phis, &$0) }),
            JSONMember("compare_periods", tally { comparisons(phis, &$0, isPaired: false) }),
            JSONMember("compare_groups", tally { comparisons(phis, &$0, isPaired: true) }),
          ])))
    }
    print(JSONValue.object(members).text)
  }

  /// Shares of the tests with a small p, and of the reports in which one is believed at q = 0.05.
  private func tally(_ report: (inout SeededRandom) -> [Double]) -> JSONValue {
    var (tests, fired) = (0, 0)
    let levels = [0.05, 0.01, 0.001]
    var below = [0, 0, 0]
    for i in 0..<reports {
      var random = SeededRandom(seed: UInt64(seed + i))
      let p = report(&random)
      tests += p.count
      for (at, level) in levels.enumerated() { below[at] += p.count { $0 <= level } }
      if MultipleTesting.benjaminiHochberg(p).contains(where: { $0 <= 0.05 }) { fired += 1 }
    }
    func share(_ count: Int, _ of: Int) -> JSONValue {
      .number((Double(count) / Double(max(1, of)) * 1e5).rounded() / 1e5)
    }
    return [
      "tests": .int(tests), "p_0.05": share(below[0], tests), "p_0.01": share(below[1], tests),
      "p_0.001": share(below[2], tests), "any_finding": share(fired, reports),
    ]
  }

  private func correlations(
    _ phis: ClosedRange<Double>, _ random: inout SeededRandom
  ) -> [Double] {
    let days = 60 + random.below(120)
    var moves: [SeriesMovement] = []
    for i in 0..<series {
      let law = InventedLaw(phis, isRate: i % 2 == 0, &random)
      moves.append(SeriesMovement(law.series(days, &random), fewest: 28))
    }
    return moves.indices.flatMap { i in
      moves[(i + 1)...].compactMap { LeadLag(moves[i], $0, most: 7)?.p }
    }
  }

  private func comparisons(
    _ phis: ClosedRange<Double>, _ random: inout SeededRandom, isPaired: Bool
  ) -> [Double] {
    let days = 28 + random.below(80)
    var found: [Double] = []
    for i in 0..<(series / 3) {
      let law = InventedLaw(phis, isRate: i % 2 == 0, &random)
      let first = law.series(days, &random)
      let all = Set(0..<days)
      let half = Set(0..<(days / 2))
      let result =
        isPaired
        ? SideComparison(
          ComparisonSide(series: first, buckets: all),
          ComparisonSide(series: law.series(days, &random), buckets: all), isPaired: true)
        : SideComparison(
          ComparisonSide(series: first, buckets: half),
          ComparisonSide(series: first, buckets: all.subtracting(half)), isPaired: false)
      if result.status == .ok { found.append(result.p) }
    }
    return found
  }
}

/// What makes a series: a level, weekdays, and an unrest that remembers.
private struct InventedLaw {
  let isRate: Bool
  let phi: Double
  let size: Double
  let weekend: Double
  /// Of a rate, with its records a day; of counts the level.
  let rate: Double
  let records: Double

  init(_ phis: ClosedRange<Double>, isRate: Bool, _ random: inout SeededRandom) {
    self.isRate = isRate
    phi = phis.lowerBound + (phis.upperBound - phis.lowerBound) * Noise.uniform(&random)
    size = 0.05 + 0.25 * Noise.uniform(&random)
    weekend = Noise.uniform(&random) - 0.5
    rate = 0.08 + 0.3 * Noise.uniform(&random)
    records = 20 + 130 * Noise.uniform(&random)
  }

  func series(_ days: Int, _ random: inout SeededRandom) -> TrendSeries {
    let unrest = Noise.autoregressive(days, phi: phi, &random)
    let moves = (0..<days).map { t in size * unrest[t] + (t % 7 >= 5 ? weekend : 0) }
    return isRate
      ? Noise.rates(moves, rate: rate, records: records, &random)
      : Noise.counts(moves, level: records, &random)
  }
}
