/// The digits of a number that is not negative, in groups of three: `3,919,153`. The same in every
/// locale.
public func groupedDigits(_ value: some BinaryInteger) -> String {
  let digits = Array(String(value).utf8)
  var text: [UInt8] = []
  for (i, digit) in digits.enumerated() {
    if i > 0, (digits.count - i) % 3 == 0 { text.append(0x2C) }
    text.append(digit)
  }
  return String(decoding: text, as: UTF8.self)
}

/// A number of things: `1 shard`, `12 shards`, `1,204 rows`.
///
/// - Parameter many: the word for more than one, where it is not `one` with an `s`.
public func counted(_ count: Int, _ one: String, _ many: String? = nil) -> String {
  "\(groupedDigits(count.magnitude)) \(count == 1 ? one : many ?? one + "s")"
}
