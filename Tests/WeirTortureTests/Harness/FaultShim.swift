import Glibc
import WeirTesting

/// The library that stands between `weir` and the disk: `Tests/Torture/shim`, compiled once a process.
enum FaultShim {
  /// Where it is; `nil` where it could not be made, see ``obstacle``.
  static var library: String? { try? made.get() }
  /// Why there is none.
  static var obstacle: String {
    if case .failure(let failure) = made { return failure.message }
    return ""
  }
  static let isThere = RunningBinary.weir != nil && library != nil

  private struct Failure: Error { var message: String }

  private static let made: Result<String, Failure> = {
    guard let weir = RunningBinary.weir else {
      return .failure(Failure(message: "the binary is not beside the tests"))
    }
    let sources = ["points.c", "files.c", "names.c"].map { "\(folder)/\($0)" }
    let library = weir + "-fault.so"
    // Compiled beside and put in its place in one step: another process may be using the old one.
    let fresh = "\(library).\(getpid())"
    var said = "no C compiler was found: install clang or gcc"
    for compiler in ["clang", "cc", "gcc"] {
      guard
        let outcome = try? RunningBinary.run(
          compiler,
          ["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread", "-o", fresh]
            + sources)
      else { continue }
      guard outcome.exit == 0, rename(fresh, library) == 0 else {
        said = "\(compiler): \(outcome.errors)"
        continue
      }
      return .success(library)
    }
    return .failure(Failure(message: said))
  }()

  /// The folder with the sources.
  static let folder =
    #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    .joined(separator: "/") + "/Torture/shim"
}

/// A call of a run on the disk, by the name that the shim gives it.
struct FaultPoint: Sendable, Hashable {
  /// `create`, `open`, `read`, `pread`, `write`, `pwrite`, `fsync`, `close`, `truncate`, `lock`,
  /// `rename`, `link`, `symlink`, `unlink`, `rmdir`, `mkdir`, `mode`, `times`.
  var call: String
  var name: String

  init(_ name: String) {
    self.name = name
    call = String(name.prefix { $0 != " " })
  }

  /// What it is done to.
  var path: String {
    String(name.dropFirst(call.count + 1).prefix { $0 != "#" }.dropLast())
  }

  /// Whether it is about what can be made again.
  var isOfTheDigests: Bool { path.hasPrefix(".weir/digests/") }
  /// Whether the run can do without it.
  var isSpare: Bool { isOfTheDigests || path.hasPrefix(".weir/catalog") }

  /// Whether the disk may be another one afterwards, or must be.
  var changesTheDisk: Bool { !["open", "read", "pread", "lock", "unlock", "close"].contains(call) }

  /// The errors that it may well give.
  var errors: [Int32] {
    switch call {
    case "create": [ENOSPC, EACCES, EMFILE, EIO, EINTR]
    case "open": [EACCES, EMFILE, EIO, EINTR]
    case "read", "pread": [EIO, EINTR]
    case "write", "pwrite": [ENOSPC, EIO, EDQUOT, EINTR]
    case "fsync": [EIO, ENOSPC, EINTR]
    case "truncate": [EIO, EINTR]
    case "close": [EIO, EINTR]
    case "rename", "link", "symlink", "mkdir": [ENOSPC, EACCES, EIO]
    case "unlink", "rmdir": [EACCES, EIO]
    case "lock": [EAGAIN, EINTR, ENOLCK]
    case "mode", "times": [EPERM]
    default: []
    }
  }
}

/// What the shim is to do at a point.
enum FaultAction: Sendable {
  case killBefore, killAfter
  /// Read or write half.
  case short
  /// - Parameter goesOn: whether every later call that can fails likewise.
  case fail(Int32, goesOn: Bool)
  /// Milliseconds.
  case delay(Int)
  case signal(Int32)
  /// Shut the file system down: with 1 its journal is flushed before, with 2 it is not.
  case cut(Int)

  var text: String {
    switch self {
    case .killBefore: "kill-before"
    case .killAfter: "kill-after"
    case .short: "short"
    case .fail(let code, let goesOn): "fail\(goesOn ? "-on" : ""):\(code)"
    case .delay(let time): "delay:\(time)"
    case .signal(let number): "signal:\(number)"
    case .cut(let flag): "cut:\(flag)"
    }
  }

  /// The same for the name of a case.
  var words: String {
    guard case .fail(let code, let goesOn) = self else { return text }
    return "\(errorName(code))\(goesOn ? " from then on" : "")"
  }
}

func errorName(_ code: Int32) -> String {
  let names: [Int32: String] = [
    ENOSPC: "ENOSPC", EACCES: "EACCES", EMFILE: "EMFILE", EIO: "EIO", EINTR: "EINTR",
    EDQUOT: "EDQUOT", EAGAIN: "EAGAIN", ENOLCK: "ENOLCK", EPERM: "EPERM",
  ]
  return names[code] ?? "error \(code)"
}
