import WeirData

/// Six weeks of decisions that nobody made, the same ones every time: three markets, two queues, some
/// spelled in several ways, some sent twice, a few lines that are no records; and one change: from
/// 2 February on twice as many decisions of the queue `spam` in DE are violations.
enum SampleDecisions {
  private static let start = CivilDate(year: 2026, month: 1, day: 5)!
  private static let days = 42
  private static let changeDay = 28
  private static let markets: [(spellings: [String], size: UInt64)] = [
    (["DE", "DE", "de", "Germany"], 40), (["FR", "FR", "FR", "fr "], 30),
    (["US", "US", "USA"], 60),
  ]
  private static let queues: [(spellings: [String], violations: UInt64)] = [
    (["spam", "spam", "SPAM"], 200), (["hate_speech", "hate-speech"], 80),
  ]

  /// The shards: one a day, by their path below the folder of the data.
  static func shards() -> [(path: String, bytes: [UInt8])] {
    let encoder = ZstdEncoder(ZstdSettings(level: 9))
    return (0..<days).map { day in
      let date = CivilDate(daysSinceEpoch: start.daysSinceEpoch + day)
      return ("date=\(date.iso)/part.jsonl.zst", encoder.frame(Array(lines(day, date).utf8)))
    }
  }

  private static func lines(_ day: Int, _ date: CivilDate) -> String {
    var text = ""
    for (market, place) in markets.enumerated() {
      for (queue, kind) in queues.enumerated() {
        let dice = Dice("\(day) \(market) \(queue)")
        // The first day is a Monday; weekends have a third more.
        let size = place.size + dice.roll("size", 9)
        for number in 0..<(day % 7 >= 5 ? size * 4 / 3 : size) {
          let dice = Dice("\(day) \(market) \(queue) \(number)")
          let isChanged = market == 0 && queue == 0 && day >= changeDay
          let line = line(
            dice, date, id: "\(date.iso)-\(market)\(queue)\(number)",
            market: dice.pick("market", place.spellings), queue: dice.pick("queue", kind.spellings),
            violations: isChanged ? kind.violations * 2 : kind.violations)
          text += line
          if dice.roll("again", 60) == 0 { text += line }
        }
      }
    }
    if day % 10 == 3 { text += "{\"event_id\": \n" }
    return text
  }

  private static func line(
    _ dice: Dice, _ date: CivilDate, id: String, market: String, queue: String, violations: UInt64
  ) -> String {
    let second = dice.roll("h", 24) * 3_600 + dice.roll("m", 60) * 60 + dice.roll("s", 60)
    let time = Timestamp(
      microseconds: (Int64(date.daysSinceEpoch) * 86_400 + Int64(second)) * 1_000_000)
    let decision = dice.roll("decision", 1_000) < violations ? "violation" : "approve"
    let team = dice.pick("team", ["vendor-a", "vendor-a", "vendor-b"])
    let milliseconds = 2_000 + dice.roll("first", 20_000) + dice.roll("second", 20_000)
    return
      #"{"event_id":"\#(id)","ts":"\#(time.rfc3339)","market":"\#(market)","queue":"\#(queue)","#
      + #""team":"\#(team)","decision":"\#(decision)","handle_ms":\#(milliseconds),"revision":1}"#
      + "\n"
  }
}

/// Numbers that look as if they were thrown, and are the same for the same words.
private struct Dice {
  private let name: String

  init(_ name: String) { self.name = name }

  /// From 0 up to `bound`, without it.
  func roll(_ what: String, _ bound: UInt64) -> UInt64 {
    Array("\(name) \(what)".utf8).withUnsafeBufferPointer { xxh3($0) } % bound
  }

  func pick(_ what: String, _ choices: [String]) -> String {
    choices[Int(roll(what, UInt64(choices.count)))]
  }
}
