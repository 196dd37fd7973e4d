import Glibc

/// The exact law of Kendall's count of discordant pairs for `n` values without ties and without
/// association: every order is equally likely.
enum KendallLaw {
  /// Two-sided p of `pairs` discordant (or, as well, concordant) ones; 1 in the middle.
  ///
  /// Counts of permutations by inversions (M. Kendall, "Rank correlation methods", 1970), divided at
  /// every step so that none overflows. O(n pairs).
  static func twoSided(n: Int, pairs: Int) -> Double {
    let all = n * (n - 1) / 2
    let c = min(pairs, all - pairs)
    guard n > 2, c >= 0, 2 * c < all else { return 1 }
    // share[k]: the share of the orders of the first j values with k inversions.
    var share = [Double](repeating: 0, count: c + 1)
    share[0] = 1
    for j in 2...n {
      var next = share
      var window = 0.0
      for k in 0...c {
        window += share[k]
        if k >= j { window -= share[k - j] }
        next[k] = max(0, window) / Double(j)
      }
      share = next
    }
    return min(1, 2 * share.reduce(0, +))
  }
}
