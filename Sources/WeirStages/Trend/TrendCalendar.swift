import WeirData
import WeirEngine
import WeirStatistics

/// The buckets of a report: where they begin and end, and which of them can be compared.
///
/// The first is the earliest bucket with at least 1 % of the median bucket's records. The last is that
/// of `through`, else the latest one with 1 % of the median. One or two records that lie more than 28
/// buckets from all others are taken for wrong dates: they begin and end nothing.
/// The first is `partial` where its data begin later than in any other and an hour (of a day) late.
/// `closed` are those whose end the watermark has passed: the end of `through`, or, where the latest
/// counts, a latest record less than a 24th of a bucket before the end, or past it by the allowed lateness. Where no record has a time of
/// day, only a date, the latest bucket is taken for complete: nothing in the data could say otherwise.
struct TrendCalendar {
  /// Number of the first bucket (see ``TrendClock``).
  var first = 0
  /// `closed`, `open`, `partial` or `missing`, one a bucket.
  var states: [BucketState] = []
  var starts: [CivilDate] = []
  /// Records of buckets before the first and after the last.
  var early = 0
  var future = 0

  /// Eleven years of days.
  static let bucketsMost = 4_096
  private static let leastShare: UInt64 = 100
  /// Fewer records than this, further than ``strayDistance`` buckets from all others, are not believed.
  private static let strayRecords: UInt64 = 3
  private static let strayDistance = 28
  private static let tailParts: Int64 = 24

  init(_ state: TrendState, _ rules: TrendRules) throws(RunError) {
    var records: [Int: UInt64] = [:]
    var extents: [Int: TrendState.Extent] = [:]
    for (extent, count) in zip(state.extents, state.recordsByExtent()) {
      records[extent.bucket] = count
      extents[extent.bucket] = extent
    }
    future = Int(state.future)
    let used = records.keys.sorted()
    guard !used.isEmpty else { return }
    let sizes = used.map { records[$0]! }.sorted()
    let median = sizes[sizes.count / 2]
    var believed = used.filter { records[$0]! * TrendCalendar.leastShare >= median }[...]
    // One wrong date must not stretch the report of a small market over years.
    func isStray(_ bucket: Int, beside next: Int) -> Bool {
      records[bucket]! < TrendCalendar.strayRecords
        && abs(next - bucket) > TrendCalendar.strayDistance
    }
    while believed.count > 1, isStray(believed.first!, beside: believed.dropFirst().first!) {
      believed.removeFirst()
    }
    while believed.count > 1, isStray(believed.last!, beside: believed.dropLast().last!) {
      believed.removeLast()
    }
    guard let begin = believed.first, let latest = believed.last else { return }
    first = begin
    let last =
      rules.end.map { rules.clock.bucket(of: $0 - 1) }
      ?? (latest - rules.daysBack / rules.clock.days)
    guard last - begin < TrendCalendar.bucketsMost else {
      throw RunError(
        code: "too_many_buckets",
        message:
          "the records reach from \(rules.clock.date(begin).iso) to \(rules.clock.date(last).iso), more than \(TrendCalendar.bucketsMost) buckets of \(rules.clock.name)",
        fix: "put a filter on the time before this stage, or use \"bucket\": \"1w\"")
    }
    for bucket in used {
      if bucket < begin { early += Int(records[bucket]!) }
      if bucket > last { future += Int(records[bucket]!) }
    }
    let hasTimes = used.contains { bucket in
      extents[bucket].map { $0.latest != rules.clock.start(bucket) } ?? false
    }
    let watermark = TrendCalendar.watermark(of: latest, extents[latest], hasTimes, rules)
    for bucket in begin...max(begin, last) {
      let isOpen: Bool
      if rules.hasFlags {
        // Where rows say what is complete nothing is guessed.
        isOpen = extents[bucket]?.isIncomplete ?? false
      } else if let watermark {
        isOpen = rules.clock.start(bucket) + rules.clock.length > watermark
      } else {
        isOpen =
          bucket == last && hasTimes
          && !TrendCalendar.isClosed(bucket, extents[bucket]?.latest, rules)
      }
      states.append(isOpen ? .open : records[bucket] == nil ? .missing : .closed)
      starts.append(rules.clock.date(bucket))
    }
    if rules.zone.field != nil, !rules.hasFlags, hasTimes {
      openEdges(earliest: extents[begin]?.earliest, latest: extents[last]?.latest, rules)
    }
    if states.count > 1, !rules.hasFlags,
      TrendCalendar.isPartial(begin, extents.mapValues(\.earliest), rules)
    {
      states[0] = .partial
    }
  }

  /// With several zones the data begin and end at other local times in each: by as much as the clocks are
  /// apart. Buckets that are not whole in all of them are `partial` at the start and `open` at the end.
  private mutating func openEdges(earliest: Int64?, latest: Int64?, _ rules: TrendRules) {
    let tail = rules.clock.length / Self.tailParts
    if let earliest {
      let all = earliest + Self.spread(at: earliest, rules)
      for t in states.indices where rules.clock.start(first + t) + tail < all {
        if states[t] == .closed { states[t] = .partial }
      }
    }
    if rules.end == nil, let latest {
      let all = latest - Self.spread(at: latest, rules)
      for t in states.indices
      where rules.clock.start(first + t) + rules.clock.length - tail > all {
        if states[t] == .closed { states[t] = .open }
      }
    }
  }

  /// Whether the first bucket begins before its data do: more than a 24th of a bucket, and longer than any
  /// other waits for its first record.
  private static func isPartial(
    _ bucket: Int, _ earliest: [Int: Int64], _ rules: TrendRules
  ) -> Bool {
    func wait(_ bucket: Int) -> Int64 { (earliest[bucket] ?? 0) - rules.clock.start(bucket) }
    let mine = wait(bucket)
    return mine > rules.clock.length / tailParts
      && earliest.keys.allSatisfy { $0 <= bucket || wait($0) < mine }
  }

  /// Microseconds that the clocks of the zones are apart.
  private static func spread(at instant: Int64, _ rules: TrendRules) -> Int64 {
    1_000_000 * rules.zone.spread(at: instant.dividedDown(by: 1_000_000).quotient)
  }

  /// What has come is complete up to here, where late records are allowed for and no date is believed.
  private static func watermark(
    of bucket: Int, _ extent: TrendState.Extent?, _ hasTimes: Bool, _ rules: TrendRules
  ) -> Int64? {
    guard rules.allowedLateness > 0, rules.end == nil, let extent else { return nil }
    // Of dates alone the latest day is all there.
    let latest = hasTimes ? extent.latest : rules.clock.start(bucket) + rules.clock.length
    let spread = rules.zone.field == nil ? 0 : spread(at: latest, rules)
    return latest - spread - rules.allowedLateness
  }

  private static func isClosed(_ bucket: Int, _ latest: Int64?, _ rules: TrendRules) -> Bool {
    let end = rules.clock.start(bucket) + rules.clock.length
    if let watermark = rules.end { return end <= watermark }
    // What is held back has come to its end.
    if rules.daysBack >= rules.clock.days { return true }
    return latest.map { $0 >= end - rules.clock.length / tailParts } ?? false
  }

  /// Place of a bucket among ``states``; `nil` outside of them.
  func index(of bucket: Int) -> Int? {
    states.indices.contains(bucket - first) ? bucket - first : nil
  }

  /// Runs of missing buckets.
  var gaps: [ClosedRange<Int>] { states.runs(of: .missing) }

  var openBucket: Int? { states.last == .open ? states.count - 1 : nil }
  var hasPartialStart: Bool { states.first == .partial }
}
