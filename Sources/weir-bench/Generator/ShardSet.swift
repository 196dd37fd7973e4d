import Glibc
import WeirData

/// The files of one data set, written one after the other:
/// `date=2026-09-27/part-00000.jsonl.zst`, the date being that of the first day in the file.
final class ShardSet {
  private let directory: String
  private let calendar: Calendar
  private let level: Int
  /// 1 or more: files to a day.
  private let partsPerDay: Int
  /// 1 or more: days to a file; one of the two is 1.
  private let daysPerShard: Int
  private var current = -1
  private var file: ZstdFile?

  /// - Parameter count: a multiple or a divisor of the days.
  init(directory: String, calendar: Calendar, count: Int, level: Int) {
    self.directory = directory
    self.calendar = calendar
    self.level = level
    partsPerDay = max(1, count / calendar.days)
    daysPerShard = max(1, calendar.days / count)
  }

  /// The file for what arrives at `time`, in milliseconds from the first midnight; what comes
  /// after the last day goes to the last file.
  func index(at time: Int) -> Int {
    let time = min(time, calendar.days * millisecondsPerDay - 1)
    let day = time / millisecondsPerDay
    let part = time % millisecondsPerDay * partsPerDay / millisecondsPerDay
    return day / daysPerShard * partsPerDay + part
  }

  /// - Parameter time: never before that of an earlier call.
  func write(_ line: UnsafeBufferPointer<UInt8>, at time: Int) throws {
    let index = index(at: time)
    while current < index { try open(current + 1) }
    try file?.write(line)
    try withUnsafeBytes(of: UInt8(ascii: "\n")) {
      try file?.write($0.assumingMemoryBound(to: UInt8.self))
    }
  }

  func finish() throws {
    let last = index(at: Int.max)
    while current < last { try open(current + 1) }
    try file?.finish()
    file = nil
  }

  private func open(_ index: Int) throws {
    try file?.finish()
    let day = index / partsPerDay * daysPerShard
    let folder = "\(directory)/date=\(calendar.date(day).iso)"
    if index % partsPerDay == 0 { try makeDirectory(folder) }
    let part = String(100_000 + index % partsPerDay).dropFirst()
    file = try ZstdFile(path: "\(folder)/part-\(part).jsonl.zst", level: level)
    current = index
  }
}

/// Makes the directory and those above it; one that is there already is fine.
func makeDirectory(_ path: String) throws {
  var end = path.utf8.startIndex
  while end != path.utf8.endIndex {
    let from = path.utf8.index(after: end)
    end = path.utf8[from...].firstIndex(of: UInt8(ascii: "/")) ?? path.utf8.endIndex
    let part = String(path[..<end])
    if mkdir(part, 0o777) != 0, errno != EEXIST { throw FileError.system("make", part) }
  }
}
