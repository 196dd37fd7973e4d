import Testing
import WeirTesting

@testable import WeirData

/// What a scan says beside the values: codes of strings, and where values stand.
@Suite struct `Columns of a scan` {
  private func scanned(
    _ records: [String], _ scanner: RecordScanner
  ) -> Batch {
    var batch = batch(of: records.map { Array($0.utf8) }, columns: scanner.fields.count)
    var refusals: [LineRefusal] = []
    let selection = scanner.scan(&batch, refusals: &refusals)
    #expect(selection.count == records.count)
    return batch
  }

  @Test func `of few strings have codes that last from batch to batch`() {
    let scanner = RecordScanner(fields: planned([("m", "string?"), ("v", "any")]))
    var known: [UInt16: (text: String, address: UInt64)] = [:]
    for round in 0..<5 {
      let texts = (0..<300).map { i in "market \(i % (10 * (round + 1)))" }
      let records = texts.enumerated().map { i, text in
        i % 7 == 0 ? "{\"v\":true}" : "{\"m\":\"\(text)\",\"v\":[\(i)]}"
      }
      let batch = scanned(records, scanner)
      let codes = batch.codes(ofColumn: 0)
      #expect(codes.space > 0)
      #expect(Int(codes.largest) == 10 * (round + 1))
      #expect(batch.codes(ofColumn: 1).space == 0)
      for row in 0..<300 {
        let cell = batch.column(0)[row]
        guard row % 7 != 0 else {
          #expect(cell.kind == .missing && cell.code == 0)
          continue
        }
        #expect(cell.text == texts[row])
        #expect(cell.code > 0 && cell.code <= codes.largest)
        let before = known.updateValue((cell.text, cell.bits), forKey: cell.code)
        #expect(before == nil || before! == (cell.text, cell.bits))
      }
    }
    #expect(known.count == 50)
  }

  @Test func `give one code to a string however it is escaped`() {
    let scanner = RecordScanner(fields: planned([("m", "string")]))
    let batch = scanned(
      [#"{"m":"hate"}"#, #"{"m":"\u0068\u0061te"}"#, #"{"\u006d":"h\u0061te"}"#], scanner)
    let cells = (0..<3).map { batch.column(0)[$0] }
    #expect(cells.allSatisfy { $0.code == 1 && $0.bits == cells[0].bits && $0.text == "hate" })
  }

  @Test func `tell strings apart that begin and end alike`() {
    let scanner = RecordScanner(fields: planned([("m", "string")]))
    let texts = (0..<40).flatMap { i in
      ["12345678 \(i + 10) 12345678", String(repeating: "x", count: i), "a\(i)", "\(i)a"]
    }
    let batch = scanned(texts.map { "{\"m\":\"\($0)\"}" }, scanner)
    for (row, text) in texts.enumerated() { #expect(batch.column(0)[row].text == text) }
    #expect(Int(batch.codes(ofColumn: 0).largest) == Set(texts).count)
  }

  @Test func `of many strings give up codes`() {
    let scanner = RecordScanner(fields: planned([("id", "string"), ("long", "string")]))
    let long = String(repeating: "x", count: 65)
    for round in 0..<12 {
      let batch = scanned(
        (0..<500).map { "{\"id\":\"event \(round) \($0)\",\"long\":\"\(long)\"}" }, scanner)
      #expect((batch.codes(ofColumn: 0).space > 0) == (round < 9), "round \(round)")
      #expect(batch.codes(ofColumn: 1).space == 0)
      #expect((0..<500).allSatisfy { batch.column(0)[$0].text == "event \(round) \($0)" })
    }
  }

  @Test func `know where values stand when they are asked to`() {
    let scanner = RecordScanner(fields: planned([("a", "any?"), ("m.x", "number?")]))
    let records = [
      #"{"a":"b\"c","m":{"x":1.5}}"#, #" { "m" : null , "a" : [1, 2] }"#, "{}",
      // For the exact reader.
      #"{"z":"\ud800","m":{"x":123456789012345678901},"a":{}}"#,
    ]
    #expect(scanned(records, scanner).places(ofColumn: 0) == nil)
    scanner.keepsPlaces = true
    let batch = scanned(records, scanner)
    let found = records.indices.map { row in
      (0..<2).map { slot in
        let place = batch.places(ofColumn: slot)![row]
        let text = batch.text(ofRow: row)[Int(place.start)..<Int(place.start + place.length)]
        return String(decoding: text, as: UTF8.self)
      }
    }
    #expect(
      found == [
        [#""b\"c""#, "1.5"], ["[1, 2]", ""], ["", ""], ["{}", "123456789012345678901"],
      ])
  }
}
