import WeirData
import WeirEngine
import WeirExpressions

/// The zones that days are counted in: that of the spec, or one for each value of a field of the group.
struct TrendZone: Sendable {
  /// One zone.
  private struct Place: Sendable {
    var name: String
    /// `nil`: UTC.
    var zone: CivilZone?
  }
  /// That of the spec first.
  private var places: [Place]
  /// Zones by the text of a value, where a field decides.
  private var byValue: [[UInt8]: Int] = [:]
  /// The field that decides, among those of a group.
  private(set) var field: Int?

  static let utc = TrendZone(places: [Place(name: "UTC", zone: nil)])

  private init(places: [Place]) { self.places = places }

  /// What a spec and an option say. The files of zones become part of what the run depends on.
  init?(_ wanted: TrendZones?, _ context: BindContext, _ problems: inout Problems) {
    self = .utc
    func place(_ name: String, _ node: SpecNode) -> Place? {
      context.zone(name, at: node, &problems).map {
        Place(name: name, zone: $0.isUTC ? nil : $0)
      }
    }
    let before = problems.errorCount
    if let node = context.specZone, let name = node.string, let found = place(name, node) {
      places = [found]
    }
    guard let wanted else { return }
    field = wanted.field
    for (value, name, node) in wanted.names {
      guard let found = place(name, node) else { continue }
      let known = places.firstIndex { same($0.name, name) }
      byValue[Array(value.utf8)] = known ?? places.count
      if known == nil { places.append(found) }
    }
    if problems.errorCount > before { return nil }
  }

  /// Whether all days are those of UTC.
  var isUTC: Bool { places.allSatisfy { $0.zone == nil } }
  var count: Int { places.count }
  /// For a report over all groups.
  var title: String { field == nil ? places[0].name : "local" }

  /// The zone of a value of ``field``, as a number; 0 for those that have none of their own.
  func number(of value: some Collection<UInt8>) -> Int { byValue[Array(value)] ?? 0 }

  /// The zone of a group by its encoded values.
  func number(ofGroup parts: [[UInt8]]) -> Int {
    guard let field, parts.indices.contains(field) else { return 0 }
    return number(ofPart: parts[field])
  }

  private func number(ofPart part: [UInt8]) -> Int {
    // Kind, four bytes of length, text.
    guard part.first == CellKind.string.rawValue, part.count >= 5 else { return 0 }
    return number(of: part[5...])
  }

  /// What a finding says of the days of its series: `local` for a total over several zones.
  func name(ofSeries parts: [[UInt8]?]) -> String {
    guard let field else { return places[0].name }
    guard parts.indices.contains(field), let part = parts[field] else { return "local" }
    return places[number(ofPart: part)].name
  }

  /// Length of a bucket as a share of the usual one: 23/24 for the day the clocks go forward.
  func exposure(of bucket: Int, in number: Int, _ clock: TrendClock) -> Double {
    guard let zone = places[number].zone else { return 1 }
    let first = clock.date(bucket).daysSinceEpoch
    let seconds = zone.start(ofDay: first + clock.days) - zone.start(ofDay: first)
    return Double(seconds) / Double(86_400 * clock.days)
  }

  /// How far the clocks of the zones are apart at an instant, in seconds.
  func spread(at seconds: Int64) -> Int64 {
    let offsets = places.indices.map { period(at: seconds, in: $0).offset }
    return (offsets.max() ?? 0) - (offsets.min() ?? 0)
  }

  /// See ``CivilZone/period(at:)``.
  func period(at seconds: Int64, in number: Int) -> (offset: Int64, from: Int64, to: Int64) {
    places[number].zone?.period(at: seconds) ?? (0, .min, .max)
  }
}

/// The option `zones`.
struct TrendZones: Sendable {
  /// Among the fields of a group.
  var field: Int
  var names: [(value: String, zone: String, node: SpecNode)]

