import Glibc
import WeirData

/// Which process of which machine does a run: enough to tell later, on that machine, whether it is
/// gone. Numbers of processes are given out again; that the start is the same tells two apart.
public struct ProcessIdentity: Sendable, Equatable {
  public var process: Int
  public var host: String
  /// Where the number means something: this boot of the machine and its namespace of processes.
  /// Empty where the system does not tell.
  var space: String
  /// When the process began, in clock ticks since the boot.
  var start: Int

  /// This process.
  public static let current = ProcessIdentity(
    process: Int(getpid()), host: hostName, space: currentSpace,
    start: status(of: Int(getpid()))?.start ?? 0)

  /// Whether the process has ended; `nil` where that cannot be told from here: it ran on another
  /// machine, in another container, or on a system that does not say.
  public var isGone: Bool? {
    let here = ProcessIdentity.current.space
    guard !space.isEmpty, !here.isEmpty else { return nil }
    if space != here {
      // The same host after another boot: nothing of before lives on.
      let (boot, name) = (ProcessIdentity.boot(space), ProcessIdentity.hostName)
      return host.utf8.elementsEqual(name.utf8) && boot != ProcessIdentity.boot(here) ? true : nil
    }
    guard let seen = ProcessIdentity.status(of: process) else { return true }
    return seen.isDead || seen.start != start
  }

  var members: [JSONMember] {
    [
      JSONMember("process", .int(process)), JSONMember("host", .text(host)),
      JSONMember("process_space", .text(space)), JSONMember("process_start", .int(start)),
    ]
  }

  init(process: Int, host: String, space: String, start: Int) {
    self.process = process
    self.host = host
    self.space = space
    self.start = start
  }

  /// What ``members`` wrote into the record of a run.
  public init?(record: JSONValue) {
    guard case .int(let process)? = record["process"], case .string(let host)? = record["host"],
      case .string(let space)? = record["process_space"],
      case .int(let start)? = record["process_start"]
    else { return nil }
    self.init(
      process: Int(process), host: String(decoding: host, as: UTF8.self),
      space: String(decoding: space, as: UTF8.self), start: Int(start))
  }

  // MARK: What the system says

  private static let hostName: String = {
    var host = [CChar](repeating: 0, count: 256)
    gethostname(&host, host.count - 1)
    return String(
      decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }()

  /// `BOOT/NAMESPACE`.
  private static let currentSpace: String = {
    guard let boot = line("/proc/sys/kernel/random/boot_id") else { return "" }
    var buffer = [UInt8](repeating: 0, count: 128)
    let count = buffer.withUnsafeMutableBytes {
      readlink("/proc/self/ns/pid", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
    }
    guard count > 0 else { return "" }
    return boot + "/" + String(decoding: buffer[..<count], as: UTF8.self)
  }()

  private static func boot(_ space: String) -> [UInt8] {
    Array(space.utf8.prefix { $0 != UInt8(ascii: "/") })
  }

  private static func line(_ path: String) -> String? {
    do throws(FileError) {
      let bytes = try readWholeFile(path, limit: 4_096)
      return String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
    } catch {
      // A system without it tells nothing.
      return nil
    }
  }

  /// From `/proc/PID/stat`: state is field 3, the start field 22 (proc(5)). `nil`: no such process.
  static func status(of process: Int) -> (isDead: Bool, start: Int)? {
    guard let text = line("/proc/\(process)/stat") else { return nil }
    // The name of the program stands in parentheses, and may hold some.
    guard let end = text.utf8.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = text[text.utf8.index(after: end)...].utf8.split(separator: UInt8(ascii: " "))
    guard fields.count > 19, let start = Int(String(decoding: Array(fields[19]), as: UTF8.self))
    else { return nil }
    return ([UInt8(ascii: "Z"), UInt8(ascii: "X")].contains(fields[0].first), start)
  }
}
