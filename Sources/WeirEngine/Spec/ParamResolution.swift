/// Puts the values of the command line and the defaults together.
struct ParamResolution {
  let declarations: [ParamDeclaration]
  /// The names of all declarations, also of those that could not be read.
  let names: [String]
  /// Against which paths of the command line are read; absolute.
  let currentDirectory: String
  /// Parameters without value are left out instead of reported, to validate a spec by itself.
  let allowMissing: Bool

  func resolve(
    _ given: [(name: String, value: String)], _ problems: inout Problems
  ) -> ResolvedParams {
    var values = [ParamValue?](repeating: nil, count: declarations.count)
    var seen: [String] = []
    for (name, text) in given {
      let bytes = Array("\(name)=\(text)".utf8)
      let source = SpecSource(name: "--param", bytes: bytes)
      let key = place(source, 0..<name.utf8.count, name)
      let value = place(source, min(name.utf8.count + 1, bytes.count)..<bytes.count, name)
      if seen.contains(where: { same($0, name) }) {
        problems.add(
          "duplicate_param", at: key, "the parameter \(shown(name)) is given twice",
          fix: "give it once")
        continue
      }
      seen.append(name)
      guard let index = declarations.firstIndex(where: { same($0.name, name) }) else {
        if !names.contains(where: { same($0, name) }) { unknown(name, text, key, &problems) }
        continue
      }
      let declaration = declarations[index]
      if let read = declaration.type.value(text, values: declaration.values) {
        values[index] = absolute(read)
      } else {
        let words = declaration.type == .choice ? declaration.values : []
        problems.add(
          "wrong_param", at: value,
          "\(shown(text)) is no value for \(shown(name)), which is of type "
            + declaration.type.rawValue,
          expected: declaration.type.expectation(declaration.values),
          fix: nearest(to: text, among: words).map {
            "--param \(name)=\(printable($0.unicodeScalars))"
          })
      }
    }
    var resolved: [(name: String, value: ParamValue)] = []
    for (index, declaration) in declarations.enumerated() {
      if let value = values[index] ?? declaration.defaultValue {
        resolved.append((declaration.name, value))
      } else if !allowMissing, !seen.contains(where: { same($0, declaration.name) }),
        declaration.node.member("default") == nil
      {
        problems.add(
          "missing_param", at: declaration.nameNode,
          "the parameter \(shown(declaration.name)) has no value",
          expected: declaration.type.expectation(declaration.values),
          fix: "--param \(declaration.name)=\(declaration.type.sample(declaration.values))")
      }
    }
    return ResolvedParams(resolved, given: seen)
  }

  private func unknown(
    _ name: String, _ text: String, _ place: SpecNode, _ problems: inout Problems
  ) {
    let known = declarations.map { "\($0.name) (\($0.type.rawValue))" }
    problems.add(
      "unknown_param", at: place, "the spec has no parameter \(shown(name))",
      expected: known.isEmpty
        ? "no parameter: the spec declares none" : "one of " + alternatives(known, limit: 40),
      fix: problems.suggestion(for: name, among: declarations.map(\.name)).map {
        "--param \($0)=\(printable(text.unicodeScalars.prefix(60)))"
      })
  }

  private func place(_ source: SpecSource, _ range: Range<Int>, _ name: String) -> SpecNode {
    SpecNode(
      kind: .string(name), range: range, pointer: .key(.key(.root, "params"), name),
      source: source)
  }

  private func absolute(_ value: ParamValue) -> ParamValue {
    guard case .path(let path) = value, !isAbsolute(path) else { return value }
    return .path(normalizedPath(currentDirectory + "/" + path))
  }
}

extension ParamType {
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
private func isAbsolute(_ path: String) -> Bool {
  path.utf8.first == UInt8(ascii: "/") || same(path, "-") || hasScheme(path)
}

private func hasScheme(_ path: String) -> Bool {
  let bytes = Array(path.utf8)
  guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon > 1 else { return false }
  return bytes[..<colon].allSatisfy(isNameByte)
    && bytes[colon...].starts(with: Array("://".utf8))
}

/// Removes empty and `.` steps, and `..` with the step before it; by text, links are not followed.
func normalizedPath(_ path: String) -> String {
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

/// `pipelines` for `pipelines/nightly.json`, `.` for a bare name.
