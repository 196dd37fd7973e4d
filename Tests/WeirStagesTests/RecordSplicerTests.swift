import Testing
import WeirData
import WeirTesting

@testable import WeirEngine
@testable import WeirStages

@Suite struct `Splicing edited values into records` {
  /// Records with their edits, and what must come out.
  private struct Case {
    var record: KnownRecord
    var edits: [JSONValue?]
    var expected: [UInt8]
  }

  private func makeCase(_ generator: inout RecordGenerator, editsNone: Bool) -> Case {
    let record = generator.record()
    var edits = RecordGenerator.fields.map { _ in generator.edit() }
    if editsNone { edits = edits.map { _ in nil } }
    var expected: [UInt8] = []
    var from = 0
    let places = record.places.indices.filter { record.places[$0] != nil }
      .sorted { record.places[$0]!.lowerBound < record.places[$1]!.lowerBound }
    for field in places {
      guard let new = edits[field], new != record.values[field] else { continue }
      let place = record.places[field]!
      expected += record.text[from..<place.lowerBound] + new.bytes()
      from = place.upperBound
    }
    expected += record.text[from...]
    return Case(record: record, edits: edits, expected: expected)
  }

  private func check(_ cases: [Case], _ splicing: Splicing, lineEnd: [UInt8], seed: UInt64) throws {
    var arena = Arena()
    var random = SeededRandom(seed: seed)
    var out: [UInt8] = []
    let text = cases.flatMap { $0.record.text + lineEnd }
    try splicing.write(
      text, batchBytes: 1 << (8 + random.below(12)),
      edit: { batch, row, field in
        let number = Int(batch.lines[row].number) - 1
        let old = batch.column(splicing.columns[field].record)[row]
        guard let new = cases[number].edits[field] else {
          // The same, here or somewhere else.
          return old.kind == .string && random.oneIn(2)
            ? .string(arena.store(old.stringBytes)) : old
        }
        return cell(new, &arena)
      }, { out += $0.text.view })
    let lines = out.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast()
    try #require(lines.count == cases.count)
    for (line, one) in zip(lines, cases) where !line.elementsEqual(one.expected) {
      Issue.record(
        "\(String(decoding: one.record.text, as: UTF8.self)) became \(String(decoding: line, as: UTF8.self)), expected \(String(decoding: one.expected, as: UTF8.self))"
      )
      return
    }
  }

  @Test func `changes those and no other byte`() throws {
    let splicing = try Splicing(RecordGenerator.fields)
    let cases = fuzzCases(20_000)
    var done = 0
    var seed: UInt64 = 0
    while done < cases {
      var generator = RecordGenerator(random: SeededRandom(seed: seed))
      let part = (0..<1_000).map { _ in
        makeCase(&generator, editsNone: generator.random.oneIn(3))
      }
      let lineEnd: [UInt8] = seed % 3 == 0 ? [0x0D, 0x0A] : [0x0A]
      try check(part, splicing, lineEnd: lineEnd, seed: seed)
      // What came out is JSON with the new values, as another reader sees it.
      for one in part.prefix(20) {
        let back = try #require(JSONValue(parsing: one.expected))
        for (key, field) in [("m", 0), ("s", 1), ("n", 2), ("x", 3), ("b", 4), ("any", 5)]
        where one.record.places[field] != nil {
          let value = one.edits[field] ?? one.record.values[field]
          let read = try #require(back[key])
          #expect(read.bytes() == value.bytes(), "\(key)")
        }
      }
      done += part.count
      seed += 1
    }
  }

