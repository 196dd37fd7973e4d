import Glibc

/// Strings by small numbers: the same bytes have the same code, in the order of first sight.
///
/// Open addressing over XXH3. A stranger who chooses the strings can make it slow, not wrong.
public final class ByteDictionary {
  private var arena = Arena()
  private var entries: [UnsafeBufferPointer<UInt8>] = []
  private var hashes: [UInt64] = []
  /// Code + 1 of each slot; 0 is free. A power of two.
  private var table: [UInt32]

  public init() { table = [UInt32](repeating: 0, count: 16) }

  public var count: Int { entries.count }

  /// The bytes of a code; good as long as the dictionary lives.
  public func bytes(of code: Int) -> UnsafeBufferPointer<UInt8> { entries[code] }

  public func code(of bytes: UnsafeBufferPointer<UInt8>) -> Int {
    let hash = xxh3(bytes)
    var slot = Int(truncatingIfNeeded: hash) & (table.count - 1)
    while table[slot] != 0 {
      let code = Int(table[slot]) - 1
      if hashes[code] == hash, isSame(entries[code], bytes) { return code }
      slot = (slot + 1) & (table.count - 1)
    }
    entries.append(arena.store(bytes))
    hashes.append(hash)
    table[slot] = UInt32(entries.count)
    if entries.count * 2 > table.count { grow() }
    return entries.count - 1
  }

  /// The code of `bytes` where they have one already; nothing is added.
  public func find(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    let hash = xxh3(bytes)
    var slot = Int(truncatingIfNeeded: hash) & (table.count - 1)
    while table[slot] != 0 {
      let code = Int(table[slot]) - 1
      if hashes[code] == hash, isSame(entries[code], bytes) { return code }
      slot = (slot + 1) & (table.count - 1)
    }
    return nil
  }

  private func grow() {
    table = [UInt32](repeating: 0, count: table.count * 2)
    for (code, hash) in hashes.enumerated() {
      var slot = Int(truncatingIfNeeded: hash) & (table.count - 1)
      while table[slot] != 0 { slot = (slot + 1) & (table.count - 1) }
      table[slot] = UInt32(code + 1)
    }
  }
}

/// Whether two runs of bytes are the same.
@inline(__always)
public func isSame(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
  a.count == b.count && (a.count == 0 || memcmp(a.baseAddress!, b.baseAddress!, a.count) == 0)
}
