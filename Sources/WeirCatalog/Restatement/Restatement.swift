import WeirData
import WeirEngine

/// What a run changed in what was published: `changes.json`.
struct Restatement {
  let outputs: PendingOutputs
  /// The run before, where the catalogue has it.
  let runBefore: String?
  let lifecycle: Lifecycle

  private(set) var notes: [String] = []
  private var shards: ShardChanges?
  private var reasons: [Reason] = []
  private var files: [FileChange] = []
  private var tables: [(sink: String, path: String, comparison: TableComparison)] = []
  private var runKeys: (before: String, now: String)?

  /// Why numbers can have moved.
  enum Reason: String {
    case shards, spec, params, maps, weir
  }
  private struct FileChange {
    var kind: ShardChanges.Kind
    var file: Manifest.File
    var before: Manifest.File?
  }
  /// More are counted, not listed.
  private static let listed = 1_000

  /// Compares the outputs that are there with those that are about to take their place.
  ///
  /// - Throws: `CancellationError`. What cannot be compared is a note.
  init(
    _ outputs: PendingOutputs, runBefore: String?, lifecycle: Lifecycle
  ) throws(CancellationError) {
    self.outputs = outputs
    self.runBefore = runBefore
    self.lifecycle = lifecycle
    guard let before = outputs.before else { return }
    let (old, new): (Manifest, Manifest)
    do throws(CatalogueError) {
      old = try Manifest(directory: before)
      new = try Manifest(directory: outputs.now)
    } catch {
      notes.append("what changed is not known: \(error.message)")
      return
    }
    runKeys = (old.json.text("run_key") ?? "", new.json.text("run_key") ?? "")
    let shards = ShardChanges(before: old.inputs, now: new.inputs)
    self.shards = shards
    reasons = Restatement.reasons(old.json, new.json, hasShards: !shards.changes.isEmpty)
    try compareFiles(old, new, before)
  }

  private static func reasons(_ old: JSONValue, _ new: JSONValue, hasShards: Bool) -> [Reason] {
    var reasons: [Reason] = hasShards ? [.shards] : []
    guard old["plan_sha256"] != new["plan_sha256"] else { return reasons }
    for (key, reason) in [
      ("spec_sha256", Reason.spec), ("params", .params), ("referenced_files", .maps),
      ("weir", .weir),
    ] where old[key] != new[key] { reasons.append(reason) }
    return reasons
  }

  private mutating func compareFiles(
    _ old: Manifest, _ new: Manifest, _ before: String
  ) throws(CancellationError) {
    var was: [[UInt8]: Manifest.File] = [:]
    for file in old.files { was[Array(file.path.utf8)] = file }
    for file in new.files {
      guard let earlier = was.removeValue(forKey: Array(file.path.utf8)) else {
        files.append(FileChange(kind: .new, file: file))
        continue
      }
      guard !same(earlier.sha256, file.sha256) else { continue }
      files.append(FileChange(kind: .changed, file: file, before: earlier))
      // The new manifest says what its rows are called by, and the old one too if it is of this
      // version; the names must be in both files.
      guard let identity = file.identity else { continue }
      var comparison = TableComparison(identity: identity)
      do {
        try comparison.compare(
          before: joinPath(before, file.path), now: joinPath(outputs.now, file.path))
        tables.append((file.sink, file.path, comparison))
      } catch let error as CancellationError {
        throw error
      } catch {
        notes.append("what changed in \(file.path) is not known: \(error)")
      }
    }
    for file in old.files where was[Array(file.path.utf8)] != nil {
      files.append(FileChange(kind: .gone, file: file))
    }
  }

  // MARK: JSON

  var json: JSONValue {
    var members: [JSONMember] = [
      JSONMember("run", .text(outputs.runID)), JSONMember("pipeline", .text(outputs.pipeline)),
      JSONMember("out", .text(outputs.out)),
    ]
    if let runKeys, let shards {
      members += [
        JSONMember(
          "before",
          [
            "run": runBefore.map { .text($0) } ?? .null, "run_key": .text(runKeys.before),
          ]), JSONMember("same", .bool(same(runKeys.before, runKeys.now))),
        JSONMember("reasons", .array(reasons.map { .text($0.rawValue) })),
        JSONMember("because", .text(because)),
        // Whether each number is known to have moved because of that alone: else of one or more of these.
        JSONMember(
          "exact", .bool(shards.changes.count + reasons.count { $0 != .shards } == 1)),
        JSONMember("numbers_moved", .int(numbersMoved)),
        JSONMember("files_moved", .int(filesMoved)), JSONMember("shards", shards.json),
        JSONMember("files", filesJSON),
        JSONMember(
          "tables", .array(tables.map { $0.comparison.json(sink: $0.sink, path: $0.path) })),
      ]
    } else {
      members.append(JSONMember("before", .null))
    }
    members.append(JSONMember("findings", lifecycle.json))
    if !notes.isEmpty { members.append(JSONMember("notes", .array(notes.map { .text($0) }))) }
    return .object(members)
  }

  /// Published numbers that are another now: estimates and what was provisional not counted.
  private var numbersMoved: Int { tables.reduce(0) { $0 + $1.comparison.numbers } }
  private var filesMoved: Int { tables.count { $0.comparison.numbers > 0 } }

  private var filesJSON: JSONValue {
    func count(_ kind: ShardChanges.Kind) -> JSONValue { .int(files.count { $0.kind == kind }) }
    return [
      "new": count(.new), "changed": count(.changed), "gone": count(.gone),
      "list": .array(
        files.prefix(Restatement.listed).map { change in
          var members: [JSONMember] = [
            JSONMember("change", .text(change.kind.rawValue)),
            JSONMember("sink", .text(change.file.sink)),
            JSONMember("path", .text(change.file.path)),
            JSONMember("rows", .int(change.file.rows)),
          ]
          if let before = change.before {
            members.append(JSONMember("rows_before", .int(before.rows)))
          }
          return .object(members)
        }),
    ]
  }

  /// `1 changed shard and other parameters`. A partial of a shard is not told from those of others in
  /// what is published, so no number is tied to fewer shards than all that differ.
  private var because: String {
    var parts: [String] = []
    if let shards {
      for kind in [ShardChanges.Kind.changed, .new, .gone] where shards.count(kind) > 0 {
        let count = shards.count(kind)
        parts.append(
          kind == .gone
            ? counted(count, "shard that is gone", "shards that are gone")
            : counted(count, "\(kind.rawValue) shard", "\(kind.rawValue) shards"))
      }
    }
    for reason in reasons {
      switch reason {
      case .shards: break
      case .spec: parts.append("another spec")
      case .params: parts.append("other parameters")
      case .maps: parts.append("another map file")
      case .weir: parts.append("another version of Weir")
      }
    }
    guard parts.isEmpty else { return parts.joined(separator: " and ") }
    let isSame = runKeys.map { same($0.before, $0.now) } ?? false
    return isSame ? "nothing that differs" : "something that the manifests do not tell"
  }

  /// What the catalogue keeps of a `changes.json` when its directory is pruned: no rows, no lists.
  static func summarized(_ changes: JSONValue) -> JSONValue {
    guard case .object(let members) = changes else { return changes }
    return .object(
      members.map { member in
        switch member.key {
        case "shards", "files", "findings":
          return JSONMember(member.key, member.value.without("list"))
        case "tables":
          return JSONMember(
            member.key,
            .array(
              (member.value.asArray ?? []).map { $0.without("moved", "appeared", "disappeared") }))
        default: return member
        }
      })
  }
}
