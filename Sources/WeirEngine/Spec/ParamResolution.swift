import WeirData

/// Puts given values and defaults together.
struct ParamResolution {
  let declarations: [ParamDeclaration]
  /// The names of all declarations, also of those that could not be read.
  let names: [String]
  /// Parameters without value are left out instead of reported, to validate a spec by itself.
  let allowMissing: Bool
  let today: CivilDate
  /// In which the declarations stand, seen from that of the spec.
  var folder = ""
  /// The entry of "include" that gives the values, and the path in it; `nil`: the command line does.
  var include: (entry: SpecNode, path: SpecNode)?

  func resolve(_ given: [GivenParam], _ problems: inout Problems) -> ResolvedParams {
    var values = [ParamValue?](repeating: nil, count: declarations.count)
    // Names that a value was given for, or may have been meant for.
    var seen: [String] = []
    var kept: [String] = []
    for param in given {
      let name = param.name
      if !seen.contains(where: { same($0, name) }) { seen.append(name) }
      guard let index = declarations.firstIndex(where: { same($0.name, name) }) else {
        if !names.contains(where: { same($0, name) }),
          let meant = unknown(param, given, &problems)
        {
          seen.append(meant)
        }
        continue
      }
      values[index] = read(param, declarations[index], &problems)
      kept.append(name)
    }
    var missing: [ParamDeclaration] = []
    var resolved: [(name: String, value: ParamValue)] = []
    for (index, declaration) in declarations.enumerated() {
      let name = declaration.name
      if let value = values[index] {
        resolved.append((name, value))
      } else if seen.contains(where: { same($0, name) }) {
        continue
      } else if let value = declaration.defaultValue {
        if case .date(.today) = value { kept.append(name) }
        resolved.append((name, value.resolved(today: today, folder: folder)))
        checkBounds(value, declaration, at: declaration.defaultNode, &problems)
      } else if !allowMissing, declaration.node.member("default") == nil {
        missing.append(declaration)
      }
    }
    for declaration in missing {
      problems.add(
        "missing_param", at: include?.path ?? declaration.nameNode,
        "the parameter \(shown(declaration.name)) has no value",
        expected: declaration.expectation,
        fix: include == nil
          ? "--param \(declaration.name)=\(declaration.sample(today))" : giving(missing),
        related: include == nil ? [] : [.init("declared here", at: declaration.nameNode)])
    }
    return ResolvedParams(resolved, given: kept)
  }

  /// What to write in the entry of "include" so that parameters have values: all of it where it is only the
  /// path of the fragment.
  private func giving(_ missing: [ParamDeclaration]) -> String? {
    guard let entry = include?.entry, let path = include?.path else { return nil }
    let values = missing.map { param in
      let text = param.sample(today)
      return "\(quoted(param.name)): \(param.type.isPlain ? text : quoted(text))"
    }.joined(separator: ", ")
    if entry.string != nil {
      return "{ \"file\": \(quoted(path.string ?? "")), \"with\": { \(values) } }"
    }
    return entry.member("with") == nil
      ? "add \"with\": { \(values) } behind \"file\"" : "add \(values) to \"with\""
  }

  private func read(
    _ param: GivenParam, _ declaration: ParamDeclaration, _ problems: inout Problems
  ) -> ParamValue? {
    let (type, values) = (declaration.type, declaration.values)
    let read =
      param.isText
      ? param.value.string.flatMap { type.value($0, values: values) }
      : type.value(param.value, values: values)
    if let read {
      guard checkBounds(read, declaration, at: param.value, &problems) else { return nil }
      let value = read.resolved(today: today, folder: "")
      guard case .path(let path) = value else { return value }
      return .path(param.path(path))
    }
    let text = param.isText ? shown(param.value.string ?? "") : param.value.described
    let near = param.value.string.flatMap { text -> String? in
      switch type {
      case .choice: nearest(to: text, among: values)
      case .date:
        dateFix(text)
      case .duration: durationFix(text)
      default: nil
      }
    }
    problems.add(
      "wrong_param", at: param.value,
      "\(text) is no value for \(shown(declaration.name)), which is of type \(type.rawValue)",
      expected: declaration.expectation,
      fix: near.map {
        param.isText ? "--param \(declaration.name)=\(printable($0.unicodeScalars))" : quoted($0)
      })
    return nil
  }

