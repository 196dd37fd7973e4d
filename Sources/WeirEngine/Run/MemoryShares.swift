import Glibc
import WeirData

/// How the memory of a run is shared out. Nothing here changes a byte of the outputs.
public struct MemoryShares: Sendable {
  /// Shards worked on at once.
  public var workers: Int
  /// Bytes that may be kept from task to task: columns, tuples of barriers, outcomes of lines, partials
  /// that wait. What is more goes to the disk.
  public var kept: Int
  /// Bytes that each worker may use to decide a part of a barrier.
  public var deciding: Int
  /// What is kept for another night anyway leaves memory at once where it has so many bytes; of smaller
  /// chunks the pieces would be read one by one.
  public var earlyBytes = 64 * 1024

  public init(workers: Int, kept: Int = .max, deciding: Int = .max) {
    self.workers = workers
    self.kept = kept
    self.deciding = deciding
  }

  /// The program itself, of which 32 MB are pages of its file, and its threads.
  static let baseBytes = 52 << 20
  /// What one worker needs: window and buffers of zstd, batches on their way, encoders.
  static func workerBytes(batchBytes: Int) -> Int { (32 << 20) + 32 * batchBytes }

  /// Shares out `limit` bytes, among fewer workers than asked for where there is not enough for all.
  ///
  /// - Throws: ``MemoryTooSmall`` where it is not enough for one.
  public init(limit: Int, workers: Int, batchBytes: Int) throws(MemoryTooSmall) {
    let worker = MemoryShares.workerBytes(batchBytes: batchBytes)
    let smallest = MemoryShares.baseBytes + worker
    guard limit >= smallest else { throw MemoryTooSmall(limit: limit, smallest: smallest) }
    self.workers = min(workers, (limit - MemoryShares.baseBytes) / worker)
    let rest = limit - MemoryShares.baseBytes - self.workers * worker
    // Beside what is kept the system's allocator holds back 7 to 8 % of it.
    kept = rest - rest / 11
    // No shard is read meanwhile.
    deciding = worker
  }

  /// A quarter of the machine's memory, or of what the control group of this process may have.
  public static var defaultLimit: Int {
    let machine = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
    return min(machine, controlGroupLimit ?? machine) / 4
  }

  /// The least of the memory limits on the way from this process's control group to the root.
  private static var controlGroupLimit: Int? {
    // A system without control groups has no such files: then there is no such limit.
    guard let groups = try? readWholeFile("/proc/self/cgroup", limit: 1 << 16) else { return nil }
    var least: Int?
    for line in groups.split(separator: UInt8(ascii: "\n")) {
      // "0::/path" in version 2, "4:memory:/path" in version 1.
      let parts = line.split(
        separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let isUnified = parts[1].isEmpty
      let controllers = parts[1].split(separator: UInt8(ascii: ","))
      guard isUnified || controllers.contains(where: { $0.elementsEqual("memory".utf8) }) else {
        continue
      }
      let root = isUnified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"
      let file = isUnified ? "memory.max" : "memory.limit_in_bytes"
      var path = String(decoding: parts[2], as: UTF8.self)
      while true {
        if let limit = number(in: joinPath(root + path, file)) {
          least = min(least ?? limit, limit)
        }
        guard path.utf8.count > 1 else { break }
        path = directory(of: path)
      }
    }
    return least
  }

  /// `nil` for `max`, and for a file that is not there.
  private static func number(in path: String) -> Int? {
    guard let bytes = try? readWholeFile(path, limit: 64) else { return nil }
    return Int(String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self))
  }
}

/// A limit under which not even one worker can work.
public struct MemoryTooSmall: Error, Sendable {
  /// Bytes.
  public var limit: Int
  public var smallest: Int
}

/// Sizes as people write them.
extension MemoryShares {
  /// Bytes in `text`: a number, whole or with a decimal point, and a unit. `kB MB GB TB` are powers of
  /// 1000, `KiB MiB GiB TiB` and the letters alone, `k m g t`, of 1024; case does not matter. `nil`
  /// where it is not one.
  public static func bytes(_ text: String) -> Int? {
    let lower = text.utf8.map { 0x41...0x5A ~= $0 ? $0 | 0x20 : $0 }
    let digits = lower.prefix { 0x30...0x39 ~= $0 || $0 == UInt8(ascii: ".") }
    guard let first = digits.first, first != UInt8(ascii: "."), digits.last != UInt8(ascii: "."),
      let number = Double(String(decoding: digits, as: UTF8.self)),
      let unit = unit(String(decoding: lower.dropFirst(digits.count), as: UTF8.self))
    else { return nil }
    let bytes = (number * unit).rounded(.down)
    guard bytes >= 1, bytes < 0x1p62 else { return nil }
    return Int(bytes)
  }

  private static func unit(_ text: String) -> Double? {
    switch text {
    case "b": 1
    case "kb": 1e3
    case "mb": 1e6
    case "gb": 1e9
    case "tb": 1e12
    case "k", "kib": 0x1p10
    case "m", "mib": 0x1p20
    case "g", "gib": 0x1p30
    case "t", "tib": 0x1p40
    default: nil
    }
  }

  /// `80MiB`: the least number of whole MiB that holds `bytes`.
  public static func text(_ bytes: Int) -> String { "\((bytes + (1 << 20) - 1) >> 20)MiB" }
}
