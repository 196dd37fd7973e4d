/// A text that problems point into: a spec, a map file, or one `--param k=v` of the command line.
public final class SpecSource: Sendable {
  /// The name as the user wrote it.
  public let name: String
  public let bytes: [UInt8]
  /// Where another text includes this one.
  let includedAt: (source: SpecSource, offset: Int)?
  /// Offsets of the first byte of each line.
  private let lineStarts: [Int]

  public convenience init(name: String, bytes: [UInt8]) {
    self.init(name: name, bytes: bytes, includedAt: nil)
  }

  init(name: String, bytes: [UInt8], includedAt: (source: SpecSource, offset: Int)?) {
    self.name = name
    self.bytes = bytes
    self.includedAt = includedAt
    var starts = [0]
    for (offset, byte) in bytes.enumerated() where byte == 0x0A { starts.append(offset + 1) }
    lineStarts = starts
  }

  /// The line and column of a byte, both from 1; columns count Unicode scalars.
  public func place(of offset: Int) -> (line: Int, column: Int) {
    let offset = min(max(offset, 0), bytes.count)
    let line = lineIndex(of: offset)
    return (line + 1, scalars(in: lineStarts[line]..<offset) + 1)
  }

  /// The line of a byte, from 1; unlike `place(of:)` without counting along the line.
  func lineNumber(of offset: Int) -> Int { lineIndex(of: offset) + 1 }

  /// The bytes of the line that holds `offset`, without its line end.
  func line(at offset: Int) -> Range<Int> {
    let index = lineIndex(of: min(max(offset, 0), bytes.count))
    let start = lineStarts[index]
    var end = index + 1 < lineStarts.count ? lineStarts[index + 1] - 1 : bytes.count
    if end > start, bytes[end - 1] == 0x0D { end -= 1 }
    return start..<end
  }

  private func lineIndex(of offset: Int) -> Int {
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    return low
  }

  /// How many scalars start in `range`: every byte that is not a UTF-8 continuation.
  private func scalars(in range: Range<Int>) -> Int {
    var count = 0
    for offset in range { count += bytes[offset] & 0xC0 == 0x80 ? 0 : 1 }
    return count
  }
}
