/// Finds the time zone that a person may have meant.
extension Zone {
  /// The name of the tz database that is most like one that there is not: `Berlin` and `Europe/Berln` as
  /// `Europe/Berlin`.
  static func likelyName(_ name: [UInt8]) -> [UInt8]? {
    let space = UInt8(ascii: " ")
    let wanted = name.map { $0 == space ? UInt8(ascii: "_") : $0 }
    guard !wanted.isEmpty, wanted.count <= 64 else { return nil }
    if let offset = offset(of: wanted) { return offset }
    let names = listed
    let cities = names.map { name in
      Array(name[((name.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)...])
    }
    if let place = cities.firstIndex(where: { Suggestions.distance($0, wanted) == 0 }) {
      return names[place]
    }
    if let near = Suggestions.nearest(to: wanted, among: names).first { return near }
    guard let city = Suggestions.nearest(to: wanted, among: cities).first,
      let place = cities.firstIndex(of: city)
    else { return nil }
    return names[place]
  }

  /// `UTC+2` and `GMT-5` as `+02:00` and `-05:00`.
  private static func offset(of name: [UInt8]) -> [UInt8]? {
    guard name.starts(with: "UTC".utf8) || name.starts(with: "GMT".utf8), name.count > 4 else {
      return nil
    }
    let digits = name[4...]
    guard [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(name[3]), digits.count <= 2,
      digits.allSatisfy(\.isDigit)
    else { return nil }
    let hours = digits.count == 1 ? [UInt8(ascii: "0")] + digits : Array(digits)
    return [name[3]] + hours + Array(":00".utf8)
  }

  /// The names in the table of the database, which has one for every country at least.
  private static var listed: [[UInt8]] {
    guard let table = folders.lazy.compactMap({ contents($0 + "/zone.tab") }).first else {
      return []
    }
    return table.split(separator: 0x0A).compactMap { line in
      guard line.first != UInt8(ascii: "#") else { return nil }
      let columns = line.split(separator: 0x09)
      return columns.count > 2 ? Array(columns[2]) : nil
    }
  }
}

extension CivilZone {
  /// The name of the tz database that is most like one that there is not.
  public static func likelyName(for name: String) -> String? {
    Zone.likelyName(Array(name.utf8)).map { String(decoding: $0, as: UTF8.self) }
  }
}
