import WeirData

/// Checks the options of a declaration against its manual and reads their values.
///
/// A value that depends on a parameter without value is neither right nor wrong: it is left out
/// without a problem, and with it the `Options` that would hold it.
struct OptionCheck {
  let scope: SpecScope
  var problems = Problems()

  var params: ResolvedParams { scope.params }

  init(_ scope: SpecScope) { self.scope = scope }

  /// For options that stand in no spec, such as those of a manual.
  init(params: ResolvedParams) { scope = SpecScope(params: params, today: SpecScope.empty.today) }

  /// The checked options, or `nil` with problems where something is wrong. Members named in
  /// `common` belong to every stage and are checked elsewhere.
  mutating func options(
    _ node: SpecNode, _ specs: [OptionSpec], common: [String] = [], of what: String
  ) -> Options? {
    guard let members = node.object else {
      wrongType(node, what, .object(specs))
      return nil
    }
    var isComplete = true
    let misspelt = unknownKeys(members, specs, common, what)
    var values: [OptionValue?] = []
    for spec in specs {
      if let member = node.member(spec.name) {
        let value = self.value(member.value, spec.type, of: quoted(spec.name))
        if value == nil { isComplete = false }
        values.append(value)
        continue
      }
      switch spec.presence {
      case .optional: values.append(nil)
      case .default(let text):
        let value = defaultValue(text, spec, node)
        if value == nil { isComplete = false }
        values.append(value)
      case .required:
        isComplete = false
        values.append(nil)
        // The misspelt key has said it already.
        if !misspelt.unknown.contains(where: { same($0, spec.name) }) { missing(spec, node, what) }
      }
    }
    guard isComplete, misspelt.count == 0 else { return nil }
    return Options(node: node, specs: specs, values: values, params: params)
  }

  /// Reports the keys that the manual does not have; answers how many, and what they may mean.
  private mutating func unknownKeys(
    _ members: [SpecMember], _ specs: [OptionSpec], _ common: [String], _ what: String
  ) -> (count: Int, unknown: [String]) {
    let known = specs.map(\.name) + common
    var meant: [String] = []
    var count = 0
    let free = known.filter { name in !members.contains { same($0.key, name) } }
    for member in members where !known.contains(where: { same($0, member.key) }) {
      count += 1
      if problems.countsOnly() { continue }
      let near =
        problems.suggestion(for: member.key, among: free)
        ?? Synonyms.option(member.key, among: free)
      if let near { meant.append(near) }
      problems.add(
        "unknown_key", at: member.keyNode, "\(what) has no option \(shown(member.key))",
        expected: known.isEmpty ? "no options" : oneOf(known, limit: 40),
        fix: near.map { renamed(member, $0, specs) } ?? "remove it")
    }
    return (count, meant)
  }

  /// The right key, with its value where that has to be written otherwise as well.
  private func renamed(_ member: SpecMember, _ key: String, _ specs: [OptionSpec]) -> String {
    let type =
      specs.first { same($0.name, key) }?.type ?? (same(key, "inputs") ? .list(.string) : nil)
    guard let type, !type.hasShape(of: member.value), let value = type.fix(for: member.value)
    else { return quoted(key) }
    return "\(quoted(key)): \(value)"
  }

  private mutating func missing(_ spec: OptionSpec, _ node: SpecNode, _ what: String) {
    problems.add(
      "missing_option", at: node.opening, "\(what) needs \(quoted(spec.name))",
      expected: "\(spec.type.expectation) (\(spec.summary.withoutFullStop))",
      fix:
        "\(quoted(spec.name)): \(same(spec.name, "of") ? quoted(OptionType.fieldPlaceholder) : spec.type.sample)"
    )
  }

