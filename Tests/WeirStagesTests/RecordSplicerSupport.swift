import Glibc
import Testing
import WeirData
import WeirTesting

@testable import WeirEngine
@testable import WeirStages

/// Writes records as a sink does, with values put in the place of some of them.
struct Splicing {
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
    scanner.keepsPlaces = true
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
    let writer = JSONLRecordWriter(sink, beside: nil, buffers: buffers)
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
struct KnownRecord {
  var text: [UInt8] = []
  /// Place and value by field; `nil` where the record has none.
  var places: [Range<Int>?]
  var values: [JSONValue]

  init(fields: Int) {
    places = Array(repeating: nil, count: fields)
    values = Array(repeating: .null, count: fields)
  }
}

struct RecordGenerator {
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

func cell(_ value: JSONValue, _ arena: inout Arena) -> Cell {
  switch value {
  case .string(let bytes): bytes.withUnsafeBufferPointer { .string(arena.store($0)) }
  case .int(let value): .int(value)
  case .number(let value): .number(value)
  case .bool(let value): .bool(value)
  default: .null
  }
}

/// How many records a test of this sort tries: `WEIR_FUZZ_CASES`, else `standard`.
func fuzzCases(_ standard: Int) -> Int {
  getenv("WEIR_FUZZ_CASES").flatMap { Int(String(cString: $0)) } ?? standard
}
