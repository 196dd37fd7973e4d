/// The markets, queues, teams and words that decisions are made of.
enum World {
  struct Market {
    let code: String
    /// The language of most of its records.
    let language: String
    /// How the code is written in the records that do not keep to it; empty where all do.
    let spellings: [String]
    /// Decisions a day in each queue, in the order of ``World/queues``, at ``totalPerDay``.
    let perDay: [Double]
    /// Multiplies the violation rate of each queue.
    let strictness: Double
  }

  struct Queue {
    let name: String
    /// Share of violations before ``Market/strictness``. For appeals: of decisions upheld.
    let violationRate: Double
  }

  struct Team {
    let name: String
    /// Probability that the second look of quality assurance agrees.
    let agreement: Double
  }

  /// Of very different size on purpose: live_nudity in US has 450 times the decisions of misinfo
  /// in SA.
  static let markets = [
    Market(
      code: "US", language: "en", spellings: ["US", "us", "USA", "US "],
      perDay: [12, 9, 14, 68, 8, 22, 5, 6], strictness: 1.00),
    Market(
      code: "GB", language: "en", spellings: ["GB", "gb", " UK", "United Kingdom", "GBR"],
      perDay: [4, 3, 9, 8, 3, 36, 2, 3], strictness: 1.00),
    Market(
      code: "DE", language: "de", spellings: ["DE", "de", "Germany"],
      perDay: [2, 2, 4, 6, 2, 42, 1.5, 2], strictness: 1.10),
    Market(
      code: "FR", language: "fr", spellings: [],
      perDay: [2, 3, 3, 32, 1.5, 5, 1, 1.5], strictness: 1.05),
    Market(
      code: "BR", language: "pt", spellings: [],
      perDay: [6, 38, 8, 9, 5, 4, 2, 3], strictness: 0.95),
    Market(
      code: "ID", language: "id", spellings: [],
      perDay: [44, 5, 9, 7, 12, 3, 1.5, 2], strictness: 1.10),
    Market(
      code: "VN", language: "vi", spellings: [],
      perDay: [3, 2, 30, 4, 6, 1.5, 0.5, 1], strictness: 0.90),
    Market(
      code: "JP", language: "ja", spellings: [],
      perDay: [1.5, 1, 3, 7, 24, 1, 0.4, 1], strictness: 0.90),
    Market(
      code: "SA", language: "ar", spellings: [],
      perDay: [0.8, 2, 1.2, 2.5, 3, 2, 0.15, 0.3], strictness: 1.15),
    Market(
      code: "TR", language: "tr", spellings: [],
      perDay: [1.2, 4, 2, 3, 2.5, 6, 0.6, 0.8], strictness: 1.05),
    Market(
      code: "MX", language: "es", spellings: [],
      perDay: [2.5, 28, 5, 6, 4, 2, 0.7, 1.2], strictness: 1.00),
    Market(
      code: "PH", language: "en", spellings: [],
      perDay: [8, 3, 58, 12, 9, 2.5, 0.5, 2.5], strictness: 1.00),
  ]

  static let queues = [
    Queue(name: "live_minor_safety", violationRate: 0.10),
    Queue(name: "live_violence", violationRate: 0.14),
    Queue(name: "live_scam", violationRate: 0.22),
    Queue(name: "live_nudity", violationRate: 0.18),
    Queue(name: "gifting_fraud", violationRate: 0.25),
    Queue(name: "hate_speech", violationRate: 0.12),
    Queue(name: "misinfo", violationRate: 0.09),
    Queue(name: "appeals", violationRate: 0.68),
  ]
  static let appealsQueue = 7

  static let teams = [
    Team(name: "bpo-manila-1", agreement: 0.94),
    Team(name: "bpo-manila-2", agreement: 0.93),
    Team(name: "bpo-dublin-1", agreement: 0.95),
    Team(name: "bpo-bogota-1", agreement: 0.85),
    Team(name: "bpo-kl-1", agreement: 0.93),
    Team(name: "inhouse-london", agreement: 0.97),
  ]

  static let policies = [
    "A1.minor", "A2.grooming", "B1.gore", "B2.threat", "C1.fraud", "C2.impersonation", "D1.nudity",
    "E1.slur", "F1.election",
  ]

  static let words = [
    "stream", "host", "gift", "viewer", "chat", "clip", "audio", "overlay", "banner", "link",
    "phone", "number", "minor", "weapon", "blood", "dance", "game", "music", "donate", "scam",
    "crypto", "giveaway", "repeat", "slur", "insult", "threat", "consent", "context", "satire",
    "news", "footage", "policy", "escalated", "unclear", "frame", "face", "background", "voice",
    "caption", "translate", "region", "local", "language", "dialect", "emoji", "caf\u{E9}",
    "na\u{EF}ve", "\u{FC}ber", "stra\u{DF}e", "\u{65E5}\u{672C}\u{8A9E}",
    "\u{627}\u{644}\u{639}\u{631}\u{628}\u{64A}\u{629}",
  ]

  /// Decisions on a weekday, Monday first, relative to each other: live streams are watched at
  /// the weekend.
  static let weekdays = [1.0, 0.95, 0.95, 1.0, 1.1, 1.35, 1.3]

  /// Decisions in each hour of the day in UTC, relative to each other.
  static let hours = [
    4, 4, 5, 5, 5, 5, 5, 4, 4, 4, 5, 6, 7, 8, 9, 9, 8, 8, 7, 6, 6, 5, 4, 4,
  ]

  /// Mean and deviation of ln(handle_ms).
  static let logHandle = (mean: 9.6, deviation: 0.5)

  static let seriesCount = markets.count * queues.count
  static let totalPerDay = markets.reduce(0) { $0 + $1.perDay.reduce(0, +) }

  /// A (market, queue) as one number.
  static func series(market: Int, queue: Int) -> Int { market * queues.count + queue }
  static func market(ofSeries series: Int) -> Int { series / queues.count }
  static func queue(ofSeries series: Int) -> Int { series % queues.count }

  /// Share of violations while nothing is planted.
  static func violationRate(ofSeries series: Int) -> Double {
    queues[queue(ofSeries: series)].violationRate
      * markets[market(ofSeries: series)].strictness
  }
}
