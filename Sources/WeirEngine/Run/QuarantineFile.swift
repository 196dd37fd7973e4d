import Glibc
import Synchronization
import WeirData

/// What the shards of a run refused, as it comes: also of a run that stops half way.
final class QuarantineSpools: Sendable {
  private let spools = Mutex<[ShardSpool]>([])

  func add(_ spool: ShardSpool?) {
    guard let spool, spool.quarantine != nil else { return }
    spools.withLock { $0.append(spool) }
  }

  var all: [ShardSpool] { spools.withLock { $0 } }
}

/// Puts the quarantine of all shards together: one JSONL file, sorted by position and stage.
struct QuarantineFile {
  /// In the directory of the run.
  static let name = "quarantine.jsonl.zst"

  let path: String

  /// Whoever calls flushes it before the outputs are swapped in: records that are not among them must be
  /// here.
  ///
  /// - Parameters:
  ///   - spools: of all passes.
  ///   - states: the shards in order.
  func write(_ spools: [ShardSpool], _ states: [ShardState]) throws {
    let descriptor = openFile(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    guard descriptor >= 0 else { throw fail(path, "create") }
    defer { close(descriptor) }
    var byShard: [Int: [ShardSpool]] = [:]
    for spool in spools where spool.quarantine != nil {
      byShard[spool.shard, default: []].append(spool)
    }
    if byShard.isEmpty { try append(ZstdEncoder(level: 3).frame([]), to: descriptor) }
    for shard in byShard.keys.sorted() {
      let passes = byShard[shard]!.sorted { $0.pass < $1.pass }
      if passes.count == 1 {
        try copy(passes[0], to: descriptor)
      } else {
        try merge(passes, states[shard], to: descriptor)
      }
    }
  }

  /// The frames of one pass are in order already.
  private func copy(_ spool: ShardSpool, to descriptor: Int32) throws(FileError) {
    guard let quarantine = spool.quarantine else { return }
    try quarantine.read(0..<quarantine.count) { part throws(FileError) in
      try writeAll(part, to: descriptor, path: path)
    }
    try quarantine.close()
  }

  /// Several passes refused records of one shard: their lines are put in one order.
  private func merge(
    _ passes: [ShardSpool], _ state: ShardState, to descriptor: Int32
  ) throws {
    var lines: [(place: ShardQuarantine.Place, text: [UInt8])] = []
    for spool in passes {
      let texts = try decode(spool)
      let places = state.quarantines[spool.pass]?.places ?? []
      guard texts.count == places.count else {
        throw RunError(
          code: "ledger_imbalance",
          message:
            "the quarantine of \(state.shard.path) has \(texts.count) lines for \(places.count) records",
          fix: "this is a fault of Weir, and the outputs were withheld: report it with the spec")
      }
      lines += zip(places, texts).map { ($0, $1) }
    }
    lines.sort { $0.place < $1.place }
    let encoder = ZstdEncoder(level: 3)
    var frame: [UInt8] = []
    for line in lines {
      frame += line.text
      frame.append(0x0A)
      if frame.count >= ShardQuarantine.frameBytes {
        try append(encoder.frame(frame), to: descriptor)
        frame = []
      }
    }
    if !frame.isEmpty { try append(encoder.frame(frame), to: descriptor) }
  }

  private func decode(_ spool: ShardSpool) throws -> [[UInt8]] {
    guard let quarantine = spool.quarantine else { return [] }
    var limits = ShardLimits()
    // A record of the largest size, escaped, and what is said about it.
    limits.recordBytesMax = 64 << 20
    var decoder = ShardDecoder(path: quarantine.path, limits: limits)
    var texts: [[UInt8]] = []
    func take(_ block: consuming LineBlock) {
      let text = block.bytes.view
      for line in block.lines {
        texts.append(Array(text[Int(line.start)..<Int(line.start + line.length)]))
      }
    }
    var at = 0
    while at < quarantine.count {
      let end = min(at + (1 << 20), quarantine.count)
      var bytes: [UInt8] = []
      try quarantine.read(at..<end) { bytes.append(contentsOf: $0) }
      try decoder.consume(Bytes(bytes)) { take($0) }
      at = end
    }
    try quarantine.close()
    try decoder.finish { take($0) }
    return texts
  }

  private func append(_ bytes: [UInt8], to descriptor: Int32) throws(FileError) {
    try bytes.withUnsafeBufferPointer { bytes throws(FileError) in
      try writeAll(bytes, to: descriptor, path: path)
    }
  }
}
