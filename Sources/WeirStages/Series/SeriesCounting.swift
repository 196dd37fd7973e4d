import WeirData
import WeirEngine
import WeirStatistics

/// What stages over series have in common: which records are counted, by which groups and days, and what
/// is measured. They count as `trend` does, with the same options, states and calendar.
struct SeriesCounting: Sendable {
  private let fields: SeriesFields
  let rules: TrendRules

  /// Fields that a group may have.
  static let fieldsMost = 3
  static let segmentsMost = 8

  /// The options of `trend` with these names.
  static func options(_ names: String...) -> [OptionSpec] {
    names.map { name in
      guard
        let option = Trend.manual.options.first(where: { $0.name.utf8.elementsEqual(name.utf8) })
      else { preconditionFailure("`trend` has no option \(name)") }
      return option
    }
  }

  /// - Parameters:
  ///   - by: fields of a group, with what they are called in a problem.
  ///   - reserved: names of columns that outputs have already.
  init?(
    _ options: Options, by: [(path: FieldPath, node: SpecNode)],
    segments: [(path: FieldPath, node: SpecNode)], fewest: Int, reserved: Set<String>,
    settings: TrendSettings, _ problems: inout Problems
  ) {
    let before = problems.errorCount
    fields = SeriesFields(
      options, by: by, segments: segments,
      zones: options["zones"].flatMap { TrendZones($0, by: by, &problems) })
    if !(fewest...Self.fieldsMost).contains(by.count) {
      problems.add(
        "bad_group", at: options.node("by"), "\(by.count) fields make a group here",
        expected: fewest == 0
          ? "at most \(Self.fieldsMost) fields" : "one to \(Self.fieldsMost) fields")
    }
    if segments.count > Self.segmentsMost {
      problems.add(
        "too_many_segments", at: segments[Self.segmentsMost].node,
        "\(segments.count) fields are to explain differences",
        expected: "at most \(Self.segmentsMost)", fix: "keep those that somebody could act on")
    }
    for (i, field) in (by + segments).enumerated() {
      let earlier = (by + segments)[..<i]
      if earlier.contains(where: { $0.path == field.path }) {
        problems.add(
          "duplicate_field", at: field.node, "`\(field.path.text)` is named twice",
          fix: "remove it")
      }
      if i < by.count, reserved.contains(where: { $0.utf8.elementsEqual(field.path.text.utf8) }) {
        problems.add(
          "reserved_name", at: field.node,
          "`\(field.path.text)` is the name of a column that the outputs have already",
          fix: "give the field another name before this stage")
      }
    }
    rules = TrendRules(options, fields, settings, &problems)
    guard problems.errorCount == before else { return nil }
  }

  /// A list of fields with their places.
  static func fields(_ values: [OptionValue]) -> [(path: FieldPath, node: SpecNode)] {
    values.map { ($0.fieldPath, $0.node) }
  }

  /// - Parameter namesEvidence: whether partials name candidates for the records behind a finding.
  func bind(
    _ scope: Scope, _ context: BindContext, namesEvidence: Bool, _ problems: inout Problems
  ) -> BoundTrend? {
    fields.bind(rules, scope, context, namesEvidence: namesEvidence, &problems)
  }
}

/// Puts the partials of the shards together: what was counted, and of which segments.
struct SeriesCounts {
  let rules: TrendRules
  private(set) var state: TrendState
  let segments: [TrendState]

  init(_ rules: TrendRules) {
    self.rules = rules
    state = TrendState(rules.shape, rules.clock)
    segments = rules.segments.map { _ in SegmentShape.state(rules) }
  }

  /// A partial without candidates of evidence.
  func merge(_ partial: [UInt8]) throws {
    guard try mergeCounts(partial).isAtEnd else { throw TrendState.damaged }
  }

  /// - Returns: the candidates of evidence.
  func merge(tracing partial: [UInt8]) throws -> [UInt8] {
    var rest = try mergeCounts(partial)
    guard let sample = rest.block(), rest.isAtEnd else { throw TrendState.damaged }
    return sample
  }

  /// Drops what was counted by group, but for the segments.
  ///
  /// - Returns: how many records that were.
  mutating func releaseState() -> UInt64 {
    defer { state = TrendState(rules.shape, rules.clock) }
    return state.recordCount
  }

  private func mergeCounts(_ partial: [UInt8]) throws -> ByteReader {
    var input = ByteReader(partial)
    // A block that is not there is damage, and refused as such.
    try state.merge(encoded: input.block() ?? [])
    for segment in segments { try segment.merge(encoded: input.block() ?? []) }
    try TrendSegments.check(segments, rules)
    return input
  }
}

/// The first twelve hexadecimal digits of the SHA-256 of `fields`, each with its length before it.
func findingID(_ fields: [[UInt8]]) -> String {
  var bytes: [UInt8] = []
  for field in fields {
    withUnsafeBytes(of: UInt32(field.count).littleEndian) { bytes.append(contentsOf: $0) }
    bytes.append(contentsOf: field)
  }
  return String(decoding: hexText(sha256(bytes)).utf8.prefix(12), as: UTF8.self)
}
