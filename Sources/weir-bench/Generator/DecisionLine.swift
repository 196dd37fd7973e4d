import WeirData

/// Writes decisions as JSON lines.
struct DecisionLine {
  private let maker: DecisionMaker
  private let noteWords: Int
  private let parts: QueueParts
  private let midnights: [Int]
  /// ISO dates of the days and of the one after the last.
  private let dates: [[UInt8]]
  private let words = World.words.map { Array($0.utf8) }
  private let policies = World.policies.map { Array($0.utf8) }
  private let teams = World.teams.map { Array($0.name.utf8) }
  private let markets = World.markets.map { Array($0.code.utf8) }
  private let spellings = World.markets.map { $0.spellings.map { Array($0.utf8) } }
  private let languages = World.markets.map { Array($0.language.utf8) }
  private let queues = World.queues.map { Array($0.name.utf8) }
  /// The way another system writes them: `LIVE-SCAM`.
  private let loudQueues = World.queues.map { queue in
    queue.name.utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 & 0xDF }
  }

  init(maker: DecisionMaker, calendar: Calendar, noteWords: Int, parts: QueueParts) {
    self.maker = maker
    self.parts = parts
    self.noteWords = noteWords
    midnights = (0..<calendar.days).map { calendar.midnight($0) }
    dates = (0...calendar.days).map { Array(calendar.date($0).iso.utf8) }
  }

  /// Appends the record without a line end.
  func write(_ decision: Decision, revision: Int, to line: inout LineBuffer) {
    let review = maker.review(decision, revision: revision)
    var said = review.stream
    var details = maker.details(decision.ordinal)
    let item = maker.item(decision.appealOf > 0 ? decision.appealOf : decision.ordinal)
    let isAppeal = World.queue(ofSeries: decision.series) == World.appealsQueue
    let first = revision == 1 ? review : maker.review(decision, revision: 1)
    let market = World.market(ofSeries: decision.series)

    line.append("{\"event_id\":\"")
    line.append(hexadecimal: Int(truncatingIfNeeded: maker.seed & 0xFF), width: 2)
    line.append(hexadecimal: decision.ordinal, width: 14)
    line.append("\",\"content_id\":\"")
    line.append(decimal: DecisionMaker.firstContentID + item.contentOffset)
    line.append("\",\"ts\":")
    writeTime(decision, &details, to: &line)
    line.append(",\"market\":\"")
    writeMarket(market, &said, to: &line)
    line.append("\",\"queue\":\"")
    writeQueue(decision, isLoud: said.chance(0.2), to: &line)
    let team = details.below(teams.count)
    line.append("\",\"team\":\"")
    line.append(teams[team])
    line.append("\",\"moderator_id\":\"m-")
    line.append(team, width: 1)
    line.append(details.below(400), width: 3)
    line.append("\",\"policy\":\"")
    if review.isViolation { line.append(policies[item.policy]) } else { line.append("none") }
    line.append(
      review.isViolation ? "\",\"decision\":\"violation\"" : "\",\"decision\":\"approve\"")
    line.append(",\"severity\":")
    let severity = 1 + details.below(4)
    line.append(decimal: review.isViolation ? severity : 0)
    writeModel(first.isViolation, &details, to: &line)
    writeQuality(review.isViolation, team: team, &details, to: &line)
    let isAppealed = review.isViolation && item.isContested && !isAppeal
    line.append(isAppealed ? ",\"appealed\":true" : ",\"appealed\":false")
    line.append(",\"handle_ms\":")
    line.append(decimal: review.handleMs)
    line.append(",\"lang\":\"")
    if details.chance(0.85) { line.append(languages[market]) } else { line.append("en") }
    writeText(&details, to: &line)
    line.append(",\"revision\":")
    line.append(decimal: revision)
    line.append("}")
  }

  /// 90 % RFC 3339 in UTC with milliseconds, 7 % with an offset and without them, 3 % a number:
  /// milliseconds from 1970.
  private func writeTime(
    _ decision: Decision, _ stream: inout RandomStream, to line: inout LineBuffer
  ) {
    let style = stream.below(100)
    if style >= 97 {
      line.append(decimal: midnights[decision.day] + decision.millisecond)
      return
    }
    let isOffset = style >= 90
    let local = decision.millisecond + (isOffset ? 8 * 3_600_000 : 0)
    let ofDay = local % millisecondsPerDay
    line.append("\"")
    line.append(dates[decision.day + local / millisecondsPerDay])
    line.append("T")
    line.append(ofDay / 3_600_000, width: 2)
    line.append(":")
    line.append(ofDay / 60_000 % 60, width: 2)
    line.append(":")
    line.append(ofDay / 1000 % 60, width: 2)
    if isOffset {
      line.append("+08:00\"")
    } else {
      line.append(".")
      line.append(ofDay % 1000, width: 3)
      line.append("Z\"")
    }
  }

  private func writeMarket(
    _ market: Int, _ stream: inout RandomStream, to line: inout LineBuffer
  ) {
    let choices = spellings[market]
    if stream.chance(0.4), !choices.isEmpty {
      line.append(choices[stream.below(choices.count)])
    } else {
      line.append(markets[market])
    }
  }

  private func writeQueue(_ decision: Decision, isLoud: Bool, to line: inout LineBuffer) {
    let queue = World.queue(ofSeries: decision.series)
    line.append(isLoud ? loudQueues[queue] : queues[queue])
    guard parts.areNumbered else { return }
    line.append(isLoud ? "-" : "_")
    line.append(decision.part + 1, width: QueueParts.digits)
  }

  /// The model saw the content, so that its score follows the first decision.
  private func writeModel(
    _ isViolation: Bool, _ stream: inout RandomStream, to line: inout LineBuffer
  ) {
    let score = (isViolation ? 0.78 : 0.22) + 0.18 * stream.normal()
    let tenThousandths = Int((min(0.9999, max(0.0001, score)) * 10_000).rounded())
    line.append(",\"model\":{\"name\":\"guard-3\",\"label\":\"")
    if tenThousandths > 5000 { line.append("violation") } else { line.append("approve") }
    line.append("\",\"score\":0.")
    var digits = tenThousandths
    var width = 4
    while width > 1, digits % 10 == 0 {
      digits /= 10
      width -= 1
    }
    line.append(digits, width: width)
    line.append("}")
  }

  /// 8 % of the decisions get a second look.
  private func writeQuality(
    _ isViolation: Bool, team: Int, _ stream: inout RandomStream, to line: inout LineBuffer
  ) {
    let isSampled = stream.chance(0.08)
    let agrees = stream.chance(World.teams[team].agreement)
    let reviewer = stream.below(60)
    guard isSampled else {
      line.append(",\"qa\":null")
      return
    }
    line.append(",\"qa\":{\"label\":\"")
    if isViolation == agrees { line.append("violation") } else { line.append("approve") }
    line.append("\",\"reviewer\":\"q-")
    line.append(reviewer, width: 2)
    line.append("\"}")
  }

  private func writeText(_ stream: inout RandomStream, to line: inout LineBuffer) {
    line.append("\",\"note\":\"")
    let least = (noteWords + 5) / 6
    for place in 0..<(least + stream.below(noteWords - least + 1)) {
      if place > 0 { line.append(" ") }
      line.append(words[stream.below(words.count)])
    }
    line.append("\",\"tags\":[")
    // Distinct without a set: each tag from its own third of the words.
    let third = words.count / 3
    for place in 0..<stream.below(4) {
      if place > 0 { line.append(",") }
      line.append("\"")
      line.append(words[place * third + stream.below(third)])
      line.append("\"")
    }
    line.append("]")
  }
}
