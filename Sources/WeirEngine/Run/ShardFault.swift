import WeirData

/// Why a shard was set aside whole: no record of it counts as read.
public struct ShardFault: Sendable, Equatable {
  /// Name of the source stage.
  public var source: String
  public var shard: String
  /// On disk.
  public var bytes: Int
  /// As of `ShardError`: `shard_truncated` and the like.
  public var code: String
  /// Byte of the file where reading ended, where one is to blame.
  public var byte: Int?
  /// Without the path, which is not the same everywhere.
  public var message: String

  public var json: JSONValue {
    [
      "source": .text(source), "shard": .text(shard), "bytes": .int(bytes), "code": .text(code),
      "byte": byte.map { .int($0) } ?? .null, "message": .text(message),
    ]
  }

  /// One sentence: `date=2026-10-04/a.jsonl.zst (shard_truncated at byte 512): ...`.
  public var text: String {
    "\(printable(shard)) (\(code)\(byte.map { " at byte \($0)" } ?? "")): \(message)"
  }

  /// `shards_set_aside` with the first ones, and `shards_set_aside_more` with how many there are
  /// besides.
  public static func members(_ faults: [ShardFault]) -> [JSONMember] {
    let shown = 100
    var members = [JSONMember("shards_set_aside", .array(faults.prefix(shown).map(\.json)))]
    if faults.count > shown {
      members.append(JSONMember("shards_set_aside_more", .int(faults.count - shown)))
    }
    return members
  }
}

extension ShardError {
  /// Whether it says something about the shard, rather than about the moment.
  var isLasting: Bool { !isTransient && !canPass }
}

/// Goes over a shard alone, from its first byte to its last, to see what is wrong with it: several
/// workers find the first of several faults by chance.
struct ShardProbe {
  let shard: Shard
  let limits: ShardLimits

  /// - Returns: what is wrong, and the content of the shard where all of it can be read.
  /// - Throws: `ShardError` where the moment is to blame.
  func run() throws(ShardError) -> (fault: ShardError?, content: Hash128?) {
    var fault: ShardError?
    do throws(ShardError) {
      let file = try ShardFile(path: shard.path)
      var decoder = ShardDecoder(path: shard.path, limits: limits)
      while let piece = try file.read(upTo: ShardPieces.pieceBytes) {
        guard fault == nil else { continue }
        decoder.feed(piece)
        fault = ShardProbe.exhaust(&decoder)
      }
      if fault == nil {
        decoder.feedEnd()
        fault = ShardProbe.exhaust(&decoder)
      }
      return (fault, file.contentHash())
    } catch {
      guard error.isLasting else { throw error }
      return (fault ?? error, nil)
    }
  }

  private static func exhaust(_ decoder: inout ShardDecoder) -> ShardError? {
    do throws(ShardError) {
      while try decoder.next() != nil {}
      return nil
    } catch {
      return error
    }
  }
}