  static let option = OptionSpec(
    "zones",
    .object([
      OptionSpec("by", .fieldPath, .required, "A field of `by`, such as the market."),
      OptionSpec(
        "names", .map(.string), .required,
        "For each of its values a time zone: `{ \"DE\": \"Europe/Berlin\", \"JP\": \"Asia/Tokyo\" }`."
      ),
    ]), .optional,
    "Zones by a field of the group. Values that are not named have the zone of the spec.")

  init?(
    _ option: OptionValue, by: [(path: FieldPath, node: SpecNode)], _ problems: inout Problems
  ) {
    let options = option.object
    let path = options.fieldPath("by")
    guard let field = by.firstIndex(where: { $0.path == path }) else {
      problems.add(
        "bad_zone_field", at: options.node("by"), "`\(path.text)` is no field of the group",
        expected: by.map { $0.path.text }.joined(separator: ", "),
        fix: "name a field that is in \"by\" of the stage")
      return nil
    }
    self.field = field
    names = options.map("names").map { ($0.key, $0.value.string, $0.value.node) }
    if names.isEmpty {
      problems.add(
        "no_zones", at: options.node("names"), "no value has a zone",
        fix: #"for example { "DE": "Europe/Berlin" }, or take "zones" out"#)
      return nil
    }
  }
}

/// The times of a batch by the clocks of the groups.
struct LocalTimes: ~Copyable {
  private let zone: TrendZone
  /// The column whose values have zones.
  private let column: Int?
  private var memory = RowMemory<Cell>()
  /// The zones of the values that came, by their codes.
  private let known = ByteDictionary()
  private var numbers: [Int] = []
  /// Values that are remembered with their zone.
  var valueCount: Int { numbers.count }
  /// For each zone the last period that was met: most times lie in the one before.
  private var periods: [(offset: Int64, from: Int64, to: Int64)]

  /// - Parameter by: columns of the fields of a group.
  init(_ zone: TrendZone, by: [Int]) {
    self.zone = zone
    column = zone.field.map { by[$0] }
    periods = Array(repeating: (0, 0, 0), count: zone.count)
  }

  /// The column itself for UTC; else a copy for the selected rows that are counted (their slot is not
  /// negative), good until the next call.
  mutating func of(
    _ batch: borrowing Batch, _ times: UnsafeMutablePointer<Cell>, _ selection: Selection,
    _ slots: UnsafeMutableBufferPointer<Int32>
  ) -> UnsafePointer<Cell> {
    guard !zone.isUTC else { return UnsafePointer(times) }
    let local = memory.take(batch.rowCount)
    let values = column.map { batch.column($0) }
    // Neighbours often have the same value.
    var (last, number): (UnsafeBufferPointer<UInt8>?, Int) = (nil, 0)
    selection.rows.withUnsafeBufferPointer { rows in
      for i in 0..<rows.count where slots[i] >= 0 {
        let row = Int(rows[i])
        if let cell = values?[row] {
          if cell.kind != .string {
            (last, number) = (nil, 0)
          } else if !(last.map { isSame($0, cell.stringBytes) } ?? false) {
            let code = known.code(of: cell.stringBytes)
            if code == numbers.count { numbers.append(zone.number(of: cell.stringBytes)) }
            (last, number) = (cell.stringBytes, numbers[code])
          }
        }
        let instant = times[row].intValue
        let seconds = instant.dividedDown(by: 1_000_000).quotient
        if seconds < periods[number].from || seconds >= periods[number].to {
          periods[number] = zone.period(at: seconds, in: number)
        }
        let shifted = Timestamp(microseconds: instant + periods[number].offset * 1_000_000)
        // At the ends of the calendar the clock stands still.
        let kept = min(max(shifted, .earliest), .latest)
        (local + row).initialize(to: .timestamp(microseconds: kept.microseconds))
      }
    }
    return UnsafePointer(local)
  }
}
