import WeirData
import WeirEngine
import WeirStatistics

/// What a finding says of why: the `explain` object, and a sentence.
struct ExplanationRecord {
  let fields: [FieldExplanation]
  let kind: MetricKind
  let starts: [CivilDate]

  /// Values of a field that are written.
  private static let valuesMost = 5

  /// The field that stands out most; `nil` where none does.
  var chosen: FieldExplanation? {
    fields.filter { $0.standsOut(among: fields.count) }.enumerated().max { a, b in
      let (x, y) = (a.element.surprise, b.element.surprise)
      return x != y ? x < y : a.offset > b.offset
    }?.element
  }

  var json: JSONValue {
    guard let first = fields.first else { return .null }
    let chosen = chosen
    return [
      "dimension": chosen.map { .text($0.field) } ?? .null,
      "rate_effect": chosen.map { .measured($0.explanation.rateEffect) } ?? .null,
      "mix_effect": chosen.map { .measured($0.explanation.mixEffect) } ?? .null,
      "simpson": chosen.map { .bool($0.explanation.isReversed) } ?? .null,
      "baseline": [
        "from": .text(starts[first.periods.first].iso), "to": .text(starts[first.periods.last].iso),
        "buckets": .int(first.periods.beforeCount),
      ],
      "dimensions": .array(
        fields.map { field in
          [
            "dimension": .text(field.field), "values": .int(field.values.count),
            "rate_effect": .measured(field.explanation.rateEffect),
            "mix_effect": .measured(field.explanation.mixEffect),
            "simpson": .bool(field.explanation.isReversed), "p": .measured(field.explanation.p),
            "stands_out": .bool(field.standsOut(among: fields.count)),
          ]
        }),
      "contributors": .array(fields.flatMap(contributors)),
    ]
  }

  private func contributors(_ field: FieldExplanation) -> [JSONValue] {
    let parts = field.explanation.parts.sorted {
      let (a, b) = (abs($0.power), abs($1.power))
      return a != b ? a > b : $0.segment < $1.segment
    }
    return parts.prefix(Self.valuesMost).map { part in
      let segment = field.segments[part.segment]
      return [
        "dimension": .text(field.field), "value": keyValue(field.values[part.segment]),
        "n0": .measured(segment.n0), "k0": .measured(segment.k0), "n1": .measured(segment.n1),
        "k1": .measured(segment.k1), "rate_effect": .measured(part.rateEffect),
        "mix_effect": .measured(part.mixEffect), "ep": .measured(part.power),
        "surprise": .measured(part.surprise), "q": .measured(part.q),
      ]
    }
  }

  /// One sentence for a mail; `nil` where there is nothing to say.
  var sentence: String? {
    guard !fields.isEmpty else { return nil }
    guard let field = chosen else {
      let names = fields.map { plainName($0.field) }
      return "No \(Self.list(names, last: "or")) stands out."
    }
    let found = field.explanation
    let name = plainName(field.field)
    if kind != .count, found.isReversed {
      return "Within every \(name) the \(kind == .rate ? "rate" : "mean") moved the other way: "
        + "the mix of \(plural(field.field)) makes the difference."
    }
    if kind != .count, found.mixEffect / found.change >= 0.67 {
      return "It is mostly the mix of \(plural(field.field)) that changed, not what happens "
        + "within them (\(amount(found.mixEffect)) of \(amount(found.change)))."
    }
    let carriers = found.parts.prefix(found.carriers ?? 0)
    let shown = carriers.prefix(3).map { keyText(field.values[$0.segment]) ?? "" }
    let rest = carriers.count - shown.count
    let names = Self.list(shown + (rest > 0 ? ["\(rest) more"] : []), last: "and")
    let power = carriers.reduce(0) { $0 + $1.power }
    let share =
      power > 1.005
      ? "more than all of it" : "\(PlainNumbers.fixed(100 * power, decimals: 0)) % of it"
    return "\(name) \(names) \(carriers.count == 1 ? "carries" : "carry") \(share)."
  }

  private func amount(_ value: Double) -> String {
    guard kind == .rate else {
      return PlainNumbers.signed(value, decimals: PlainNumbers.decimals(telling: [value]))
    }
    let points = 100 * value
    return PlainNumbers.signed(points, decimals: PlainNumbers.decimals(telling: [points]))
      + " points"
  }

  private static func list(_ words: [String], last: String) -> String {
    guard words.count > 1, let end = words.last else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " \(last) " + end
  }
}

/// A field's name with spaces for underscores.
func plainName(_ field: String) -> String {
  String(decoding: field.utf8.map { $0 == 0x5F ? 0x20 : $0 }, as: UTF8.self)
}
