/// What befalls a record on its way.
struct Fate {
  enum Copy {
    case none
    /// The same bytes again.
    case redelivered
    /// Revision 2, possibly with another decision.
    case revised
    /// As ``revised``, but revision 2 is delivered first and revision 1 late.
    case revisedOutOfOrder
  }

  /// A line that no reader can take, sent after the record.
  enum Damage: Int, CaseIterable {
    case truncated
    case emptyValue
    case notUTF8
    case array
    case string

    /// In truth.json.
    var name: String {
      switch self {
      case .truncated: "truncated"
      case .emptyValue: "empty_value"
      case .notUTF8: "not_utf8"
      case .array: "array"
      case .string: "string"
      }
    }
  }

  let copy: Copy
  /// How long after the record the copy comes, in milliseconds.
  let delay: Int
  let damage: Damage?

  /// The revision that stands in the end.
  var finalRevision: Int { copy == .revised || copy == .revisedOutOfOrder ? 2 : 1 }

  /// - Parameters:
  ///   - duplicates: probability of a copy; half are redelivered, half revised.
  ///   - malformed: probability of a damaged line.
  init(_ stream: RandomStream, duplicates: Double, malformed: Double) {
    var stream = stream
    let isCopied = stream.chance(duplicates)
    let kind = stream.below(20)
    let isSoon = stream.below(10)
    if !isCopied {
      copy = .none
    } else if kind < 10 {
      copy = .redelivered
    } else {
      copy = kind == 19 ? .revisedOutOfOrder : .revised
    }
    let minute = 60_000
    switch (copy, isSoon) {
    case (.none, _): delay = 0
    case (.redelivered, 0..<8): delay = stream.below(5 * minute)
    case (.redelivered, _): delay = stream.below(millisecondsPerDay)
    case (_, 0..<4): delay = minute + stream.below(59 * minute)
    case (_, 4..<8): delay = minute + stream.below(millisecondsPerDay)
    default: delay = millisecondsPerDay + stream.below(millisecondsPerDay)
    }
    damage = stream.chance(malformed) ? Damage(rawValue: stream.below(5)) : nil
  }

  /// Makes `line`, which holds the record, the damaged one.
  static func apply(_ damage: Damage, to line: inout LineBuffer) {
    switch damage {
    case .truncated: line.truncate(to: line.count / 2)
    case .emptyValue: replace(&line, "{\"event_id\": }")
    case .notUTF8:
      // An object but for a value in Latin-1.
      line.truncate(to: line.count - 1)
      line.append(",\"reason\":\"d")
      line.append(0xE9)
      line.append("j")
      line.append(0xE0)
      line.append(" vu\"}")
    case .array: replace(&line, "[1,2,3]")
    case .string: replace(&line, "\"text\"")
    }
  }

  private static func replace(_ line: inout LineBuffer, _ text: StaticString) {
    line.removeAll()
    line.append(text)
  }
}
