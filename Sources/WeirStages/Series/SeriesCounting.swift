import WeirData
import WeirEngine
import WeirStatistics

/// What stages over series have in common: which records are counted, by which groups and days, and what
/// is measured. They count as `trend` does, with the same options, states and calendar.
struct SeriesCounting: Sendable {
  let time: FieldPath
  let timeNode: SpecNode
  let by: [(path: FieldPath, node: SpecNode)]
  let segments: [(path: FieldPath, node: SpecNode)]
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
    time = options.fieldPath("time")
    timeNode = options.node("time")
    self.by = by
    self.segments = segments
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
    let metrics = options.map("metrics").compactMap { TrendMetric($0, &problems) }
    if options.map("metrics").isEmpty {
      problems.add(
        "no_metrics", at: options.node("metrics"), "nothing is measured",
        fix: #"for example "volume": { "count": true }"#)
    }
    let bucket = options.duration("bucket")
    if bucket.count != 1 || (bucket.unit != .day && bucket.unit != .week) {
      problems.add(
        "bad_bucket", at: options.node("bucket"),
        "series by \(bucket) are not made: weekdays could not be told apart",
        expected: "\"1d\" or \"1w\"", fix: "write \"1d\"")
    }
    var through: CivilDate?
    if case .day(let day) = options.date("through") { through = day }
    rules = TrendRules(
      by: by.map(\.path.text), segments: segments.map(\.path.text), metrics: metrics,
      clock: TrendClock(isWeekly: bucket.unit == .week), through: through, settings: settings,
      maxSeries: options.int("max_series"))
    guard problems.errorCount == before else { return nil }
  }

  /// A list of fields with their places.
  static func fields(_ values: [OptionValue]) -> [(path: FieldPath, node: SpecNode)] {
    values.map { ($0.fieldPath, $0.node) }
  }

  func bind(
    _ scope: Scope, _ context: BindContext, _ problems: inout Problems
  ) -> BoundTrend? {
    let before = problems.errorCount
    let timeField = scope.require(time, at: timeNode, &problems)
    if let timeField, timeField.type.base != .timestamp {
      problems.add(
        "wrong_type", at: timeNode, "`\(time.text)` is declared as \(timeField.type.text)",
        expected: "timestamp", fix: "declare it as timestamp, or let `normalize` make it one")
    }
    let groups = by.compactMap { column($0, scope, &problems) }
    let parts = segments.compactMap { column($0, scope, &problems) }
    let inputs = rules.metrics.map { $0.bind(scope, context, &problems) }
    guard problems.errorCount == before, let timeField else { return nil }
    return BoundTrend(
      rules: rules, time: BoundTrend.Column(index: timeField.column, name: time.text), by: groups,
      segments: parts, inputs: inputs.compactMap { $0 }, namesEvidence: false)
  }

  private func column(
    _ field: (path: FieldPath, node: SpecNode), _ scope: Scope, _ problems: inout Problems
  ) -> BoundTrend.Column? {
    guard let found = scope.require(field.path, at: field.node, &problems) else { return nil }
    if found.type.base == .number || found.type.base == .timestamp {
      problems.add(
        "wrong_type", at: field.node, "`\(field.path.text)` is declared as \(found.type.text)",
        expected: "string, int, bool or any", fix: "group by a field with few values")
    }
    return BoundTrend.Column(index: found.column, name: field.path.text)
  }
}

/// Puts the partials of the shards together: what was counted, and of which segments.
struct SeriesCounts {
  let rules: TrendRules
  let state: TrendState
  let segments: [TrendState]

  init(_ rules: TrendRules) {
    self.rules = rules
    state = TrendState(rules.shape, rules.clock)
    segments = rules.segments.map { _ in SegmentShape.state(rules) }
  }

  func merge(_ partial: [UInt8]) throws {
    var input = ByteReader(partial)
    // A block that is not there is damage, and refused as such.
    try state.merge(encoded: input.block() ?? [])
    for segment in segments { try segment.merge(encoded: input.block() ?? []) }
    try TrendSegments.check(segments, rules)
    guard input.isAtEnd else { throw TrendState.damaged }
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
