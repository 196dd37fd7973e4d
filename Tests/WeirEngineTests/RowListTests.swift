import Testing
import WeirData

@testable import WeirEngine

@Suite struct RowListTests {
  @Test func `rows that are made read like rows that are kept`() {
    let made = RowList(count: 5) { [.int($0), .text("r\($0)")] }
    let kept = RowList((0..<5).map { [.int($0), .text("r\($0)")] })
    #expect(Array(made) == Array(kept) && made.count == 5 && made[3] == kept[3])
    let tables = [made, kept].map { RowTable(columns: ["i", "t"], rows: $0).objects }
    #expect(tables[0] == tables[1])
  }

  @Test func `a row can be added behind rows that are made`() {
    var rows = RowList(count: 2) { [.int($0)] }
    rows.append([.int(7)])
    #expect(Array(rows) == [[.int(0)], [.int(1)], [.int(7)]])
    #expect(RowList().isEmpty)
  }
}
