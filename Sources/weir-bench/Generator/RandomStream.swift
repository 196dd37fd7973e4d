/// SplitMix64: a counter that steps by the golden ratio and a mixing function over it.
///
/// Guy L. Steele Jr., Doug Lea, Christine H. Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014; the constants of the mixing function are David Stafford's variant 13.
/// Starting one costs nothing, so that every record has its own and can be made again at any time.
struct RandomStream {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// The stream for `purpose` of record `ordinal`: independent of every other for all that a test
  /// can see, since both numbers pass the mixing function before they are used.
  init(seed: UInt64, ordinal: Int, purpose: UInt64) {
    let purposeKey = RandomStream.mix(seed &+ (purpose &+ 1) &* 0xD6E8_FEB8_6659_FD93)
    state = RandomStream.mix(purposeKey ^ UInt64(ordinal) &* 0x9E37_79B9_7F4A_7C15)
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return RandomStream.mix(state)
  }

  /// Uniform in 0 ..< `bound`; uneven by less than `bound` / 2^64.
  mutating func below(_ bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// Uniform in [0, 1), a multiple of 2^-53.
  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// True with `probability`.
  mutating func chance(_ probability: Double) -> Bool { unit() < probability }

  /// Normal with mean 0 and variance 1: Marsaglia's polar method, the second value thrown away.
  mutating func normal() -> Double {
    while true {
      let x = 2 * unit() - 1
      let y = 2 * unit() - 1
      let square = x * x + y * y
      if square < 1, square > 0 { return x * (-2 * portableLog(square) / square).squareRoot() }
    }
  }

  /// Poisson with mean `mean`: Knuth's product of uniforms, in pieces of mean 16 so that nothing
  /// underflows. Takes about `mean` draws, which is less than what follows for each record.
  mutating func poisson(_ mean: Double) -> Int {
    var left = mean
    var total = 0
    while left > 0 {
      let piece = min(left, 16)
      let limit = portableExp(-piece)
      var product = unit()
      while product > limit {
        total += 1
        product *= unit()
      }
      left -= piece
    }
    return total
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
