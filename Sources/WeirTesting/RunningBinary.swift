import Glibc
import Synchronization
import WeirEngine

/// A child process whose output is collected, for tests of the built `weir`.
public final class RunningBinary: Sendable {
  public let pid: pid_t
  private let out: Collector
  private let err: Collector

  public struct Outcome: Sendable {
    /// The exit status, or `nil` where a signal ended it.
    public var exit: Int32?
    public var signal: Int32?
    public var stdout: [UInt8]
    public var stderr: [UInt8]

    public init(exit: Int32?, signal: Int32?, stdout: [UInt8], stderr: [UInt8]) {
      self.exit = exit
      self.signal = signal
      self.stdout = stdout
      self.stderr = stderr
    }

    public var output: String { String(decoding: stdout, as: UTF8.self) }
    public var errors: String { String(decoding: stderr, as: UTF8.self) }
    /// The last line on stdout.
    public var lastLine: String { lines(of: stdout).last ?? "" }
  }

  /// The `weir` that was built with the tests: it lies in the folder of the test bundle.
  public static let weir: String? = {
    var candidates = CommandLine.arguments.filter { $0.hasSuffix(".xctest") }.map { folder(of: $0) }
    var buffer = [UInt8](repeating: 0, count: 4_096)
    let count = buffer.withUnsafeMutableBytes {
      readlink("/proc/self/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
    }
    if count > 0 {
      candidates.append(folder(of: String(decoding: buffer[..<count], as: UTF8.self)))
    }
    return candidates.map { $0 + "/weir" }.first { access($0, X_OK) == 0 }
  }()

  private static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
  }

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - environment: added to that of the test.
  ///   - prefix: a command in front, such as `["prlimit", "--fsize=1000"]`, found in the PATH.
  public init(
    _ program: String, _ arguments: [String], in folder: String? = nil,
    environment: [String: String] = [:], prefix: [String] = []
  ) throws {
    // `env -C` changes the folder: the call for it is not in every C library that Swift imports.
    let words = (folder.map { ["env", "-C", $0] } ?? []) + prefix + [program] + arguments
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    // A test runner may block signals; the child starts with none blocked.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var variables = RunningBinary.environment
    for (name, value) in environment { variables[name] = value }
    var argv = words.map { strdup($0) } + [nil]
    var envp = variables.keys.sorted().map { strdup("\($0)=\(variables[$0]!)") } + [nil]
    defer { for text in argv + envp { free(text) } }
    (pid, out, err) = try RunningBinary.starting.withLock { _ in
      let outPipe = try RunningBinary.makePipe()
      let errPipe = try RunningBinary.makePipe()
      posix_spawn_file_actions_adddup2(&actions, outPipe.write, 1)
      posix_spawn_file_actions_adddup2(&actions, errPipe.write, 2)
      var child = pid_t()
      let code = posix_spawnp(&child, words[0], &actions, &attributes, &argv, &envp)
      close(outPipe.write)
      close(errPipe.write)
      guard code == 0 else {
        close(outPipe.read)
        close(errPipe.read)
        throw FileFailure(path: words[0], code: code)
      }
      return (child, Collector(outPipe.read), Collector(errPipe.read))
    }
  }

  /// One start at a time: a child must not inherit the pipes of another, or they never end.
  private static let starting = Mutex(())

  private static func makePipe() throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw FileFailure(path: "pipe", code: errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  private static var environment: [String: String] {
    var variables: [String: String] = [:]
    var at = environ
    while let entry = at.pointee {
      let text = String(cString: entry)
      if let equals = text.firstIndex(of: "=") {
        variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
      }
      at += 1
    }
    return variables
  }

  public func send(_ signal: Int32) { kill(pid, signal) }

  /// What it has written on stderr so far.
  public var errorsSoFar: String { String(decoding: err.soFar, as: UTF8.self) }

  /// Waits until it ends. Blocks.
  public func wait() -> Outcome {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    let signal = status & 0x7F
    return Outcome(
      exit: signal == 0 ? status >> 8 & 0xFF : nil, signal: signal == 0 ? nil : signal,
      stdout: out.all(), stderr: err.all())
  }

  /// Starts a program and waits until it ends.
  public static func run(
    _ program: String, _ arguments: [String], in folder: String? = nil,
    environment: [String: String] = [:], prefix: [String] = []
  ) throws -> Outcome {
    try RunningBinary(program, arguments, in: folder, environment: environment, prefix: prefix)
      .wait()
  }
}

/// Reads a pipe to its end on a thread of its own.
private final class Collector: Sendable {
  private let bytes = Mutex<[UInt8]>([])
  private let descriptor: Int32
  private let thread: Mutex<pthread_t>

  init(_ descriptor: Int32) {
    self.descriptor = descriptor
    thread = Mutex(pthread_t())
    var started = pthread_t()
    let result = startThread(&started) { self.collect() }
    precondition(result == 0, "no thread can be started")
    let handle = started
    thread.withLock { $0 = handle }
  }

  var soFar: [UInt8] { bytes.withLock { $0 } }

  func all() -> [UInt8] {
    pthread_join(thread.withLock { $0 }, nil)
    return soFar
  }

  private func collect() {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let got = read(descriptor, &buffer, buffer.count)
      if got < 0, errno == EINTR { continue }
      guard got > 0 else { break }
      let piece = buffer[..<got]
      bytes.withLock { $0 += piece }
    }
    close(descriptor)
  }
}