  private mutating func defaultValue(
    _ text: String, _ spec: OptionSpec, _ node: SpecNode
  ) -> OptionValue? {
    var trial = OptionCheck(scope)
    let source = SpecSource(name: "default of \(spec.name)", bytes: Array(text.utf8))
    if let parsed = SpecJSON.parse(source, problems: &trial.problems),
      let value = trial.value(parsed, spec.type, of: quoted(spec.name)), trial.problems.isEmpty
    {
      var place = parsed
      (place.range, place.source, place.isVerbatim) = (node.range, node.source, false)
      place.pointer = .key(node.pointer, spec.name)
      return OptionValue(content: value.content, node: place, isDefault: true)
    }
    problems.add(
      "bad_manual", at: node, "the manual's default \(text) for \(quoted(spec.name)) is wrong",
      fix: "report this: it is a mistake in Weir, not in the spec")
    return nil
  }

  /// The value, or `nil` with a problem; also `nil` where a parameter without value is needed.
  mutating func value(_ node: SpecNode, _ type: OptionType, of what: String) -> OptionValue? {
    switch type {
    case .list(let element): return list(node, element, type, what)
    case .map(let element): return map(node, element, type, what)
    case .object(let specs):
      guard node.object != nil else {
        wrongType(node, what, type)
        return nil
      }
      guard let options = options(node, specs, of: what) else { return nil }
      return OptionValue(content: .object(options), node: node, isDefault: false)
    case .anyOf(let types): return anyOf(node, types, type, what)
    default: return scalar(node, type, what)
    }
  }

  private mutating func list(
    _ node: SpecNode, _ element: OptionType, _ type: OptionType, _ what: String
  ) -> OptionValue? {
    guard let items = node.array else {
      wrongType(node, what, type)
      return nil
    }
    var values: [OptionValue] = []
    for item in items {
      if let value = value(item, element, of: "an entry of \(what)") { values.append(value) }
    }
    guard values.count == items.count else { return nil }
    return OptionValue(content: .list(values), node: node, isDefault: false)
  }

  private mutating func map(
    _ node: SpecNode, _ element: OptionType, _ type: OptionType, _ what: String
  ) -> OptionValue? {
    guard let members = node.object else {
      wrongType(node, what, type)
      return nil
    }
    var entries: [OptionEntry] = []
    for member in members {
      if let value = value(member.value, element, of: shown(member.key)) {
        entries.append(OptionEntry(key: member.key, keyNode: member.keyNode, value: value))
      }
    }
    guard entries.count == members.count else { return nil }
    return OptionValue(content: .map(entries), node: node, isDefault: false)
  }

  /// The first alternative that fits. Where none does, the problems of the one that was most
  /// likely meant; where that is not plain, all of them are named.
  private mutating func anyOf(
    _ node: SpecNode, _ types: [OptionType], _ type: OptionType, _ what: String
  ) -> OptionValue? {
    var trials: [(type: OptionType, problems: Problems)] = []
    for candidate in types {
      var trial = OptionCheck(scope)
      let value = trial.value(node, candidate, of: what)
      if !trial.problems.hasErrors {
        problems.add(contentsOf: trial.problems)
        return value
      }
      if candidate.hasShape(of: node) { trials.append((candidate, trial.problems)) }
    }
    if problems.countsOnly() { return nil }
    let kinds = OptionCheck.kinds(trials.map(\.type))
    let strange = trials.count > 1 ? strangeKey(trials.map(\.type), node) : nil
    if strange == nil, trials.count > 1, let members = node.object {
      if reportTwoKinds(members, trials.map(\.type), kinds, type, what) { return nil }
      trials = OptionCheck.likeliest(trials, members)
    }
    if let key = strange {
      problems.add(
        "unknown_key", at: key.keyNode, "\(what) has no option \(shown(key.key))",
        expected: type.expectation, fix: kind(key, kinds))
    } else if trials.count == 1 {
      problems.add(contentsOf: trials[0].problems)
    } else {
      wrongType(node, what, type)
    }
    return nil
  }

