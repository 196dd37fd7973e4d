import WeirData

extension Spec {
  // MARK: References to parameters

  /// `${...}` that names no parameter, and parameters that nothing reads.
  func checkReferences(_ problems: inout Problems) {
    var used = Set(partition.map { Array($0.name.utf8) })
    var check = ReferenceCheck(paramNames)
    if let budget = root.member(ErrorBudget.key) {
      check.check(budget.value, &used, &problems)
    }
    checkReferences(in: nil, params, &check, &used, &problems)
    for (index, fragment) in fragments.enumerated() {
      var used: Set<[UInt8]> = []
      var check = ReferenceCheck(fragment.paramNames)
      checkReferences(in: index, fragment.params, &check, &used, &problems)
    }
  }

  /// - Parameter file: the fragment; `nil`: the spec itself.
  private func checkReferences(
    in file: Int?, _ params: [ParamDeclaration], _ check: inout ReferenceCheck,
    _ used: inout Set<[UInt8]>, _ problems: inout Problems
  ) {
    for fragment in fragments where fragment.parent == file {
      for member in fragment.with { check.check(member.value, &used, &problems) }
    }
    for stage in stages where stage.fragment == file {
      let plain = StageDeclaration.commonKeys(stage.section)
        .filter { !same($0, ErrorBudget.key) }
      for member in stage.node.object ?? [] where !plain.contains(where: { same($0, member.key) }) {
        check.check(member.value, &used, &problems)
      }
    }
    for param in params where !used.contains(Array(param.name.utf8)) {
      problems.add(
        "unused_param", at: param.nameNode,
        "nothing reads the parameter \(shown(param.name)): a value for it would be ignored",
        fix: "use \"${param.\(param.name)}\" in an option or params.\(param.name) in an "
          + "expression, or remove it")
    }
  }

}

/// Looks for references to parameters in the values of one file.
private struct ReferenceCheck {
  let paramNames: [String]
  let known: Set<[UInt8]>

  init(_ names: [String]) {
    paramNames = names
    known = Set(names.map { Array($0.utf8) })
  }

  func check(
    _ node: SpecNode, _ used: inout Set<[UInt8]>, _ problems: inout Problems
  ) {
    // As deep as the parser allows, which is 64.
    switch node.kind {
    case .array(let items): for item in items { check(item, &used, &problems) }
    case .object(let members):
      for member in members {
        if ParamReferences.parts(member.key).contains(where: { $0.isReference }) {
          problems.add(
            "param_in_key", at: member.keyNode, "a parameter cannot stand in a key",
            fix: "write the key out")
        }
        check(member.value, &used, &problems)
      }
    case .string(let text):
      for name in ParamReferences.namesInExpression(text) { used.insert(Array(name.utf8)) }
      // What was meant as a reference is told where it is no value, and its parameter is not unused.
      if let name = ParamReferences.foreignName(text) { used.insert(Array(name.utf8)) }
      guard ParamReferences.mayContain(text) else { return }
      for part in ParamReferences.parts(text) {
        switch part {
        case .text: continue
        case .malformed(let range): malformed(node, range, &used, &problems)
        case .reference(let name, let range):
          used.insert(Array(name.utf8))
          guard !known.contains(Array(name.utf8)), !problems.countsOnly() else { continue }
          let near = problems.suggestion(for: name, among: paramNames)
          if let near { used.insert(Array(near.utf8)) }
          problems.add(
            "unknown_param", at: node, within: range, "there is no parameter \(shown(name))",
            expected: paramNames.isEmpty
              ? "a parameter; this file declares none" : oneOf(paramNames),
            fix: near.map { "${param.\($0)}" }
              ?? "declare \(quoted(name)) under \"params\"")
        }
      }
    default: return
    }
  }

  private func undeclared(_ word: String) -> String {
    let name = mendedName(word, separator: "_", lowercase: true)
    return
      "${param.\(name)}, and \(quoted(name)): { \"type\": \"string\" } under \"params\"; its value comes from \"default\" there, or from --param \(name)=VALUE"
  }

  private func malformed(
    _ node: SpecNode, _ range: Range<Int>, _ used: inout Set<[UInt8]>, _ problems: inout Problems
  ) {
    let bytes = Array((node.string ?? "").utf8)[range]
    let text = String(decoding: bytes, as: UTF8.self)
    let isClosed = bytes.last == UInt8(ascii: "}")
    let inner = String(decoding: bytes.dropFirst(2).dropLast(isClosed ? 1 : 0), as: UTF8.self)
    let word =
      inner.utf8.split(separator: UInt8(ascii: ".")).last.map {
        String(decoding: $0, as: UTF8.self)
      } ?? inner
    let known =
      paramNames.first { same($0, word) } ?? problems.suggestion(for: word, among: paramNames)
    // What was meant is not unused as well.
    if let known { used.insert(Array(known.utf8)) }
    problems.add(
      "bad_reference", at: node, within: range,
      isClosed
        ? inner.utf8.starts(with: "params.".utf8)
          ? "\(shown(text)): parameters are written ${param.NAME}, without an s"
          : "\(shown(text)) names no parameter (environment variables are not read)"
        : "\(shown(text)) is not closed",
      expected: "${param.NAME}; $${ stands for ${ itself",
      fix: known.map { "${param.\($0)}" } ?? undeclared(word))
  }
}

extension ParamReferences.Part {
  fileprivate var isReference: Bool { if case .reference = self { true } else { false } }
}
