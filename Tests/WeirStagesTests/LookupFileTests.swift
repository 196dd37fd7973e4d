import Testing
import WeirData
import WeirEngine
import WeirTesting

@testable import WeirStages

/// Tables come from people and from spreadsheets: whatever they hold, it is read right or told.
@Suite struct `Tables for lookups` {
  private static let words = [
    "", "a", "m1", "é", "e\u{301}", "a,b", "say \"yes\"", "\"", "line\nbreak", "cr\r\nlf",
    " space ",
    "a;b", "\t", "0", "-1", "1e5", "null", "{\"a\":1}", "\u{FEFF}x", "\u{1F600}",
  ]

  private func read(
    _ bytes: [UInt8], _ form: LookupFile.Form, _ wanted: [String],
    delimiter: UInt8 = UInt8(ascii: ",")
  ) -> (file: LookupFile, problems: Problems) {
    var problems = Problems()
    let source = SpecSource(name: "t", bytes: bytes)
    let file = LookupFile(source, form, delimiter: delimiter, wanted: wanted, &problems)
    return (file, problems)
  }

  private func texts(_ file: LookupFile) -> [[String?]] {
    file.rows.map { row in
      row.map { cell in
        switch cell.value {
        case .text(let bytes): String(decoding: bytes, as: UTF8.self)
        case .null: nil
        default: "?"
        }
      }
    }
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `what a writer of CSV writes is read back`(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let columns = ["id", "a b", "c"]
    let delimiter = random.pick([",", ";", "\t"])
    let end = random.pick(["\n", "\r\n"])
    let rows = (0..<random.below(20)).map { _ in columns.map { _ in random.pick(Self.words) } }
    func written(_ text: String) -> String {
      let must = text.utf8.contains { [0x22, 0x0A, 0x0D].contains($0) } || text.contains(delimiter)
      return must || random.oneIn(4) ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }
    var text = random.oneIn(3) ? "\u{FEFF}" : ""
    for row in [columns] + rows {
      text += row.map(written).joined(separator: delimiter) + end
      if random.oneIn(5) { text += end }
    }
    let (file, problems) = read(
      Array(text.utf8), .csv, ["c", "id"], delimiter: delimiter.utf8.first!)
    #expect(problems.text == "")
    let expected: [[String?]] = rows.map { row in
      [row[2], row[0]].map { $0.isEmpty ? nil : $0 }
    }
    // By bytes: composed and decomposed letters are not the same.
    #expect(
      texts(file).map { $0.map { $0.map { Array($0.utf8) } } }
        == expected.map { $0.map { $0.map { Array($0.utf8) } } })
    for cell in file.rows.joined() {
      #expect(cell.range.upperBound <= text.utf8.count)
    }
  }

  @Test func `any bytes are read or told, with a place in the file`() {
    var random = SeededRandom(seed: 4)
    let seeds: [(LookupFile.Form, String)] = [
      (.csv, "id,team\nm1,\"a,b\"\nm2,\"say \"\"x\"\"\"\r\nm3,\n"),
      (.jsonLines, "{\"id\": \"m1\", \"team\": 1}\n\n{\"id\": \"m2\", \"team\": [\"x\"]}\n"),
      (.json, "[{\"id\": \"m1\", \"team\": null}, {\"id\": 2.5, \"team\": true}]"),
    ]
    for _ in 0..<3_000 {
      let (form, text) = random.pick(seeds)
      var bytes = Array(text.utf8)
      for _ in 0...random.below(4) where !bytes.isEmpty {
        let at = random.below(bytes.count)
        switch random.below(4) {
        case 0: bytes[at] = UInt8(random.below(256))
        case 1: bytes.remove(at: at)
        case 2: bytes.insert(random.pick(Array("\",;\n\r{}[]:\\ 1".utf8)), at: at)
        default: bytes.removeLast(bytes.count - at)
        }
      }
      let (file, problems) = read(bytes, form, ["id", "team"])
      for problem in problems.sorted {
        #expect(problem.range.lowerBound >= 0 && problem.range.upperBound <= bytes.count + 1)
        #expect(problem.line >= 1 && problem.column >= 1)
        #expect(!problem.text.isEmpty)
      }
      for row in file.rows { #expect(row.count == 2) }
    }
  }
}
