import WeirData
import WeirEngine

/// Keeps a share of the records, or so many of each kind, chosen by the hash of a key.
public struct Sample: MapStage, BarrierStage {
  public static let manual = StageManual(
    type: "sample", kind: .map,
    summary: "Keep a share of the records, or so many of each kind, the same every night.",
    discussion: """
      Which records stay is decided by a hash of the `key` alone, and depends on no workspace, worker or \
      order: the same record is in the sample tonight and tomorrow, and records with the same key stay or \
      go together. With the id of a moderator as the key you keep all decisions of some moderators, with \
      the id of the event some decisions of all. A larger `rate` keeps what a smaller one keeps; another \
      `seed` makes another choice.

      `"rate": 0.01` keeps about one key in a hundred. `rates` gives values of one `by` field a rate of \
      their own; `rate` is for all others.

      `"count": 500` keeps exactly 500 records, and with `by` 500 of each combination of values (null is \
      one of them), or all where there are fewer: those with the lowest hashes, of equal ones the first \
      in the input. For that it must see all records before it lets one pass, as `dedupe` does.

      What does not stay counts as filtered. A record without a value in the key is quarantined as \
      `missing_key`.
      """,
    accepts: [.records],
    outputs: [PortSpec(carries: .records, "The records in the sample.")],
    options: [
      OptionSpec("key", .list(.fieldPath), .required, "The fields that are hashed."),
      OptionSpec("rate", .number(0...1), .optional, "The share of the keys that stays."),
      OptionSpec(
        "rates", .map(.number(0...1)), .optional, "Rates for values of the one field under `by`."),
      OptionSpec(
        "count", .int(1...1_000_000), .optional,
        "How many records stay, of each combination of values under `by`."),
      OptionSpec("by", .list(.fieldPath), .default("[]"), "The fields that make the strata."),
      OptionSpec(
        "seed", .int(0...Int.max), .default("0"), "Another number makes another choice."),
    ],
    example: """
      {"type": "sample", "inputs": ["clean"], "key": ["event_id"], "count": 20, "by": ["market"]}
      """,
    exampleFields: #"{"event_id": "string", "market": "string?"}"#,
    synonyms: ["sampling", "subsample", "random", "limit", "reservoir", "stratify"])

  private let key: [OptionValue]
  private let by: [OptionValue]
  private let rate: Double?
  private let rates: [OptionEntry]
  private let count: Int?
  private let seed: UInt64

  public init?(_ options: Options, _ problems: inout Problems) {
    key = options.list("key")
    by = options.list("by")
    rate = options["rate"]?.number
    rates = options["rates"]?.map ?? []
    count = options["count"]?.int
    seed = UInt64(options.int("seed"))
    let before = problems.errorCount
    if key.isEmpty {
      problems.add(
        "empty_key", at: options.node("key"), "\"key\" names no field: all records would be one",
        fix: "\"key\": [\"event_id\"]")
    }
    if (rate == nil) == (count == nil) {
      problems.add(
        "rate_or_count", at: options.node,
        rate == nil
          ? "neither \"rate\" nor \"count\" is there" : "both \"rate\" and \"count\" are there",
        expected: "one of them",
        fix: rate == nil
          ? "add \"rate\": 0.01 for one in a hundred, or \"count\": 1000 for so many records"
          : "remove one of them")
    }
    if let value = options["rates"], by.count != 1 || count != nil {
      problems.add(
        "unused_option", at: value.node,
        "\"rates\" are for values of one field under \"by\", beside \"rate\"",
        fix: "\"rate\": 0.01, \"by\": [\"market\"]")
    } else if options["rates"] == nil, count == nil, let first = by.first {
      problems.add(
        "unused_option", at: first.node, "\"by\" changes nothing where all have one rate",
        fix: "add \"rates\", or write \"count\" instead of \"rate\"")
    }
    if problems.errorCount > before { return nil }
  }