  /// The kind that a key may have been meant for; `p95` and `median` are quantiles.
  private func kind(_ key: SpecMember, _ kinds: [String]) -> String? {
    let name = Array(key.key.utf8)
    let percent =
      same(key.key, "median") ? 50 : name.first == 0x70 ? plainInteger(name.dropFirst()) : nil
    if let percent, percent > 0, percent < 100, kinds.contains(where: { same($0, "quantile") }) {
      return
        "write { \"quantile\": \(canonicalNumber(Double(percent) / 100)), \"of\": \(key.value.sourceText) }"
    }
    return (Synonyms.option(key.key, among: kinds) ?? nearest(to: key.key, among: kinds))
      .map { quoted($0) }
  }

  /// The key that tells a kind of object from others: its first.
  private static func kinds(_ types: [OptionType]) -> [String] {
    types.compactMap { type in
      guard case .object(let specs) = type, let first = specs.first else { return nil }
      return first.name
    }
  }

  /// An object that has the keys of two kinds.
  private mutating func reportTwoKinds(
    _ members: [SpecMember], _ types: [OptionType], _ kinds: [String], _ type: OptionType,
    _ what: String
  ) -> Bool {
    let named = members.filter { member in kinds.contains { same($0, member.key) } }
    guard named.count > 1 else { return false }
    let isOneKind = types.contains { type in
      guard case .object(let specs) = type else { return false }
      return named.allSatisfy { member in specs.contains { same($0.name, member.key) } }
    }
    guard !isOneKind else { return false }
    let (first, second) = (named[0], named[1])
    problems.add(
      "two_kinds", at: second.keyNode,
      "\(what) has \(quoted(first.key)) already, and is of one kind only",
      expected: type.expectation,
      fix:
        "take it out, or give it a name of its own: \"NAME\": { \(quoted(second.key)): \(second.value.sourceText) }"
    )
    return true
  }

  /// The first key, where no kind of object has any of the keys.
  private func strangeKey(_ types: [OptionType], _ node: SpecNode) -> SpecMember? {
    guard let members = node.object, let first = members.first else { return nil }
    let isKnown = types.contains { type in
      guard case .object(let specs) = type else { return true }
      return specs.contains { spec in members.contains { same($0.key, spec.name) } }
    }
    return isKnown ? nil : first
  }

  /// Of several kinds of object, the one that shares most keys with the value.
  private static func likeliest(
    _ trials: [(type: OptionType, problems: Problems)], _ members: [SpecMember]
  ) -> [(type: OptionType, problems: Problems)] {
    func score(_ type: OptionType) -> Int {
      guard case .object(let specs) = type else { return 0 }
      return members.prefix(20).reduce(0) { sum, member in
        if specs.contains(where: { same($0.name, member.key) }) { return sum + 4 }
        return nearest(to: member.key, among: specs.map(\.name)) == nil ? sum - 1 : sum + 3
      }
    }
    let scored = trials.map { (trial: $0, score: score($0.type)) }
    guard let best = scored.map(\.score).max(), best > 0 else { return trials }
    let first = scored.filter { $0.score == best }
      .min { $0.trial.problems.count < $1.trial.problems.count }
    return first.map { [$0.trial] } ?? trials
  }

  mutating func wrongType(_ node: SpecNode, _ what: String, _ type: OptionType) {
    if problems.countsOnly() { return }
    if node.member("secret") != nil, node.object?.count == 1, type.takesNoObject {
      problems.add(
        "secret_not_taken", at: node, "\(what) takes no secret",
        expected: type.expectation, fix: "write the value itself: \(type.sample)")
      return
    }
    problems.add(
      "wrong_type", at: node, "\(what) is \(node.described)", expected: type.expectation,
      fix: type.fix(for: node))
  }
}

extension OptionType {
  fileprivate var takesNoObject: Bool {
    switch self {
    case .object, .map: false
    case .anyOf(let types): types.allSatisfy(\.takesNoObject)
    default: true
    }
  }
}

extension String {
  var withoutFullStop: String {
    utf8.last == UInt8(ascii: ".") ? String(decoding: utf8.dropLast(), as: UTF8.self) : self
  }
}
