/// Values that people write nearly right.

/// `04.10.2026`, `2026/10/4` and `20261004` as `2026-10-04`, `2026-02-30` as the last day of its month;
/// days before months are left alone.
func dateFix(_ text: String) -> String? {
  switch String(
    decoding: text.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
  {
  case "yesterday": return "today-1d"
  case "tomorrow": return "today+1d"
  case "now": return "today"
  case "last", "newest", "max": return "latest"
  default: break
  }
  // `today - 1 day`, `latest-7`.
  let packed = String(decoding: text.utf8.filter { $0 != 0x20 }, as: UTF8.self)
  for fixed in [packed, packed + "d"] where !same(fixed, text) && SpecDate(text: fixed) != nil {
    return fixed
  }
  if let sign = packed.utf8.firstIndex(where: { $0 == 0x2B || $0 == 0x2D }),
    let span = durationFix(String(packed[packed.utf8.index(after: sign)...]))
  {
    let fixed = String(packed[...sign]) + span
    if SpecDate(text: fixed) != nil { return fixed }
  }
  let parts = text.utf8.split { !(0x30...0x39).contains($0) }.map { plainInteger($0) ?? 0 }
  let digits = Array(text.utf8)
  if digits.count == 8, parts.count == 1, let number = plainInteger(digits) {
    return dateText(number / 10_000, number / 100 % 100, number % 100)
  }
  guard parts.count >= 3 else { return nil }
  if parts[0] > 31 {
    return dateText(parts[0], parts[1], parts[2]) ?? dateFault(text)?.meant
  }
  if parts.count == 3, text.utf8.contains(UInt8(ascii: ".")), parts[2] > 31 {
    return dateText(parts[2], parts[1], parts[0])
  }
  return nil
}

/// Why a day such as `2026-02-30` is none, and the one that is nearest to it.
func dateFault(_ text: String) -> (reason: String, meant: String?)? {
  let bytes = text.utf8
  guard bytes.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }) else {
    return nil
  }
  let parts = bytes.split(separator: UInt8(ascii: "-")).map { plainInteger($0) ?? 0 }
  guard parts.count == 3, (1_000...9_999).contains(parts[0]), parts[2] <= 31 || parts[1] <= 12
  else {
    return nil
  }
  let (year, month, day) = (parts[0], parts[1], parts[2])
  guard (1...12).contains(month) else {
    return ("there is no month \(month)", day == 0 ? nil : dateText(year, day, month))
  }
  guard let last = [31, 30, 29, 28].first(where: { dateText(year, month, $0) != nil }) else {
    return nil
  }
  if day == 0 { return ("the days of a month begin at 1", dateText(year, month, 1)) }
  guard day > last else { return nil }
  let names = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
  ]
  return ("\(names[month - 1]) \(year) has \(last) days", dateText(year, month, last))
}

private func dateText(_ year: Int, _ month: Int, _ day: Int) -> String? {
  func pad(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
  let text = "\(year)-\(pad(month))-\(pad(day))"
  return SpecDate(text: text) == nil ? nil : text
}

/// `1 day`, `24 hours`, `15min` as `1d`, `24h`, `15m`.
func durationFix(_ text: String) -> String? {
  let bytes = text.utf8.filter { $0 != 0x20 }.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
  var digits = Array(bytes.prefix { (0x30...0x39).contains($0) })
  let word = Array(bytes.dropFirst(digits.count))
  if digits.isEmpty { digits = [0x31] }
  let names: [(String, [String])] = [
    ("s", ["s", "sec", "secs", "second", "seconds"]),
    ("m", ["m", "min", "mins", "minute", "minutes"]),
    ("h", ["h", "hr", "hrs", "hour", "hours", "hourly"]),
    ("d", ["d", "day", "days", "daily"]), ("w", ["w", "wk", "week", "weeks", "weekly"]),
  ]
  if let minutes = compoundMinutes(bytes) { return minutes }
  // A month, which has no length, and not a minute.
  if text.utf8.last == UInt8(ascii: "M") { return isoDuration(bytes) }
  if let whole = isoDuration(bytes) { return whole }
  for (unit, words) in names where words.contains(where: { $0.utf8.elementsEqual(word) }) {
    let fixed = String(decoding: digits, as: UTF8.self) + unit
    return SpecDuration(text: fixed) == nil ? nil : fixed
  }
  return nil
}

/// `p7d` and `pt15m` of ISO 8601 as `7d` and `15m`; a month is none.
private func isoDuration(_ bytes: [UInt8]) -> String? {
  guard bytes.first == UInt8(ascii: "p") else { return nil }
  let isTime = bytes.dropFirst().first == UInt8(ascii: "t")
  let rest = Array(bytes.dropFirst(isTime ? 2 : 1))
  guard let unit = rest.last, isTime || unit != UInt8(ascii: "m") else { return nil }
  let text = String(decoding: rest, as: UTF8.self)
  return SpecDuration(text: text).map { _ in text }
}

/// Whether a length of time is counted in what has no length: months, quarters and years.
func isOfMonths(_ text: String) -> Bool {
  let word = text.utf8.drop { (0x30...0x39).contains($0) || $0 == 0x20 }
  if word.elementsEqual([UInt8(ascii: "M")]) { return true }
  let folded = word.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
  return [
    "month", "months", "monthly", "quarter", "quarters", "quarterly", "year", "years", "yearly",
    "mo", "y",
  ]
  .contains { folded.elementsEqual($0.utf8) }
}

/// `1h30m` as `90m`.
private func compoundMinutes(_ bytes: [UInt8]) -> String? {
  let halves = bytes.split(separator: UInt8(ascii: "h"), omittingEmptySubsequences: false)
  guard halves.count == 2, halves[1].last == UInt8(ascii: "m"),
    let hours = plainInteger(halves[0]), let minutes = plainInteger(halves[1].dropLast()),
    hours < 1_000, minutes < 60
  else { return nil }
  return "\(hours * 60 + minutes)m"
}

/// `5%`, and `95` where a share is meant, as `0.05` and `0.95`.
func shareFix(_ text: String, _ range: ClosedRange<Double>) -> String? {
  let digits = text.utf8.last == UInt8(ascii: "%") ? String(text.utf8.dropLast()) : text
  guard range == 0...1, let digits, let percent = Double(digits), percent >= 0, percent <= 100
  else { return nil }
  return canonicalNumber(percent / 100)
}

/// `8 MB`, `8mib`, `8M` as `8MiB`; what is decimal stays so only where it was right already.
func sizeFix(_ text: String) -> String? {
  let bytes = text.utf8.filter { $0 != 0x20 }
  let digits = bytes.prefix { (0x30...0x39).contains($0) }
  guard let letter = bytes.dropFirst(digits.count).first, digits.count > 0 else { return nil }
  let prefixes: [UInt8: String] = [0x6B: "KiB", 0x6D: "MiB", 0x67: "GiB", 0x74: "TiB"]
  guard let unit = prefixes[letter | 0x20] else { return nil }
  let fixed = String(decoding: digits, as: UTF8.self) + unit
  return parseSize(fixed) == nil ? nil : fixed
}
