import ArgumentParser

/// One part of the work, measured by itself.
enum MicroStep: String, CaseIterable, ExpressibleByArgument {
  case unpack, scan, hash, normalise, expressions, aggregate, encode, dedupe, splice

  /// What is measured.
  var about: String {
    switch self {
    case .unpack: "decompress, and cut into blocks of whole lines"
    case .scan: "find the lines, validate them, take 7 fields into columns"
    case .hash: "the keyed 128-bit hash of event_id"
    case .normalise: "market, queue and time"
    case .expressions:
      "a condition of market and duration, and three values: hours, market/queue, hour of the day"
    case .aggregate: "count, rate and mean by market, queue and day; encode the partials"
    case .encode: "zstd -3 of the text, in frames of 1 MiB"
    case .dedupe: "a whole run with a dedupe by event_id, less the same run without"
    case .splice: "a whole run that writes the records as plain JSONL, less the same run without"
    }
  }

  /// Whether it is the difference of two runs, and not measured inside one.
  var isDifference: Bool { self == .dedupe || self == .splice }
}

/// CPU seconds that each step took, a value a round.
struct MicroTimes {
  private(set) var seconds: [MicroStep: [Double]] = [:]

  mutating func add(_ step: MicroStep, _ seconds: Double) {
    self.seconds[step, default: []].append(seconds)
  }

  /// Median, least and most of a step.
  func summary(_ step: MicroStep) -> (median: Double, least: Double, most: Double)? {
    guard let sorted = seconds[step]?.sorted(), let first = sorted.first, let last = sorted.last
    else { return nil }
    let middle = sorted.count / 2
    let median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    return (median, first, last)
  }
}
