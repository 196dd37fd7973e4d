import WeirData

/// What a run changed in what was published, in a few numbers.
public struct ChangesSummary: Sendable {
  /// Whether there was something to compare with.
  public let hasBefore: Bool
  /// The run before, where it is known.
  public let runBefore: String?
  /// Whether inputs and plan, and so all outputs, are those of the run before.
  public let isSame: Bool
  public let numbersMoved: Int
  public let filesMoved: Int
  public let rowsAppeared: Int
  public let rowsDisappeared: Int
  public let provisionalMoved: Int
  public let estimatesMoved: Int
  /// New, changed and gone.
  public let shards: (new: Int, changed: Int, gone: Int)
  /// `1 changed shard`.
  public let because: String
  /// Findings by what became of them: `new`, `ongoing`, `resolved`, `reopened`.
  public let findings: [(state: String, count: Int)]

  /// - Parameter json: `changes.json`, or what the catalogue kept of it.
  init(_ json: JSONValue) {
    hasBefore = json["shards"] != nil
    runBefore = json["before"]?.text("run")
    isSame = json["same"] == .bool(true)
    numbersMoved = json.int("numbers_moved") ?? 0
    filesMoved = json.int("files_moved") ?? 0
    let tables = json["tables"]?.asArray ?? []
    func sum(_ key: String) -> Int { tables.reduce(0) { $0 + ($1.int(key) ?? 0) } }
    rowsAppeared = sum("rows_appeared")
    rowsDisappeared = sum("rows_disappeared")
    provisionalMoved = sum("provisional_moved")
    estimatesMoved = sum("estimates_moved")
    let all = json["shards"]
    shards = (all?.int("new") ?? 0, all?.int("changed") ?? 0, all?.int("gone") ?? 0)
    because = json.text("because") ?? ""
    findings = Lifecycle.State.allCases.map {
      ($0.rawValue, json["findings"]?.int($0.rawValue) ?? 0)
    }
  }

  /// What moved, in one line; `nil` where there was nothing before.
  public var sentence: String? {
    guard hasBefore else { return nil }
    guard !isSame else { return "nothing: the inputs and outputs are those of the run before" }
    var parts: [String] = []
    if numbersMoved > 0 {
      parts.append(
        "\(counted(numbersMoved, "published number")) moved in \(counted(filesMoved, "file")), because of \(because)"
      )
    } else {
      parts.append("no published number moved")
    }
    if rowsAppeared > 0 {
      parts.append("\(counted(rowsAppeared, "row")) appeared")
    }
    if rowsDisappeared > 0 { parts.append("\(counted(rowsDisappeared, "row")) disappeared") }
    return parts.joined(separator: "; ")
  }

  /// For the result of a run.
  public var json: JSONValue {
    [
      "numbers_moved": .int(numbersMoved), "files": .int(filesMoved),
      "rows_appeared": .int(rowsAppeared), "rows_disappeared": .int(rowsDisappeared),
      "shards": [
        "new": .int(shards.new), "changed": .int(shards.changed), "gone": .int(shards.gone),
      ],
      "because": .text(because),
    ]
  }
}
