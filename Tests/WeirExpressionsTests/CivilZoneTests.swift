import Foundation
import Testing
import WeirData
import WeirExpressions

@Suite struct CivilZoneTests {
  /// The reference vectors, beside the checkout or where an environment variable says; `nil`: skipped.
  private static let vectors: URL? = {
    let environment = ProcessInfo.processInfo.environment
    var folders = [environment["WEIR_VECTORS"]].compactMap { $0 }
    if let shared = environment["WEIR_SHARED"] { folders.append(shared + "/vectors/public") }
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().path
    folders += ["../shared", "../../shared"].map { "\(package)/\($0)/vectors/public" }
    return folders.map { URL(fileURLWithPath: $0).appendingPathComponent("day_buckets.json") }
      .first { FileManager.default.fileExists(atPath: $0.path) }
  }()

  private struct Row: Decodable {
    var epoch: Int64
    var date: String
    var day_start_epoch: Int64
    var day_end_epoch: Int64
    var day_hours: Double
  }
  private struct Case: Decodable {
    struct Input: Decodable { var tz: String }
    struct Expected: Decodable { var rows: [Row] }
    var input: Input
    var expected: Expected
  }
  private struct File: Decodable { var cases: [Case] }

  @Test(.enabled(if: vectors != nil, "needs the reference vectors: set WEIR_VECTORS"))
  func `days begin and end as the reference says`() throws {
    let data = try Data(contentsOf: try #require(Self.vectors))
    var rows = 0
    for c in try JSONDecoder().decode(File.self, from: data).cases {
      let zone = try #require(CivilZone(named: c.input.tz))
      for row in c.expected.rows {
        let period = zone.period(at: row.epoch)
        #expect(period.from <= row.epoch && row.epoch < period.to)
        let day = Int((row.epoch + period.offset).dividedDown(by: 86_400).quotient)
        #expect(CivilDate(daysSinceEpoch: day).iso == row.date, "\(c.input.tz) \(row.epoch)")
        #expect(zone.start(ofDay: day) == row.day_start_epoch, "\(c.input.tz) \(row.date)")
        #expect(zone.start(ofDay: day + 1) == row.day_end_epoch, "\(c.input.tz) \(row.date)")
        #expect(
          zone.seconds(ofDay: day) == Int64(row.day_hours * 3_600), "\(c.input.tz) \(row.date)")
        rows += 1
      }
    }
    #expect(rows > 50)
  }

  @Test func `days lie end to end, also beyond the table`() throws {
    for name in ["Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "UTC", "+05:30"] {
      let zone = try #require(CivilZone(named: name))
      var start = zone.start(ofDay: 24_000)
      for day in 24_000..<24_800 {
        let length = zone.seconds(ofDay: day)
        #expect((82_800...90_000).contains(length), "\(name) \(day)")
        #expect(zone.start(ofDay: day + 1) == start + length)
        start += length
      }
    }
    #expect(CivilZone(named: "Europe/Nowhere") == nil && CivilZone(named: "../passwd") == nil)
  }
}
