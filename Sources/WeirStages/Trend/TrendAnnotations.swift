import WeirData
import WeirEngine
import WeirStatistics

/// Something that happened, as somebody wrote it down: a policy change, a holiday, a launch.
public struct TrendAnnotation: Sendable, Equatable {
  public var label: String
  /// The days that it took, both included.
  public var first: CivilDate
  public var last: CivilDate
  /// For each field of a group the value that it is about; `nil`: all of them.
  var values: [String?]

  /// `Policy E1 v7 (4 Oct)`.
  var words: String {
    first == last
      ? "\(label) (\(first.short))" : "\(label) (\(first.short) to \(last.short))"
  }

  var json: JSONValue {
    ["label": .text(label), "from": .text(first.iso), "to": .text(last.iso)]
  }
}

/// What is known to have happened. It is shown beside the findings of its days, and hides none.
struct TrendAnnotations: Sendable {
  static let option = OptionSpec(
    "annotations", .string, .optional,
    "A CSV, JSON or JSONL file beside the spec of what happened when: `label`, `from`, perhaps `to` "
      + "(days), and a column for each field of `by` that it is not about all values of.")

  /// Larger files are refused, in bytes.
  private static let bytesMax = 4 << 20
  /// So many are shown with one finding, the earliest.
  private static let shownMost = 20

  private var all: [TrendAnnotation] = []

  /// Reads the file that the option names; it becomes part of what the run depends on.
  init?(
    _ option: OptionValue, by: [String], _ context: BindContext, _ problems: inout Problems
  ) {
    let path = option.string
    guard let form = LookupFile.Form(path: path) else {
      problems.add(
        "unknown_form", at: option.node, "the name of the file does not say what is in it",
        expected: "a name that ends in .csv, .json or .jsonl")
      return nil
    }
    guard
      let bytes = context.readFileBelow(
        path, atMost: TrendAnnotations.bytesMax, at: option.node, &problems)
    else { return nil }
    let source = SpecSource(name: context.resolve(path), bytes: bytes)
    let before = problems.errorCount
    let file = LookupFile(
      source, form, delimiter: UInt8(ascii: ","), wanted: ["label", "from", "to"] + by, &problems)
    guard problems.errorCount == before else { return nil }
    for name in ["label", "from"] where !file.rows.isEmpty && !file.hasColumn(name) {
      problems.add(
        "missing_column", at: file.node(0..<min(1, bytes.count)), "there is no column \"\(name)\"",
        expected: "label, from, perhaps to, \(by.joined(separator: ", "))")
    }
    guard problems.errorCount == before else { return nil }
    for row in file.rows {
      guard problems.errorCount - before < LookupFile.mistakesMax else { break }
      if let annotation = TrendAnnotations.annotation(row, file, &problems) {
        all.append(annotation)
      }
    }
    guard problems.errorCount == before else { return nil }
    // Those of one day stay in the order of the file.
    let places = all.indices.sorted {
      (all[$0].first, all[$0].last, $0) < (all[$1].first, all[$1].last, $1)
    }
    all = places.map { all[$0] }
  }

  private static func annotation(
    _ row: [LookupCell], _ file: LookupFile, _ problems: inout Problems
  ) -> TrendAnnotation? {
    func text(_ cell: LookupCell) -> String? {
      switch cell.value {
      case .null: nil
      case .text(let bytes): String(decoding: bytes, as: UTF8.self)
      default: cell.value.described
      }
    }
    func day(_ cell: LookupCell) -> CivilDate? {
      let day = text(cell).flatMap { CivilDate(iso: $0) }
      if day == nil {
        problems.add(
          "bad_date", at: file.node(cell.range), "\(cell.value.described) is no day",
          expected: "a day such as 2026-10-04")
      }
      return day
    }
    guard let label = text(row[0]) else {
      problems.add(
        "missing_label", at: file.node(row[0].range), "this row does not say what happened",
        expected: "a few words under \"label\"")
      return nil
    }
    guard let first = day(row[1]) else { return nil }
    var last = first
    if text(row[2]) != nil {
      guard let end = day(row[2]) else { return nil }
      last = end
    }
    guard first <= last else {
      problems.add(
        "bad_range", at: file.node(row[2].range), "it ends on \(last.iso), before it begins",
        expected: "a day from \(first.iso) on")
      return nil
    }
    return TrendAnnotation(label: label, first: first, last: last, values: row[3...].map(text))
  }

  /// Those of the days of a finding, and of a bucket before and behind it: where it begins, or all of it
  /// where it is a slow movement or a gap. A total is met by those about all its values only.
  func near(
    _ finding: TrendFinding, _ key: [String?], starts: [CivilDate], bucketDays: Int
  ) -> [TrendAnnotation] {
    let buckets: ClosedRange<Int>
    switch finding.type {
    case .trend, .dataMissing: buckets = finding.window
    case .burst, .unconfirmedLevel:
      buckets = max(0, finding.window.lowerBound - 1)...(finding.window.upperBound + 1)
    case .openBucket: return []
    case .shift, .windowChange, .seasonBreak, .spike, .dip:
      buckets = max(0, finding.anchorLo - 1)...(finding.anchorHi + 1)
    }
    guard let begin = starts.first else { return [] }
    let from = begin.daysSinceEpoch + buckets.lowerBound * bucketDays
    let to = begin.daysSinceEpoch + (buckets.upperBound + 1) * bucketDays - 1
    let found = all.filter { annotation in
      annotation.first.daysSinceEpoch <= to && annotation.last.daysSinceEpoch >= from
        && zip(annotation.values, key).allSatisfy { wanted, value in
          guard let wanted else { return true }
          return value.map { same($0, wanted) } ?? false
        }
    }
    return Array(found.prefix(TrendAnnotations.shownMost))
  }
}

extension [TrendAnnotation] {
  /// For the detail of a finding, the first three by name; `nil` where there is nothing to say.
  var sentence: String? {
    guard !isEmpty else { return nil }
    let more = count > 3 ? " and \(count - 3) more" : ""
    return "Noted for then: \(prefix(3).map(\.words).joined(separator: "; "))\(more)."
  }
}
