import WeirData

/// A group of records of which more were refused than a budget allows.
public struct BudgetExcess: Sendable {
  /// Where such a record stands.
  public struct Sample: Sendable {
    public let source: String
    public let shard: String
    public let line: Int
    public let code: String
  }

  public let budget: ErrorBudget
  /// The stage whose budget it is; `nil`: the run's.
  public let stage: String?
  /// What the records have in common: names of fields, or `shard`, with the value. Empty: nothing.
  public let group: [(name: String, value: JSONValue)]
  public let refused: Int
  /// Of how many records: that the run read, or that the stage took in. Where the run stopped early,
  /// so far.
  public let records: Int
  /// Whether it is records that are too many; else it is shards.
  public let isOverRecords: Bool
  /// As far as the budget counts them.
  public let shardsSetAside: [ShardFault]
  /// Most frequent first.
  public let codes: [(code: String, count: Int)]
  /// The first in the order of the input.
  public let sample: Sample?

  public var json: JSONValue {
    var members = [JSONMember("stage", stage.map { .text($0) } ?? .null)]
    if let check = budget.check { members.append(JSONMember("rule", .text(check.name))) }
    if !group.isEmpty {
      members.append(
        JSONMember("group", .object(group.map { JSONMember($0.name, $0.value) })))
    }
    members += [
      JSONMember("refused", .int(refused)), JSONMember("records", .int(records)),
      JSONMember("on_exceeded", .text(budget.onExceeded.rawValue)),
    ]
    if let count = budget.count {
      members.append(JSONMember("count", .int(count)))
      members.append(JSONMember("over_by", .int(max(0, refused - count))))
    }
    if let shards = budget.shards {
      members.append(JSONMember("shards", .int(shards)))
      members.append(JSONMember("shards_set_aside", .int(shardsSetAside.count)))
    }
    if let rate = budget.rate {
      members.append(JSONMember("rate", .number(rate)))
      members.append(
        JSONMember(
          "rate_found", .number(records > 0 ? Double(refused) / Double(records) : 0)))
    }
    members.append(
      JSONMember("codes", .object(codes.map { JSONMember($0.code, .int($0.count)) })))
    if let sample {
      members.append(
        JSONMember(
          "first",
          [
            "source": .text(sample.source), "shard": .text(sample.shard),
            "line": .int(sample.line), "code": .text(sample.code),
          ]))
    }
    return .object(members)
  }

  /// `over_budget` with the first ones, and `over_budget_more` with how many there are besides: a budget
  /// by shard can be over in every shard.
  public static func members(_ excesses: [BudgetExcess]) -> [JSONMember] {
    let shown = 100
    var members = [JSONMember("over_budget", .array(excesses.prefix(shown).map(\.json)))]
    if excesses.count > shown {
      members.append(JSONMember("over_budget_more", .int(excesses.count - shown)))
    }
    return members
  }

  /// One sentence: `14 of 41,784 records (0.0335 %) were refused, the error budget allows 10`.
  public var text: String {
    var parts: [String] = []
    if isOverRecords { parts.append(recordsText) }
    if budget.isOverShards(shardsSetAside.count) { parts.append(shardsText) }
    return parts.joined(separator: "; ")
  }

  private var shardsText: String {
    let count = shardsSetAside.count
    let of = stage.map { " of `\($0)`" } ?? ""
    return
      "\(counted(count, "shard"))\(of) \(count == 1 ? "was" : "were") set aside, the error budget allows \(grouped(budget.shards ?? 0))"
  }

  private var recordsText: String {
    let who = stage.map { " by `\($0)`" } ?? ""
    let groupText = group.map { "\($0.name) \(BudgetExcess.text($0.value))" }
    let of = groupText.isEmpty ? "" : " of \(groupText.joined(separator: ", "))"
    var limits: [String] = []
    if let count = budget.count { limits.append(grouped(count)) }
    if let rate = budget.rate {
      limits.append("\(canonicalNumber((rate * 1e8).rounded() / 1e6)) %")
    }
    if let check = budget.check {
      return
        "\(grouped(refused)) of \(grouped(records)) records (\(BudgetExcess.percent(refused, of: records))) do not meet \(shown(check.name))\(who), the error budget allows \(limits.joined(separator: " and "))"
    }
    return
      "\(grouped(refused)) of \(grouped(records)) records\(of) (\(BudgetExcess.percent(refused, of: records))) were refused\(who), the error budget allows \(limits.joined(separator: " and "))"
  }

  private static func text(_ value: JSONValue) -> String {
    switch value {
    case .null: "(none)"
    case .string(let bytes):
      printable(String(decoding: bytes.prefix(200), as: UTF8.self).unicodeScalars)
    default: value.text
    }
  }

  /// With up to four digits behind the point, rounded down.
  public static func percent(_ part: Int, of whole: Int) -> String {
    guard whole > 0 else { return "0 %" }
    let (high, low) = part.multipliedFullWidth(by: 1_000_000)
    let millionths = high < whole ? whole.dividingFullWidth((high, low)).quotient : Int.max
    if millionths == 0, part > 0 { return "under 0.0001 %" }
    let fraction = String(millionths % 10_000)
    var digits = Array((String(repeating: "0", count: 4 - fraction.utf8.count) + fraction).utf8)
    while digits.last == UInt8(ascii: "0") { digits.removeLast() }
    let point = digits.isEmpty ? "" : "."
    return "\(millionths / 10_000)\(point)\(String(decoding: digits, as: UTF8.self)) %"
  }
}

private func grouped(_ value: Int) -> String { groupedDigits(value.magnitude) }

/// A run, or a stage of it, refused more records than its error budget allows: the outputs were
/// withheld, those of the last run stand.
public struct OverBudget: Error, Sendable {
  /// Those that withheld the outputs, the largest first of each budget, then those that only warn.
  public var excesses: [BudgetExcess]
  /// Of what was read; it balances, with what was unfinished where the run stopped early.
  public var ledger: Ledger
  public var quarantine: QuarantineSummary
  /// Shards that were not looked at any more, because the budget could not be met.
  public var shardsLeft: Int
  /// Whether the run came to its end.
  public var isComplete: Bool
  public internal(set) var runID: String?
  public internal(set) var runDirectory: String?

  public var message: String {
    let fatal = excesses.filter { $0.budget.onExceeded == .fail }
    let more = fatal.count > 1 ? ", and \(fatal.count - 1) more" : ""
    return (fatal.first?.text ?? "over the error budget") + more
      + (isComplete ? "" : "; the run stopped as soon as that was certain")
  }

  public var fix: String {
    "see `weir quarantine \(runID ?? "last")`; mend the spec, its maps or the input, or raise \"error_budget\""
  }
}
