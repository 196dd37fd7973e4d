import WeirData
import WeirExpressions

/// What a stage may use while it is bound: the parameters, the files beside the spec, expressions.
public final class BindContext {
  public let stageName: String
  public let params: ResolvedParams
  private let baseDirectory: String
  private let files: ReferencedFiles
  let secrets: SecretUse
  /// `zone` of the spec; `nil`: UTC. A stage that reads it must be a reduce: the identity of others does
  /// not have it.
  public let specZone: SpecNode?

  init(
    stageName: String, params: ResolvedParams, baseDirectory: String, files: ReferencedFiles,
    secrets: SecretUse = .required, specZone: SpecNode? = nil
  ) {
    self.specZone = specZone
    self.secrets = secrets
    self.stageName = stageName
    self.params = params
    self.baseDirectory = baseDirectory
    self.files = files
  }

  /// A path of the spec, read from where the spec lies.
  public func resolve(_ path: String) -> String { joinPath(baseDirectory, path) }

  /// The bytes of a file that an option names. They become part of the identity of the run.
  public func readFile(
    _ path: String, at node: SpecNode, _ problems: inout Problems
  ) -> [UInt8]? {
    let resolved = resolve(path)
    if let bytes = files.bytes(of: path) { return bytes }
    do throws(FileError) {
      let bytes = try readWholeFile(resolved, limit: ReferencedFiles.bytesMax)
      files.add(path, bytes)
      return bytes
    } catch {
      problems.add(
        unreadable: error, "unreadable_file", at: node,
        "\(resolved) cannot be read: \(error.reason)",
        fix: nearestFile(to: resolved, written: path).map { quoted($0) }
          ?? "correct the path, or put the file there: paths are read from the folder of the spec")
      return nil
    }
  }

  /// The same for a file that must lie in the folder of the spec or below it.
  ///
  /// - Parameter limit: in bytes; a larger file is a problem.
  public func readFileBelow(
    _ path: String, atMost limit: Int, at node: SpecNode, _ problems: inout Problems
  ) -> [UInt8]? {
    let top = baseDirectory.utf8.isEmpty ? "." : baseDirectory
    let steps = normalizedPath(path)
    var escapes =
      steps.utf8.first == UInt8(ascii: "/") || same(steps, "..")
      || steps.utf8.starts(with: "../".utf8)
    // A link may lead elsewhere, and a way out may lead back.
    if let leadsOut = leadsOut(of: top, resolve(path)) { escapes = leadsOut }
    if escapes {
      problems.add(
        "path_escapes", at: node, "\(shown(path)) lies outside of the folder of the spec",
        expected: "a path in the folder of the spec or below it",
        fix: "move it into that folder, and write \"\(printable(lastComponent(of: path)))\"")
      return nil
    }
    guard let bytes = readFile(path, at: node, &problems) else { return nil }
    guard bytes.count <= limit else {
      problems.add(
        "too_large", at: node,
        "\(resolve(path)) has \(groupedDigits(bytes.count.magnitude)) bytes; at most \(groupedDigits(limit.magnitude)) are read",
        fix: "leave out of it what no stage uses")
      return nil
    }
    return bytes
  }

  /// Makes something that is read from elsewhere part of the identity of the run, once.
  func noteFile(_ path: String, _ bytes: [UInt8]) {
    if files.bytes(of: path) == nil { files.add(path, bytes) }
  }

  /// Stands before the names of time zones among the files that a plan depends on.
  static let zoneFolder = "zoneinfo/"

  /// The time zone that an option names. Its file becomes part of the identity of the run.
  public func zone(
    _ name: String, at node: SpecNode, _ problems: inout Problems
  ) -> CivilZone? {
    guard let zone = CivilZone(named: name, at: node, &problems) else { return nil }
    if let file = zone.file {
      let path = BindContext.zoneFolder + file.name
      if files.bytes(of: path) == nil { files.add(path, file.bytes) }
    }
    return zone
  }

  /// Compiles a CEL expression of an option against the fields of an edge.
  public func compile(
    _ source: String, in scope: Scope, at node: SpecNode, _ problems: inout Problems
  ) -> CompiledExpression? {
    let fields = scope.fields.map {
      ExpressionScope.Field(path: $0.path, type: $0.type, column: $0.column)
    }
    var constants: [String: ConstantValue] = [:]
    for (name, value) in params.values { constants[name] = value.constant }
    do throws(ExpressionError) {
      let expression = try CompiledExpression(
        source, scope: ExpressionScope(fields: fields, params: constants))
      for zone in expression.zoneFiles {
        let path = BindContext.zoneFolder + zone.name
        if files.bytes(of: path) == nil { files.add(path, zone.bytes) }
      }
      return expression
    } catch {
      let start = error.column - 1
      if error.code == .unknownField {
        var place = node
        place.range = node.sourceRange(start..<(start + max(1, error.length)))
        let name = source.utf8.dropFirst(start).prefix(error.length)
        let path = String(decoding: name, as: UTF8.self)
        let declaring = "declare it under \"fields\" of the source: \(quoted(path)): \"string\""
        problems.add(
          missing: path, "bad_expression", at: place, error.message, expected: scope.expectation,
          fix: error.isMisspelling
            ? error.fix
            : error.fix.map { other in
              isCompared(source, behind: start + error.length)
                ? "\(declaring); or \(other)" : "\(other); or \(declaring)"
            } ?? declaring)
        return nil
      }
      problems.add(
        "bad_expression", at: node, within: start..<(start + max(1, error.length)), error.message,
        fix: error.fix)
      return nil
    }
  }

  /// Whether an operator follows a name: then it is more likely a field than a text.
  private func isCompared(_ source: String, behind place: Int) -> Bool {
    let next = source.utf8.dropFirst(place).first { $0 != 0x20 }
    return next.map { Array("=<>!.+-*/%".utf8).contains($0) } ?? false
  }

  /// The same, for an expression that must be true or false.
  public func compileCondition(
    _ source: String, in scope: Scope, at node: SpecNode, _ problems: inout Problems
  ) -> CompiledExpression? {
    guard let expression = compile(source, in: scope, at: node, &problems) else { return nil }
    do throws(ExpressionError) {
      try expression.requireBool()
      return expression
    } catch {
      problems.add(
        "not_a_condition", at: node, error.message, expected: "true or false", fix: error.fix)
      return nil
    }
  }
}

extension ParamValue {
  /// The value as expressions see it.
  var constant: ConstantValue {
    switch self {
    case .int(let value): .int(Int64(value))
    case .number(let value): .number(value)
    case .bool(let value): .bool(value)
    default: .string(Array(text.utf8))
    }
  }
}

/// Files that options name (maps, lists), read once, part of what the run depends on.
final class ReferencedFiles {
  static let bytesMax = 64 << 20
  private(set) var entries: [(path: String, bytes: [UInt8])] = []

  func bytes(of path: String) -> [UInt8]? { entries.first { $0.path == path }?.bytes }
  func add(_ path: String, _ bytes: [UInt8]) { entries.append((path, bytes)) }
}
