/// Reads many RFC 3339 times: the same answers as ``Timestamp/init(rfc3339:)``, faster for the forms
/// that are usual (`2026-10-04T07:05:09Z`, with digits of the second or an offset) and where many
/// times in a row are of one day.
public struct TimestampReader: Sendable {
  /// The last date as it was written, and its first microsecond. `1970-01-` and `01` to begin with.
  private var yearMonth = UInt64(littleEndian: 0x2D31_302D_3037_3931)
  private var day = UInt16(littleEndian: 0x3130)
  private var midnight: Int64 = 0

  public init() {}

  /// Microseconds since 1970; `nil` for anything that is no such time.
  @inline(__always)
  public mutating func read(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
    guard text.count >= 20, let base = UnsafeRawPointer(text.baseAddress) else { return nil }
    let count = text.count
    let separator = byte(base, 10)
    guard base.loadUnaligned(as: UInt64.self) == yearMonth,
      base.loadUnaligned(fromByteOffset: 8, as: UInt16.self) == day,
      separator == 0x54 || separator == 0x74 || separator == 0x20
    else { return readDate(text) }
    let inDay = TimestampReader.secondsOfDay(
      base.loadUnaligned(fromByteOffset: 11, as: UInt64.self))
    guard inDay >= 0 else { return nil }
    let end = byte(base, 19)
    if count == 20, end | 0x20 == 0x7A { return midnight &+ inDay &* 1_000_000 }
    if count == 24, end == 0x2E, byte(base, 23) | 0x20 == 0x7A {
      let a = Int64(byte(base, 20) &- 0x30)
      let b = Int64(byte(base, 21) &- 0x30)
      let c = Int64(byte(base, 22) &- 0x30)
      guard a < 10, b < 10, c < 10 else { return nil }
      return midnight &+ inDay &* 1_000_000 &+ (a &* 100 &+ b &* 10 &+ c) &* 1_000
    }
    if count == 25, end == 0x2B || end == 0x2D {
      return readOffset(base, inDay, isEast: end == 0x2B)
    }
    return Timestamp(rfc3339: text)?.microseconds
  }

  /// `+08:00` and the like at byte 19.
  @inline(__always)
  private func readOffset(_ base: UnsafeRawPointer, _ inDay: Int64, isEast: Bool) -> Int64? {
    let h1 = Int64(byte(base, 20) &- 0x30)
    let h2 = Int64(byte(base, 21) &- 0x30)
    let m1 = Int64(byte(base, 23) &- 0x30)
    let m2 = Int64(byte(base, 24) &- 0x30)
    let hours = h1 &* 10 &+ h2
    guard h1 < 10, h2 < 10, hours < 24, byte(base, 22) == 0x3A, m1 < 6, m2 < 10 else { return nil }
    let offset = (hours &* 60 &+ m1 &* 10 &+ m2) &* 60
    let time = Timestamp(
      microseconds: midnight &+ (isEast ? inDay &- offset : inDay &+ offset) &* 1_000_000)
    return time.isWritable ? time.microseconds : nil
  }

  /// Another day than the last: it is remembered.
  @inline(never)
  private mutating func readDate(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
    guard let time = Timestamp(rfc3339: text) else { return nil }
    let base = UnsafeRawPointer(text.baseAddress!)
    func number(_ at: Int) -> Int { Int(text[at] - 0x30) * 10 + Int(text[at + 1] - 0x30) }
    guard let date = CivilDate(year: number(0) * 100 + number(2), month: number(5), day: number(8))
    else { return time.microseconds }
    yearMonth = base.loadUnaligned(as: UInt64.self)
    day = base.loadUnaligned(fromByteOffset: 8, as: UInt16.self)
    midnight = Int64(date.daysSinceEpoch) * 86_400_000_000
    return time.microseconds
  }

  /// The seconds of `07:05:09`, eight bytes as they lie in memory; -1 for anything else.
  @inline(__always)
  private static func secondsOfDay(_ text: UInt64) -> Int64 {
    let text = UInt64(littleEndian: text)
    // Digits have 3 in their upper half and less than 10 in the lower; a colon is 3A.
    let isForm =
      text & 0xF0F0_FFF0_F0FF_F0F0 == 0x3030_3A30_303A_3030
      && (text &+ 0x0606_0006_0600_0606) & 0xF0F0_FFF0_F0FF_F0F0 == 0x3030_3A30_303A_3030
    // Every pair of digits as a number, in its upper byte.
    let digits = text & 0x0F0F_000F_0F00_0F0F
    let pairs = (digits &* 10) &<< 8 &+ digits
    let hour = Int64((pairs &>> 8) & 0xFF)
    let minute = Int64((pairs &>> 32) & 0xFF)
    let second = Int64((pairs &>> 56) & 0xFF)
    guard isForm, hour < 24, minute < 60, second < 60 else { return -1 }
    return (hour &* 60 &+ minute) &* 60 &+ second
  }
}

@inline(__always)
private func byte(_ base: UnsafeRawPointer, _ at: Int) -> UInt8 {
  base.load(fromByteOffset: at, as: UInt8.self)
}
