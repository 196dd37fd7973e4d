import WeirData

/// Counts of what was refused, by stage, code and field.
public struct QuarantineSummary: Sendable {
  public struct Entry: Sendable {
    public var stage: String
    public var code: String
    public var field: String?
    public var count: Int
    /// The first one in the order of the input.
    public var source: String
    public var shard: String
    public var line: Int
    public var message: String
    /// Its first ``sampleBytes`` bytes, as they are.
    public var sample: [UInt8]
  }
  public static let sampleBytes = 160

  /// Sorted by stage in the order of the plan, then code, then field.
  public internal(set) var entries: [Entry] = []

  init(entries: [Entry] = []) { self.entries = entries }

  public var total: Int { entries.reduce(0) { $0 + $1.count } }

  /// Records by code.
  public var byCode: [(code: String, count: Int)] {
    var codes: [String: Int] = [:]
    for entry in entries { codes[entry.code, default: 0] += entry.count }
    return codes.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      .map { (code: $0.key, count: $0.value) }
  }
}

/// The refusals of one shard, in the order of line and stage, counted and encoded as they come.
struct ShardQuarantine {
  /// Encoded lines that wait to be compressed are handed on at this size, in bytes.
  static let frameBytes = 256 * 1024
  /// Bytes of a record that are kept.
  static let rawBytesMax = 64 * 1024

  struct Key: Hashable {
    var stage: Int
    var code: String
    var field: String?
  }
  struct Tally {
    /// In ``keys``.
    var index: UInt32
    var count: Int
    var line: Int
    var message: String
    var sample: [UInt8]
  }
  private(set) var tallies: [Key: Tally] = [:]
  /// In the order of first sight.
  private(set) var keys: [Key] = []
  /// Line and stage of each, in order.
  private(set) var places: [Place] = []
  var count: Int { places.count }
  private var pending: [UInt8] = []

  struct Place: Comparable {
    var line: UInt32
    var stage: UInt32
    /// In ``ShardQuarantine/keys``.
    var key: UInt32

    static func < (a: Place, b: Place) -> Bool { (a.line, a.stage) < (b.line, b.stage) }
  }

  init(tallies: [Key: Tally] = [:], places: [Place] = []) {
    self.tallies = tallies
    self.places = places
    keys = tallies.sorted { $0.value.index < $1.value.index }.map(\.key)
  }

  /// Adds the refusals of one batch, which come sorted by line and stage.
  ///
  /// - Parameter names: `nil` where there is no text to keep: they are counted only.
  mutating func add(
    _ refusals: [(stage: Int, refusal: Refusal)], names: QuarantineNames?,
    emit: ([UInt8]) -> Void
  ) {
    for (stage, refusal) in refusals {
      let key = Key(stage: stage, code: refusal.code, field: refusal.field)
      var index = UInt32(keys.count)
      if let known = tallies[key] {
        index = known.index
      } else {
        tallies[key] = Tally(
          index: index, count: 0, line: refusal.line, message: refusal.message,
          sample: Array((refusal.raw ?? []).prefix(QuarantineSummary.sampleBytes)))
        keys.append(key)
      }
      tallies[key]!.count += 1
      places.append(Place(line: UInt32(refusal.line), stage: UInt32(stage), key: index))
      guard let names else { continue }
      encode(refusal, stage: stage, names: names).write(to: &pending)
      pending.append(0x0A)
      if pending.count >= ShardQuarantine.frameBytes { flush(emit) }
    }
  }

  mutating func flush(_ emit: ([UInt8]) -> Void) {
    guard !pending.isEmpty else { return }
    emit(pending)
    pending = []
  }

  private func encode(_ refusal: Refusal, stage: Int, names: QuarantineNames) -> JSONValue {
    var members: [JSONMember] = [
      JSONMember("source", .text(names.source)), JSONMember("shard", .text(names.shard)),
      JSONMember("line", .int(refusal.line)), JSONMember("byte_offset", .int(refusal.byteOffset)),
      JSONMember("stage", .text(names.stages[stage])), JSONMember("code", .text(refusal.code)),
      JSONMember("field", refusal.field.map { .text($0) } ?? .null),
      JSONMember("message", .text(refusal.message)),
    ]
    let raw = refusal.raw ?? []
    let kept =
      raw.count > ShardQuarantine.rawBytesMax ? Array(raw.prefix(ShardQuarantine.rawBytesMax)) : raw
    if kept.withUnsafeBufferPointer({ isUTF8($0) }) {
      members.append(JSONMember("raw", .string(kept)))
    } else {
      members.append(JSONMember("raw_base64", .text(base64(kept))))
    }
    let cut = refusal.cut ?? (raw.count > kept.count ? (raw.count, sha256(raw)) : nil)
    if let cut {
      members.append(JSONMember("raw_bytes", .int(cut.length)))
      members.append(JSONMember("raw_sha256", .text(hexText(cut.sha256))))
    }
    return .object(members)
  }
}

/// What a quarantine line calls things.
struct QuarantineNames {
  var source: String
  var shard: String
  var stages: [String]
}

/// RFC 4648 base64 with padding.
func base64(_ bytes: [UInt8]) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var out: [UInt8] = []
  var at = 0
  while at < bytes.count {
    let left = min(3, bytes.count - at)
    var group = 0
    for i in 0..<3 { group = group << 8 | (i < left ? Int(bytes[at + i]) : 0) }
    for i in 0..<4 {
      out.append(i <= left ? alphabet[group >> (18 - 6 * i) & 63] : UInt8(ascii: "="))
    }
    at += 3
  }
  return String(decoding: out, as: UTF8.self)
}
