import WeirData

extension Problems {
  /// The problems of several specs as a SARIF 2.1.0 log of one run, for tools that show the findings of
  /// checks beside the code. At most a hundred of each spec.
  public static func sarif(_ specs: [Problems]) -> String {
    let problems = specs.flatMap { $0.sorted.prefix(shownLimit) }
    var codes: [String] = []
    for problem in problems where !codes.contains(where: { same($0, problem.code) }) {
      codes.append(problem.code)
    }
    codes.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let driver: JSONValue = [
      "name": "weir", "version": .text(weirVersion),
      "rules": .array(codes.map { ["id": .text($0)] }),
    ]
    let run: JSONValue = [
      "tool": ["driver": driver], "columnKind": "unicodeCodePoints",
      "results": .array(
        problems.map { problem in
          problem.sarif(rule: codes.firstIndex { same($0, problem.code) } ?? 0)
        }),
    ]
    let log: JSONValue = [
      "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
      "runs": [run],
    ]
    return log.text
  }
}

extension SpecProblem {
  fileprivate func sarif(rule: Int) -> JSONValue {
    let text =
      [message, expected.map { "expected: \($0)" }, fix.map { "try: \($0)" }].compactMap { $0 }
      .joined(separator: "; ")
    let start = source.place(of: range.lowerBound)
    let end = source.place(of: range.upperBound)
    let region: JSONValue = [
      "startLine": .int(start.line), "startColumn": .int(start.column),
      "endLine": .int(end.line), "endColumn": .int(end.column),
    ]
    let location = JSONValue.object([
      SpecProblem.place(file, region),
      JSONMember(
        "logicalLocations", [["fullyQualifiedName": .text(clipped(pointer.description))]]),
    ])
    var members = [
      JSONMember("ruleId", .text(code)), JSONMember("ruleIndex", .int(rule)),
      JSONMember("level", .text(severity.rawValue)), JSONMember("message", ["text": .text(text)]),
      JSONMember("locations", [location]),
    ]
    if !related.isEmpty {
      let others = related.enumerated().map { index, other -> JSONValue in
        .object([
          JSONMember("id", .int(index)), JSONMember("message", ["text": .text(other.message)]),
          SpecProblem.place(
            other.file, ["startLine": .int(other.line), "startColumn": .int(other.column)]),
        ])
      }
      members.append(JSONMember("relatedLocations", .array(others)))
    }
    if let replacement {
      let change: JSONValue = [
        "artifactLocation": ["uri": .text(SpecProblem.uri(file))],
        "replacements": [
          [
            "deletedRegion": region, "insertedContent": ["text": .text(replacement)],
          ]
        ],
      ]
      members.append(JSONMember("fixes", [["artifactChanges": [change]]]))
    }
    return .object(members)
  }

  /// What can be put in the place that the problem marks, where the fix is such a text: a JSON value for a
  /// value or a key.
  public var replacement: String? {
    guard let fix, !range.isEmpty, let first = source.bytes[range].first else { return nil }
    var problems = Problems()
    let text = SpecSource(name: "fix", bytes: Array(fix.utf8))
    guard SpecJSON.parse(text, problems: &problems) != nil, problems.isEmpty else { return nil }
    // A place inside of a string takes no JSON.
    let isWhole =
      first == UInt8(ascii: "\"") && source.bytes[range].last == UInt8(ascii: "\"")
      && range.count > 1
    return isWhole || (first != UInt8(ascii: "\"") && isOutsideOfStrings) ? fix : nil
  }

  /// Whether the marked place is no part of a string, going by the quotes before it in its line.
  private var isOutsideOfStrings: Bool {
    let line = source.line(at: range.lowerBound)
    var strings = JSONStringTracker()
    for byte in source.bytes[line.lowerBound..<range.lowerBound] { _ = strings.take(byte) }
    return !strings.isInString
  }

  private static func place(_ file: String, _ region: JSONValue) -> JSONMember {
    JSONMember(
      "physicalLocation", ["artifactLocation": ["uri": .text(uri(file))], "region": region])
  }

  /// A path as a reference of RFC 3986; an absolute one as `file://`.
  private static func uri(_ path: String) -> String {
    var out: [UInt8] = path.utf8.first == UInt8(ascii: "/") ? Array("file://".utf8) : []
    let hex = Array("0123456789ABCDEF".utf8)
    for byte in path.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"):
        out.append(byte)
      default: out += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
      }
    }
    return String(decoding: out, as: UTF8.self)
  }
}
