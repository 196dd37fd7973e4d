import Testing
import WeirData
import WeirStages
import WeirStatistics

@Suite struct ReportPageTests {
  @Test func `the example writes`() throws {
    var example = ReportExample()
    let bytes = renderReport(example.page(), sha256: reportHash)
    #expect(bytes.count < 1_500_000)
    try writeIfWanted(bytes, "report.html")
  }
}
