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
