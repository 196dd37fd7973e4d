import Glibc
import WeirData
import WeirEngine

/// Takes shards through the parts of a pipeline, one after the other and a batch at a time, as a task
/// does, but in one thread and with a clock at every step.
final class PipelineSteps {
  /// Text that is compressed as one frame, in bytes.
  private static let frameBytes = 1 << 20
  /// Bytes of a shard given to the decoder at a time.
  private static let pieceBytes = 256 * 1024

  private let source: any BoundSource
  private let map: any MapWorker
  private let expressions: MicroExpressions
  private let reduce: any BoundReduce
  private let scanner: any BatchScanner
  private let hasher = SipHasher(secret: Array(0..<16))
  private let encoder = ZstdEncoder(level: 3)
  private let steps: Set<MicroStep>
  private let shards: [(shard: Shard, bytes: [UInt8])]
  /// CPU seconds of the round.
  private var spent: [MicroStep: Double] = [:]
  private var text: [UInt8] = []
  /// Keeps the work from being optimised away.
  private var touched: UInt64 = 0
  /// Of one round.
  private(set) var lineCount = 0
  private(set) var textBytes = 0

  /// Reads the shards into memory.
  ///
  /// - Parameter shardsMax: only so many of them.
  init(data: String, steps: Set<MicroStep>, shardsMax: Int) throws {
    let parts = try BoundParts.bind(MicroSpec(data: data).text)
    guard let source = parts.source, let map = parts.map, let reduce = parts.reduce else {
      throw MicroError("the spec has no source, no normalize or no aggregate")
    }
    self.source = source
    self.map = map.makeWorker()
    expressions = try MicroExpressions(parts.fields)
    self.reduce = reduce
    self.steps = steps
    scanner = source.makeScanner()
    shards = try source.findShards().prefix(shardsMax).map { ($0, try readShard($0.path)) }
    guard !shards.isEmpty else { throw MicroError("there are no shards in \(data)") }
  }

  /// One round over all shards.
  func round(into times: inout MicroTimes) throws {
    spent = [:]
    lineCount = 0
    textBytes = 0
    for (shard, bytes) in shards { try pass(shard, bytes) }
    for (step, seconds) in spent where steps.contains(step) { times.add(step, seconds) }
  }

  private func pass(_ shard: Shard, _ bytes: [UInt8]) throws {
    var decoder = ShardDecoder(path: shard.path, limits: source.limits)
    let partial = reduce.makePartial()
    for start in stride(from: 0, to: bytes.count, by: PipelineSteps.pieceBytes) {
      decoder.feed(Bytes(bytes[start..<min(bytes.count, start + PipelineSteps.pieceBytes)]))
      while let block = try unpack({ () throws(ShardError) in try decoder.next() }) {
        take(block, of: shard, into: partial)
      }
    }
    decoder.feedEnd()
    while let block = try unpack({ () throws(ShardError) in try decoder.next() }) {
      take(block, of: shard, into: partial)
    }
    if steps.contains(.aggregate) {
      time(.aggregate) { touched &+= UInt64(partial.encode().count) }
    }
    if steps.contains(.encode) { encode() }
  }

  private func unpack(
    _ next: () throws(ShardError) -> LineBlock?
  ) throws(ShardError) -> LineBlock? {
    let begin = threadSeconds()
    let block = try next()
    spent[.unpack, default: 0] += threadSeconds() - begin
    return block
  }

  private func take(
    _ block: consuming LineBlock, of shard: Shard, into partial: any ReducePartial
  ) {
    textBytes += block.bytes.count
    if steps.contains(.encode) {
      text.append(contentsOf: block.bytes.view)
      if text.count >= PipelineSteps.frameBytes { encode() }
    }
    guard !steps.isDisjoint(with: [.scan, .hash, .normalise, .expressions, .aggregate]) else {
      return
    }
    let begin = threadSeconds()
    var scanned = scanner.scan(block, of: shard)
    spent[.scan, default: 0] += threadSeconds() - begin
    lineCount += scanned.batch.rowCount
    if steps.contains(.hash) { hash(scanned.batch, scanned.selection) }
    guard !steps.isDisjoint(with: [.normalise, .expressions, .aggregate]) else { return }
    var refusals: [Refusal] = []
    let beforeMap = threadSeconds()
    _ = map.apply(&scanned.batch, &scanned.selection, &refusals)
    let afterMap = threadSeconds()
    spent[.normalise, default: 0] += afterMap - beforeMap
    if steps.contains(.expressions) {
      let begin = threadSeconds()
      touched &+= UInt64(expressions.run(scanned.batch, scanned.selection))
      spent[.expressions, default: 0] += threadSeconds() - begin
    }
    guard steps.contains(.aggregate) else { return }
    let beforeAdd = threadSeconds()
    partial.add(scanned.batch, scanned.selection, &refusals)
    spent[.aggregate, default: 0] += threadSeconds() - beforeAdd
  }

  private func hash(_ batch: borrowing Batch, _ selection: Selection) {
    let begin = threadSeconds()
    let (keys, rows) = (batch.column(0), selection.rows)
    let last = [Hash128](unsafeUninitializedCapacity: rows.count) { hashes, count in
      guard let base = hashes.baseAddress else { return }
      count = rows.withUnsafeBufferPointer {
        hasher.hash(strings: keys, rows: $0, into: base)
      }
    }.last
    touched &+= last?.low ?? 0
    spent[.hash, default: 0] += threadSeconds() - begin
  }

  private func encode() {
    time(.encode) { touched &+= UInt64(encoder.frame(text).count) }
    text.removeAll(keepingCapacity: true)
  }

  private func time(_ step: MicroStep, _ work: () -> Void) {
    let begin = threadSeconds()
    work()
    spent[step, default: 0] += threadSeconds() - begin
  }
}

private func readShard(_ path: String) throws -> [UInt8] {
  let file = try ShardFile(path: path)
  var bytes: [UInt8] = []
  while let piece = try file.read(upTo: 1 << 20) { bytes.append(contentsOf: piece.view) }
  return bytes
}

/// CPU time of this thread, in seconds: what others do on the machine is not in it.
private func threadSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
