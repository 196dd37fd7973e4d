import CSimdjson

/// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein 2012): a hash that stays uniform when
/// a stranger chooses the keys, as long as the secret is not known.
public struct SipHasher: Sendable {
  private let secret: (UInt64, UInt64)

  /// - Parameter secret: 16 bytes.
  public init(secret: [UInt8]) {
    precondition(secret.count == 16)
    func word(_ from: Int) -> UInt64 {
      (0..<8).reduce(0) { $0 | UInt64(secret[from + $1]) << (8 * UInt64($1)) }
    }
    self.secret = (word(0), word(8))
  }

  public func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> Hash128 {
    let hash = withSecret { weir_siphash($0, bytes.baseAddress, bytes.count) }
    return Hash128(high: hash.high, low: hash.low)
  }

  /// Hashes the keys of many rows at once, where each key is one string: what ``hash(_:)`` gives for the
  /// byte of its kind, its length in four bytes (little endian) and its text.
  ///
  /// - Parameters:
  ///   - cells: of the column.
  ///   - rows: of the batch, in the order of `hashes`.
  ///   - portably: without the vector instructions that not every machine has; the hashes are the same.
  /// - Returns: how many it hashed: up to the first row whose cell holds no string.
  public func hash(
    strings cells: UnsafePointer<Cell>, rows: UnsafeBufferPointer<UInt32>,
    into hashes: UnsafeMutablePointer<Hash128>, portably: Bool = false
  ) -> Int {
    let cells = UnsafeRawPointer(cells).assumingMemoryBound(to: weir_cell.self)
    let hashes = UnsafeMutableRawPointer(hashes).assumingMemoryBound(to: weir_hash.self)
    let run = portably ? weir_siphash_strings_portably : weir_siphash_strings
    return withSecret { run($0, cells, rows.baseAddress, rows.count, hashes) }
  }

  @inline(__always)
  private func withSecret<Result>(_ body: (UnsafePointer<UInt64>) -> Result) -> Result {
    withUnsafePointer(to: secret) { pair in
      pair.withMemoryRebound(to: UInt64.self, capacity: 2) { body($0) }
    }
  }
}
