import Testing
import WeirData
import WeirTesting

@Suite struct `Hashes` {
  private func bytes(of hash: Hash128) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: hash.low >> (8 * $0)) }
      + (0..<8).map { UInt8(truncatingIfNeeded: hash.high >> (8 * $0)) }
  }

  /// vectors_sip128 of the reference code (github.com/veorq/SipHash, vectors.h): the key is 00..0f, the
  /// input of vector n is 00..n-1; here those whose length is around a
  /// border of 8 bytes, checked against OpenSSL's SIPHASH.
  @Test(arguments: [
    (0, "a3817f04ba25a8e66df67214c7550293"),
    (1, "da87c1d86b99af44347659119b22fc45"),
    (2, "8177228da4a45dc7fca38bdef60affe4"),
    (3, "9c70b60c5267a94e5f33b6b02985ed51"),
    (4, "f88164c12d9c8faf7d0f6e7c7bcd5579"),
    (5, "1368875980776f8854527a07690e9627"),
    (6, "14eeca338b208613485ea0308fd7a15e"),
    (7, "a1f1ebbed8dbc153c0b84aa61ff08239"),
    (8, "3b62a9ba6258f5610f83e264f31497b4"),
    (9, "264499060ad9baabc47f8b02bb6d71ed"),
    (15, "5493e99933b0a8117e08ec0f97cfc3d9"),
    (16, "6ee2a4ca67b054bbfd3315bf85230577"),
    (17, "473d06e8738db89854c066c47ae47740"),
    (23, "c9d184ddd5a9f5e0cf8ce29a9abf691c"),
    (24, "2db479ae78bd50d8882a8a178a6132ad"),
    (31, "2939b0183223fafc1723de4f52c43d35"),
    (32, "7c3956ca5eeafc3e363e9d556546eb68"),
    (63, "5150d1772f50834a503e069a973fbd7c"),
  ])
  func `by SipHash-2-4-128 are those of the published vectors`(length: Int, expected: String) {
    let hasher = SipHasher(secret: Array(0..<16))
    let input = (0..<length).map { UInt8($0) }
    let hash = input.withUnsafeBufferPointer { hasher.hash($0) }
    #expect(hexText(bytes(of: hash)) == expected)
  }

  @Test func `by SipHash do not depend on where the bytes lie`() {
    let hasher = SipHasher(secret: Array(1..<17))
    let input = (0..<100).map { UInt8($0) }
    for length in 0..<40 {
      let hashes = (0..<9).map { offset in
        (Array(repeating: 9, count: offset) + input.prefix(length)).withUnsafeBufferPointer {
          hasher.hash(UnsafeBufferPointer(rebasing: $0[offset...]))
        }
      }
      #expect(Set(hashes).count == 1)
    }
  }

  /// What stands before the text of a key that is one string.
  private func key(_ text: ArraySlice<UInt8>) -> [UInt8] {
    [CellKind.string.rawValue] + (0..<4).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
      + text
  }

  @Test(arguments: [false, true])
  func `of many strings side by side are those of one after the other`(portably: Bool) {
    let hasher = SipHasher(secret: Array(1..<17))
    var random = SeededRandom(seed: 11)
    let bytes = (0..<400).map { _ in UInt8.random(in: 0...255, using: &random) }
    for round in 0..<200 {
      // Of one length, of lengths near each other, of any.
      let spread = [0, 3, 70][round % 3]
      let shortest = Int.random(in: 0...90, using: &random)
      let texts = (0..<Int.random(in: 0...40, using: &random)).map { _ in
        let from = Int.random(in: 0..<200, using: &random)
        return bytes[from..<from + shortest + Int.random(in: 0...spread, using: &random)]
      }
      var rows = texts.indices.map { UInt32($0) }
      rows.shuffle(using: &random)
      let expected = rows.map { row in
        key(texts[Int(row)]).withUnsafeBufferPointer { hasher.hash($0) }
      }
      bytes.withUnsafeBufferPointer { bytes in
        let cells = texts.map { Cell.string(UnsafeBufferPointer(rebasing: bytes[$0.indices])) }
        let hashes = hash(hasher, cells, rows, portably: portably)
        #expect(hashes == expected)
      }
    }
  }

  @Test(arguments: [false, true])
  func `of many strings end before the first row that holds none`(portably: Bool) {
    let hasher = SipHasher(secret: Array(1..<17))
    let text = Array("moderation-0001".utf8)
    text.withUnsafeBufferPointer { text in
      for count in 0..<20 {
        let cells = Array(repeating: Cell.string(text), count: count) + [.int(7), .string(text)]
        let rows = cells.indices.map { UInt32($0) }
        #expect(hash(hasher, cells, rows, portably: portably).count == count)
      }
    }
  }

  private func hash(
    _ hasher: SipHasher, _ cells: [Cell], _ rows: [UInt32], portably: Bool
  ) -> [Hash128] {
    [Hash128](unsafeUninitializedCapacity: rows.count) { hashes, count in
      // A row of none has no address; it is not asked for either.
      guard let base = hashes.baseAddress else { return }
      count = cells.withUnsafeBufferPointer { cells in
        rows.withUnsafeBufferPointer { rows in
          guard let cells = cells.baseAddress else { return 0 }
          return hasher.hash(strings: cells, rows: rows, into: base, portably: portably)
        }
      }
    }
  }

  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      String(repeating: "a", count: 1_000_000),
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    ),
  ])
  func `by SHA-256 are those of FIPS 180-4, in one piece and in many`(
    text: String, expected: String
  ) {
    let bytes = Array(text.utf8)
    #expect(hexText(sha256(bytes)) == expected)
    let hasher = SHA256Hasher()
    var at = 0
    while at < bytes.count {
      hasher.update(Array(bytes[at..<min(at + 77, bytes.count)]))
      at += 77
    }
    #expect(hexText(hasher.finish()) == expected)
  }

  /// Expected values by the one-call functions of xxhash.h 0.8.1 in a C program.
  @Test(arguments: [
    (0, "99aa06d3014798d86001c324468d497f", "2d06800538d394c2"),
    (1, "495b62073ef70ca44c5cca45d0f4811f", "4c5cca45d0f4811f"),
    (3, "46f66cb93538156515f7093b173d005c", "15f7093b173d005c"),
    (8, "803c675a846cc6c256bb836ceb6d4baa", "dec6a9a43575982e"),
    (16, "650fe308c566747df853dd94614dfa07", "7e484c18d74895d0"),
    (17, "18217300b5132d5a78c349fe81b2f26c", "208bde5ee2bed407"),
    (128, "b4f87b99d2db8a511e04fad9f0cacb4d", "f92b70eaa21a6288"),
    (129, "6881633650cd8924c51bc887976aef63", "f8f76713f2bb60fa"),
    (240, "de57aab31e77a2ff93e173833f75ab66", "ccc7375172c41f03"),
    (241, "92b991a7192f3f080b3b630948ce4a00", "0b3b630948ce4a00"),
    (1024, "4c17271c906df79223bc880ebf0d29c6", "23bc880ebf0d29c6"),
    (1025, "70a4eb1b9691d77fc09fdfbc398c7d82", "c09fdfbc398c7d82"),
    (100000, "8ce7a24d31cd94b1ccf90df7e7e37036", "ccf90df7e7e37036"),
  ])
  func `by XXH3 are those of one call in C, in one piece and in many`(
    length: Int, long: String, short: String
  ) {
    let input = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 31 + 7) }
    for piece in [1, 64, 255, 1 << 20] {
      let hasher = ContentHasher()
      var at = 0
      while at < length {
        let end = min(at + piece, length)
        input[at..<end].withUnsafeBufferPointer { hasher.update($0) }
        at = end
      }
      #expect(hasher.finish().hex == long)
    }
    let value = input.withUnsafeBufferPointer { xxh3($0) }
    #expect(Hash128(high: 0, low: value).hex.suffix(16) == short)
  }

  @Test func `of 128 bits are ordered by their high half first`() {
    #expect(Hash128(high: 1, low: 9) < Hash128(high: 2, low: 0))
    #expect(Hash128(high: 1, low: 8) < Hash128(high: 1, low: 9))
    #expect(Hash128(high: 0x0123, low: 0xF).hex == "0000000000000123000000000000000f")
  }
}
