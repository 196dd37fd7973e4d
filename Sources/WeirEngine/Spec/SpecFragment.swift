import Glibc
import WeirData

/// A file with stages that a spec includes, and what it was included with.
struct SpecFragment: Sendable {
  let source: SpecSource
  /// Of that file, seen from the folder of the spec; empty where it is the same.
  let folder: String
  let params: [ParamDeclaration]
  let paramNames: [String]
  /// The fragment that includes it; `nil`: the spec.
  let parent: Int?
  /// The values for its parameters.
  let with: [SpecMember]
  /// The entry of "include", and the path in it.
  let entry: SpecNode
  let node: SpecNode
}

/// Reads the fragments of a spec, and those that they include.
struct FragmentReading {
  static let depthMax = 8
  static let countMax = 100
  static let keys = ["$schema", "description", "params", "include", "sources", "transforms"]

  /// The folder of the spec.
  let root: String
  var problems: Problems
  private(set) var fragments: [SpecFragment] = []
  private(set) var stages: [StageDeclaration] = []

  init(root: String, problems: Problems) {
    self.root = root
    self.problems = problems
  }

  /// Reads what `node`, the spec or a fragment, includes.
  ///
  /// - Parameter chain: the files that lead to it, the spec first, seen from the folder of the spec.
  mutating func read(_ node: SpecNode, folder: String, parent: Int?, chain: [String]) {
    guard let include = node.member("include") else { return }
    guard let entries = include.value.array else {
      problems.add(
        "wrong_type", at: include.value, "\"include\" is \(include.value.kindText)",
        expected: "a list of fragments",
        fix: include.value.string != nil || include.value.object != nil
          ? "[\(include.value.sourceText)]" : "[{ \"file\": \"fragments/clean.json\" }]")
      return
    }
    for entry in entries {
      guard fragments.count < FragmentReading.countMax else {
        problems.add(
          "too_many_fragments", at: entry,
          "more than \(FragmentReading.countMax) fragments are included")
        return
      }
      read(entry: entry, folder, parent, chain)
    }
  }

  private mutating func read(
    entry: SpecNode, _ folder: String, _ parent: Int?, _ chain: [String]
  ) {
    guard let (place, with) = parts(of: entry) else { return }
    let written = place.string ?? ""
    let file = normalizedPath(SpecScope.path(written, in: folder))
    guard !isAbsolute(written), !same(file, ".."), !file.utf8.starts(with: "../".utf8) else {
      return escapes(place, written)
    }
    if let first = chain.firstIndex(where: { same($0, file) }) {
      problems.add(
        "include_cycle", at: place,
        "\(shown(written)) includes itself: "
          + (chain[first...] + [file]).map { printable($0) }.joined(separator: " -> "),
        fix: "remove this entry")
      return
    }
    guard chain.count <= FragmentReading.depthMax else {
      problems.add(
        "too_many_fragments", at: place,
        "fragments include each other more than \(FragmentReading.depthMax) deep")
      return
    }
    guard let source = open(file, place, written) else { return }
    guard let node = SpecJSON.parse(source, problems: &problems) else { return }
    guard let members = node.object else {
      problems.add(
        "wrong_type", at: node.opening, "a fragment is an object, this is \(node.kindText)",
        expected: "{ \"params\": ..., \"sources\": ..., \"transforms\": ... }")
      return
    }
    for member in members where !FragmentReading.keys.contains(where: { same($0, member.key) }) {
      let isOfSpec = Spec.keys.contains { same($0, member.key) }
      problems.add(
        "unknown_key", at: member.keyNode, "a fragment has no key \(shown(member.key))",
        expected: oneOf(FragmentReading.keys),
        fix: isOfSpec
          ? "move what it holds to \(quoted(member.key)) of \(printable(lastComponent(of: chain.first ?? "")))"
          : problems.suggestion(for: member.key, among: FragmentReading.keys).map { quoted($0) }
            ?? "remove it")
    }
    add(node, source, directory(of: file), parent, with, (entry, place), chain + [file])
  }

  private mutating func add(
    _ node: SpecNode, _ source: SpecSource, _ folder: String, _ parent: Int?, _ with: [SpecMember],
    _ include: (entry: SpecNode, path: SpecNode), _ chain: [String]
  ) {
    var params = ParamParsing()
    let declared = node.member("params").map { params.parse($0.value) } ?? []
    problems.add(contentsOf: params.problems)
    let index = fragments.count
    let folder = same(folder, ".") ? "" : folder
    fragments.append(
      SpecFragment(
        source: source, folder: folder, params: declared, paramNames: params.names, parent: parent,
        with: with, entry: include.entry, node: include.path))
    var parsing = SpecParsing(problems: Problems())
    let own = parsing.stages(node, fragment: index) ?? []
    problems.add(contentsOf: parsing.problems)
    stages += own
    read(node, folder: folder, parent: index, chain: chain)
  }

