import WeirData

extension CheckedSpec {
  /// The resolved spec as bytes, for the plan hash: parameters filled in, defaults written out,
  /// keys sorted where their order means nothing; equal bytes mean an equal plan. Layout, places,
  /// `$schema` and the descriptions of stages and parameters are not part of it.
  ///
  /// An object with free keys, whose order can show in an output, is written as a list of pairs,
  /// and the stages stand in the order of `stages`.
  public var canonical: [UInt8] {
    var out: [UInt8] = []
    out.put("{\"description\":")
    out.put(json: description)
    if !errorBudgets.isEmpty {
      out.put(",\"error_budgets\":")
      out.put(list: errorBudgets) { $0.put(budget: $1, of: self) }
    }
    out.put(",\"ledger_by\":")
    out.put(list: ledgerBy) { $0.put(json: $1.text) }
    out.put(",\"name\":")
    out.put(json: name)
    out.put(",\"params\":")
    out.put(list: params.values) { out, param in
      out.put("[")
      out.put(json: param.name)
      out.put(",")
      out.put(json: param.value.text)
      out.put("]")
    }
    out.put(",\"partition\":")
    out.put(list: partition) { $0.put(json: $1.name) }
    out.put(",\"stages\":")
    out.put(list: stages) { $0.put(stage: $1, of: self) }
    if let zone = zone?.string {
      out.put(",\"zone\":")
      out.put(json: zone)
    }
    out.put(",\"version\":1}")
    return out
  }
}

extension CheckedSpec {
  /// What a stage does, as bytes: its name, type and options, the parameters where it can see them,
  /// and the files that it can have read. Not where its records come from, nor which shards there are.
  func identity(ofStage index: Int, files: [(path: String, sha256: [UInt8])]) -> [UInt8] {
    let stage = stages[index]
    var out: [UInt8] = []
    out.put(json: stage.name)
    out.put(json: stage.type)
    let finding = (type(of: stage.stage) as? any SourceStage.Type)?.findingOptions ?? []
    var names: [[UInt8]] = []
    out.put(options: stage.options, without: finding) { names.append(Array($0.utf8)) }
    // An expression that names a parameter says `params`; a file is named by an option.
    if names.contains(where: { $0.contains(Array("params".utf8)) }) {
      out.put(list: stage.options.params.values) { out, param in
        out.put(json: param.name)
        out.put(json: param.value.text)
      }
    }
    if stage.kind == .reduce, let zone = zone?.string { out.put(json: zone) }
    // Time zones are named inside of expressions.
    for file in files
    where names.contains(Array(file.path.utf8))
      || names.contains(where: { file.path.utf8.elementsEqual(BindContext.secretFolder.utf8 + $0) })
      || file.path.utf8.starts(with: BindContext.zoneFolder.utf8)
    {
      out.put(json: file.path)
      out += file.sha256
    }
    return out
  }
}

extension [UInt8] {
  fileprivate mutating func put(_ text: String) { self += Array(text.utf8) }

  fileprivate mutating func put(json text: String) { appendJSON(string: text, to: &self) }

  fileprivate mutating func put<T>(list: [T], _ element: (inout [UInt8], T) -> Void) {
    put("[")
    for (index, value) in list.enumerated() {
      if index > 0 { put(",") }
      element(&self, value)
    }
    put("]")
  }

  fileprivate mutating func put(stage: CheckedStage, of spec: CheckedSpec) {
    put("{\"inputs\":")
    put(list: stage.inputs) { out, input in
      let name = spec.stages[input.stage].name
      out.put(json: input.port.utf8.isEmpty ? name : "\(name).\(input.port)")
    }
    put(",\"name\":")
    put(json: stage.name)
    put(",\"options\":")
    put(options: stage.options)
    if stage.isInFragment {
      put(",\"params\":")
      put(list: stage.options.params.values) { out, param in
        out.put("[")
        out.put(json: param.name)
        out.put(",")
        out.put(json: param.value.text)
        out.put("]")
      }
    }
    put(",\"section\":")
    put(json: stage.section.rawValue)
    put(",\"type\":")
    put(json: stage.type)
    put("}")
  }

  fileprivate mutating func put(budget: ErrorBudget, of spec: CheckedSpec) {
    put("{\"by\":")
    switch budget.grouping {
    case .none: put("null")
    case .shard: put("\"shard\"")
    case .fields(let fields): put(list: fields) { $0.put(json: spec.ledgerBy[$1].text) }
    }
    if let check = budget.check {
      put(",\"check\":")
      put(json: check.name)
    }
    put(",\"count\":")
    put(budget.count.map { String($0) } ?? "null")
    put(",\"min_records\":")
    put(String(budget.minRecords))
    put(",\"on_exceeded\":")
    put(json: budget.onExceeded.rawValue)
    put(",\"rate\":")
    put(budget.rate.map { canonicalNumber($0) } ?? "null")
    put(",\"shards\":")
    put(budget.shards.map { String($0) } ?? "null")
    put(",\"stage\":")
    if let stage = budget.stage { put(json: spec.stages[stage].name) } else { put("null") }
    put("}")
  }

  /// - Parameters:
  ///   - left: options that are left out.
  ///   - strings: told of every string.
  fileprivate mutating func put(
    options: Options, without left: [String] = [], strings: (String) -> Void = { _ in }
  ) {
    var members: [(name: String, value: OptionValue)] = []
    for (spec, value) in zip(options.specs, options.values) {
      if let value, !left.contains(spec.name) { members.append((spec.name, value)) }
    }
    members.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    put("{")
    for (index, member) in members.enumerated() {
      if index > 0 { put(",") }
      put(json: member.name)
      put(":")
      put(value: member.value, strings)
    }
    put("}")
  }

  private mutating func put(value: OptionValue, _ strings: (String) -> Void) {
    switch value.content {
    case .bool(let value): put(value ? "true" : "false")
    case .int(let value): put(String(value))
    case .number(let value): put(canonicalNumber(value))
    case .string(let value):
      strings(value)
      put(json: value)
    case .duration(let value): put(json: value.description)
    case .date(let value): put(json: value.description)
    case .fieldPath(let value): put(json: value.text)
    case .fieldType(let value): put(json: value.text)
    case .list(let values): put(list: values) { $0.put(value: $1, strings) }
    case .map(let entries):
      put(list: entries) { out, entry in
        out.put("[")
        out.put(json: entry.key)
        out.put(",")
        out.put(value: entry.value, strings)
        out.put("]")
      }
    case .object(let options): put(options: options, strings: strings)
    }
  }
}
