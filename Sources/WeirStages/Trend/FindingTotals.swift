import WeirData
import WeirEngine
import WeirStatistics

/// How far a finding moved the total that it is a part of: that of its first field, else everything.
struct FindingTotals {
  private let report: TrendReport
  private let parts: [[[UInt8]?]]
  private let metrics: Int
  /// The first series of the metrics of each key.
  private var first: [[[UInt8]?]: Int] = [:]

  init(_ report: TrendReport, _ parts: [[[UInt8]?]], metrics: Int) {
    self.report = report
    self.parts = parts
    self.metrics = metrics
    for i in stride(from: 0, to: parts.count, by: metrics) { first[parts[i]] = i }
  }

  /// The impact over the events (of means, quantiles and distinct counts: the records) that the total would
  /// have had in the window without it; `nil` where there is no such total, or nothing in it.
  func share(_ finding: TrendFinding) -> (share: Double, of: [[UInt8]?])? {
    guard finding.type.isTested, let (total, key) = total(of: finding.series) else { return nil }
    let series = report.series[total]
    var events = 0.0
    for t in finding.window {
      let bucket = series.buckets[t]
      guard bucket.state.isCompared else { continue }
      events += series.kind == .count || series.kind == .rate ? bucket.k : bucket.n
    }
    let isPart = series.kind == .count || series.kind == .rate
    let without = isPart ? events - finding.impact.value : events
    guard without > 0 else { return nil }
    return (finding.impact.value / without, key)
  }

  private func total(of series: Int) -> (Int, [[UInt8]?])? {
    let own = parts[series]
    var ofFirst = [[UInt8]?](repeating: nil, count: own.count)
    let everything = ofFirst
    ofFirst[0] = own[0]
    for key in [ofFirst, everything] where key != own {
      if let first = first[key] { return (first + series % metrics, key) }
    }
    return nil
  }
}