  /// The path of an entry and its values.
  private mutating func parts(of entry: SpecNode) -> (place: SpecNode, with: [SpecMember])? {
    if entry.string != nil { return (entry, []) }
    guard let members = entry.object else {
      problems.add(
        "wrong_type", at: entry, "a fragment is named by \(entry.kindText)",
        expected: "the path of a fragment, or an object with \"file\" and \"with\"",
        fix: "{ \"file\": \"fragments/clean.json\" }")
      return nil
    }
    for member in members where !["file", "with"].contains(where: { same($0, member.key) }) {
      problems.unknownKey(member, ["file", "with"], of: "an entry of \"include\"")
    }
    guard let file = entry.member("file")?.value else {
      problems.add(
        "missing_key", at: entry.opening, "an entry of \"include\" needs \"file\"",
        fix: "\"file\": \"fragments/clean.json\"")
      return nil
    }
    guard let path = file.string, !path.utf8.isEmpty, !path.utf8.contains(0),
      !ParamReferences.mayContain(path)
    else {
      problems.add(
        "bad_path", at: file, "\"file\" is \(file.described)",
        expected: "the path of a fragment, without parameters")
      return nil
    }
    guard let with = entry.member("with")?.value else { return (file, []) }
    guard let values = with.object else {
      problems.add(
        "wrong_type", at: with, "\"with\" is \(with.kindText)",
        expected: "an object: parameters of the fragment and their values")
      return (file, [])
    }
    return (file, values)
  }

  private mutating func escapes(_ place: SpecNode, _ written: String) {
    problems.add(
      "include_escapes", at: place,
      "the fragment \(shown(written)) lies outside of the folder of the spec",
      expected:
        "a path inside the folder of the spec, written from the file that has the \"include\"",
      fix: "move it into that folder, and write \"\(printable(lastComponent(of: written)))\"")
  }

  private mutating func open(_ file: String, _ place: SpecNode, _ written: String) -> SpecSource? {
    let path = normalizedPath(joinPath(root, file))
    // A link may lead elsewhere.
    if leadsOut(of: root, path) == true {
      escapes(place, written)
      return nil
    }
    do throws(FileError) {
      let bytes = try readWholeFile(path, limit: SpecLimits().bytes + 1)
      return SpecSource(
        name: path, bytes: bytes, includedAt: (place.source, place.range.lowerBound))
    } catch {
      let isTooLarge = error.code == EFBIG
      problems.add(
        unreadable: error, isTooLarge ? "too_large" : "unreadable_file", at: place,
        isTooLarge ? "\(path) is larger than 1 MiB" : "\(path) cannot be read: \(error.reason)",
        fix: isTooLarge
          ? "make several fragments of it"
          : nearestFile(to: path, written: written).map { quoted($0) }
            ?? "correct the path, or put the file there: paths are read from the folder of the file they stand in"
      )
      return nil
    }
  }
}

extension SpecFragment {
  /// The parameters of a fragment with their values.
  ///
  /// - Parameter outer: what holds in the file that includes it.
  func resolve(
    _ outer: SpecScope, _ problems: inout Problems
  ) -> SpecScope {
    var given: [GivenParam] = []
    for member in with {
      let scope = outer
      // Of a path that a parameter of the including file begins, that file has taken care.
      let isOuterPath = member.value.string.map { text in
        guard case .reference(let name, _)? = ParamReferences.parts(text).first,
          case .path? = outer.params[name]
        else { return false }
        return true
      }
      var check = OptionCheck(outer)
      let filled = check.filled(member.value)
      problems.add(contentsOf: check.problems)
      // What depends on a parameter without value has none.
      guard let filled else { continue }
      given.append(
        GivenParam(
          name: member.key, nameNode: member.keyNode, value: filled, isText: false,
          path: { isOuterPath == true ? $0 : scope.path($0) }))
    }
    let unfilled = with.filter { member in !given.contains { same($0.name, member.key) } }
    let resolution = ParamResolution(
      declarations: params, names: paramNames, allowMissing: !unfilled.isEmpty,
      today: outer.today, folder: folder,
      include: (entry, node))
    return SpecScope(
      params: resolution.resolve(given, &problems), folder: folder, today: outer.today)
  }
}
