import WeirData
import WeirEngine
import WeirStatistics

/// Everything that the trend report shows, and nothing that depends on when or where it was made.
///
/// Any text in it may come from records and is escaped when it is written; the finished page is a
/// pure function of this value.
public struct ReportPage: Sendable {
  /// Name of the pipeline, as in the spec.
  public var pipeline: String
  /// What the spec says about itself; may be empty.
  public var description: String
  /// Path of the spec, as the command to repeat the run names it.
  public var specFile: String
  public var parameters: [ReportNamed]
  /// What the series are about, in words: `Violation rate and volume of 12 markets × 8 queues`.
  public var scope: String
  /// Names of the fields that a series key has values for, in order.
  public var by: [String]
  /// First day of each bucket, oldest first; as many as every series has buckets.
  public var buckets: [CivilDate]
  /// Days in a bucket.
  public var bucketDays: Int
  /// The zone that the days are counted in: `UTC`.
  public var zone: String
  /// What one record is called, in the plural: `decisions`.
  public var recordNoun: String
  public var trend: TrendReport
  public var settings: TrendSettings
  /// One for each finding of ``trend``, in the same order.
  public var texts: [ReportFindingText]
  /// The records behind each finding, as far as there are any.
  public var evidence: [[EvidenceRecord]] = []
  /// What happened at the time of each finding, as far as somebody wrote it down.
  public var annotations: [[TrendAnnotation]] = []
  /// In the order of the plan.
  public var ledger: [ReportLedgerRow]
  public var totals: ReportTotals
  /// By code; most records first.
  public var quarantine: [ReportQuarantineRow]
  /// The rules that records were held against, in the order of the stages.
  public var expectations: [ReportExpectation] = []
  /// Largest share of the records read that may be refused; `nil` without a budget.
  public var quarantineBudget: Double?
  public var notes: [ReportDataNote]
  public var inputs: ReportInputs
  /// What identifies the run: `Spec`, `Inputs`, `Config` and their hashes.
  public var hashes: [ReportNamed]
  public var version: String
  /// Files beside the report; the first is the one with all findings.
  public var dataFiles: [String]

  public init(
    pipeline: String, description: String, specFile: String, parameters: [ReportNamed],
    scope: String, by: [String], buckets: [CivilDate], bucketDays: Int, zone: String,
    recordNoun: String, trend: TrendReport, settings: TrendSettings, texts: [ReportFindingText],
    ledger: [ReportLedgerRow], totals: ReportTotals, quarantine: [ReportQuarantineRow],
    quarantineBudget: Double?, notes: [ReportDataNote], inputs: ReportInputs,
    hashes: [ReportNamed], version: String, dataFiles: [String]
  ) {
    self.pipeline = pipeline
    self.description = description
    self.specFile = specFile
    self.parameters = parameters
    self.scope = scope
    self.by = by
    self.buckets = buckets
    self.bucketDays = bucketDays
    self.zone = zone
    self.recordNoun = recordNoun
    self.trend = trend
    self.settings = settings
    self.texts = texts
    self.ledger = ledger
    self.totals = totals
    self.quarantine = quarantine
    self.quarantineBudget = quarantineBudget
    self.notes = notes
    self.inputs = inputs
    self.hashes = hashes
    self.version = version
    self.dataFiles = dataFiles
  }
}

/// A name with its value, shown as they are.
public struct ReportNamed: Sendable {
  public var name: String
  public var value: String

  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// A finding in words.
public struct ReportFindingText: Sendable {
  /// Short and stable over runs: `finding_id` in the findings file.
  public var id: String
  /// `hate_speech in DE: violation rate rose from 8.2 % to 13.6 % on 4 Oct`.
  public var headline: String
  /// One line more; may be empty.
  public var detail: String

  public init(id: String, headline: String, detail: String) {
    self.id = id
    self.headline = headline
    self.detail = detail
  }
}

/// What one stage did with its records.
public struct ReportLedgerRow: Sendable {
  public var stage: String
  public var type: String
  public var read: Int
  /// Passed on to the next stages.
  public var out: Int
  public var filtered: Int
  public var deduplicated: Int
  public var quarantined: Int
  /// Taken up by a reduce or written by a sink.
  public var kept: Int
  public var isBalanced: Bool

  public init(
    stage: String, type: String, read: Int, out: Int, filtered: Int, deduplicated: Int,
    quarantined: Int, kept: Int, isBalanced: Bool
  ) {
    self.stage = stage
    self.type = type
    self.read = read
    self.out = out
    self.filtered = filtered
    self.deduplicated = deduplicated
    self.quarantined = quarantined
    self.kept = kept
    self.isBalanced = isBalanced
  }
}

/// Where every line of the run went, each counted once.
public struct ReportTotals: Sendable {
  public var read: Int
  public var written: Int
  public var deduplicated: Int
  public var filtered: Int
  public var quarantined: Int
  /// Blank lines; not among ``read``.
  public var blank: Int

  public init(
    read: Int, written: Int, deduplicated: Int, filtered: Int, quarantined: Int, blank: Int
  ) {
    self.read = read
    self.written = written
    self.deduplicated = deduplicated
    self.filtered = filtered
    self.quarantined = quarantined
    self.blank = blank
  }
}

/// The records refused for one reason.
public struct ReportQuarantineRow: Sendable {
  /// The stable code: `invalid_json`.
  public var code: String
  public var meaning: String
  public var count: Int
  /// ``count`` over all records read, 0 to 1.
  public var share: Double
  /// Name of the shard of the first one, as bytes.
  public var shard: [UInt8]
  /// Line of the first one, from 1.
  public var line: Int
  /// How the first one begins, raw; shown up to 80 bytes. Empty where it must not be shown.
  public var bytes: [UInt8]
  /// What a person can do about it.
  public var remedy: String

  public init(
    code: String, meaning: String, count: Int, share: Double, shard: [UInt8], line: Int,
    bytes: [UInt8], remedy: String
  ) {
    self.code = code
    self.meaning = meaning
    self.count = count
    self.share = share
    self.shard = shard
    self.line = line
    self.bytes = bytes
    self.remedy = remedy
  }
}

/// Something about the data that a reader should know before blaming people.
public struct ReportDataNote: Sendable {
  /// One or two words: `No data`, `Open`, `Future`, `Unchecksummed`.
  public var label: String
  public var place: String
  public var effect: String
  /// Whether somebody should look at it; an open last day, for one, is as it should be.
  public var isProblem: Bool

  public init(label: String, place: String, effect: String, isProblem: Bool) {
    self.label = label
    self.place = place
    self.effect = effect
    self.isProblem = isProblem
  }
}

/// What was read.
public struct ReportInputs: Sendable {
  public var shards: Int
  /// As they lie on disk.
  public var bytes: Int
  /// Of the names and contents of all shards.
  public var hash: String

  public init(shards: Int, bytes: Int, hash: String) {
    self.shards = shards
    self.bytes = bytes
    self.hash = hash
  }
}