  public var kind: StageKind { count == nil ? .map : .barrier }

  private func columns(
    _ values: [OptionValue], _ scope: Scope, _ problems: inout Problems
  ) -> [BarrierRule.Column]? {
    let found = values.compactMap { scope.barrierColumn($0, &problems) }
    return found.count == values.count ? found : nil
  }

  public func bind(
    _ scope: Scope, _ context: BindContext, _ problems: inout Problems
  ) -> BarrierRule? {
    let (hashed, strata) = (columns(key, scope, &problems), columns(by, scope, &problems))
    guard let count, let hashed, let strata else { return nil }
    return BarrierRule(key: strata, draw: .init(count: count, columns: hashed, seed: seed))
  }

  public func bind(
    _ scope: inout Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundMap)? {
    let (hashed, strata) = (columns(key, scope, &problems), columns(by, scope, &problems))
    guard let rate, let hashed, let strata else { return nil }
    if let stratum = strata.first, stratum.type.base != .string {
      problems.add(
        "wrong_field_type", at: by[0].node,
        "`\(stratum.field.text)` is \(stratum.type.text): \"rates\" are for text",
        expected: "a field of type string")
      return nil
    }
    return BoundSample(
      key: hashed, stratum: strata.first?.column, rate: rate,
      rates: rates.map { (Array($0.key.utf8), $0.value.number) }, seed: seed)
  }
}

private struct BoundSample: BoundMap {
  let key: [BarrierRule.Column]
  let stratum: Int?
  let rate: Double
  /// Each value once.
  let rates: [(value: [UInt8], rate: Double)]
  let seed: UInt64

  var columnsRead: [Int] { key.map(\.column) + (stratum.map { [$0] } ?? []) }
  /// What is decided by the key alone decides alike for every revision of a record.
  var filters: Bool { stratum != nil }
  func makeWorker() -> any MapWorker { SampleWorker(self) }
}

private final class SampleWorker: MapWorker {
  private let sample: BoundSample
  private let hasher: UnsafeMutablePointer<SampleHasher>
  /// Values of the stratum with a rate of their own, and by their codes these.
  private let values = ByteDictionary()
  private let rates: [Double]

  init(_ sample: BoundSample) {
    self.sample = sample
    rates = sample.rates.map(\.rate)
    hasher = .allocate(capacity: 1)
    hasher.initialize(to: SampleHasher(seed: sample.seed))
    for (value, _) in sample.rates { _ = value.withUnsafeBufferPointer { values.code(of: $0) } }
  }

  deinit {
    hasher.deinitialize(count: 1)
    hasher.deallocate()
  }

  func apply(
    _ batch: inout Batch, _ selection: inout Selection, _ refusals: inout [Refusal]
  ) -> Int {
    let before = selection.count
    let refusedBefore = refusals.count
    var kept = 0
    rows: for i in 0..<before {
      let row = Int(selection.rows[i])
      hasher.pointee.begin()
      for column in sample.key {
        guard hasher.pointee.add(batch.column(column.column)[row]) else {
          refusals.append(
            Refusal(
              row: row, of: batch, code: "missing_key", field: column.field,
              message: "`\(column.field.text)` is part of the key, and has no value here"))
          continue rows
        }
      }
      // 53 bits: every double between 0 and 1 is met alike.
      let place = Double(hasher.pointee.hash >> 11) / Double(UInt64(1) << 53)
      guard place < rate(of: row, batch) else { continue }
      selection.rows[kept] = UInt32(row)
      kept += 1
    }
    selection.rows.removeLast(before - kept)
    return before - kept - (refusals.count - refusedBefore)
  }

  private func rate(of row: Int, _ batch: borrowing Batch) -> Double {
    guard let stratum = sample.stratum else { return sample.rate }
    let cell = batch.column(stratum)[row]
    guard cell.kind == .string, let code = values.find(cell.stringBytes) else { return sample.rate }
    return rates[code]
  }
}
