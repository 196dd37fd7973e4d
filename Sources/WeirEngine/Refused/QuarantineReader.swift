import WeirData

/// One refused record as a quarantine has it. Its parts are good as long as the call that hands it on.
public struct QuarantineEntry {
  public let source: UnsafeBufferPointer<UInt8>
  public let shard: UnsafeBufferPointer<UInt8>
  public let line: Int
  /// Where the line begins in the decompressed shard.
  public let byteOffset: Int
  public let stage: UnsafeBufferPointer<UInt8>
  public let code: UnsafeBufferPointer<UInt8>
  public let field: UnsafeBufferPointer<UInt8>?
  public let message: UnsafeBufferPointer<UInt8>
  /// The record or its beginning, where it is UTF-8.
  public let raw: UnsafeBufferPointer<UInt8>?
  /// Else in base64.
  public let rawBase64: UnsafeBufferPointer<UInt8>?
  /// Bytes of a record of which only the beginning was kept.
  public let rawBytes: Int?
  /// The line of the quarantine itself.
  public let text: UnsafeBufferPointer<UInt8>
}

/// Reads the quarantine of a run, entry by entry, in the order of the input.
public struct QuarantineReader {
  private let path: String

  public init(path: String) { self.path = path }

  private static let fields: [(name: String, type: String)] = [
    ("source", "string"), ("shard", "string"), ("line", "int"), ("byte_offset", "int"),
    ("stage", "string"), ("code", "string"), ("field", "string?"), ("message", "string"),
    ("raw", "string?"), ("raw_base64", "string?"), ("raw_bytes", "int?"),
  ]

  /// - Throws: `ShardError` where the file is damaged, ``RunError`` where a line is not an entry, and
  ///   what `body` throws.
  public func forEach(_ body: (QuarantineEntry) throws -> Void) throws {
    var limits = ShardLimits()
    // A record of the largest size, escaped, and what is said about it.
    limits.recordBytesMax = 64 << 20
    let scanner = RecordScanner(
      fields: QuarantineReader.fields.map {
        PlannedField(path: FieldPath(text: $0.name)!, type: FieldType(text: $0.type)!)
      })
    let file = try ShardFile(path: path)
    var decoder = ShardDecoder(path: path, limits: limits)
    func take(_ block: consuming LineBlock) throws {
      let isWhole = block.oversized.isEmpty
      var batch = Batch(block, columnCount: QuarantineReader.fields.count)
      var refusals: [LineRefusal] = []
      let selection = scanner.scan(&batch, refusals: &refusals)
      guard isWhole, refusals.isEmpty else {
        let line = refusals.first.map { " in line \(batch.lines[$0.row].number)" } ?? ""
        throw RunError(
          code: "record_damaged", message: "\(path) holds something else than refusals\(line)",
          fix: "somebody has changed that file: run the pipeline again to have it anew")
      }
      for row in selection.rows { try body(entry(Int(row), batch)) }
    }
    while let piece = try file.read(upTo: 1 << 20) {
      try decoder.consume(piece) { try take($0) }
    }
    try decoder.finish { try take($0) }
  }

  private func entry(_ row: Int, _ batch: borrowing Batch) -> QuarantineEntry {
    let cells = (0..<QuarantineReader.fields.count).map { batch.column($0)[row] }
    func optional(_ cell: Cell) -> UnsafeBufferPointer<UInt8>? {
      cell.isNull ? nil : cell.stringBytes
    }
    return QuarantineEntry(
      source: cells[0].stringBytes, shard: cells[1].stringBytes, line: Int(cells[2].intValue),
      byteOffset: Int(cells[3].intValue), stage: cells[4].stringBytes,
      code: cells[5].stringBytes, field: optional(cells[6]), message: cells[7].stringBytes,
      raw: optional(cells[8]), rawBase64: optional(cells[9]),
      rawBytes: cells[10].isNull ? nil : Int(cells[10].intValue), text: batch.text(ofRow: row))
  }
}
