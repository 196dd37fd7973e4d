import WeirData

/// The first lines of the shards of one source, read as far as they are asked for.
final class ShardSample {
  /// Asked from the disk at a time: little, to know how much was needed.
  private static let pieceBytes = 16 << 10

  struct Part {
    var shard: Shard
    var text: [UInt8]
    var lines: Int
    /// Whether that is all of it.
    var isWhole: Bool
    /// Bytes read from the disk.
    var bytesRead = 0
  }
  let source: String
  let lane: Lane
  let shards: [Shard]
  /// Shards that a run would set aside.
  private(set) var setAside: [(shard: Shard, error: ShardError)] = []
  /// Shards by the value that the records of each have in common, if they are asked for by such.
  private let groups: [[Int]]

  /// - Parameter path: a field; where it comes from the path of the shard, every value of it is read.
  init(_ plan: Plan, lane index: Int, by path: FieldPath? = nil) throws {
    lane = plan.lanes[index]
    source = plan.stage(lane.stage).name
    let shards = try lane.source.findShards()
    self.shards = shards
    let fields = lane.source.scope.fields.filter { $0.isOfPath }
    guard let path, let place = fields.firstIndex(where: { $0.path == path }) else {
      groups = [Array(shards.indices)]
      return
    }
    var groups: [[UInt8]?: [Int]] = [:]
    for (i, shard) in shards.enumerated() {
      let value = place < shard.pathValues.count ? shard.pathValues[place] : nil
      groups[value, default: []].append(i)
    }
    self.groups = groups.values.sorted { $0[0] < $1[0] }
  }

  var bytesInAll: Int { shards.reduce(0) { $0 + $1.size } }

  /// The first `lines` of each group. Blocks.
  func first(_ lines: Int) throws -> [Part] {
    setAside = []
    var parts: [(Int, Part)] = []
    for group in groups {
      var left = lines
      for index in group where left > 0 {
        do throws(ShardError) {
          let part = try read(shards[index], upTo: left)
          left -= part.lines
          parts.append((index, part))
        } catch {
          guard lane.source.setsBadShardsAside, error.isLasting else { throw error }
          setAside.append((shards[index], error))
        }
      }
    }
    return parts.sorted { $0.0 < $1.0 }.map(\.1)
  }

  private func read(_ shard: Shard, upTo lines: Int) throws(ShardError) -> Part {
    let file = try ShardFile(path: shard.path)
    var unpacker = ShardUnpacker(path: shard.path, limits: lane.source.limits)
    var part = Part(shard: shard, text: [], lines: 0, isWhole: false)
    let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: ShardSample.pieceBytes)
    defer { buffer.deallocate() }
    var isAtEnd = false
    while true {
      let count = try unpacker.unpack(into: buffer, capacity: ShardSample.pieceBytes)
      if count > 0 {
        if ShardSample.take(UnsafeBufferPointer(start: buffer, count: count), lines, &part) {
          return part
        }
        continue
      }
      if isAtEnd { break }
      if let piece = try file.read(upTo: ShardSample.pieceBytes) {
        part.bytesRead += piece.count
        unpacker.feed(piece)
      } else {
        unpacker.feedEnd()
        isAtEnd = true
      }
    }
    if let last = part.text.last, last != 0x0A { part.lines += 1 }
    part.isWhole = true
    return part
  }

  /// - Returns: whether there is as much as is wanted.
  private static func take(
    _ bytes: UnsafeBufferPointer<UInt8>, _ lines: Int, _ part: inout Part
  ) -> Bool {
    var end = bytes.count
    var isEnough = false
    for (i, byte) in bytes.enumerated() where byte == 0x0A {
      part.lines += 1
      guard part.lines == lines else { continue }
      end = i + 1
      isEnough = true
      break
    }
    part.text.append(contentsOf: bytes[..<end])
    return isEnough
  }
}

extension [ShardSample.Part] {
  /// The same up to a line.
  func cut(toPart index: Int, line: Int) -> [ShardSample.Part] {
    var parts = Array(self[...index])
    var end = 0
    for _ in 0..<line {
      guard let next = parts[index].text[end...].firstIndex(of: 0x0A) else { return parts }
      end = next + 1
    }
    if end < parts[index].text.count { parts[index].isWhole = false }
    parts[index].text.removeSubrange(end...)
    parts[index].lines = line
    return parts
  }
}
