import Glibc
import Testing
import WeirData
import WeirTesting

@testable import WeirEngine
@testable import WeirStages

/// Writes records as a sink does, with values put in the place of some of them.
private struct Splicing {
  let scanner: any BatchScanner
  let sink: BoundJSONLSink
  /// Column in the record and column with the new value, by field.
  let columns: [(record: Int, edited: Int)]
  private let shard = Shard(path: "test.jsonl", name: Array("test.jsonl".utf8), size: 0)

  init(_ fields: [(path: String, type: String)], path: String = "out.jsonl") throws {
    let declared = fields.map { field in
      "\(JSONValue.text(field.path).text): \"\(field.type)\""
    }
    var problems = Problems()
    let planned = try #require(
      PlannedPipeline(
        fields: "{\(declared.joined(separator: ", "))}",
        sink: #"{"type": "csv", "inputs": ["in"], "path": "x.csv", "columns": ["m"]}"#, &problems),
      "\(problems.sorted.map(\.text))")
    var scope = planned.lane.source.scope
    var columns: [(Int, Int)] = []
    let template = try #require(Splicing.template(path, scope))
    for field in scope.fields where fields.contains(where: { $0.path == field.path.text }) {
      columns.append((field.column, scope.define(field.path, FieldType(.any, nullable: true))))
    }
    self.columns = columns
    scanner = planned.makeScanner()
    sink = BoundJSONLSink(
      template: template, encoding: .plain, scope: scope, maxFiles: 1_000)
  }

  private static func template(_ path: String, _ scope: Scope) -> PathTemplate? {
    let node = SpecNode(
      kind: .string(path), range: 0..<path.utf8.count, pointer: .root,
      source: SpecSource(name: "t", bytes: Array(path.utf8)))
    var problems = Problems()
    return PathTemplate(path, scope: scope, at: node, &problems)
  }

  /// - Parameters:
  ///   - text: whole lines.
  ///   - edit: fills a column with new values; gets the field's number.
  func write(
    _ text: [UInt8], batchBytes: Int = 1 << 20, buffers: PathBuffers? = nil,
    edit: (borrowing Batch, _ row: Int, _ field: Int) -> Cell,
    _ emit: (SinkPiece) -> Void
  ) throws {
    let writer = JSONLRecordWriter(sink, scanner, beside: nil, buffers: buffers)
    var limits = ShardLimits()
    limits.batchBytes = batchBytes
    var decoder = ShardDecoder(path: shard.path, limits: limits)
    func take(_ block: consuming LineBlock) throws {
      let scanned = scanner.scan(block, of: shard)
      #expect(scanned.refusals.map(\.message) == [])
      for row in scanned.selection.rows.map(Int.init) {
        for (field, column) in columns.enumerated() {
          scanned.batch.column(column.edited)[row] = edit(scanned.batch, row, field)
        }
      }
      var refusals: [Refusal] = []
      try writer.add(scanned.batch, scanned.selection, &refusals, emit)
    }
    try decoder.consume(Bytes(text), emit: take)
    try decoder.finish(emit: take)
    writer.finish(emit)
  }
}

/// Records of which the generator itself knows where each planned value stands.
private struct KnownRecord {
  var text: [UInt8] = []
  /// Place and value by field; `nil` where the record has none.
  var places: [Range<Int>?]
  var values: [JSONValue]

  init(fields: Int) {
    places = Array(repeating: nil, count: fields)
    values = Array(repeating: .null, count: fields)
  }
}

private struct RecordGenerator {
  static let fields: [(path: String, type: String)] = [
    ("m", "string"), ("s", "string?"), ("n", "int?"), ("x", "number?"), ("b", "bool?"),
    ("any", "any?"), ("o.s", "any?"), ("o.p.q", "any?"), ("\"a.b\"", "any?"), ("é", "any?"),
  ]
  private static let others = ["note", "S", "mm", "o2", "q", "tags", "p", "\u{1F600}", ""]
  static let naughty = [
    "", "keep", "DE", "a\\b", "\"", "\\\"", "é", "e\u{301}", "\u{0}", "\n", "\r\n", "\t", "\u{1F}",
    "\u{7F}", "\u{2028}", "{\"m\":1}", "\",\"m\":\"", "],[", "\u{FEFF}x", "\u{10FFFF}", "12345678",
    "a longer string that does not fit a word", "\\u0041", "null", "\\", "seven77\\", "\u{8}\u{C}",
  ]
  var random: SeededRandom
  /// Given strings, such as those that others found to break things.
  var strings = RecordGenerator.naughty

  mutating func record() -> KnownRecord {
    var record = KnownRecord(fields: Self.fields.count)
    space(&record.text)
    var members: [(key: String, field: Int?)] = [("m", 0)]
    for (field, name) in [(1, "s"), (2, "n"), (3, "x"), (4, "b"), (5, "any"), (8, "a.b"), (9, "é")]
    where !random.oneIn(4) { members.append((name, field)) }
    if !random.oneIn(3) { members.append(("o", nil)) }
    for other in Self.others where random.oneIn(4) { members.append((other, nil)) }
    if random.oneIn(3) { members.shuffle(using: &random) }
    object(members, &record) { generator, key, record in
      if key == "o" { generator.nested(&record) } else { generator.value(depth: 0, &record.text) }
    }
    space(&record.text)
    return record
  }

