import Glibc

/// Counts distinct values from their 64-bit hashes, with a standard error of 1.6 % (p = 12).
///
/// P. Flajolet et al. (2007) with 64-bit hashes, and O. Ertl's improved estimator (2017,
/// "New cardinality estimation algorithms for HyperLogLog sketches", algorithm 6), which needs no
/// table of corrections and no threshold for small counts. States merge to the same one in any order.
/// Few registers in use are kept as a sorted list of 4 bytes each, above 512 of them as 4 KiB.
public struct HyperLogLog: Sendable, Equatable {
  public static let precision = 12
  private static let registerCount = 1 << precision
  /// Values of a register: 0 (unused) to 53.
  private static let highest = 64 - precision + 1
  private static let sparseLimit = 512
  private static let version: UInt8 = 1

  /// Sorted register << 8 | value while few are in use.
  private var sparse: [UInt32] = []
  private var dense: [UInt8]?

  public init() {}

  public var isEmpty: Bool { dense == nil && sparse.isEmpty }

  /// Adds a value by its hash; all 64 bits must be well mixed.
  public mutating func add(hash: UInt64) {
    let register = Int(hash >> UInt64(64 - Self.precision))
    let rest = hash << UInt64(Self.precision)
    let value = UInt8(Swift.min(Self.highest, rest.leadingZeroBitCount + 1))
    raise(register, to: value)
  }

  public mutating func merge(_ other: HyperLogLog) {
    if let registers = other.dense {
      for (i, value) in registers.enumerated() where value > 0 { raise(i, to: value) }
    } else {
      for entry in other.sparse { raise(Int(entry >> 8), to: UInt8(entry & 0xFF)) }
    }
  }

  private mutating func raise(_ register: Int, to value: UInt8) {
    if dense != nil {
      if dense![register] < value { dense![register] = value }
      return
    }
    let key = UInt32(register) << 8
    var lo = 0
    var hi = sparse.count
    while lo < hi {
      let middle = (lo + hi) / 2
      if sparse[middle] < key { lo = middle + 1 } else { hi = middle }
    }
    if lo < sparse.count, sparse[lo] >> 8 == UInt32(register) {
      sparse[lo] = Swift.max(sparse[lo], key | UInt32(value))
    } else {
      sparse.insert(key | UInt32(value), at: lo)
      if sparse.count > Self.sparseLimit { spread() }
    }
  }

  private mutating func spread() {
    var registers = [UInt8](repeating: 0, count: Self.registerCount)
    for entry in sparse { registers[Int(entry >> 8)] = UInt8(entry & 0xFF) }
    dense = registers
    sparse = []
  }

  /// Estimated number of distinct values. O(registers).
  public var estimate: Double {
    var histogram = [Double](repeating: 0, count: Self.highest + 1)
    if let dense {
      for value in dense { histogram[Int(value)] += 1 }
    } else {
      for entry in sparse { histogram[Int(entry & 0xFF)] += 1 }
      histogram[0] = Double(Self.registerCount - sparse.count)
    }
    let m = Double(Self.registerCount)
    if histogram[0] == m { return 0 }
    let q = Self.highest - 1
    var z = m * Self.tau(1 - histogram[q + 1] / m)
    for k in stride(from: q, through: 1, by: -1) { z = 0.5 * (z + histogram[k]) }
    z += m * Self.sigma(histogram[0] / m)
    return m * m / (2 * log(2)) / z
  }

  /// Ertl's correction for unused registers: x + sum x^(2^k) 2^(k-1).
  private static func sigma(_ x: Double) -> Double {
    if x >= 1 { return .infinity }
    var power = x
    var weight = 1.0
    var z = x
    while true {
      power *= power
      let next = z + power * weight
      weight += weight
      if next == z { return z }
      z = next
    }
  }

  /// Ertl's correction for registers at their limit.
  private static func tau(_ x: Double) -> Double {
    if x <= 0 || x >= 1 { return 0 }
    var root = x
    var weight = 1.0
    var z = 1 - x
    while true {
      root = root.squareRoot()
      weight *= 0.5
      let next = z - (1 - root) * (1 - root) * weight
      if next == z { return z / 3 }
      z = next
    }
  }

  /// The state as bytes, the same whatever the order of adding and merging: version, layout
  /// (0 = sparse, 1 = dense), then the registers.
  public func encode() -> [UInt8] {
    var out = ByteWriter()
    out.byte(Self.version)
    if let dense {
      out.byte(1)
      for value in dense { out.byte(value) }
      return out.bytes
    }
    out.byte(0)
    out.varint(UInt64(sparse.count))
    var last: UInt32 = 0
    for entry in sparse {
      out.varint(UInt64((entry >> 8) - last))
      out.byte(UInt8(entry & 0xFF))
      last = entry >> 8
    }
    return out.bytes
  }

  /// `nil` for bytes that ``encode()`` cannot have written.
  public init?(decoding bytes: [UInt8]) {
    var input = ByteReader(bytes)
    guard input.byte() == Self.version, let layout = input.byte() else { return nil }
    switch layout {
    case 0:
      guard let count = input.varint(), count <= UInt64(Self.sparseLimit) else { return nil }
      var last: UInt64 = 0
      for i in 0..<count {
        guard let step = input.varint(), i == 0 || step > 0, step < UInt64(Self.registerCount),
          last + step < UInt64(Self.registerCount), let value = input.byte(), value > 0,
          Int(value) <= Self.highest
        else { return nil }
        last += step
        sparse.append(UInt32(last) << 8 | UInt32(value))
      }
    case 1:
      var registers: [UInt8] = []
      registers.reserveCapacity(Self.registerCount)
      var used = 0
      for _ in 0..<Self.registerCount {
        guard let value = input.byte(), Int(value) <= Self.highest else { return nil }
        used += value > 0 ? 1 : 0
        registers.append(value)
      }
      guard used > Self.sparseLimit else { return nil }
      dense = registers
    default: return nil
    }
    guard input.isAtEnd else { return nil }
  }
}
