import WeirData

/// A length of time as a spec writes it: `15m`, `6h`, `1d`, `1w`.
///
/// Days and weeks are calendar units: how long one is depends on the zone.
public struct SpecDuration: Sendable, Hashable, CustomStringConvertible {
  public enum Unit: String, Sendable, CaseIterable {
    case second = "s"
    case minute = "m"
    case hour = "h"
    case day = "d"
    case week = "w"

    /// A day has 86,400 here.
    public var seconds: Int {
      switch self {
      case .second: 1
      case .minute: 60
      case .hour: 3_600
      case .day: 86_400
      case .week: 604_800
      }
    }
  }

  /// 1 to 1,000,000.
  public var count: Int
  public var unit: Unit

  public init(count: Int, unit: Unit) {
    self.count = count
    self.unit = unit
  }

  public init?(text: String) {
    let bytes = Array(text.utf8)
    guard let last = bytes.last, (2...8).contains(bytes.count),
      let unit = Unit.allCases.first(where: { $0.rawValue.utf8.first == last }),
      let count = plainInteger(bytes.dropLast()), (1...1_000_000).contains(count)
    else { return nil }
    self.init(count: count, unit: unit)
  }

  public var seconds: Int { count * unit.seconds }
  public var description: String { "\(count)\(unit.rawValue)" }
}

/// A day, or the last one in the data.
public enum SpecDate: Sendable, Hashable, CustomStringConvertible {
  case latest
  case day(CivilDate)

  public init?(text: String) {
    if text.utf8.elementsEqual("latest".utf8) {
      self = .latest
    } else if let day = CivilDate(iso: text) {
      self = .day(day)
    } else {
      return nil
    }
  }

  public var description: String {
    switch self {
    case .latest: "latest"
    case .day(let day): day.iso
    }
  }
}

/// A field of a record: `model.score`, or with a quoted name `model."v1.2"`.
public struct SpecFieldPath: Sendable, Hashable, CustomStringConvertible {
  /// At least one; none is empty.
  public let names: [String]

  public init(names: [String]) { self.names = names }

  public init?(text: String) {
    guard let names = SpecFieldPath.split(Array(text.utf8)) else { return nil }
    self.init(names: names)
  }

  public var description: String {
    names.map { name in
      let plain = !name.utf8.contains { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "\"") }
      if plain { return name }
      var quoted: [UInt8] = [UInt8(ascii: "\"")]
      for byte in name.utf8 {
        if byte == UInt8(ascii: "\"") { quoted.append(byte) }
        quoted.append(byte)
      }
      quoted.append(UInt8(ascii: "\""))
      return String(decoding: quoted, as: UTF8.self)
    }.joined(separator: ".")
  }

  public static func == (a: SpecFieldPath, b: SpecFieldPath) -> Bool {
    a.names.count == b.names.count
      && zip(a.names, b.names).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
  }

  public func hash(into hasher: inout Hasher) {
    for name in names {
      for byte in name.utf8 { hasher.combine(byte) }
      hasher.combine(UInt8(0xFF))
    }
  }

  /// A quote inside a quoted name is doubled.
  private static func split(_ text: [UInt8]) -> [String]? {
    let quote = UInt8(ascii: "\"")
    var names: [String] = []
    var at = 0
    while true {
      var name: [UInt8] = []
      if at < text.count, text[at] == quote {
        at += 1
        while true {
          guard at < text.count else { return nil }
          if text[at] == quote {
            at += 1
            guard at < text.count, text[at] == quote else { break }
          }
          name.append(text[at])
          at += 1
        }
      } else {
        while at < text.count, text[at] != UInt8(ascii: ".") {
          guard text[at] != quote else { return nil }
          name.append(text[at])
          at += 1
        }
      }
      guard !name.isEmpty else { return nil }
      names.append(String(decoding: name, as: UTF8.self))
      guard at < text.count else { return names }
      guard text[at] == UInt8(ascii: ".") else { return nil }
      at += 1
    }
  }
}

/// The declared type of a field: `int`, or `int?` where null or absent is allowed.
public struct SpecFieldType: Sendable, Hashable, CustomStringConvertible {
  public enum Base: String, Sendable, CaseIterable {
    case string, int, number, bool, timestamp, any
  }

  public var base: Base
  public var isOptional: Bool

  public init(_ base: Base, isOptional: Bool = false) {
    self.base = base
    self.isOptional = isOptional
  }

  public init?(text: String) {
    var bytes = Array(text.utf8)
    let isOptional = bytes.last == UInt8(ascii: "?")
    if isOptional { bytes.removeLast() }
    guard let base = Base.allCases.first(where: { $0.rawValue.utf8.elementsEqual(bytes) })
    else { return nil }
    self.init(base, isOptional: isOptional)
  }

  public var description: String { base.rawValue + (isOptional ? "?" : "") }
}

/// Bytes from `8MiB`, `256KiB`, `1GiB` or `512`; also the decimal `kB`, `MB`, `GB`.
func parseSize(_ text: String) -> Int? {
  let bytes = Array(text.utf8)
  let digits = bytes.prefix { (0x30...0x39).contains($0) }
  guard let count = plainInteger(digits) else { return nil }
  let unit = bytes[digits.count...]
  let factors: [(String, Int)] = [
    ("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
    ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
  ]
  guard let factor = factors.first(where: { $0.0.utf8.elementsEqual(unit) })?.1 else { return nil }
  let (size, overflow) = count.multipliedReportingOverflow(by: factor)
  return overflow ? nil : size
}

/// Digits only, without sign; `nil` past `Int.max`.
func plainInteger(_ bytes: some Sequence<UInt8>) -> Int? {
  var value = 0
  var any = false
  for byte in bytes {
    guard (0x30...0x39).contains(byte) else { return nil }
    let (tens, a) = value.multipliedReportingOverflow(by: 10)
    let (sum, b) = tens.addingReportingOverflow(Int(byte - 0x30))
    if a || b { return nil }
    value = sum
    any = true
  }
  return any ? value : nil
}
