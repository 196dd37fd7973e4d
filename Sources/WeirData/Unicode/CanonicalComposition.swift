import CUtf8proc

extension UnicodeText {
  /// Normalization Form C (Unicode Standard Annex #15): characters that are built of parts become
  /// one, so that texts that look the same have the same bytes.
  ///
  /// The tables are those of utf8proc; characters that are newer than its Unicode stay as they are.
  /// Takes time in proportion to n log n whatever the text: combining marks are put in order here,
  /// since the library's own sort takes the square of the length of a run of marks.
  public static func composeCanonically(_ text: inout [UInt8]) {
    // Below U+0300 (0xCC 0x80) every text is in this form.
    guard text.contains(where: { $0 >= 0xCC }) else { return }
    var scalars = decomposed(text)
    orderMarks(&scalars)
    let count = scalars.withUnsafeMutableBufferPointer {
      utf8proc_normalize_utf32($0.baseAddress, $0.count, composition)
    }
    precondition(count >= 0, "utf8proc composes every sequence of scalars")
    text.removeAll(keepingCapacity: true)
    for value in scalars.prefix(count) {
      if value < 0x80 {
        text.append(UInt8(value))
      } else if let scalar = Unicode.Scalar(UInt32(bitPattern: value)) {
        text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
      }
    }
  }

  private static let composition = utf8proc_option_t(
    rawValue: UTF8PROC_STABLE.rawValue | UTF8PROC_COMPOSE.rawValue)

  /// The scalars of `text`, each in its full canonical decomposition.
  private static func decomposed(_ text: [UInt8]) -> [Int32] {
    var scalars: [Int32] = []
    scalars.reserveCapacity(text.count)
    // No character has a canonical decomposition of more than four scalars.
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: 16) { parts in
      var boundary: Int32 = 0
      for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
        let value = Int32(bitPattern: scalar.value)
        guard value >= 0xC0 else {
          scalars.append(value)
          continue
        }
        let count = utf8proc_decompose_char(
          value, parts.baseAddress, parts.count, composition, &boundary)
        precondition((1...parts.count).contains(count), "utf8proc decomposes every scalar")
        scalars.append(contentsOf: parts[..<count])
      }
    }
    return scalars
  }

  /// Sorts each run of combining marks by combining class; equal ones keep their order (D108, D109).
  private static func orderMarks(_ scalars: inout [Int32]) {
    func combiningClass(_ at: Int) -> UInt64 {
      scalars[at] < 0x300 ? 0 : UInt64(utf8proc_get_property(scalars[at]).pointee.combining_class)
    }
    var at = 0
    var marks: [UInt64] = []
    while at < scalars.count {
      marks.removeAll(keepingCapacity: true)
      let start = at
      var isOrdered = true
      while at < scalars.count, case let order = combiningClass(at), order > 0 {
        let mark = order << 32 | UInt64(at)
        if let last = marks.last, last >> 32 > order { isOrdered = false }
        marks.append(mark)
        at += 1
      }
      if !isOrdered {
        marks.sort()
        let sorted = marks.map { scalars[Int($0 & 0xFFFF_FFFF)] }
        scalars.replaceSubrange(start..<at, with: sorted)
      }
      if marks.isEmpty { at += 1 }
    }
  }
}
