/// Why a rate k / n over segments changed between two periods: because the rates inside the segments
/// changed, or because the mix of segments did (E. Kitagawa, JASA 50, 1955).
public struct RateMix: Sendable, Equatable {
  /// Overall rate of each period; 0 for a period without items.
  public var before: Double
  public var after: Double
  /// after - before = ``totalRate`` + ``totalMix``, exactly.
  public var change: Double { after - before }
  /// (s0 + s1)/2 (r1 - r0) of each segment, with its shares s of the items and its rates r.
  public var rateEffect: [Double]
  /// (s1 - s0) ((r0 + r1)/2 - (R0 + R1)/2): positive where a segment with a high rate grew. The centring
  /// on the overall rate changes no total.
  public var mixEffect: [Double]
  /// (s1 - s0) (r0 + r1)/2, not centred.
  public var plainMixEffect: [Double]
  public var totalRate: Double
  public var totalMix: Double
  /// The form with the weights of the first period; also exact.
  public var threeFold: ThreeFold
  /// Simpson's reversal: every segment seen in both periods moved against the overall change.
  public var isReversed: Bool

  public struct ThreeFold: Sendable, Equatable {
    /// s0 (r1 - r0).
    public var rate: [Double]
    /// (s1 - s0) r0.
    public var mix: [Double]
    /// (s1 - s0) (r1 - r0).
    public var interaction: [Double]
  }

  /// ``rateEffect`` + ``mixEffect`` of each segment.
  public var contribution: [Double] { rateEffect.indices.map { rateEffect[$0] + mixEffect[$0] } }

  /// One n and k a segment and period, all of one length. A segment absent from a period has there the
  /// rate of the other, so that its whole effect is mix. O(segments).
  public init(n0: [Double], k0: [Double], n1: [Double], k1: [Double]) {
    let (all0, all1) = (n0.reduce(0, +), n1.reduce(0, +))
    before = all0 > 0 ? k0.reduce(0, +) / all0 : 0
    after = all1 > 0 ? k1.reduce(0, +) / all1 : 0
    let middle = (before + after) / 2
    rateEffect = []
    mixEffect = []
    plainMixEffect = []
    var (rate, mix, interaction) = ([Double](), [Double](), [Double]())
    var directions: [Double] = []
    for i in n0.indices {
      let s0 = all0 > 0 ? n0[i] / all0 : 0
      let s1 = all1 > 0 ? n1[i] / all1 : 0
      let r0 = n0[i] > 0 ? k0[i] / n0[i] : (n1[i] > 0 ? k1[i] / n1[i] : 0)
      let r1 = n1[i] > 0 ? k1[i] / n1[i] : r0
      rateEffect.append((s0 + s1) / 2 * (r1 - r0))
      plainMixEffect.append((s1 - s0) * (r0 + r1) / 2)
      mixEffect.append((s1 - s0) * ((r0 + r1) / 2 - middle))
      rate.append(s0 * (r1 - r0))
      mix.append((s1 - s0) * r0)
      interaction.append((s1 - s0) * (r1 - r0))
      if n0[i] > 0, n1[i] > 0 { directions.append(r1 - r0) }
    }
    totalRate = rateEffect.reduce(0, +)
    totalMix = plainMixEffect.reduce(0, +)
    threeFold = ThreeFold(rate: rate, mix: mix, interaction: interaction)
    let change = after - before
    isReversed =
      change != 0 && !directions.isEmpty
      && directions.allSatisfy { change > 0 ? $0 < 0 : $0 > 0 }
  }
}
