import Foundation
import Testing

@testable import WeirExpressions

@Suite struct `Time zones` {
  @Test(arguments: [
    // Zones that two versions of the database are not likely to tell apart.
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo",
    "Pacific/Apia", "Asia/Tehran", "Antarctica/Troll", "Asia/Kathmandu", "UTC", "Etc/GMT+5",
  ])
  func `are those of the system, in the past and in the years to come`(name: String) throws {
    let zone = try #require(Zone.named(Array(name.utf8)))
    let known = try #require(TimeZone(identifier: name))
    var random = SplitMix(state: 5)
    for _ in 0..<3_000 {
      // 1901 to 2037: Foundation's own data end there.
      let seconds = Int64(random.next() % (137 * 31_556_952)) - 2_177_452_800
      let date = Date(timeIntervalSince1970: Double(seconds))
      #expect(
        zone.offset(at: seconds) == Int64(known.secondsFromGMT(for: date)), "\(name) \(seconds)")
    }
  }

  @Test(arguments: [
    ("Europe/Berlin", 4_103_740_800, 3_600), ("Europe/Berlin", 4_118_425_200, 7_200),
    ("America/New_York", 4_103_740_800, -18_000), ("Asia/Kolkata", 4_112_467_200, 19_800),
    ("Australia/Sydney", 4_102_444_800, 39_600),
  ])
  func `go on by the rule behind the last change`(name: String, seconds: Int64, offset: Int64)
    throws
  {
    let zone = try #require(Zone.named(Array(name.utf8)))
    #expect(zone.offset(at: seconds) == offset)
  }

  @Test(arguments: [
    ("CET-1CEST,M3.5.0,M10.5.0/3", 1_774_745_999, 3_600),
    ("CET-1CEST,M3.5.0,M10.5.0/3", 1_774_746_000, 7_200),
    ("CET-1CEST,M3.5.0,M10.5.0/3", 1_792_889_999, 7_200),
    ("CET-1CEST,M3.5.0,M10.5.0/3", 1_792_890_000, 3_600),
    ("<+0330>-3:30", 0, 12_600), ("EST5EDT", 1_784_000_000, -14_400),
    ("AEST-10AEDT,M10.1.0,M4.1.0/3", 1_768_000_000, 39_600),
    ("AAA3BBB,J60/0,300/26", 1_772_334_000, -7_200),
    ("AAA3BBB,J60/0,300/26", 1_772_333_999, -10_800),
  ])
  func `read rules as POSIX writes them`(text: String, seconds: Int64, offset: Int64) throws {
    #expect(try #require(ZoneRule(Array(text.utf8))).offset(at: seconds) == offset)
  }

  @Test(arguments: [
    "", "Berlin", "Europe/", "/etc/passwd", "../zoneinfo/UTC", "Europe/../UTC", "Europe//Berlin",
    "tzdata.zi", "+1", "+25:00", "+01:60", "+01:0", "1:00:00", "Europe/Berlin\u{0}", "ä",
  ])
  func `are not found by another name`(name: String) {
    #expect(Zone.named(Array(name.utf8)) == nil)
  }

  @Test(arguments: [("+01:00", 3_600), ("-09:30", -34_200), ("02:00", 7_200), ("-00:00", 0)])
  func `may be offsets`(name: String, offset: Int64) {
    #expect(Zone.named(Array(name.utf8))?.offset(at: 0) == offset)
  }

  @Test func `a file that is cut or changed is none, and never a crash`() throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: "/usr/share/zoneinfo/Europe/Berlin"))
    let whole = Array(bytes)
    #expect(ZoneFile(whole).zone() != nil)
    for length in stride(from: 0, to: whole.count - 1, by: 7) {
      #expect(ZoneFile(Array(whole.prefix(length))).zone() == nil)
    }
    var random = SplitMix(state: 9)
    for _ in 0..<2_000 {
      var changed = whole
      for _ in 0..<3 {
        changed[Int(random.next() % UInt64(changed.count))] = UInt8(random.next() & 255)
      }
      _ = ZoneFile(changed).zone()?.offset(at: Int64(random.next() % 9_000_000_000))
    }
  }

  @Test func `are part of what an expression depends on`() throws {
    let table = Table(fields: [("ts", "timestamp"), ("zone", "string")], rows: [])
    func files(_ source: String) throws -> [String] {
      try CompiledExpression(source, scope: table.scope).zoneFiles.map(\.name)
    }
    #expect(try files("ts.getHours()") == [])
    #expect(try files("ts.getHours('UTC') + ts.getHours('+02:00')") == [])
    #expect(
      try files(
        "ts.getHours('Europe/Berlin') - ts.getHours('Asia/Tokyo') * ts.getDate('Asia/Tokyo')")
        == ["Asia/Tokyo", "Europe/Berlin"])
    #expect(try files("ts.getHours(zone)") == ["tzdata.zi"])
  }

  @Test(arguments: ["Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])
  func `have one offset within a stretch, and columns use it`(name: String) throws {
    let zone = try #require(Zone.named(Array(name.utf8)))
    var random = SplitMix(state: 11)
    var rows: [[Content]] = []
    for round in 0..<2_000 {
      let near = round % 2 == 0
      let seconds =
        near
        ? 1_774_745_000 + Int64(random.next() % 3_000)
        : Int64(random.next() % 315_000_000_000) - 62_135_596_800
      let stretch = zone.stretch(at: seconds)
      #expect(stretch.from <= seconds && seconds < stretch.to)
      for edge in [stretch.from, stretch.to - 1] where edge > .min && edge < Int64.max - 1 {
        #expect(zone.offset(at: edge) == stretch.offset, "\(name) \(seconds) \(edge)")
      }
      rows.append([.timestamp(seconds * 1_000_000 + 250_000)])
    }
    let table = Table(fields: [("ts", "timestamp")], rows: rows)
    for part in ["getHours", "getMinutes", "getDate", "getDayOfYear", "getMilliseconds"] {
      let values = try table.values("ts.\(part)('\(name)')").values
      for (row, value) in rows.enumerated() {
        guard case .timestamp(let microseconds) = value[0],
          let kind = DatePart(Function(rawValue: part)!)
        else { continue }
        let wanted = kind.value(of: Instant(microseconds: microseconds), in: zone)
        #expect(values[row] == .int(wanted), "\(part) \(microseconds)")
      }
    }
  }
}
