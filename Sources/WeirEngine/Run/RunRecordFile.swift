import Glibc
import WeirData

/// The record of a run could not be read: it was cut off, or somebody changed it.
public struct UnreadableRecord: Error, Sendable, CustomStringConvertible {
  public var path: String
  public var reason: String

  public init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  public var description: String { "\(path): \(reason)" }
}

/// `run.json` of any run, read back.
public struct RunRecordFile: Sendable {
  public static let record = "run.json"
  public static let ledger = "ledger.json"
  public static let changes = "changes.json"
  /// A record is some kilobytes; one with a hundred thousand tasks is some megabytes.
  private static let bytesMax = 256 << 20

  /// The directory of the run.
  public let directory: String
  public private(set) var json: JSONValue

  /// - Returns: `nil` where the directory has no record (yet).
  public init?(directory: String) throws(UnreadableRecord) {
    let path = joinPath(directory, RunRecordFile.record)
    self.directory = directory
    let bytes: [UInt8]
    do throws(FileError) {
      bytes = try readWholeFile(path, limit: RunRecordFile.bytesMax)
    } catch {
      guard error.code != ENOENT, error.code != ENOTDIR else { return nil }
      throw UnreadableRecord(path: path, reason: error.reason)
    }
    do throws(JSONError) {
      json = try JSONValue(reading: bytes)
    } catch {
      throw UnreadableRecord(
        path: path, reason: "not JSON at byte \(error.offset): \(error.message)")
    }
    guard case .string? = json["run"], status != nil else {
      throw UnreadableRecord(path: path, reason: "not the record of a run")
    }
  }

  private static let openMarks = [RunStatus.running, .placing].map {
    Array("\"status\": \"\($0.rawValue)\"".utf8)
  }

  /// Whether the record in a directory may be that of a run that nobody ended: a look at its beginning,
  /// so that the thousands that were ended cost next to nothing.
  static func mayBeOpen(_ directory: String) -> Bool {
    let descriptor = openFile(joinPath(directory, record), O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else { return false }
    defer { Glibc.close(descriptor) }
    var head = [UInt8](repeating: 0, count: 4_096)
    let count = read(descriptor, &head, head.count)
    guard count > 0 else { return false }
    // Behind id and name of the pipeline.
    return head.withUnsafeBufferPointer { head in
      guard let base = head.baseAddress else { return false }
      var at = 0
      while let quote = memchr(base + at, 0x22, count - at) {
        at = UnsafeRawPointer(quote) - UnsafeRawPointer(base)
        for mark in openMarks where count - at >= mark.count {
          if memcmp(quote, mark, mark.count) == 0 { return true }
        }
        at += 1
      }
      return false
    }
  }

  func text(_ key: String) -> String? { json.text(key) }

  /// As it was written: see ``seenStatus``.
  public var status: RunStatus? { text("status").flatMap { RunStatus(rawValue: $0) } }
  var out: String? { text("out") }
  public var process: ProcessIdentity? { ProcessIdentity(record: json) }

  var isOver: Bool { status != .running && status != .placing }

  /// Whether it has, or had when it died, the lock of its output.
  var holdsOrHeld: Bool { status == .placing || exists(joinPath(directory, "spool")) }

  /// Whether the directory with its outputs is this one.
  func isInPlace(_ current: String?) -> Bool {
    guard let current, let mine = text("directory") else { return false }
    return same(lastComponent(of: current), lastComponent(of: mine))
  }

  /// What has become of it, also where its process is gone and nobody noted that. One that places its
  /// outputs is running.
  public var seenStatus: RunStatus {
    guard let status else { return .abandoned }
    guard !isOver else { return status }
    guard process?.isGone == true else { return .running }
    guard status == .placing, let out else { return .abandoned }
    return isInPlace(linkTarget(out)) ? .done : .abandoned
  }

  /// Notes the end of a run that died: its outputs are in place, or it is abandoned.
  func close(as status: RunStatus) throws(FileError) {
    guard case .object(var members) = json else { return }
    func set(_ key: String, _ value: JSONValue) {
      if let at = members.firstIndex(where: { same($0.key, key) }) {
        members[at].value = value
      } else {
        members.append(JSONMember(key, value))
      }
    }
    set("status", .text(status.rawValue))
    var notes = [JSONValue]()
    if case .array(let earlier)? = json["notes"] { notes = earlier }
    notes.append(
      .text(
        status == .done
          ? "the process died when the outputs were in place: nothing is missing"
          : "the process died: nobody ended the run"))
    set("notes", .array(notes))
    if case .array(var attempts)? = json["attempts"], case .object(var last)? = attempts.last,
      let at = last.firstIndex(where: { same($0.key, "status") })
    {
      last[at].value = .text(RunStatus.abandoned.rawValue)
      attempts[attempts.count - 1] = .object(last)
      set("attempts", .array(attempts))
    }
    try replaceFile(
      joinPath(directory, RunRecordFile.record),
      JSONValue.object(members).bytes(indented: true) + [0x0A])
  }
}

/// Where a symbolic link leads; `nil` where it is none.
public func linkTarget(_ path: String) -> String? {
  var buffer = [UInt8](repeating: 0, count: 4_096)
  let count = buffer.withUnsafeMutableBytes {
    readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
  }
  return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
}
