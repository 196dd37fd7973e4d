import Testing
import WeirStatistics

@testable import WeirStages

@Suite struct ReportNumberTests {
  @Test(arguments: [
    (3_919_153, 0, "3,919,153"), (-256.4, 0, "−256"), (0.04, 1, "0"), (-0.04, 1, "0"),
    (-0.0, 2, "0"), (999.95, 1, "1,000.0"), (0.5, 0, "1"), (-0.5, 0, "−1"), (12.345, 2, "12.35"),
    (1e18, 0, "1.00e18"), (.nan, 1, "–"), (.infinity, 0, "–"),
  ])
  func `fixed groups thousands and never writes a signed zero`(
    _ value: Double, _ digits: Int, _ text: String
  ) {
    #expect(ReportNumber.fixed(value, digits) == text)
  }

  @Test(arguments: [
    (0.136, "13.6\u{A0}%"), (0, "0\u{A0}%"), (1, "100\u{A0}%"), (0.00014238, "0.014\u{A0}%"),
    (0.9999, "99.99\u{A0}%"), (0.999999, ">\u{A0}99.99\u{A0}%"), (7.5e-7, "0.000075\u{A0}%"),
    (0.0004, "0.040\u{A0}%"),
  ])
  func `a share keeps two digits and is never rounded to all`(_ share: Double, _ text: String) {
    #expect(ReportNumber.percent(share) == text)
  }

  @Test func `differences carry their sign and no empty decimals`() {
    let rate = ReportUnit(kind: .rate)
    #expect(rate.change(0.054) == "+5.4\u{A0}pp")
    #expect(rate.change(-0.054) == "−5.4\u{A0}pp")
    #expect(rate.change(0) == "0\u{A0}pp")
    #expect(rate.change(0.0004) == "+0.040\u{A0}pp")
    #expect(
      rate.changeInterval(Estimate(value: 0.001, lo: -0.0001, hi: 0.006))
        == "0 to +0.6\u{A0}pp")
    #expect(ReportUnit(kind: .count).change(-255.6) == "−256")
    #expect(ReportUnit(kind: .count).impact(2_630.4) == "+2,630")
    #expect(ReportUnit(kind: .mean).impact(2_630.4) == "2,630")
    #expect(rate.interval(Estimate(value: 0.08, lo: 0.079, hi: 0.085)) == "7.9 to 8.5\u{A0}%")
  }

  @Test func `probabilities stop where they mean nothing more`() {
    #expect(ReportNumber.probability(0.19) == "0.19")
    #expect(ReportNumber.probability(0.00123) == "0.0012")
    #expect(ReportNumber.probability(3e-9) == "<\u{A0}0.0001")
    #expect(ReportNumber.smallProbability(2.3e-12) == "2.3e−12")
    #expect(ReportNumber.smallProbability(0) == "0")
  }

  @Test func `coordinates have at most one decimal and are always numbers`() {
    func written(_ value: Double) -> String {
      var bytes: [UInt8] = []
      ReportNumber.appendCoordinate(value, to: &bytes)
      return String(decoding: bytes, as: UTF8.self)
    }
    #expect(written(12.04) == "12")
    #expect(written(12.06) == "12.1")
    #expect(written(-0.26) == "-0.3")
    #expect(written(-0.01) == "0")
    #expect(written(.nan) == "0")
    #expect(written(1e300) == "0")
  }

  @Test(arguments: [
    (0.0, 0.16, 5), (0.123, 0.128, 5), (0, 0, 3), (504, 520, 4), (0, 3_919_153, 5), (-2, 7, 5),
    (5e-9, 9e-9, 4),
  ])
  func `an axis has a few round ticks around its values`(
    _ least: Double, _ most: Double, _ ticksLeast: Int
  ) {
    let scale = ReportScale(least: least, most: most, limit: nil)
    #expect(scale.lo <= least && scale.hi >= most && scale.lo < scale.hi)
    #expect((2...8).contains(scale.ticks.count))
    #expect(scale.ticks.allSatisfy { $0 >= scale.lo - 1e-9 && $0 <= scale.hi * 1.000001 + 1e-9 })
  }
}
