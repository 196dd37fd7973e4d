import Testing
import WeirData
import WeirTesting

@Suite struct `A reader of many timestamps` {
  /// What the exact parser and a reader that has read others before say of some bytes.
  private func expectSame(_ reader: inout TimestampReader, _ bytes: [UInt8]) {
    bytes.withUnsafeBufferPointer {
      let wanted = Timestamp(rfc3339: $0)?.microseconds
      #expect(reader.read($0) == wanted, "\(String(decoding: bytes, as: UTF8.self))")
    }
  }

  private static let forms = [
    "2026-10-04T07:05:09Z", "2026-10-04T07:05:09.250Z", "2026-10-04 07:05:09.25z",
    "2026-10-04t07:05:09.250000Z", "2026-10-04T07:05:09+08:00", "2026-10-04T07:05:09-23:59",
    "2026-10-04T07:05:09.250+08:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z",
    "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "2024-02-29T23:59:59Z",
    "2023-02-29T00:00:00Z", "2016-12-31T23:59:60Z", "0000-01-01T00:00:00Z",
  ]

  @Test func `reads what the exact parser reads, whatever came before`() {
    var random = SeededRandom(seed: 31)
    let forms = Self.forms.map { Array($0.utf8) }
    var reader = TimestampReader()
    for form in forms + forms { expectSame(&reader, form) }
    for round in 0..<200_000 {
      var bytes = random.pick(forms)
      // Digits keep the form, other bytes break it, and a length that is off is neither.
      for _ in 0..<random.below(3) {
        let place = random.below(bytes.count)
        bytes[place] =
          random.oneIn(3)
          ? UInt8(truncatingIfNeeded: random.next()) : 0x30 + UInt8(random.below(10))
      }
      if random.oneIn(10) { bytes.removeLast(random.below(bytes.count + 1)) }
      if random.oneIn(20) { bytes += Array("0Z".utf8.prefix(1 + random.below(2))) }
      if round % 1_000 == 0 { reader = TimestampReader() }
      expectSame(&reader, bytes)
    }
  }

  @Test func `knows no date before it has read one`() {
    var reader = TimestampReader()
    expectSame(&reader, [UInt8](repeating: 0, count: 10) + Array("T07:05:09Z".utf8))
    expectSame(&reader, Array("1970-01-01T07:05:09Z".utf8))
    expectSame(&reader, Array("1970-01-02T07:05:09Z".utf8))
    expectSame(&reader, [])
  }

  @Test func `reads every form of the time of a day`() {
    var reader = TimestampReader()
    for first in [0x2F, 0x30, 0x32, 0x36, 0x39, 0x3A] as [UInt8] {
      for second in [0x2F, 0x30, 0x33, 0x34, 0x39, 0x3A, 0x3F, 0xB0] as [UInt8] {
        for place in [11, 14, 17] {
          var bytes = Array("2026-10-04T07:05:09Z".utf8)
          bytes[place] = first
          bytes[place + 1] = second
          expectSame(&reader, bytes)
        }
      }
    }
  }
}