  private mutating func nested(_ record: inout KnownRecord) {
    if random.oneIn(5) {
      record.text += Array((random.oneIn(2) ? "null" : "[{\"s\":1}]").utf8)
      return
    }
    var members: [(key: String, field: Int?)] = []
    if !random.oneIn(3) { members.append(("s", 6)) }
    if !random.oneIn(3) { members.append(("p", nil)) }
    if random.oneIn(2) { members.append(("m", nil)) }
    object(members, &record) { generator, key, record in
      guard key == "p", !generator.random.oneIn(5) else {
        return generator.value(depth: 1, &record.text, isNested: key != "p")
      }
      generator.object([("z", nil), ("q", 7)], &record) { generator, _, record in
        generator.value(depth: 1, &record.text)
      }
    }
  }

  private mutating func object(
    _ members: [(key: String, field: Int?)], _ record: inout KnownRecord,
    other: (inout RecordGenerator, String, inout KnownRecord) -> Void
  ) {
    record.text.append(UInt8(ascii: "{"))
    for (i, member) in members.enumerated() {
      if i > 0 { record.text.append(UInt8(ascii: ",")) }
      space(&record.text)
      literal(member.key, &record.text)
      space(&record.text)
      record.text.append(UInt8(ascii: ":"))
      space(&record.text)
      if let field = member.field {
        let from = record.text.count
        planned(field, &record)
        record.places[field] = from..<record.text.count
      } else {
        other(&self, member.key, &record)
      }
      space(&record.text)
    }
    record.text.append(UInt8(ascii: "}"))
  }

  private mutating func planned(_ field: Int, _ record: inout KnownRecord) {
    let isAny = field >= 5
    var kind = isAny ? random.below(5) : min(field, 1) + max(0, field - 1)
    if field > 0, random.oneIn(8) { kind = -1 }
    switch kind {
    case -1: record.text += Array("null".utf8)
    case 0, 1:
      let text = random.oneIn(2) ? random.pick(strings) : "v\(random.below(50))"
      literal(text, &record.text)
      record.values[field] = .text(text)
    case 2:
      let value = Int64(bitPattern: random.next()) >> random.below(64)
      record.text += Array(String(value).utf8)
      record.values[field] = .int(value)
    case 3:
      let value = Double(random.below(100_000)) / 64
      record.text += Array((random.oneIn(2) ? "\(value)" : "\(value)e0").utf8)
      record.values[field] = .number(value)
    default:
      let value = random.oneIn(2)
      record.text += Array((value ? "true" : "false").utf8)
      record.values[field] = .bool(value)
    }
  }

  private mutating func value(
    depth: Int, _ out: inout [UInt8], isNested: Bool = true
  ) {
    switch random.below(depth < 3 && isNested ? 7 : 5) {
    case 0: literal(random.pick(strings), &out)
    case 1: out += Array("1.50".utf8)
    case 2: out += Array("123456789012345678901234567890".utf8)
    case 3: out += Array("true".utf8)
    case 4: out += Array("null".utf8)
    case 5:
      out.append(UInt8(ascii: "["))
      for i in 0..<random.below(3) {
        if i > 0 { out += Array(", ".utf8) }
        value(depth: depth + 1, &out)
      }
      out.append(UInt8(ascii: "]"))
    default:
      out += Array("{\"m\":".utf8)
      value(depth: depth + 1, &out)
      out.append(UInt8(ascii: "}"))
    }
  }

  /// A JSON string, now and then with escapes that are not needed.
  private mutating func literal(_ text: String, _ out: inout [UInt8]) {
    let escapesMore = random.oneIn(10)
    out.append(UInt8(ascii: "\""))
    for scalar in text.unicodeScalars {
      if scalar.value < 0x20 || (escapesMore && scalar.value < 0x10000 && random.oneIn(3)) {
        let hex = String(scalar.value, radix: 16, uppercase: random.oneIn(2))
        out += Array(("\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex).utf8)
      } else if scalar == "\"" || scalar == "\\" {
        out += [UInt8(ascii: "\\"), UInt8(scalar.value)]
      } else {
        out += Array(String(scalar).utf8)
      }
    }
    out.append(UInt8(ascii: "\""))
  }

  private mutating func space(_ out: inout [UInt8]) {
    guard random.oneIn(12) else { return }
    for _ in 0...random.below(2) { out.append(random.pick([0x20, 0x09])) }
  }

  /// A new value for a field, and its text; `nil`: the old one.
  mutating func edit() -> JSONValue? {
    switch random.below(12) {
    case 0: .text(random.pick(strings))
    case 1: .text("new \(random.next())")
    case 2:
      .int(
        random.oneIn(4)
          ? random.pick([.min, .max, 0, 10, -10, 99, 100]) : Int64(random.below(1_000_000)))
    case 3: .number(Double(random.below(1_000_000)) / 1_000)
    case 4: .bool(random.oneIn(2))
    case 5: .null
    default: nil
    }
  }
}

private func cell(_ value: JSONValue, _ arena: inout Arena) -> Cell {
  switch value {
  case .string(let bytes): bytes.withUnsafeBufferPointer { .string(arena.store($0)) }
  case .int(let value): .int(value)
  case .number(let value): .number(value)
  case .bool(let value): .bool(value)
  default: .null
  }
}

/// How many records a test of this sort tries: `WEIR_FUZZ_CASES`, else `standard`.
private func fuzzCases(_ standard: Int) -> Int {
  getenv("WEIR_FUZZ_CASES").flatMap { Int(String(cString: $0)) } ?? standard
}

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
        let recordColumn = splicing.columns[field].record
        let old = batch.column(recordColumn)[row]
        // Some scanners let strings without escapes stand where they are.
        if let place = cases[number].record.places[field], old.kind == .string, random.oneIn(2),
          place.count == Int(old.length) + 2
        {
          let record = batch.text(ofRow: row)
          batch.column(recordColumn)[row] = .string(
            UnsafeBufferPointer(rebasing: record[(place.lowerBound + 1)..<(place.upperBound - 1)]))
        }
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
