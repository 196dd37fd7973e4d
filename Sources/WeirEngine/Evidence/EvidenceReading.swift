import WeirData

/// What became of a record since the run that named it.
public enum EvidenceText: Sendable, Equatable {
  /// The line as it stands in the shard, without its line end, and where it begins in the decompressed
  /// shard, in bytes.
  case record([UInt8], byteOffset: Int)
  /// It cannot be had: `code` is stable, `reason` says why and names the file.
  case unavailable(code: String, reason: String)
}

extension EvidenceFile.KnownShard {
  private static let pieceBytes = 1 << 20

  /// Reads lines of the shard back. Blocks; reads the shard to its end, to know that it is the same.
  ///
  /// - Parameter records: of this shard.
  /// - Returns: one for each of them.
  public func read(_ records: [EvidenceRecord]) -> [EvidenceText] {
    do throws(ShardError) {
      return try readAll(records)
    } catch {
      let code = exists(path) ? "shard_unreadable" : "shard_gone"
      let reason =
        exists(path) ? "\(path) cannot be read: \(error.message)" : "\(path) is not there any more"
      return records.map { _ in .unavailable(code: code, reason: reason) }
    }
  }

  private func readAll(_ records: [EvidenceRecord]) throws(ShardError) -> [EvidenceText] {
    var limits = ShardLimits()
    // The run took the record, whatever its source allowed.
    limits.recordBytesMax = 1 << 30
    limits.windowLogMax = 31
    let last = records.reduce(0) { max($0, $1.line) }
    var found: [Int: (offset: Int, text: [UInt8])] = [:]
    let wanted = Set(records.map(\.line))
    let file = try ShardFile(path: path)
    var decoder = ShardDecoder(path: path, limits: limits)
    var line = 0
    var damage: ShardError?
    func take(_ block: consuming LineBlock) {
      let offset = block.byteOffset
      let text = block.bytes.view
      for place in block.lines {
        line = Int(place.number)
        guard wanted.contains(line) else { continue }
        found[line] = (
          offset + Int(place.start),
          Array(text[Int(place.start)..<Int(place.start + place.length)])
        )
      }
    }
    while let piece = try file.read(upTo: Self.pieceBytes) {
      // What is behind the last record is only hashed.
      guard line < last, damage == nil else { continue }
      decoder.feed(piece)
      do {
        while let block = try decoder.next() { take(block) }
      } catch {
        damage = error
      }
    }
    if line < last, damage == nil {
      decoder.feedEnd()
      do {
        while let block = try decoder.next() { take(block) }
      } catch {
        damage = error
      }
    }
    let isSame = file.contentHash().hex.utf8.elementsEqual(content.utf8)
    return records.map { record in
      guard isSame else {
        return .unavailable(
          code: "shard_changed",
          reason: "\(path) has changed since the run: its lines may be others now")
      }
      if let hit = found[record.line] {
        guard hit.offset == record.byteOffset else {
          return .unavailable(
            code: "place_differs",
            reason: "line \(record.line) of \(path) begins at byte \(hit.offset), and not at "
              + "\(record.byteOffset): what the run kept of it was changed")
        }
        return .record(hit.text, byteOffset: hit.offset)
      }
      return .unavailable(
        code: "record_not_found",
        reason: damage.map { "\(path) cannot be read: \($0.message)" }
          ?? "\(path) has no line \(record.line)")
    }
  }
}
