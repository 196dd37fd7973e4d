import Foundation
import WeirStatistics

/// One line of a file of labelled series: a series, and what was planted in it.
struct LabelledSeries {
  /// What was planted; empty in a series where nothing happened.
  var truth: [PlantedEvent]
  var series: TrendSeries

  /// Reads a file: one JSON object a line, with `kind` ("count" or "rate"), `k` (null: no data), `n` for
  /// rates, `complete` (false where a bucket is not closed), `truth`, and optionally `id` and
  /// `bucket_hours`. The first bucket is taken for a Monday.
  ///
  /// - Throws: ``FileError`` naming the line.
  static func read(_ path: String) throws -> [LabelledSeries] {
    let text: String
    do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
      throw FileError("cannot read \(path): \(error.localizedDescription)")
    }
    var result: [LabelledSeries] = []
    let decoder = JSONDecoder()
    for (i, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      if line.allSatisfy({ $0 == " " || $0 == "\r" }) { continue }
      do {
        let fields = try decoder.decode(Fields.self, from: Data(line.utf8))
        result.append(try LabelledSeries(fields, number: i + 1))
      } catch let error as FileError {
        throw FileError("\(path), line \(i + 1): \(error.description)")
      } catch {
        throw FileError("\(path), line \(i + 1) is no labelled series: \(error)")
      }
    }
    guard !result.isEmpty else { throw FileError("\(path) holds no series") }
    return result
  }

  private init(_ fields: Fields, number: Int) throws {
    guard let kind = MetricKind(rawValue: fields.kind), kind == .count || kind == .rate else {
      throw FileError("\"kind\" is \"\(fields.kind)\"; expected \"count\" or \"rate\"")
    }
    let n = fields.n ?? []
    let complete = fields.complete ?? [Bool](repeating: true, count: fields.k.count)
    let hours = fields.bucket_hours ?? []
    guard kind == .count || n.count == fields.k.count else {
      throw FileError("a rate needs as many numbers in \"n\" as in \"k\"")
    }
    guard complete.count == fields.k.count else {
      throw FileError("\"complete\" needs as many values as \"k\"")
    }
    let buckets = fields.k.indices.map { i -> TrendBucket in
      guard let k = fields.k[i] else { return TrendBucket(state: .missing) }
      let state: BucketState =
        !complete[i] ? .open : kind == .count && k == 0 ? .zero : .closed
      return TrendBucket(
        state: state, n: kind == .rate ? n[i] : k, k: k,
        exposure: i < hours.count ? hours[i] / 24 : 1)
    }
    truth = fields.truth ?? []
    series = TrendSeries(
      key: [fields.id ?? "series \(number)"], metric: kind.rawValue, kind: kind,
      buckets: buckets, firstWeekday: 0)
  }

  // The names of the file.
  private struct Fields: Decodable {
    var id: String?
    var kind: String
    var k: [Double?]
    var n: [Double]?
    var complete: [Bool]?
    var bucket_hours: [Double]?
    var truth: [PlantedEvent]?
  }
}

/// A change that was planted in a series.
struct PlantedEvent: Decodable {
  /// "trend", "shift", "spike", "dip" or "season_break".
  var type: String
  /// The bucket where it begins; trends have none.
  var at: Int?
  /// On the log or log odds scale; its sign is the direction.
  var effect: Double
  /// How many standard errors it has for somebody who knows its place, its type and the noise.
  var oracle_z: Double

  /// From here on a change counts as one that should be found.
  static let detectable = 5.0
  var isDetectable: Bool { oracle_z >= PlantedEvent.detectable }
}
