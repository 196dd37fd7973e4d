import WeirData

/// One record that shows what a finding is about.
public struct EvidenceRecord: Sendable, Equatable {
  public enum Role: String, Sendable {
    /// Of the window of the finding.
    case exemplar
    /// Of the time that the finding is held against.
    case control
  }
  public var role: Role
  public var origin: ShardOrigin
  /// 1-based line of the shard.
  public var line: Int
  /// Where the line begins in the decompressed shard, in bytes.
  public var byteOffset: Int
  /// First day of the bucket that it was counted in, ISO.
  public var date: String
  /// What it was chosen for, in words.
  public var why: String

  public init(
    role: Role, origin: ShardOrigin, line: Int, byteOffset: Int, date: String, why: String
  ) {
    self.role = role
    self.origin = origin
    self.line = line
    self.byteOffset = byteOffset
    self.date = date
    self.why = why
  }

  /// As the findings have it.
  public var json: JSONValue {
    [
      "role": .text(role.rawValue), "date": .text(date), "source": .text(origin.source),
      "shard": .string(origin.shard), "line": .int(line), "byte_offset": .int(byteOffset),
      "why": .text(why),
    ]
  }
}

/// The records behind one finding.
public struct FindingEvidence: Sendable {
  public var findingID: String
  public var headline: String
  public var records: [EvidenceRecord]

  public init(findingID: String, headline: String, records: [EvidenceRecord]) {
    self.findingID = findingID
    self.headline = headline
    self.records = records
  }
}
