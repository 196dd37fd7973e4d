import WeirData
import WeirEngine
import WeirStatistics

/// What the segments say of why, for a change as for a difference.
struct Explained {
  let fields: [FieldExplanation]
  let kind: MetricKind

  /// Values of a field that are written.
  private static let valuesMost = 5
  /// From this share of the whole on, a change is one of the mix.
  private static let mostlyMix = 0.67

  /// The field that stands out most; `nil` where none does.
  var chosen: FieldExplanation? {
    fields.filter { $0.standsOut(among: fields.count) }.enumerated().max { a, b in
      let (x, y) = (a.element.surprise, b.element.surprise)
      return x != y ? x < y : a.offset > b.offset
    }?.element
  }

  /// - Parameter baseline: what it is held against, where that is not said elsewhere.
  func json(_ baseline: JSONValue? = nil) -> JSONValue {
    guard !fields.isEmpty else { return .null }
    let chosen = chosen
    var members = [
      JSONMember("dimension", chosen.map { .text($0.field) } ?? .null),
      JSONMember("rate_effect", chosen.map { .measured($0.explanation.rateEffect) } ?? .null),
      JSONMember("mix_effect", chosen.map { .measured($0.explanation.mixEffect) } ?? .null),
      JSONMember("simpson", chosen.map { .bool($0.explanation.isReversed) } ?? .null),
    ]
    if let baseline { members.append(JSONMember("baseline", baseline)) }
    members += [
      JSONMember(
        "dimensions",
        .array(
          fields.map { field in
            [
              "dimension": .text(field.field), "values": .int(field.values.count),
              "rate_effect": .measured(field.explanation.rateEffect),
              "mix_effect": .measured(field.explanation.mixEffect),
              "simpson": .bool(field.explanation.isReversed), "p": .measured(field.explanation.p),
              "stands_out": .bool(field.standsOut(among: fields.count)),
            ]
          })),
      JSONMember("contributors", .array(fields.flatMap(contributors))),
    ]
    return .object(members)
  }

  /// The values that make most of it, whichever way.
  static func largest(_ field: FieldExplanation) -> [SegmentExplanation.Part] {
    let parts = field.explanation.parts.sorted {
      let (a, b) = (abs($0.power), abs($1.power))
      return a != b ? a > b : $0.segment < $1.segment
    }
    return Array(parts.prefix(valuesMost))
  }

  private func contributors(_ field: FieldExplanation) -> [JSONValue] {
    Explained.largest(field).map { part in
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

  // MARK: Words

  /// "No vendor or policy stands out."
  var nothing: String {
    "No \(listed(fields.map { plainName($0.field) }, last: "or")) stands out."
  }

  /// Whether every value moves against the whole.
  func isReversed(_ field: FieldExplanation) -> Bool {
    kind != .count && field.explanation.isReversed
  }

  /// Whether it is other shares of the values more than what happens within them.
  func isMostlyMix(_ field: FieldExplanation) -> Bool {
    kind != .count
      && field.explanation.mixEffect / field.explanation.change >= Explained.mostlyMix
  }

  /// "vendor V2 carries 96 % of it."; `nil` where no few values do.
  func carriers(_ field: FieldExplanation) -> String? {
    let carriers = field.explanation.parts.prefix(field.explanation.carriers ?? 0)
    guard !carriers.isEmpty else { return nil }
    let shown = carriers.prefix(3).map { keyText(field.values[$0.segment]) ?? "" }
    let rest = carriers.count - shown.count
    let names = listed(shown + (rest > 0 ? ["\(rest) more"] : []), last: "and")
    let power = carriers.reduce(0) { $0 + $1.power }
    let share =
      power > 1.005
      ? "more than all of it" : "\(PlainNumbers.fixed(100 * power, decimals: 0)) % of it"
    return
      "\(plainName(field.field)) \(names) \(carriers.count == 1 ? "carries" : "carry") \(share)."
  }

  /// Of a rate in points.
  func amount(_ value: Double) -> String {
    guard kind == .rate else {
      return PlainNumbers.signed(value, decimals: PlainNumbers.decimals(telling: [value]))
    }
    let points = 100 * value
    return PlainNumbers.signed(points, decimals: PlainNumbers.decimals(telling: [points]))
      + " points"
  }
}

/// "a, b and c".
func listed(_ words: [String], last: String) -> String {
  guard words.count > 1, let end = words.last else { return words.first ?? "" }
  return words.dropLast().joined(separator: ", ") + " \(last) " + end
}
