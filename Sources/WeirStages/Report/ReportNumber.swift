import WeirData

/// Numbers as the page writes them: one way, whatever the machine's locale.
///
/// `3,919,153`, `13.6 %` with a no-break space, `−256` with U+2212; what rounds to nothing is `0`,
/// without sign or decimals.
enum ReportNumber {
  /// Not a number, or none.
  static let none = "–"

  /// `value` with `digits` decimals, half away from zero, thousands grouped.
  static func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite else { return none }
    let scaled = (abs(value) * power(digits)).rounded()
    guard scaled < 9e15 else { return scientific(value) }
    if scaled == 0 { return "0" }
    let whole = Int(scaled)
    let unit = Int(power(digits))
    var text = groupedDigits(whole / unit)
    if digits > 0 {
      let fraction = String(whole % unit)
      text += "." + String(repeating: "0", count: digits - fraction.utf8.count) + fraction
    }
    return value < 0 ? "\u{2212}" + text : text
  }

  /// ``fixed(_:_:)`` with a `+` before what is above nothing.
  static func signed(_ value: Double, _ digits: Int) -> String {
    let text = fixed(value, digits)
    return value > 0 && text != "0" && text != none ? "+" + text : text
  }

  static func integer(_ value: Int) -> String {
    value < 0 ? "\u{2212}" + groupedDigits(value.magnitude) : groupedDigits(value.magnitude)
  }

  /// Three significant digits at least, and no decimals from 100 on: `41,230`, `12.5`, `0.00312`.
  static func plain(_ value: Double) -> String {
    fixed(value, value == value.rounded() ? 0 : decimals(value, significant: 3))
  }

  /// A share of 1 as a percentage: `13.6 %`, `0.014 %`, `0 %`. Never 100 % for less than all.
  static func percent(_ share: Double) -> String {
    let value = share * 100
    let text = fixed(value, percentDecimals(value))
    return (text == "100.00" && value < 100 ? ">\u{A0}99.99" : text) + "\u{A0}%"
  }

  /// A share that a person has chosen: `5 %`, `0.1 %`, without decimals that say nothing.
  static func chosenPercent(_ share: Double) -> String {
    let value = share * 100
    let isWhole = abs(value - value.rounded()) < 1e-9
    return isWhole ? fixed(value, 0) + "\u{A0}%" : percent(share)
  }

  static func percentDecimals(_ value: Double) -> Int {
    let size = abs(value)
    if size == 0 || size == 100 { return 0 }
    if size > 99.9 && size < 100 { return 2 }
    return size >= 0.1 ? 1 : min(6, decimals(size, significant: 2))
  }

  /// A probability: `0.19`, `0.0012`, `< 0.0001`.
  static func probability(_ p: Double) -> String {
    guard p.isFinite else { return none }
    if p < 0.0001 { return "<\u{A0}0.0001" }
    return fixed(p, min(4, decimals(p, significant: 2)))
  }

  /// Bytes with the unit that leaves two or three digits: `168 MB`.
  static func size(_ bytes: Int) -> String {
    var value = Double(bytes)
    for unit in ["bytes", "kB", "MB", "GB", "TB"] {
      if value < 1_000 || unit == "TB" {
        return fixed(value, unit == "bytes" || value >= 10 ? 0 : 1) + "\u{A0}" + unit
      }
      value /= 1_000
    }
    return none
  }

  /// Decimals that show so many significant digits of `value`, at most 12.
  static func decimals(_ value: Double, significant: Int) -> Int {
    var size = abs(value)
    guard size > 0, size.isFinite else { return 0 }
    var exponent = 0
    while size >= 10 {
      size /= 10
      exponent += 1
    }
    while size < 1 && exponent > -12 {
      size *= 10
      exponent -= 1
    }
    return min(12, max(0, significant - 1 - exponent))
  }

  /// `coordinate` with one decimal where it needs one; anything that is not finite is 0.
  static func appendCoordinate(_ coordinate: Double, to out: inout [UInt8]) {
    let scaled = (coordinate * 10).rounded()
    guard abs(scaled) < 1e9 else {
      out.append(0x30)
      return
    }
    let tenths = Int(scaled)
    if tenths < 0 { out.append(0x2D) }
    let size = abs(tenths)
    out += String(size / 10).utf8
    if size % 10 != 0 {
      out.append(0x2E)
      out.append(0x30 + UInt8(size % 10))
    }
  }

  private static func scientific(_ value: Double) -> String {
    var size = abs(value)
    var exponent = 0
    while size >= 9.995 {
      size /= 10
      exponent += 1
    }
    return (value < 0 ? "\u{2212}" : "") + fixed(size, 2) + "e\(exponent)"
  }

  private static func power(_ digits: Int) -> Double {
    (0..<digits).reduce(1) { value, _ in value * 10 }
  }
}

extension ReportNumber {
  /// A probability down to where it is no longer meant: `0.0123`, `2.3e−12`.
  static func smallProbability(_ p: Double) -> String {
    guard p.isFinite else { return none }
    if p >= 0.0001 || p < 0 { return fixed(p, 4) }
    var size = p
    var exponent = 0
    while size < 0.995 && exponent < 300 {
      size *= 10
      exponent += 1
    }
    return exponent == 300 ? "0" : fixed(size, 1) + "e\u{2212}\(exponent)"
  }
}
