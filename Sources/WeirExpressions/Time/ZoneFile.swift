/// Reads a file of the tz database: TZif, RFC 8536.
struct ZoneFile {
  private let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  private struct Header {
    var utcCount, standardCount, leapCount, changeCount, typeCount, nameCount: Int
    /// Of a block whose times have `width` bytes.
    func blockBytes(_ width: Int) -> Int {
      changeCount * (width + 1) + typeCount * 6 + nameCount + leapCount * (width + 4)
        + standardCount + utcCount
    }
  }
  private static let headerBytes = 44

  /// `nil` where the file is none of the tz database, or is cut.
  func zone(_ name: [UInt8] = []) -> Zone? {
    guard let first = header(at: 0) else { return nil }
    // Since version 2 the file has a second block, of 64 bits, and a rule behind it.
    guard bytes[4] >= UInt8(ascii: "2") else {
      return zone(name, first, at: ZoneFile.headerBytes, width: 4, rule: nil)
    }
    let start = ZoneFile.headerBytes + first.blockBytes(4)
    guard let second = header(at: start) else { return nil }
    let block = start + ZoneFile.headerBytes
    let end = block + second.blockBytes(8)
    guard end < bytes.count, bytes[end] == 0x0A,
      let close = bytes[(end + 1)...].firstIndex(of: 0x0A)
    else { return nil }
    let text = Array(bytes[(end + 1)..<close])
    var rule: ZoneRule?
    if !text.isEmpty {
      guard let read = ZoneRule(text) else { return nil }
      rule = read
    }
    return zone(name, second, at: block, width: 8, rule: rule)
  }

  private func header(at start: Int) -> Header? {
    guard start + ZoneFile.headerBytes <= bytes.count,
      bytes[start..<(start + 4)].elementsEqual("TZif".utf8)
    else { return nil }
    let counts = (0..<6).map { Int(number(start + 20 + 4 * $0, 4)) }
    guard counts.allSatisfy({ $0 >= 0 && $0 <= 100_000 }), counts[4] > 0 else { return nil }
    return Header(
      utcCount: counts[0], standardCount: counts[1], leapCount: counts[2],
      changeCount: counts[3], typeCount: counts[4], nameCount: counts[5])
  }

  private func zone(
    _ name: [UInt8], _ header: Header, at start: Int, width: Int, rule: ZoneRule?
  ) -> Zone? {
    guard start + header.blockBytes(width) <= bytes.count else { return nil }
    let indexes = start + header.changeCount * width
    let types = indexes + header.changeCount
    func offset(_ type: Int) -> Int64? {
      type < header.typeCount ? number(types + type * 6, 4) : nil
    }
    // The first type holds before the first change.
    guard let before = offset(0) else { return nil }
    var changes: [Int64] = []
    var offsets = [before]
    for i in 0..<header.changeCount {
      let change = number(start + i * width, width)
      guard let offset = offset(Int(bytes[indexes + i])), changes.last.map({ $0 < change }) ?? true
      else { return nil }
      changes.append(change)
      offsets.append(offset)
    }
    guard offsets.allSatisfy({ abs($0) < 26 * 3_600 }) else { return nil }
    return Zone(changes: changes, offsets: offsets, rule: rule, file: bytes, name: name)
  }

  /// A signed number, the largest byte first.
  private func number(_ at: Int, _ width: Int) -> Int64 {
    var value: UInt64 = 0
    for byte in bytes[at..<(at + width)] { value = value << 8 | UInt64(byte) }
    return width == 4
      ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
  }
}
