import WeirData

/// Why records were refused: how many by code, stage, field and shard, with samples of each.
public struct QuarantineSurvey: Sendable {
  public struct Count: Sendable {
    /// The bytes of what is counted; of a shard: its name.
    public let name: [UInt8]
    /// Of a shard: the source that reads it.
    public let source: [UInt8]?
    public let count: Int
  }
  /// An entry, kept.
  public struct Sample: Sendable {
    public let source: [UInt8]
    public let shard: [UInt8]
    public let line: Int
    public let byteOffset: Int
    public let stage: [UInt8]
    public let code: [UInt8]
    public let field: [UInt8]?
    public let message: [UInt8]
    /// The beginning of the record, which may be any bytes.
    public let raw: [UInt8]
    /// The line of the quarantine.
    public let text: [UInt8]
  }

  /// Entries in all; a record that several stages refused has several.
  public private(set) var total = 0
  /// Those that the filter lets through; the rest is about them.
  public private(set) var matching = 0
  /// Most frequent first, as all of them.
  public private(set) var codes: [Count] = []
  public private(set) var stages: [Count] = []
  /// Entries that blame a field.
  public private(set) var fields: [Count] = []
  public private(set) var shards: [Count] = []
  /// In the order of the input.
  public private(set) var samples: [Sample] = []

  /// - Parameter samplesMost: for each stage, code and field.
  public init(
    _ reader: QuarantineReader, _ filter: QuarantineFilter = QuarantineFilter(),
    samplesMost: Int = 1
  ) throws {
    var byCode = Tally()
    var byStage = Tally()
    var byField = Tally()
    var byShard = Tally()
    var kinds = Tally()
    try reader.forEach { entry in
      total += 1
      guard filter.fits(entry) else { return }
      matching += 1
      byCode.add(entry.code)
      byStage.add(entry.stage)
      if let field = entry.field { byField.add(field) }
      byShard.add(joined(entry.source, entry.shard))
      let kind = joined(entry.stage, entry.code, entry.field ?? .init(rebasing: entry.text[0..<0]))
      if kinds.add(kind) <= samplesMost { samples.append(Sample(entry)) }
    }
    codes = byCode.counts { ($0, nil) }
    stages = byStage.counts { ($0, nil) }
    fields = byField.counts { ($0, nil) }
    shards = byShard.counts { bytes in
      let end = bytes.firstIndex(of: 0) ?? bytes.endIndex
      return (Array(bytes[end...].dropFirst()), Array(bytes[..<end]))
    }
  }
}

extension QuarantineSurvey.Sample {
  fileprivate init(_ entry: QuarantineEntry) {
    // A terminal line shows less; an export has all.
    let most = 4_096
    source = Array(entry.source)
    shard = Array(entry.shard)
    line = entry.line
    byteOffset = entry.byteOffset
    stage = Array(entry.stage)
    code = Array(entry.code)
    field = entry.field.map { Array($0) }
    message = Array(entry.message)
    raw =
      entry.raw.map { Array($0.prefix(most)) }
      ?? decodedBase64((entry.rawBase64 ?? .init(rebasing: entry.text[0..<0])).prefix(most))
    text = Array(entry.text)
  }
}

/// The bytes of base64 text that Weir wrote; what is none is passed over.
private func decodedBase64(_ text: some Sequence<UInt8>) -> [UInt8] {
  var out: [UInt8] = []
  var bits: UInt32 = 0
  var count = 0
  for byte in text {
    let value: UInt8
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = byte - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): value = byte - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): value = byte - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): value = 62
    case UInt8(ascii: "/"): value = 63
    default: continue
    }
    bits = (bits << 6 | UInt32(value)) & 0xFFFFFF
    count += 1
    if count % 4 == 2 { out.append(UInt8(truncatingIfNeeded: bits >> 4)) }
    if count % 4 == 3 { out.append(UInt8(truncatingIfNeeded: bits >> 2)) }
    if count % 4 == 0 { out.append(UInt8(truncatingIfNeeded: bits)) }
  }
  return out
}

/// Names of stages and sources have no zero byte, and a shard's comes last.
private func joined(_ parts: UnsafeBufferPointer<UInt8>...) -> [UInt8] {
  var out: [UInt8] = []
  for (i, part) in parts.enumerated() {
    if i > 0 { out.append(0) }
    out.append(contentsOf: part)
  }
  return out
}

private struct Tally {
  private let names = ByteDictionary()
  private var numbers: [Int] = []

  /// - Returns: how often it was added by now.
  @discardableResult
  mutating func add(_ name: UnsafeBufferPointer<UInt8>) -> Int {
    let code = names.code(of: name)
    if code == numbers.count { numbers.append(0) }
    numbers[code] += 1
    return numbers[code]
  }

  @discardableResult
  mutating func add(_ name: [UInt8]) -> Int { name.withUnsafeBufferPointer { add($0) } }

  func counts(
    _ split: ([UInt8]) -> (name: [UInt8], source: [UInt8]?)
  ) -> [QuarantineSurvey.Count] {
    numbers.indices.map { code -> QuarantineSurvey.Count in
      let (name, source) = split(Array(names.bytes(of: code)))
      return QuarantineSurvey.Count(name: name, source: source, count: numbers[code])
    }.sorted { a, b in
      if a.count != b.count { return a.count > b.count }
      if a.name != b.name { return a.name.lexicographicallyPrecedes(b.name) }
      return (a.source ?? []).lexicographicallyPrecedes(b.source ?? [])
    }
  }
}
