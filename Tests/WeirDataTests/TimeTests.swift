import Testing
import WeirData
import WeirTesting

@Suite struct `A timestamp` {
  @Test(arguments: [
    ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.000001Z", 1),
    ("1969-12-31T23:59:59.999999Z", -1), ("1970-01-01t00:00:00z", 0), ("1970-01-01 00:00:00Z", 0),
    ("1970-01-01T08:00:00+08:00", 0), ("1969-12-31T19:00:00-05:00", 0),
    ("1970-01-01T00:00:00-00:00", 0), ("1970-01-01T05:45:00+05:45", 0),
    ("1970-01-01T00:00:00+23:59", -86_340_000_000), ("1970-01-01T00:00:00.5Z", 500_000),
    ("1970-01-01T00:00:00.123456000000Z", 123_456), ("2000-02-29T12:00:00Z", 951_825_600_000_000),
    ("2026-10-04T07:05:09.25+08:00", 1_791_068_709_250_000),
    ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
    ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
  ])
  func `reads RFC 3339`(text: String, microseconds: Int64) {
    #expect(Timestamp(rfc3339: text)?.microseconds == microseconds)
  }

  @Test(arguments: [
    "", "1970-01-01", "1970-01-01T00:00:00", "1970-01-01T00:00:00.5", "1970-01-01T00:00Z",
    "1970-01-01T23:59:60Z", "2016-12-31T23:59:60Z", "1970-01-01T24:00:00Z", "1970-01-01T12:60:00Z",
    "1970-13-01T00:00:00Z", "1970-00-01T00:00:00Z", "1970-01-00T00:00:00Z", "1970-01-32T00:00:00Z",
    "1970-04-31T00:00:00Z", "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "0000-01-01T00:00:00Z",
    "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00.1234567Z", "1970-01-01T00:00:00,5Z",
    "1970-01-01T00:00:00+24:00", "1970-01-01T00:00:00+08:60", "1970-01-01T00:00:00+0800",
    "1970-01-01T00:00:00+08", "1970-01-01T00:00:00+08:0", "1970-01-01T00:00:00ZZ",
    "1970-01-01T00:00:00Z ", " 1970-01-01T00:00:00Z", "1970-1-1T00:00:00Z", "+1970-01-01T00:00:00Z",
    "1970/01/01T00:00:00Z", "1970-01-01T00.00.00Z", "1970-01-01_00:00:00Z", "10000-01-01T00:00:00Z",
    "１970-01-01T00:00:00Z", "1970-01-01T00:00:00\u{2212}08:00", "1760000000", "1760000000000",
    "1970-01-01T0a:00:00Z", "1970-01-01T-1:00:00Z", "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
  ])
  func `is not read from anything else`(text: String) {
    #expect(Timestamp(rfc3339: text) == nil)
  }

  @Test func `is refused or read, and never traps, whatever the bytes`() {
    var random = SeededRandom(seed: 3)
    let whole = Array("2026-10-04T07:05:09.250000+08:00".utf8)
    for _ in 0..<50_000 {
      var bytes = Array(whole.prefix(random.below(whole.count + 1)))
      for _ in 0..<random.below(4) where !bytes.isEmpty {
        bytes[random.below(bytes.count)] = random.pick(Array("0123456789-+:.TZtz \u{7F}é".utf8))
      }
      bytes.withUnsafeBufferPointer {
        guard let time = Timestamp(rfc3339: $0) else { return }
        #expect(time.isWritable)
        #expect(Timestamp(rfc3339: time.rfc3339) == time)
      }
    }
  }

  @Test func `comes back from its text`() {
    var random = SeededRandom(seed: 4)
    let span = UInt64(Timestamp.latest.microseconds - Timestamp.earliest.microseconds)
    for i in 0..<20_000 {
      var time = Timestamp.earliest.microseconds + Int64(random.next() % span)
      if i % 3 == 0 { time -= time % 1_000_000 }
      if i % 3 == 1 { time -= time % 1_000 }
      let text = Timestamp(microseconds: time).rfc3339
      #expect(Timestamp(rfc3339: text)?.microseconds == time)
    }
    #expect(Timestamp.earliest.rfc3339 == "0001-01-01T00:00:00Z")
    #expect(Timestamp.latest.rfc3339 == "9999-12-31T23:59:59.999999Z")
    #expect(Timestamp(microseconds: -1).rfc3339 == "1969-12-31T23:59:59.999999Z")
    #expect(Timestamp(microseconds: 1_500_000).rfc3339 == "1970-01-01T00:00:01.500Z")
    #expect(Timestamp(microseconds: -1).date == CivilDate(iso: "1969-12-31"))
  }

  @Test func `outside the years 1 to 9999 says so and does not trap`() {
    for microseconds in [Int64.min, .max, -62_135_596_800_000_001, 253_402_300_800_000_000] {
      let time = Timestamp(microseconds: microseconds)
      #expect(!time.isWritable)
      #expect(time.rfc3339.utf8.last == UInt8(ascii: "Z"))
    }
  }
}

@Suite struct `A civil date` {
  @Test func `counts days like a calendar that is leafed through`() {
    var day = (year: 1, month: 1, day: 1)
    var days = -719_162
    while day.year <= 9_999 {
      // All days around the ends of months and a sample of the others.
      if day.day > 27 || day.day < 3 || days % 11 == 0 {
        let date = CivilDate(year: day.year, month: day.month, day: day.day)
        if date?.daysSinceEpoch != days || CivilDate(daysSinceEpoch: days) != date
          || date?.weekday != (days + 719_162) % 7
        {
          Issue.record("\(day) is day \(days)")
        }
      }
      days += 1
      let isLeap = day.year % 400 == 0 || (day.year % 4 == 0 && day.year % 100 != 0)
      let last = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][day.month - 1]
      if day.day < last {
        day.day += 1
      } else if day.month < 12 {
        day = (day.year, day.month + 1, 1)
      } else {
        day = (day.year + 1, 1, 1)
      }
    }
    #expect(days == 2_932_897)
  }

  @Test func `knows the days of the week`() {
    #expect(CivilDate(iso: "1970-01-01")?.weekday == 3)
    #expect(CivilDate(iso: "2026-10-04")?.weekday == 6)
    #expect(CivilDate(iso: "1969-12-29")?.weekday == 0)
    #expect(CivilDate(iso: "2000-02-29")?.iso == "2000-02-29")
  }

  @Test(arguments: [
    "2026-1-04", "2026-13-01", "2026-00-10", "2026-02-30", "2026-10-04 ", "2026/10/04", "20261004",
    "", "2026-10-4x", "202a-10-04", "-026-10-04",
  ])
  func `is not read from anything but year, month and day`(text: String) {
    #expect(CivilDate(iso: text) == nil)
  }

  @Test func `rounds quotients down`() {
    #expect(Int64(-1).dividedDown(by: 10) == (-1, 9))
    #expect(Int64(-10).dividedDown(by: 10) == (-1, 0))
    #expect(Int64(19).dividedDown(by: 10) == (1, 9))
    #expect(Int64.min.dividedDown(by: 86_400_000_000).remainder >= 0)
  }
}
