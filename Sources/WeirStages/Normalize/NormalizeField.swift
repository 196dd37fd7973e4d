import WeirData
import WeirEngine

/// What a spec says about one field, checked as far as that is possible without the fields that
/// reach the stage.
struct NormalizeField: Sendable {
  enum Work: Sendable {
    case text(TextSteps, map: OptionValue?)
    case number(asInt: Bool)
    case timestamp(TimeForms)
  }

  let path: FieldPath
  let keyNode: SpecNode
  let options: Options
  let trims: Bool
  let work: Work

  static let stringSteps = ["unicode", "case", "replace", "map", "values"]

  init?(_ entry: OptionEntry, _ problems: inout Problems) {
    options = entry.value.object
    keyNode = entry.keyNode
    trims = options.bool("trim")
    guard let path = FieldPath(text: entry.key) else {
      problems.add(
        "bad_field", at: entry.keyNode, "\"\(entry.key)\" is no field",
        expected: "a dotted path such as `model.score`")
      return nil
    }
    self.path = path
    guard let work = NormalizeField.work(entry, options, &problems) else { return nil }
    self.work = work
  }

  private static func work(
    _ entry: OptionEntry, _ options: Options, _ problems: inout Problems
  ) -> Work? {
    let textSteps = stringSteps.filter { options[$0] != nil }
    let conversions = ["number", "timestamp"].filter { options[$0] != nil }
    if let first = conversions.first, conversions.count + textSteps.count > 1 {
      let other = conversions.count > 1 ? conversions[1] : textSteps[0]
      problems.add(
        "conflicting_steps", at: options.node(other),
        "`\(other)` cannot stand beside `\(first)`: only `trim` can",
        fix: "remove one of them, or put a second `normalize` behind this one",
        related: [.init("`\(first)` is here", at: options.node(first))])
      return nil
    }
    if !options.value("unmapped").isDefault, options["map"] == nil, options["values"] == nil {
      problems.add(
        "unused_option", at: options.node("unmapped"),
        "`unmapped` is for values that `map` or `values` do not know, and neither is given",
        fix: "remove \"unmapped\", or add \"map\" or \"values\"")
      return nil
    }
    if let number = options["number"] { return .number(asInt: number.string == "int") }
    if let forms = options["timestamp"] { return timeForms(forms, &problems).map(Work.timestamp) }
    if textSteps.isEmpty, !options.bool("trim") {
      problems.add(
        "nothing_to_do", at: entry.keyNode, "nothing is said about what to do with `\(entry.key)`",
        expected: "at least one of trim, unicode, case, replace, map, values, number, timestamp",
        fix: "\"\(entry.key)\": {\"trim\": true}")
      return nil
    }
    return textWork(options, &problems)
  }

  // MARK: Text

  private static func textWork(_ options: Options, _ problems: inout Problems) -> Work? {
    var steps = TextSteps()
    steps.composes = options["unicode"] != nil
    steps.trims = options.bool("trim")
    steps.letterCase = options["case"].flatMap { TextSteps.Case(rawValue: $0.string) }
    steps.unmapped = TextSteps.Unmapped(rawValue: options.string("unmapped")) ?? .quarantine
    if let replace = options["replace"] {
      guard let replacements = replacements(replace, &problems) else { return nil }
      warnOfCase(replace, steps, &problems)
      steps.replacements = replacements
    }
    if let values = options["values"] {
      guard checkValues(values, steps, hasMap: options["map"] != nil, &problems) else { return nil }
      steps.values = Set(values.list.map { Array($0.string.utf8) })
    }
    return .text(steps, map: options["map"])
  }

  private static func replacements(
    _ option: OptionValue, _ problems: inout Problems
  ) -> Replacements? {
    guard !option.map.isEmpty else {
      problems.add(
        "nothing_to_do", at: option.node, "`replace` names nothing to replace",
        fix: "remove \"replace\"")
      return nil
    }
    for entry in option.map where entry.key.utf8.isEmpty {
      problems.add(
        "empty_literal", at: entry.keyNode, "`replace` looks for a text, and this one is empty",
        fix: "remove the entry")
      return nil
    }
    return Replacements(
      option.map.map { .init(from: Array($0.key.utf8), to: Array($0.value.string.utf8)) })
  }

  /// Warns of literals that `case` leaves no trace of.
  private static func warnOfCase(
    _ replace: OptionValue, _ steps: TextSteps, _ problems: inout Problems
  ) {
    var rule = TextSteps()
    rule.letterCase = steps.letterCase
    for entry in replace.map {
      guard let never = rule.reasonNever(Array(entry.key.utf8)) else { continue }
      problems.add(
        "unreachable_key", at: entry.keyNode,
        "no value ever holds \"\(entry.key)\": \(never.reason) first",
        fix: asItIs(never.becomes, among: replace.map.map(\.key)), severity: .warning)
    }
  }

  /// What to write for a text that an earlier step changes.
  static func asItIs(_ text: [UInt8]?, among others: [String]) -> String {
    guard let text else { return "write it as it is after that step" }
    let meant = String(decoding: text, as: UTF8.self)
    return others.contains { same($0, meant) } ? "remove it" : quoted(meant)
  }

  private static func checkValues(
    _ option: OptionValue, _ steps: TextSteps, hasMap: Bool, _ problems: inout Problems
  ) -> Bool {
    if option.list.isEmpty {
      problems.add(
        "nothing_to_do", at: option.node, "`values` allows no value at all",
        fix: "name the values that may be, or remove \"values\"")
      return false
    }
    if steps.unmapped == .keep {
      problems.add(
        "nothing_to_do", at: option.node,
        "`values` does nothing where \"unmapped\" is \"keep\": every other value is kept too",
        fix: "set \"unmapped\" to \"quarantine\" or \"null\", or remove \"values\"")
      return false
    }
    // Behind a map the values are those that the map puts in.
    if hasMap { return true }
    for value in option.list {
      if let never = steps.reasonNever(Array(value.string.utf8)) {
        problems.add(
          "unreachable_key", at: value.node,
          "no value is ever \"\(value.string)\": \(never.reason) first",
          fix: asItIs(never.becomes, among: option.list.map(\.string)), severity: .warning)
      }
    }
    return true
  }

  // MARK: Time

  private static func timeForms(_ option: OptionValue, _ problems: inout Problems) -> TimeForms? {
    var forms = TimeForms()
    if option.list.isEmpty {
      problems.add(
        "nothing_to_do", at: option.node, "`timestamp` names no form of time",
        expected: "rfc3339, date, and one of epoch_s, epoch_ms, epoch_us")
      return nil
    }
    var epochNode: SpecNode?
    for form in option.list {
      switch form.string {
      case "rfc3339": forms.rfc3339 = true
      case "date": forms.date = true
      default:
        if let epochNode {
          problems.add(
            "conflicting_steps", at: form.node,
            "a number fits both units: which one is meant is never guessed from its size",
            expected: "at most one of epoch_s, epoch_ms, epoch_us", fix: "remove one of them",
            related: [.init("the other is here", at: epochNode)])
          return nil
        }
        epochNode = form.node
        forms.epoch =
          switch form.string {
          case "epoch_s": .seconds
          case "epoch_ms": .milliseconds
          default: .microseconds
          }
      }
    }
    return forms
  }
}
