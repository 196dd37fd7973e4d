import Glibc
import WeirData
import WeirEngine

/// A name that a scheduler gives to one request, so that sending it again does not run it again.
///
/// What came of the request stands in `.weir/requests/`, by the hash of the key: the result as it was
/// printed, and what was asked for.
struct IdempotencyKey {
  private static let bytesMax = 64 << 20

  private let key: String
  private let path: String
  /// Spec and parameters, hashed: the same key for something else is a mistake.
  private let request: String

  init(_ key: String, plan: Plan, workspace: Workspace) {
    self.key = key
    path = joinPath(workspace.path, "requests/\(hexText(sha256(Array(key.utf8)).prefix(16))).json")
    request = hexText(plan.hash)
  }

  struct Answer {
    /// The line of JSON that the first run printed.
    var line: String
    var exit: Int32
    var run: String
  }

  /// What the request came to, where it was done before.
  ///
  /// - Throws: `RunError` where the key was used for another spec or other parameters.
  func recall() throws -> Answer? {
    guard let bytes = try read() else { return nil }
    let value: JSONValue
    do throws(JSONError) {
      value = try JSONValue(reading: bytes)
    } catch {
      throw RunError(
        code: "damaged_request", message: "\(path): not JSON at byte \(error.offset)",
        fix: "remove that file; the next run with this key is done and noted anew")
    }
    guard case .string(let line)? = value["result"], case .int(let exit)? = value["exit"],
      case .string(let run)? = value["run"], case .string(let request)? = value["request"]
    else {
      throw RunError(
        code: "damaged_request", message: "\(path) is not the note of a request",
        fix: "remove that file; the next run with this key is done and noted anew")
    }
    guard self.request.utf8.elementsEqual(request) else {
      throw RunError(
        code: "idempotency_key_reused",
        message:
          "the key \(JSONValue.text(key).text) belongs to run \(String(decoding: run, as: UTF8.self)), which had another spec or other parameters",
        fix: "give each request a key of its own, for example the id of the scheduler's run")
    }
    return Answer(
      line: String(decoding: line, as: UTF8.self), exit: Int32(truncatingIfNeeded: exit),
      run: String(decoding: run, as: UTF8.self))
  }

  /// Notes what came of the request. A request that failed is not noted: it may be sent again.
  func remember(line: String, exit: Int32, run: String) throws {
    let value: JSONValue = [
      "key": .text(key), "request": .text(request), "run": .text(run), "exit": .int(Int(exit)),
      "result": .text(line),
    ]
    try writePage(value.bytes(indented: true) + [0x0A], at: path)
  }

  private func read() throws(FileError) -> [UInt8]? {
    do throws(FileError) {
      return try readWholeFile(path, limit: IdempotencyKey.bytesMax)
    } catch {
      if error.code == ENOENT { return nil }
      throw error
    }
  }
}
