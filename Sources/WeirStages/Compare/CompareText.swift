import WeirData
import WeirStatistics

/// Says a difference in sentences that can be pasted into a mail.
struct CompareText {
  let subject: CompareSubject
  let result: SideComparison
  /// Fields of a group.
  let by: [String]
  /// The field whose values are compared; `nil` for periods.
  let field: String?
  let metric: String
  let isWeekly: Bool
  /// What carries it, or `nil` where that was not asked.
  let why: Explained?
  /// Why it is listed low; `nil` where it is not.
  let low: String?

  private var isRate: Bool { result.kind == .rate }
  private var isCounted: Bool { result.kind == .count || result.kind == .distinct }
  private var isUp: Bool { result.statistic > 0 }
  private var each: String { isCounted ? (isWeekly ? " a week" : " a day") : "" }
  private var group: String { groupText(subject.key.map { keyText($0) }, by: by) }
  private var name: String { plainName(metric) }

  /// Levels with their unit, told apart.
  static func levels(_ values: [Double], isRate: Bool) -> [String] {
    let shown = isRate ? values.map { 100 * $0 } : values
    let digits = max(isRate ? 1 : 0, PlainNumbers.decimals(telling: shown))
    return shown.map { value in
      let isWhole = isRate ? value == 0 : value == value.rounded()
      return PlainNumbers.fixed(value, decimals: isWhole ? 0 : digits) + (isRate ? " %" : "")
    }
  }

  /// "in DE", "for vendor V3", "for all other vendors", "for before".
  func sideText(_ side: CompareSubject.Side) -> String {
    guard let field else { return side.name }
    guard side.value != nil else { return "at all other \(plural(field))" }
    let value = side.name.isEmpty ? "(empty)" : side.name
    return isPlace(field) ? "in \(value)" : "at \(plainName(field)) \(value)"
  }

  var headline: String {
    guard let a = result.a, let b = result.b else { return "\(group): \(name)" }
    let text = Self.levels([a.value, b.value], isRate: isRate)
    guard field == nil else {
      return "\(group): \(name) is \(text[1])\(each) \(sideText(subject.b)), \(text[0]) "
        + sideText(subject.a)
    }
    return "\(group): \(name) \(isUp ? "rose" : "fell") from \(text[0]) (\(subject.a.name)) to "
      + "\(text[1])\(each) (\(subject.b.name))"
  }

  var detail: String {
    guard let difference = result.difference else { return "" }
    var sentences = ["The difference is \(size(difference))\(share)."]
    if let events { sentences.append(events) }
    if field == nil {
      sentences.append(
        "\(subject.a.name) is \(dates(subject.a)), \(subject.b.name) is \(dates(subject.b)).")
    } else {
      sentences.append(
        "Compared over \(buckets(result.bucketsB)), \(dates(subject.b)), each with the same one.")
    }
    if let why = why?.differenceSentences, !why.isEmpty { sentences.append(why) }
    if let low { sentences.append("Listed low: \(low).") }
    return sentences.joined(separator: " ")
  }

  /// "+5.4 points (95 % interval +5.0 to +5.9)".
  func size(_ e: Estimate) -> String {
    let values = [e.value, e.lo, e.hi].map { isRate ? 100 * $0 : $0 }
    let digits = PlainNumbers.decimals(telling: [values[0]])
    let text = values.map { PlainNumbers.signed($0, decimals: digits) }
    return "\(text[0])\(isRate ? " points" : each) (95 % interval \(text[1]) to \(text[2]))"
  }

  private var share: String {
    guard let a = result.a, a.value != 0 else { return "" }
    let relative = result.relative
    if relative >= 1 {
      let times = relative + 1
      return
        ", \(PlainNumbers.fixed(times, decimals: times < 10 ? 1 : 0)) times as \(isRate || isCounted ? "many" : "much")"
    }
    let percent = 100 * relative
    return ", \(PlainNumbers.signed(percent, decimals: abs(percent) >= 9.95 ? 0 : 1)) %"
  }

  private var events: String? {
    guard let impact = result.impact, result.kind == .rate || result.kind == .count else {
      return nil
    }
    let text = [impact.value, impact.lo, impact.hi].map { PlainNumbers.signed($0, decimals: 0) }
    let base = field == nil ? "the level of \(subject.a.name)" : "the level \(sideText(subject.a))"
    let among =
      isRate ? " among \(PlainNumbers.fixed(result.nB, decimals: 0)) records" : " records in all"
    return "Against \(base) that is \(text[0])\(among) (95 % interval \(text[1]) to \(text[2]))."
  }

  private func buckets(_ count: Int) -> String {
    "\(PlainNumbers.fixed(Double(count), decimals: 0)) \(isWeekly ? "week" : "day")\(count == 1 ? "" : "s")"
  }

  private func dates(_ side: CompareSubject.Side) -> String {
    guard let from = side.from, let to = side.to else { return "without days" }
    return from == to ? dated(from) : "\(dated(from)) to \(dated(to))"
  }

  private func dated(_ day: CivilDate) -> String { "\(day.short) \(day.year)" }
}

extension Explained {
  /// What carries a difference, in one or two sentences.
  var differenceSentences: String {
    guard !fields.isEmpty else { return "" }
    // Where every value differs the other way, that is what must be said, whoever carries what.
    guard let field = fields.first(where: isReversed) ?? fields.first(where: isMostlyMix) ?? chosen
    else { return nothing }
    let found = field.explanation
    let word = kind == .rate ? "rate" : "mean"
    guard kind != .count else { return carriers(field) ?? "" }
    let split =
      "\(amount(found.rateEffect)) from other \(word)s within \(plural(field.field)) and "
      + "\(amount(found.mixEffect)) from another mix of them"
    if isReversed(field) {
      return
        "Within every \(plainName(field.field)) the \(word) differs the other way: it is \(split)."
    }
    if isMostlyMix(field) {
      return "It is mostly the mix of \(plural(field.field)) that differs: \(split)."
    }
    return "It is \(split). \(carriers(field) ?? "")"
  }
}

/// Whether a field says where something is.
private func isPlace(_ field: String) -> Bool {
  placeFields.contains { $0.utf8.elementsEqual(field.utf8) }
}
