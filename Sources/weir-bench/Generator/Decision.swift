/// Where one decision stands; all the rest about it follows from this and the seed.
struct Decision {
  /// Counts from 1 in the order in which decisions are made.
  var ordinal: Int
  var series: Int
  /// Which part of the queue, from 0: see ``QueueParts``.
  var part: Int
  /// When it was made: day of the data and milliseconds into it.
  var day: Int
  var millisecond: Int
  /// The decision that an appeal is about; 0 for none.
  var appealOf: Int
}

/// Makes the parts of a decision, each from a random stream of its own: a record can be made
/// again, the same, whenever a copy or a revision of it is due.
struct DecisionMaker {
  private enum Purpose {
    static let item: UInt64 = 0
    static let details: UInt64 = 1
    static let fate: UInt64 = 2
    static let review: UInt64 = 16  // plus the revision
  }

  /// The moderated content.
  struct Item {
    /// Added to ``firstContentID``.
    let contentOffset: Int
    let policy: Int
    /// Whether its maker appeals if it is found a violation.
    let isContested: Bool
  }

  /// What one revision says.
  struct Review {
    let isViolation: Bool
    let handleMs: Int
    /// For the rest of the revision.
    let stream: RandomStream
  }

  /// Above 2^53, as the ids of real platforms are: they are strings in JSON.
  static let firstContentID = 7_526_811_858_817_337_607

  let seed: UInt64
  private let days: Int
  private let rates: [Double]
  private let handleFactors: [Double]

  init(seed: UInt64, effects: Effects, calendar: Calendar) {
    self.seed = seed
    days = calendar.days
    var rates: [Double] = []
    var handleFactors: [Double] = []
    for series in 0..<World.seriesCount {
      for day in 0..<calendar.days {
        rates.append(effects.violationRate(series: series, day: day))
        handleFactors.append(effects.handleFactor(series: series, day: day))
      }
    }
    self.rates = rates
    self.handleFactors = handleFactors
  }

  func item(_ ordinal: Int) -> Item {
    var stream = RandomStream(seed: seed, ordinal: ordinal, purpose: Purpose.item)
    return Item(
      contentOffset: stream.below(1 << 40), policy: stream.below(World.policies.count),
      isContested: stream.chance(0.12))
  }

  /// - Parameter revision: 1 or 2. Each is an independent draw, so that a revision changes the
  ///   decision often and the violation rate never.
  func review(_ decision: Decision, revision: Int) -> Review {
    var stream = RandomStream(
      seed: seed, ordinal: decision.ordinal, purpose: Purpose.review + UInt64(revision))
    let place = decision.series * days + decision.day
    let isViolation = stream.chance(rates[place])
    let log = World.logHandle
    let handle = portableExp(log.mean + log.deviation * stream.normal()) * handleFactors[place]
    return Review(isViolation: isViolation, handleMs: Int(handle), stream: stream)
  }

  /// Team, moderator, note and the like.
  func details(_ ordinal: Int) -> RandomStream {
    RandomStream(seed: seed, ordinal: ordinal, purpose: Purpose.details)
  }

  /// Whether the record is sent again, revised or damaged.
  func fate(_ ordinal: Int) -> RandomStream {
    RandomStream(seed: seed, ordinal: ordinal, purpose: Purpose.fate)
  }
}
