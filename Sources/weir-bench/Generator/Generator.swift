import Glibc

/// What to make.
struct GeneratorOptions {
  var calendar: Calendar
  /// Files: as many to a day, or as many days to a file, as this comes to.
  var shards: Int
  var seed: UInt64
  /// Share of records that are sent again or revised, 0 to 1.
  var duplicates: Double
  /// Share of records that a damaged line follows, 0 to 1.
  var malformed: Double
  /// Of zstd.
  var level: Int
  /// Words in the longest note, at least 1.
  var noteWords: Int
  /// About how many series to cut the queues into; `nil` for the queues as they are.
  var series: Int?
}

/// Writes moderation decisions in the order of their arrival, a day at a time, so that memory
/// grows with the decisions of a day (8 bytes each) and not with all of them.
struct Generator {
  private let options: GeneratorOptions
  private let effects: Effects
  private let maker: DecisionMaker
  private let parts: QueueParts
  private let lines: DecisionLine
  private let shards: ShardSet
  private var truth: Truth
  private var waiting = ArrivalQueue()
  /// For each market: the last decisions that were appealed, oldest first.
  private var appealed: [[Int]]
  private var ordinal = 0

  init(options: GeneratorOptions, effects: Effects, directory: String) {
    self.options = options
    self.effects = effects
    maker = DecisionMaker(seed: options.seed, effects: effects, calendar: options.calendar)
    parts = QueueParts(wanted: options.series, seed: options.seed)
    lines = DecisionLine(
      maker: maker, calendar: options.calendar, noteWords: options.noteWords, parts: parts)
    shards = ShardSet(
      directory: directory, calendar: options.calendar, count: options.shards,
      level: options.level)
    truth = Truth(days: options.calendar.days, seriesCount: parts.total)
    appealed = Array(repeating: [], count: World.markets.count)
  }

  /// Writes every shard and says what is in them.
  mutating func run() throws -> Truth {
    var line = LineBuffer()
    for day in 0..<options.calendar.days {
      let midnight = day * millisecondsPerDay
      for packed in newDecisions(of: day) {
        let millisecond = Int(packed >> 8)
        try deliver(until: midnight + millisecond, &line)
        try decide(day: day, millisecond: millisecond, series: Int(packed & 0xFF), &line)
      }
    }
    try deliver(until: Int.max, &line)
    try shards.finish()
    return truth
  }

  /// The decisions of a day in order of time: milliseconds into the day, shifted by 8 bits, and
  /// the series.
  private func newDecisions(of day: Int) -> [UInt64] {
    var stream = RandomStream(seed: options.seed, ordinal: day, purpose: 3)
    var decisions: [UInt64] = []
    let hourTotal = World.hours.reduce(0, +)
    let hourOf = World.hours.enumerated().flatMap { Array(repeating: $0.offset, count: $0.element) }
    for series in 0..<World.seriesCount {
      let mean =
        options.calendar.expectedCount(series: series, day: day)
        * effects.volumeFactor(series: series, day: day)
      for _ in 0..<stream.poisson(mean) {
        let hour = hourOf[stream.below(hourTotal)]
        let millisecond = hour * 3_600_000 + stream.below(3_600_000)
        decisions.append(UInt64(millisecond) << 8 | UInt64(series))
      }
    }
    decisions.sort()
    return decisions
  }

  /// A new decision: its line, what comes after it, and its place in the truth.
  private mutating func decide(
    day: Int, millisecond: Int, series: Int, _ line: inout LineBuffer
  ) throws {
    ordinal += 1
    let decision = Decision(
      ordinal: ordinal, series: series, part: parts.part(ofDecision: ordinal, series: series),
      day: day, millisecond: millisecond, appealOf: appealedBefore(ordinal, series: series))
    let fate = Fate(
      maker.fate(ordinal), duplicates: options.duplicates, malformed: options.malformed)
    let now = day * millisecondsPerDay + millisecond
    let final = maker.review(decision, revision: fate.finalRevision)
    truth.count(
      decision, final, in: parts.all(ofSeries: series).lowerBound + decision.part)
    if final.isViolation, World.queue(ofSeries: series) != World.appealsQueue,
      maker.item(ordinal).isContested
    {
      remember(ordinal, market: World.market(ofSeries: series))
    }

    line.removeAll()
    lines.write(decision, revision: fate.copy == .revisedOutOfOrder ? 2 : 1, to: &line)
    try shards.write(line.bytes, at: now)
    if let damage = fate.damage {
      Fate.apply(damage, to: &line)
      try shards.write(line.bytes, at: now)
      truth.malformed[damage.rawValue] += 1
    }

    let late = now + fate.delay
    switch fate.copy {
    case .none: return
    case .redelivered: truth.redelivered += 1
    case .revised, .revisedOutOfOrder:
      truth.revised += 1
      if fate.copy == .revisedOutOfOrder { truth.revisedOutOfOrder += 1 }
      if maker.review(decision, revision: 1).isViolation != final.isViolation {
        truth.changed += 1
      }
    }
    if shards.index(at: late) != shards.index(at: now) { truth.laterShard += 1 }
    let revision = fate.copy == .revised ? 2 : 1
    waiting.push(Arrival(at: late, decision: decision, revision: revision))
  }

  /// Writes the copies that are due before `time`.
  private mutating func deliver(until time: Int, _ line: inout LineBuffer) throws {
    while let next = waiting.next, next.at < time, let arrival = waiting.pop() {
      line.removeAll()
      lines.write(arrival.decision, revision: arrival.revision, to: &line)
      try shards.write(line.bytes, at: arrival.at)
    }
  }

  /// The decision that an appeal is about: one of the last that were appealed in its market.
  private func appealedBefore(_ ordinal: Int, series: Int) -> Int {
    guard World.queue(ofSeries: series) == World.appealsQueue else { return 0 }
    let open = appealed[World.market(ofSeries: series)]
    guard !open.isEmpty else { return 0 }
    var stream = RandomStream(seed: options.seed, ordinal: ordinal, purpose: 4)
    return open[stream.below(open.count)]
  }

  private mutating func remember(_ ordinal: Int, market: Int) {
    if appealed[market].count == 32 { appealed[market].removeFirst() }
    appealed[market].append(ordinal)
  }
}