  /// - Returns: whether the value keeps them.
  @discardableResult
  private func checkBounds(
    _ value: ParamValue, _ declaration: ParamDeclaration, at node: SpecNode,
    _ problems: inout Problems
  ) -> Bool {
    guard let bound = declaration.brokenBound(value, today: today) else { return true }
    problems.add(
      "param_out_of_range", at: node,
      "\(value.text) is out of the range of \(shown(declaration.name))",
      expected: declaration.expectation,
      fix: declaration.share(value, today).map {
        "\($0) if it is per cent; the nearest that is allowed is \(bound.text)"
      } ?? "the nearest that is allowed is \(bound.text)")
    return false
  }

  /// - Returns: the one that may have been meant.
  private func unknown(
    _ param: GivenParam, _ given: [GivenParam], _ problems: inout Problems
  ) -> String? {
    let known = declarations.map { "\($0.name) (\($0.type.rawValue))" }
    let free = declarations.map(\.name).filter { name in !given.contains { same($0.name, name) } }
    let near = problems.suggestion(for: param.name, among: free)
    problems.add(
      "unknown_param", at: param.nameNode, "the \(owner) has no parameter \(shown(param.name))",
      expected: known.isEmpty
        ? "no parameter: the \(owner) declares none" : oneOf(known, limit: 40),
      fix: near.map {
        guard param.isText else { return quoted($0) }
        return "--param \($0)=\(printable((param.value.string ?? "").unicodeScalars.prefix(60)))"
      } ?? (param.isText ? "leave it away" : "remove it"))
    return near
  }

  /// What the parameters belong to.
  private var owner: String { include == nil ? "spec" : "fragment" }
}

extension ParamValue {
  /// - Parameter folder: of the file in which a path stands, seen from that of the spec.
  fileprivate func resolved(today: CivilDate, folder: String) -> ParamValue {
    switch self {
    case .date(let date): .date(date.resolved(today: today))
    case .path(let path): .path(SpecScope.path(path, in: folder))
    default: self
    }
  }
}

extension ParamDeclaration {
  /// The text of a value that it takes.
  fileprivate func sample(_ today: CivilDate) -> String {
    let text = type.sample(values)
    guard let value = type.value(text, values: values), let bound = brokenBound(value, today: today)
    else { return text }
    return bound.text
  }

  /// A number that is out of the bounds, read as per cent, where that is in them.
  fileprivate func share(_ value: ParamValue, _ today: CivilDate) -> String? {
    guard type == .number, case .number(let number) = value, number > 1, number <= 100,
      let maximum, let highest = maximum.place(today), highest <= 1,
      brokenBound(.number(number / 100), today: today) == nil
    else { return nil }
    return canonicalNumber(number / 100)
  }
}

extension ParamType {
  /// Whether a value stands without quotes in JSON.
  fileprivate var isPlain: Bool { self == .int || self == .number || self == .bool }

  fileprivate func sample(_ values: [String]) -> String {
    switch self {
    case .string: "TEXT"
    case .int: "1"
    case .number: "0.5"
    case .bool: "true"
    case .date: "2026-10-04"
    case .duration: "1d"
    case .path: "PATH"
    case .choice: values.first ?? "VALUE"
    }
  }
}

/// Absolute, an address with a scheme, or standard input.
func isAbsolute(_ path: String) -> Bool {
  path.utf8.first == UInt8(ascii: "/") || same(path, "-") || hasScheme(path)
}

func hasScheme(_ path: String) -> Bool {
  let bytes = Array(path.utf8)
  guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon > 1 else { return false }
  return bytes[..<colon].allSatisfy(isNameByte)
    && bytes[colon...].starts(with: Array("://".utf8))
}

/// Removes empty and `.` steps, and `..` with the step before it; by text, links are not followed.
public func normalizedPath(_ path: String) -> String {
  let isRooted = path.utf8.first == UInt8(ascii: "/")
  var steps: [String] = []
  for bytes in path.utf8.split(separator: UInt8(ascii: "/")) {
    let step = String(decoding: bytes, as: UTF8.self)
    if same(step, ".") { continue }
    if same(step, "..") {
      if let last = steps.last, !same(last, "..") {
        steps.removeLast()
      } else if !isRooted {
        steps.append(step)
      }
    } else {
      steps.append(step)
    }
  }
  let joined = steps.joined(separator: "/")
  return isRooted ? "/" + joined : joined.isEmpty ? "." : joined
}
