import Testing
import WeirTesting

@Suite(.enabled(if: FaultShim.isThere, "\(FaultShim.obstacle)"))
struct `The shim before the disk` {
  /// Functions of the C library that change what a disk has, or make sure of it.
  private static let changing: Set<String> = [
    "open", "open64", "openat", "openat64", "openat2", "creat", "creat64", "fopen", "fopen64",
    "freopen", "freopen64", "fdopen", "mkstemp", "mkostemp", "mkstemp64", "tmpfile", "mkdtemp",
    "write", "writev", "pwrite", "pwrite64", "pwritev", "pwritev64", "pwritev2", "sendfile",
    "sendfile64", "splice", "copy_file_range", "ftruncate", "ftruncate64", "truncate", "truncate64",
    "fallocate", "fallocate64", "posix_fallocate", "posix_fallocate64", "fsync", "fdatasync",
    "sync",
    "syncfs", "sync_file_range", "msync", "close", "close_range", "rename", "renameat", "renameat2",
    "link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat", "remove", "rmdir", "mkdir",
    "mkdirat", "mknod", "mknodat", "mkfifo", "flock", "lockf", "fcntl", "fcntl64", "chmod",
    "fchmod",
    "fchmodat", "chown", "fchown", "lchown", "fchownat", "utime", "utimes", "futimes", "futimens",
    "utimensat", "setxattr", "fsetxattr", "lsetxattr", "mmap64", "mremap", "dup", "dup2", "dup3",
    "read", "pread", "pread64", "readv", "preadv", "preadv64",
  ]

  /// What it lets through, and why that is right.
  private static let letThrough: Set<String> = [
    // SQLite's way to share memory in WAL mode and to read a database without copies: both are off.
    "mmap64", "mremap",
    // SQLite gives a journal the owner of its database where it runs as root.
    "fchown",
    // SQLite's locks by files, which nobody chose.
    "utime",
    // Written bytes may reach the disk at any time before they are flushed; this makes it earlier, and
    // nothing waits for it or relies on it.
    "sync_file_range",
  ]

  /// A call that somebody brings in later is not forgotten: this fails until the shim knows it.
  @Test(.enabled(if: Symbols.canBeRead, "nm of the package binutils is not there"))
  func `stands in for every call of weir that changes a disk`() throws {
    let known = try Symbols.of(FaultShim.library!, "--defined-only")
    #expect(known.contains("rename") && known.contains("fdatasync"))
    let weir = RunningBinary.weir!
    var called = ["weir": try Symbols.askedByObjects(of: weir)]
    for library in try Symbols.libraries(of: weir) where library.contains("sqlite") {
      called[library] = try Symbols.of(library, "--undefined-only")
    }
    #expect(called.count == 2 && called["weir"]!.contains("rename"))
    for (binary, called) in called {
      let missing = called.intersection(Self.changing).subtracting(known)
        .subtracting(Self.letThrough)
      #expect(missing.isEmpty, "\(binary) calls \(missing.sorted())")
    }
  }

  /// A case can be repeated by its name only where calls have the same names each time.
  @Test func `gives calls the same names in every run`() throws {
    for scenario in try Scenario.all() {
      let folder = try scenario.folder()
      defer { folder.remove() }
      let log = folder.path + ".log"
      defer { removeAll(log) }
      #expect(folder.weir(scenario.arguments, faults: Faults(log: log)).exit == 0)
      // How often several workers write down what they kept is not the same each time.
      let hasOneWorker = scenario.arguments.starts(with: ["--workers", "1"])
      let names = lines(of: try readFile(log)).filter {
        hasOneWorker || !FaultPoint($0).isOfTheDigests
      }.sorted()
      let before = scenario.points.filter { hasOneWorker || !$0.isOfTheDigests }.map(\.name)
        .sorted()
      #expect(Set(names).count == names.count)
      #expect(
        names == before, "\(scenario.name): \(Set(names).symmetricDifference(before).sorted())")
    }
  }
}

/// What a binary asks of others and gives to others, by `nm` and `ldd`.
private enum Symbols {
  static let canBeRead = (try? RunningBinary.run("nm", ["--version"]))?.exit == 0

  static func of(_ binary: String, _ which: String) throws -> Set<String> {
    try names(["-D", which, binary])
  }

  /// What the modules of a program and of its packages ask for: beside them it holds the libraries of
  /// Swift, of which it uses a part.
  static func askedByObjects(of program: String) throws -> Set<String> {
    try names(["--undefined-only", "@\(program).product/Objects.LinkFileList"])
  }

  private static func names(_ arguments: [String]) throws -> Set<String> {
    let outcome = try RunningBinary.run("nm", arguments)
    guard outcome.exit == 0 else { throw Trouble(outcome.errors) }
    return Set(
      lines(of: outcome.stdout).compactMap { line in
        // "                 U rename@GLIBC_2.2.5"
        line.split(separator: " ").last?.split(separator: "@").first.map(String.init)
      })
  }

  static func libraries(of binary: String) throws -> [String] {
    lines(of: try RunningBinary.run("ldd", [binary]).stdout).compactMap { line in
      // "	libsqlite3.so.0 => /lib/x86_64-linux-gnu/libsqlite3.so.0 (0x00007f...)"
      let words = line.split(separator: " ")
      return words.count > 2 && words[1] == "=>" ? String(words[2]) : nil
    }
  }
}
