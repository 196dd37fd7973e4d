import Testing
import WeirStatistics

/// Reference values from sums in 60-digit decimal arithmetic, or from scipy 1.17 where said.
@Suite struct `Tails far out` {
  private func close(_ a: Double, _ b: Double, _ relative: Double = 1e-9) -> Bool {
    abs(a - b) <= relative * abs(b)
  }

  @Test func `count tails keep their digits fifty orders of magnitude out`() {
    #expect(close(CountTails.poisson(300, mean: 100).upper, 1.210980489115593e-58, 1e-11))
    #expect(close(CountTails.poisson(20, mean: 100).lower, 1.141024049815080e-22, 1e-11))
    #expect(
      close(
        CountTails.negativeBinomial(400, mean: 50, alpha: 0.05).upper, 5.812580138345829e-37,
        1e-11))
    #expect(
      close(
        CountTails.betaBinomial(472, of: 930, p: 0.0249, rho: 0.02).upper, 1.435077901338998e-14,
        1e-11))
  }

  @Test func `count tails hold at ten million`() {
    // scipy
    #expect(close(CountTails.poisson(10_012_000, mean: 1e7).upper, 7.411169171880483e-05, 1e-7))
    #expect(
      close(
        CountTails.binomial(5_012_000, of: 10_000_000, p: 0.5).upper, 1.606088301221162e-14,
        1e-7))
    #expect(
      close(
        CountTails.negativeBinomial(14_000_000, mean: 1e7, alpha: 0.1).upper, 0.10939944058256776,
        1e-6))
  }

  @Test func `continuous tails agree with scipy`() {
    #expect(close(StudentT.sf(40, df: 180), 8.556139325576314e-92))
    #expect(close(FisherF.sf(30, df1: 6, df2: 80), 1.41149557614126e-18))
    #expect(close(ChiSquare.sf(300, df: 6), 8.180326919004622e-62))
  }

  @Test func `normal quantile inverts the tail over three hundred orders of magnitude`() {
    for exponent in stride(from: -300, through: -1, by: 7) {
      var p = 1.0
      for _ in 0..<(-exponent) { p /= 10 }
      #expect(close(Normal.sf(Normal.upperQuantile(p)), p, 1e-11 * Double(-exponent)))
    }
  }

  @Test func `tails that pass 1e-300 stay between zero and one`() {
    let far = CountTails.poisson(5000, mean: 1)
    #expect(far.upper >= 0 && far.upper < 1e-300 && far.lower == 1)
    let none = CountTails.betaBinomial(0, of: 10_000_000, p: 0.5, rho: 1e-9)
    #expect(none.lower >= 0 && none.upper <= 1)
  }

  @Test func `both halves of a tail add to one`() {
    for x in [0, 1, 5, 20, 100] {
      for t in [
        CountTails.poisson(x, mean: 10), CountTails.binomial(x, of: 100, p: 0.1),
        CountTails.negativeBinomial(x, mean: 10, alpha: 0.3),
        CountTails.betaBinomial(x, of: 100, p: 0.1, rho: 0.02),
      ] { #expect(abs(t.upper + t.lower - 1) < 1e-12) }
    }
  }

  @Test func `student quantile inverts its tail`() {
    for df in [1, 2.5, 12, 180, 1e6] {
      for p in [1e-30, 1e-6, 0.025, 0.4, 0.7] where p > 1e-20 || df > 10 {
        #expect(close(StudentT.sf(StudentT.upperQuantile(p, df: df), df: df), p, 1e-8))
      }
    }
  }

  @Test func `normal equivalent never exceeds the deviate and keeps its sign`() {
    for z in [-50, -3, -0.1, 0, 0.5, 8, 300] {
      for df in [2.5, 10, 500] {
        let e = StudentT.normalEquivalent(z, df: df)
        #expect(abs(e) <= abs(z) + 1e-12 && e * z >= 0 && e.isFinite)
      }
    }
  }

  @Test func `beta and gamma inverses invert`() {
    for (a, b) in [(0.5, 0.5), (2, 7), (196, 39_333), (1e5, 3e5)] {
      for p in [1e-9, 0.025, 0.5, 0.975] {
        let x = regularizedBetaInverse(p, a, b)
        #expect(close(regularizedBeta(x, a, b).lower, p, 1e-8))
      }
    }
    for a in [0.5, 1, 30, 5e4] {
      for p in [1e-9, 0.025, 0.5, 0.975] {
        #expect(close(regularizedGamma(a, regularizedGammaInverse(a, p)).lower, p, 1e-8))
        #expect(
          close(regularizedGamma(a, regularizedGammaInverse(a, p, upper: true)).upper, p, 1e-8))
      }
    }
  }
}