  /// The Big List of Naughty Strings is not part of the repository.
  @Test(.enabled(if: SharedData.has("data/naughty-strings")))
  func `takes naughty strings as they are`() throws {
    let name = try #require(
      SharedData.names(in: "data/naughty-strings").first { $0.hasSuffix(".json") })
    let list = try #require(
      JSONValue(parsing: SharedData.bytes("data/naughty-strings/" + name)))
    let splicing = try Splicing(RecordGenerator.fields)
    var generator = RecordGenerator(random: SeededRandom(seed: 5))
    generator.strings = list.elements.compactMap(\.string)
    #expect(generator.strings.count > 400)
    for seed in 0..<5 as Range<UInt64> {
      try check(
        (0..<1_000).map { _ in makeCase(&generator, editsNone: false) }, splicing, lineEnd: [0x0A],
        seed: seed)
    }
  }

  @Test func `writes times as RFC 3339 in UTC, and leaves those that are so already`() throws {
    let splicing = try Splicing([("m", "any")])
    let times: [(record: String, microseconds: Int64, written: String)] = [
      (#""2026-10-04T07:05:09Z""#, 1_791_097_509_000_000, "2026-10-04T07:05:09Z"),
      (#""2026-10-04T09:05:09.120+02:00""#, 1_791_097_509_120_000, "2026-10-04T07:05:09.120Z"),
      ("1791097509000", 1_791_097_509_000_001, "2026-10-04T07:05:09.000001Z"),
      ("-1", -1, "1969-12-31T23:59:59.999999Z"), ("0", 0, "1970-01-01T00:00:00Z"),
      ("0", Timestamp.earliest.microseconds, "0001-01-01T00:00:00Z"),
      ("0", Timestamp.latest.microseconds, "9999-12-31T23:59:59.999999Z"),
    ]
    var out: [UInt8] = []
    let text = times.map { "{\"m\": \($0.record) }\n" }.joined()
    try splicing.write(
      Array(text.utf8),
      edit: { batch, row, _ in .timestamp(microseconds: times[row].microseconds) },
      { out += $0.text.view })
    #expect(
      String(decoding: out, as: UTF8.self)
        == times.map { "{\"m\": \"\($0.written)\" }\n" }.joined())
    var random = SeededRandom(seed: 3)
    for _ in 0..<2_000 {
      let time = Timestamp(
        microseconds: Int64(random.below(300_000_000_000_000_000)) - 60_000_000_000_000_000)
      var text = TextBuffer()
      text.append(timestamp: time)
      #expect(Array(text.view) == Array(time.rfc3339.utf8))
    }
  }

  @Test func `writes numbers and strings as the JSON writer does`() {
    var random = SeededRandom(seed: 8)
    for i in 0..<5_000 {
      let value = Int64(bitPattern: random.next()) >> (i % 64)
      let bytes = (0..<random.below(30)).map { _ in
        random.oneIn(6) ? random.pick([0x22, 0x5C, 0x1F, 0x20, 0x7F, 0x00]) : UInt8(0x61)
      }
      var text = TextBuffer()
      text.append(int: value)
      bytes.withUnsafeBufferPointer { text.append(jsonString: $0) }
      #expect(Array(text.view) == Array("\(value)".utf8) + JSONValue.string(bytes).bytes())
    }
  }

  // MARK: Pieces

  /// Lines of one letter, some of which are edited; the pieces that they must make, one by one.
  @Test(arguments: 0..<6)
  func `makes pieces that depend on the lines and not on when they come`(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let isOneFile = seed % 2 == 0
    let splicing = try Splicing([("m", "string")], path: isOneFile ? "o" : "p{m}")
    var lines: [(file: Int, text: String, isEdited: Bool)] = []
    for _ in 0..<1_500 {
      let file = random.oneIn(3) || isOneFile ? 0 : random.below(9)
      let filler = String(repeating: "x", count: random.oneIn(50) ? 150 : random.below(30))
      lines.append((file, #"{"m":"\#(file)","f":"\#(filler)"}"#, random.oneIn(4)))
    }
    let expected = pieces(of: lines.map { ($0.file, Array($0.text.utf8).count + 1) })
    for (batchBytes, lineEnd) in [(16, "\n"), (300, "\n"), (1 << 20, "\n"), (5_000, "\r\n")] {
      var got: [Piece] = []
      var text: [Int: [UInt8]] = [:]
      try splicing.write(
        Array(lines.map { $0.text + lineEnd }.joined().utf8), batchBytes: batchBytes,
        buffers: PathBuffers(encoding: .plain, pieceBytes: 128, totalBytes: 512),
        edit: { batch, row, _ in
          // One digit for another, at the same length.
          let line = lines[Int(batch.lines[row].number) - 1]
          return line.isEdited ? .int(100 + Int64(line.file)) : batch.column(0)[row]
        },
        { piece in
          let file = isOneFile ? 0 : Int(piece.path.dropFirst())!
          got.append(Piece(file: file, bytes: piece.text.view.count, rows: piece.rows))
          text[file, default: []] += piece.text.view
        })
      #expect(got == expected, "\(batchBytes) bytes")
      for (file, bytes) in text {
        let mine = lines.filter { $0.file == file }.map { line in
          (line.isEdited
            ? line.text.replacing("\"\(file)\"", with: "\(100 + file)") : line.text) + "\n"
        }
        #expect(bytes == Array(mine.joined().utf8))
      }
    }
  }

  private struct Piece: Equatable {
    var file: Int
    var bytes: Int
    var rows: Int
  }

  /// The rule, line by line.
  private func pieces(of lines: [(file: Int, bytes: Int)]) -> [Piece] {
    var made: [Piece] = []
    var waiting: [Int: Piece] = [:]
    func flush(_ file: Int) {
      if let piece = waiting.removeValue(forKey: file) { made.append(piece) }
    }
    for (file, bytes) in lines {
      if waiting[file, default: Piece(file: file, bytes: 0, rows: 0)].bytes + bytes > 128 {
        flush(file)
      }
      waiting[file, default: Piece(file: file, bytes: 0, rows: 0)].bytes += bytes
      waiting[file]!.rows += 1
      if waiting[file]!.bytes >= 128 { flush(file) }
      if waiting.values.reduce(0, { $0 + $1.bytes }) > 512 {
        for file in waiting.keys.sorted() { flush(file) }
      }
    }
    for file in waiting.keys.sorted() { flush(file) }
    return made
  }
}
