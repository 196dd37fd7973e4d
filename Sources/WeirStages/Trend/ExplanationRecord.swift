import WeirData
import WeirEngine
import WeirStatistics

/// What a finding says of why: the `explain` object, and a sentence.
struct ExplanationRecord {
  let why: Explained
  /// What it is held against; `nil`: it was not asked what carried it.
  let periods: ComparedPeriods?
  let starts: [CivilDate]

  var chosen: FieldExplanation? { why.chosen }

  var json: JSONValue {
    why.json(
      periods.map { periods in
        [
          "from": .text(starts[periods.first].iso), "to": .text(starts[periods.last].iso),
          "buckets": .int(periods.beforeCount),
        ]
      })
  }

  /// One sentence for a mail; `nil` where there is nothing to say.
  var sentence: String? {
    guard !why.fields.isEmpty else { return nil }
    guard let field = chosen else { return why.nothing }
    let found = field.explanation
    if why.isReversed(field) {
      return
        "Within every \(plainName(field.field)) the \(why.kind == .rate ? "rate" : "mean") moved the other way: "
        + "the mix of \(plural(field.field)) makes the difference."
    }
    if why.isMostlyMix(field) {
      return "It is mostly the mix of \(plural(field.field)) that changed, not what happens "
        + "within them (\(why.amount(found.mixEffect)) of \(why.amount(found.change)))."
    }
    return why.carriers(field)
  }
}

/// A field's name with spaces for underscores.
func plainName(_ field: String) -> String {
  String(decoding: field.utf8.map { $0 == 0x5F ? 0x20 : $0 }, as: UTF8.self)
}
