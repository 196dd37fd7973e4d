import WeirData
import WeirEngine

/// How the inputs of a run differ from those of the run before.
struct ShardChanges {
  enum Kind: String { case new, changed, gone }
  struct Change {
    var kind: Kind
    var now: Manifest.Input?
    var before: Manifest.Input?
  }
  /// More are counted, not listed.
  private static let listed = 1_000

  private(set) var changes: [Change] = []
  private(set) var unchanged = 0

  init(before: [Manifest.Input], now: [Manifest.Input]) {
    func key(_ input: Manifest.Input) -> [UInt8] {
      Array(input.source.utf8) + [0] + Array(input.shard.utf8)
    }
    var old: [[UInt8]: Manifest.Input] = [:]
    for input in before { old[key(input)] = input }
    for input in now {
      guard let was = old.removeValue(forKey: key(input)) else {
        changes.append(Change(kind: .new, now: input))
        continue
      }
      if same(was.content, input.content) {
        unchanged += 1
      } else {
        changes.append(Change(kind: .changed, now: input, before: was))
      }
    }
    for input in before where old[key(input)] != nil {
      changes.append(Change(kind: .gone, before: input))
    }
  }

  func count(_ kind: Kind) -> Int { changes.count { $0.kind == kind } }

  var json: JSONValue {
    var members = [
      JSONMember("new", .int(count(.new))), JSONMember("changed", .int(count(.changed))),
      JSONMember("gone", .int(count(.gone))), JSONMember("same", .int(unchanged)),
    ]
    members.append(
      JSONMember(
        "list",
        .array(
          changes.prefix(ShardChanges.listed).compactMap { change in
            guard let input = change.now ?? change.before else { return nil }
            var members: [JSONMember] = [
              JSONMember("change", .text(change.kind.rawValue)),
              JSONMember("source", .text(input.source)), JSONMember("shard", .text(input.shard)),
              JSONMember("bytes", .int(input.bytes)), JSONMember("content", .text(input.content)),
            ]
            if change.kind == .changed, let was = change.before {
              members += [
                JSONMember("bytes_before", .int(was.bytes)),
                JSONMember("content_before", .text(was.content)),
              ]
            }
            return .object(members)
          })))
    return .object(members)
  }
}
