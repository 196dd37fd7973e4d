import Glibc
import Synchronization
import WeirData

/// A time zone: what the clocks of a place were set to, and will be as far as is decided. Weir reads
/// the tz database of the system itself (TZif, RFC 8536); libc is not asked, as its zone is one for
/// the whole process.
final class Zone: Sendable {
  /// Seconds since 1970 at which the offset changes, ascending.
  private let changes: [Int64]
  /// Seconds east of UTC before the first change, and from each change on.
  private let offsets: [Int64]
  /// Behind the last change.
  private let rule: ZoneRule?
  /// The bytes of the file; empty for an offset.
  let file: [UInt8]
  /// Of the tz database; empty for an offset.
  let name: [UInt8]

  static let utc = Zone(fixed: 0)

  init(fixed offset: Int64) {
    changes = []
    offsets = [offset]
    rule = nil
    file = []
    name = []
  }

  init(changes: [Int64], offsets: [Int64], rule: ZoneRule?, file: [UInt8], name: [UInt8]) {
    self.name = name
    self.changes = changes
    self.offsets = offsets
    self.rule = rule
    self.file = file
  }

  /// Seconds east of UTC at an instant, in seconds since 1970.
  func offset(at seconds: Int64) -> Int64 {
    guard let last = changes.last else { return rule?.offset(at: seconds) ?? offsets[0] }
    if seconds >= last, let rule { return rule.offset(at: seconds) }
    // How many changes lie at the instant or before it.
    var low = 0
    var high = changes.count
    while low < high {
      let middle = (low + high) / 2
      if changes[middle] <= seconds { low = middle + 1 } else { high = middle }
    }
    return offsets[low]
  }

  /// Seconds since 1970 between which the offset is the same, as far as one look tells.
  struct Stretch {
    var from: Int64
    /// Not one of them.
    var to: Int64
    var offset: Int64
  }

  func stretch(at seconds: Int64) -> Stretch {
    let offset = offset(at: seconds)
    if changes.isEmpty, rule == nil { return Stretch(from: .min, to: .max, offset: offset) }
    if let last = changes.last, seconds < last {
      var low = 0
      var high = changes.count
      while low < high {
        let middle = (low + high) / 2
        if changes[middle] <= seconds { low = middle + 1 } else { high = middle }
      }
      return Stretch(
        from: low > 0 ? changes[low - 1] : .min, to: changes[low], offset: offset)
    }
    // Behind the last change the rule is asked for each quarter of an hour: no zone changes within.
    let start = seconds - seconds.dividedDown(by: 900).remainder
    return Stretch(from: max(start, changes.last ?? .min), to: start + 900, offset: offset)
  }

  // MARK: - By name

  static let folders = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/etc/zoneinfo"]
  private static let namesMax = 2_000
  private static let known = Mutex<[[UInt8]: Zone?]>([:])

  /// `UTC`, an offset such as `+05:30`, or a name of the tz database; `nil` where there is none.
  static func named(_ name: [UInt8]) -> Zone? {
    if name.elementsEqual("UTC".utf8) || name.elementsEqual("Z".utf8) { return utc }
    if let offset = fixedOffset(name) { return Zone(fixed: offset) }
    guard isName(name) else { return nil }
    return known.withLock { zones in
      if let zone = zones[name] { return zone }
      let zone = read(name)
      // Names come from records too: what is remembered has an end.
      if zones.count < namesMax { zones[name] = .some(zone) }
      return zone
    }
  }

  /// `+01:00`, `-9:30` and `02:00`.
  private static func fixedOffset(_ name: [UInt8]) -> Int64? {
    var rest = name[...]
    var sign: Int64 = 1
    if let first = rest.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
      if first == UInt8(ascii: "-") { sign = -1 }
      rest = rest.dropFirst()
    }
    let parts = rest.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count == 2, (1...2).contains(parts[0].count), parts[1].count == 2,
      parts.allSatisfy({ $0.allSatisfy(\.isDigit) }),
      let hours = Int64(String(decoding: parts[0], as: UTF8.self)),
      let minutes = Int64(String(decoding: parts[1], as: UTF8.self)), hours < 24, minutes < 60
    else { return nil }
    return sign * (hours * 3_600 + minutes * 60)
  }

  /// `Europe/Berlin`: no name leads out of the folder.
  private static func isName(_ name: [UInt8]) -> Bool {
    guard !name.isEmpty, name.count <= 64 else { return false }
    for part in name.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
      guard let first = part.first, first.isIdentifierStart,
        part.allSatisfy({
          $0.isIdentifierPart || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+")
        })
      else { return false }
    }
    return true
  }

  private static func read(_ name: [UInt8]) -> Zone? {
    for folder in folders {
      let path = folder + "/" + String(decoding: name, as: UTF8.self)
      if let bytes = contents(path), let zone = ZoneFile(bytes).zone(name) { return zone }
    }
    return nil
  }

  /// The first line of the database, which has its version: for expressions that take zones from
  /// records. Empty where it is not there.
  static let version: [UInt8] = {
    for folder in folders {
      if let bytes = contents(folder + "/tzdata.zi") { return Array(bytes.prefix { $0 != 0x0A }) }
    }
    return []
  }()

  /// The bytes of a small file, or the head of a large one; `nil` where it cannot be read.
  static func contents(_ path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1 << 18)
    var count = 0
    while count < bytes.count {
      let got = bytes.withUnsafeMutableBytes {
        Glibc.read(descriptor, $0.baseAddress! + count, $0.count - count)
      }
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { return nil }
      if got == 0 { break }
      count += got
    }
    return Array(bytes[..<count])
  }
}
